"""Multipart bodies (RFC 2046): a form to send, variants to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .exchange import Reply


def form_body(boundary: str, fields: Iterable[tuple[str, str | bytes]]) -> bytes:
    """A multipart/form-data body of texts and of files, which are bytes."""
    parts: list[bytes] = []
    for name, value in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, str):
            parts.append(f"{head}\r\n\r\n{value}\r\n".encode())
        else:
            # A file is not copied before all are joined.
            kind = "Content-Type: application/octet-stream"
            parts += [f'{head}; filename="{name}"\r\n{kind}\r\n\r\n'.encode(), value, b"\r\n"]
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


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
