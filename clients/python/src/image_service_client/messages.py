"""The Protobuf messages of a batch: the only call of the service that has no form in plain HTTP.

The field numbers are those of proto/image/v1/processor.proto and google/rpc/error_details.proto.
Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .options import config_text
from .sources import Content, Url

BATCH_PATH = "/image.v1.ProcessorService/ProcessBatch"

# Values of enums; 0 is "unspecified".
_DATATYPES = {"uint8": 1, "fp16": 2, "fp32": 3, "bf16": 4}
_LAYOUTS = {"nchw": 1, "nhwc": 2}
_PIXELS = {"normalized": 1, "uint8": 2}
_NUMERICS = {"exact": 1, "fast": 2, "pillow": 3, "torch": 4, "opencv": 5}
_ORIENTATIONS = {"apply": 1, "ignore": 2}
_ALPHAS = {"default": 1, "drop": 2, "white": 3, "black": 4}
_SAFETENSORS = 3

# Options beside a preset: their field, or the message that they are in and their field there; the words of an enum.
_REQUEST_ENUMS = {"numerics": (7, _NUMERICS), "orientation": (14, _ORIENTATIONS), "alpha": (15, _ALPHAS)}
_TENSOR_ENUMS = {"datatype": (1, _DATATYPES), "layout": (2, _LAYOUTS), "pixels": (8, _PIXELS)}
_TENSOR, _PRESET, _CONFIG, _SOURCE, _SETTINGS = 6, 10, 11, 13, 16
_PAGE_BOXES = {"crop": 1, "media": 2}
_PAGE = {"page", "dpi", "page_box", "annotations", "password"}
_OTHERS = {"preset", "preprocessor_config", "imgsz", "stride", "rect", "format", *_PAGE}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def batch_request(contents: Sequence[Content], options: Mapping[str, Any]) -> bytes:
    """A ProcessBatchRequest: each image with the same preset and options.

    Raises:
        ValueError: for an option or a value that does not go with a preset.
    """
    common = _common_fields({name: value for name, value in options.items() if value is not None})
    parts = []
    for content in contents:
        source = _text(2, content.url) if isinstance(content, Url) else _bytes(1, content)
        # One part after another, so that no image is copied twice.
        parts += [_tag(1, _BYTES) + _varint(len(source) + len(common)), source, common]
    return b"".join(parts)


def _common_fields(options: Mapping[str, Any]) -> bytes:
    for name in options:
        if name not in _OTHERS and name not in _REQUEST_ENUMS and name not in _TENSOR_ENUMS:
            raise ValueError(f"{name} does not go with a preset in a batch; allowed: {', '.join(_allowed())}.")
    if options.get("format") not in (None, "safetensors"):
        raise ValueError(f"format={options['format']!r} does not go with a batch, which comes as arrays; leave it out.")
    fields = [_enum(field, words, name, options) for name, (field, words) in _REQUEST_ENUMS.items()]
    tensor = [_enum(field, words, name, options) for name, (field, words) in _TENSOR_ENUMS.items()]
    fields.append(_bytes(_TENSOR, b"".join([*tensor, _integer(7, _SAFETENSORS)])))
    if "preset" in options:
        fields.append(_text(_PRESET, options["preset"]))
    if "preprocessor_config" in options:
        fields.append(_text(_CONFIG, config_text(options["preprocessor_config"])))
    if _PAGE & options.keys():
        fields.append(_bytes(_SOURCE, _source_options(options)))
    settings = _settings(options)
    if settings:
        fields.append(_bytes(_SETTINGS, settings))
    return b"".join(fields)


def _allowed() -> list[str]:
    return sorted({*_OTHERS, *_REQUEST_ENUMS, *_TENSOR_ENUMS} - {"format"})


def _source_options(options: Mapping[str, Any]) -> bytes:
    fields = [_integer(1, int(options["page"]))] if "page" in options else []
    if "dpi" in options:
        fields.append(_tag(2, _FIXED64) + struct.pack("<d", options["dpi"]))
    fields.append(_enum(3, _PAGE_BOXES, "page_box", options))
    if "annotations" in options:
        fields.append(_integer(4, int(options["annotations"])))
    if "password" in options:
        fields.append(_text(5, options["password"]))
    return b"".join(fields)


def _settings(options: Mapping[str, Any]) -> bytes:
    imgsz = options.get("imgsz")
    sides = [] if imgsz is None else [imgsz] if isinstance(imgsz, int) else list(imgsz)
    fields = [_integer(field, int(side)) for field, side in zip((1, 2), sides, strict=False)]
    if "stride" in options:
        fields.append(_integer(3, int(options["stride"])))
    if "rect" in options:
        fields.append(_integer(4, int(options["rect"])))
    return b"".join(fields)


def _enum(field: int, words: Mapping[str, int], name: str, options: Mapping[str, Any]) -> bytes:
    if name not in options:
        return b""
    if options[name] not in words:
        raise ValueError(f"{name} is {options[name]!r}; allowed: {', '.join(words)}.")
    return _integer(field, words[options[name]])


def batch_content(message: bytearray) -> bytearray:
    """The joined tensors, as safetensors, of a ProcessBatchResponse; writable."""
    return next((bytearray(value) for field, value in fields_of(message) if field == 1), bytearray())


def error_info(value: str) -> tuple[str, dict[str, Any]]:
    """Reason and metadata of a google.rpc.ErrorInfo in Base64, as the Connect protocol has it."""
    reason, metadata = "", {}
    for field, content in fields_of(base64.b64decode(value + "=" * (-len(value) % 4))):
        if field == 1:
            reason = str(content, "utf-8")
        elif field == 3:
            entry = {number: str(text, "utf-8") for number, text in fields_of(content)}
            metadata[entry.get(1, "")] = entry.get(2, "")
    return reason, metadata


def fields_of(message: bytes | bytearray | memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and contents of a message's fields of type string, bytes or message; other fields are skipped."""
    view, at = memoryview(message), 0
    while at < len(view):
        tag, at = _read_varint(view, at)
        field, kind = tag >> 3, tag & 7
        if kind == _BYTES:
            length, at = _read_varint(view, at)
            yield field, view[at : at + length]
            at += length
        elif kind == _VARINT:
            _, at = _read_varint(view, at)
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"A field of wire type {kind} is not Protobuf.")


def _read_varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _integer(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())
