"""The calls of the service: each builds its requests and reads their responses."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from .errors import ImageServiceError, RequestError, UnexpectedResponseError
from .exchange import Call, Effect, Patience, Read, Reply, Request, exchange, read
from .messages import BATCH_PATH, batch_content, batch_request
from .multipart import form_body, parts_of
from .options import has_preset, option_texts
from .outputs import Description, Output, Preset, Tensors, description_of, info_of, preset_of
from .skew import (
    Skew,
    SkewBatch,
    TensorSource,
    batch_of,
    is_picture,
    read_picture,
    read_tensor,
    skew_of,
    tolerance_text,
)
from .sources import Content, Source, Url
from .streams import Item
from .tensors import Array, read_safetensors

IMAGE_FORMATS = ("source", "jpeg", "png", "webp")
# It has any number of tensors by name, in any datatype, and is read without a copy.
TENSOR_FORMAT: Final = "safetensors"
_CONTENT_TYPES = (
    "application/json",
    "application/octet-stream",
    "application/vnd.safetensors",
    "application/x-npy",
    "application/x-npz",
)
# The service refuses headers over 16 KiB; a longer query goes into the body.
LONGEST_QUERY = 4096
# The service makes at most 16 outputs in one request; fewer pages hold less memory at once.
PAGES_PER_REQUEST = 8


def process(source: Source, options: Mapping[str, Any], patience: Patience) -> Call[Output]:
    """One output in any format."""
    if not isinstance(options.get("page", 1), (int, np.integer)):
        raise ValueError(f"page={options['page']!r} is not one page; pages(source, [1, 2]) makes several.")
    reply = yield from _send(source, "/v1/images", _with_container(options), patience)
    output = output_of(reply.headers, reply.body)
    if output.content_type.startswith("image/") or output.content_type in _CONTENT_TYPES:
        return output
    raise _not_the_services(reply)


def tensors(source: Source, options: Mapping[str, Any], patience: Patience) -> Call[Tensors]:
    """The tensors of an image."""
    output = yield from process(source, {"format": TENSOR_FORMAT, **options}, patience)
    return output.tensors()


def tensor(source: Source, name: str | None, options: Mapping[str, Any], patience: Patience) -> Call[Array]:
    """The only tensor of an image, or the one with this name."""
    made = yield from tensors(source, options, patience)
    return made.one(name)


def image(source: Source, options: Mapping[str, Any], patience: Patience) -> Call[Output]:
    """An encoded image."""
    if options.get("format") not in (None, *IMAGE_FORMATS):
        raise ValueError(f"format={options['format']!r} is a tensor's; image() makes {', '.join(IMAGE_FORMATS)}.")
    default = {"format": "png"} if has_preset(options) else {}
    output = yield from process(source, {**default, **options}, patience)
    if not output.content_type.startswith("image/"):
        raise ValueError(f'The response is {output.content_type}; give an image\'s format, such as format="png".')
    return output


def describe(source: Source, options: Mapping[str, Any], patience: Patience) -> Call[Description]:
    """What a request gives, without decoding the image."""
    reply = yield from _send(source, "/v1/describe", _with_container(options), patience)
    return description_of(_json_of(reply))


def variants(
    source: Source, outputs: Sequence[Mapping[str, Any]], options: Mapping[str, Any], patience: Patience
) -> Call[list[Output]]:
    """Several outputs of one image, in the order of their options."""
    password = {"password": str(options["password"])} if options.get("password") is not None else {}
    merged = [_with_container({**options, **own, "password": None}) for own in outputs]
    common = {"variants": json.dumps([option_texts(one) for one in merged]), **password}
    reply = yield from _send(source, "/v1/images", common, patience)
    return [output_of(headers, body) for headers, body in parts_of(reply)]


def page_groups(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Pages in groups of one request each."""
    rest = list(numbers)
    for start in range(0, len(rest), PAGES_PER_REQUEST):
        yield rest[start : start + PAGES_PER_REQUEST]


def count_of_pages(source: Source, options: Mapping[str, Any], patience: Patience) -> Call[int]:
    """The number of a document's pages; 1 for a picture."""
    description = yield from describe(source, {**options, "page": None}, patience)
    return (description.source.pages if description.source else None) or 1


def batch(sources: Iterable[Source], options: Mapping[str, Any], patience: Patience) -> Call[Tensors]:
    """The tensors of several images, joined by the service as the preset's own library joins them."""
    contents = []
    for source in sources:
        contents.append((yield from read(source)))
    headers = {"Content-Type": "application/proto", "Connect-Protocol-Version": "1"}
    request = Request("POST", BATCH_PATH, headers=headers, body=batch_request(contents, options))
    reply = yield from exchange(request, patience)
    if reply.headers.get("content-type") != "application/proto":
        raise _not_the_services(reply)
    return Tensors(read_safetensors(batch_content(reply.body)))


def joined(items: Iterable[Item]) -> Tensors:
    """The tensors of a stream's items along their first axis, as the service joins those made without a preset.

    Raises:
        ImageServiceError: the failure of an image, with its index in the metadata, or BATCH_SHAPES_UNEQUAL.
    """
    all_tensors: list[Tensors] = []
    for item in items:
        if isinstance(item.error, ImageServiceError):
            item.error.metadata["index"] = str(item.index)
        all_tensors.append(item.tensors())
        first, last = (
            {name: array.shape[1:] for name, array in one.items()} for one in (all_tensors[0], all_tensors[-1])
        )
        if first != last:
            raise RequestError(
                f"Image 0 becomes {first} and image {item.index} becomes {last}. Give them one size.",
                reason="BATCH_SHAPES_UNEQUAL",
                metadata={"index": str(item.index)},
            )
    if not all_tensors:
        raise ValueError("A batch has at least one image.")
    return Tensors({name: np.concatenate([one[name] for one in all_tensors]) for name in all_tensors[0]})


def skew_fields(tolerance: float | str | None, map: bool, tensor_name: str | None) -> dict[str, str]:
    """The settings of a comparison as fields of a form."""
    fields = {
        "tolerance": None if tolerance is None else tolerance_text(tolerance),
        "map": "true" if map else None,
        "tensor_name": tensor_name,
    }
    return {name: value for name, value in fields.items() if value is not None}


def skew(
    image: Source,
    tensor: TensorSource,
    picture: bool,
    fields: Mapping[str, str],
    options: Mapping[str, Any],
    patience: Patience,
) -> Call[Skew]:
    """The comparison of one pair."""
    reply = yield from _send_pairs([(image, tensor)], picture, fields, options, patience)
    return skew_of(_json_of(reply))


def skew_batch(
    pairs: Iterable[tuple[Source, TensorSource]],
    picture: bool,
    fields: Mapping[str, str],
    options: Mapping[str, Any],
    patience: Patience,
) -> Call[SkewBatch]:
    """The comparisons of several pairs."""
    pairs = list(pairs)
    if not pairs:
        raise ValueError("A comparison has at least one pair.")
    reply = yield from _send_pairs(pairs, picture, fields, options, patience)
    value = _json_of(reply)
    if "pairs" in value:
        return batch_of(value)
    # The response to a single pair is that of `skew`.
    overall = {**value, "pairs": 1, "failed": 0}
    return batch_of({"overall": overall, "pairs": [value]})


def _send_pairs(
    pairs: Sequence[tuple[Source, TensorSource]],
    picture: bool,
    fields: Mapping[str, str],
    options: Mapping[str, Any],
    patience: Patience,
) -> Generator[Effect, Any, Reply]:
    parts: list[tuple[str, str | bytes]] = [*fields.items(), *option_texts(options).items()]
    for image, tensor in pairs:
        content = yield from read(image)
        parts.append(("url", content.url) if isinstance(content, Url) else ("image", content))
        is_encoded = picture or is_picture(tensor)
        given = yield Read(tensor, read_picture if is_encoded else read_tensor)
        parts.append(("picture" if is_encoded else "tensor", given))
    boundary = uuid.uuid4().hex
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = Request("POST", "/v1/skew", headers=headers, body=form_body(boundary, parts))
    return (yield from exchange(request, patience))


def preset(name: str, patience: Patience) -> Call[Preset]:
    """One preset in detail."""
    reply = yield from exchange(Request("GET", f"/v1/presets/{quote(name, safe='/')}"), patience)
    return preset_of(_json_of(reply))


def presets_page(q: str, cursor: str, patience: Patience) -> Call[tuple[list[Preset], str]]:
    """A page of the list of presets, and the cursor of the next page: empty after the last one."""
    params = {name: value for name, value in (("q", q), ("cursor", cursor)) if value}
    reply = yield from exchange(Request("GET", "/v1/presets", {"limit": "1000", **params}), patience)
    value = _json_of(reply)
    return [preset_of(one) for one in value["presets"]], value.get("next_cursor", "")


def output_of(headers: Mapping[str, str], body: bytes | bytearray) -> Output:
    """An output from the headers and the body of a response, or of a part of one."""
    content_type = headers.get("content-type", "").partition(";")[0]
    return Output(content=body, content_type=content_type, info=info_of(headers), headers=headers)


def _with_container(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Options with the container that this library reads best, where the service would choose one of NumPy's."""
    return {**options, "format": TENSOR_FORMAT} if has_preset(options) and not options.get("format") else options


def _send(source: Source, path: str, options: Mapping[str, Any], patience: Patience) -> Generator[Effect, Any, Reply]:
    content = yield from read(source)
    return (yield from exchange(_request(content, path, option_texts(options)), patience))


def _request(content: Content, path: str, texts: Mapping[str, str]) -> Request:
    """A source and its options: short options of bytes in the query, others in a form, those of a URL in JSON.

    A password makes it a form: queries are logged on their way.
    """
    if isinstance(content, Url):
        body = json.dumps({"url": content.url, **texts}).encode()
        return Request("POST", path, headers={"Content-Type": "application/json"}, body=body)
    if (
        "password" not in texts
        and sum(len(name) + len(quote(value)) + 2 for name, value in texts.items()) <= LONGEST_QUERY
    ):
        headers = {"Content-Type": "application/octet-stream"}
        return Request("POST", path, params=texts, headers=headers, body=content)
    boundary = uuid.uuid4().hex
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Request("POST", path, headers=headers, body=form_body(boundary, [*texts.items(), ("image", content)]))


def _json_of(reply: Reply) -> Any:
    try:
        return json.loads(reply.body)
    except ValueError:
        raise _not_the_services(reply) from None


def _not_the_services(reply: Reply) -> UnexpectedResponseError:
    kind = reply.headers.get("content-type", "no content type")
    return UnexpectedResponseError(
        f"{reply.url} responded {reply.status} with {kind}, which the image service does not. Check the client's URL.",
        reason="UNEXPECTED_RESPONSE",
        status=reply.status,
        request_id=reply.headers.get("x-request-id"),
    )
