"""Multipart bodies (RFC 2046): a form to send, variants to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .exchange import Reply


def form_body(boundary: str, fields: Mapping[str, str], image: bytes) -> bytes:
    """A multipart/form-data body of texts and of the file `image`."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    return b"".join([*parts, head, image, f"\r\n--{boundary}--\r\n".encode()])


def parts_of(reply: Reply) -> Iterator[tuple[dict[str, str], bytearray]]:
    """The headers, in lower case, and the content of each part of a multipart/mixed response.

    Each part of the service states its length, so contents are not searched for the boundary.
    """
    body, at = reply.body, 0
    while (end := body.find(b"\r\n\r\n", at)) != -1:
        lines = body[at:end].decode("latin-1").strip().split("\r\n")[1:]  # The first line is the boundary.
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        start = end + 4
        at = start + int(headers["content-length"])
        yield headers, body[start:at]
