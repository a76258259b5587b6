"""What the service returns, as values."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .tensors import Array, read_npy, read_npz, read_raw, read_safetensors


@dataclass(frozen=True)
class SourceInfo:
    """The image as the service received it."""

    format: str
    """Detected from the bytes: `jpeg`, `png`, …"""
    width: int
    """In pixels as stored, before EXIF orientation."""
    height: int
    """In pixels as stored, before EXIF orientation."""
    bytes: int | None = None
    """Length of the encoded image."""
    sha256: str | None = None
    """Of the encoded image, in hex."""
    orientation: int | None = None
    """The EXIF orientation, 1 to 8; only in a description."""
    pages: int | None = None
    """Pages of a document; only in a description."""


@dataclass(frozen=True)
class Info:
    """How an output was made, from the headers of its response."""

    key: str | None
    """Identifies the bytes: equal keys mean equal outputs."""
    numerics: str | None
    """Version of the arithmetic. While it stays the same, the same request gives the same bytes."""
    width: int | None
    """Of the processed image in pixels, before it is cut into tiles or patches."""
    height: int | None
    """Of the processed image in pixels, before it is cut into tiles or patches."""
    source: SourceInfo | None
    """The image as it was received."""
    decisions: tuple[str, ...]
    """Decisions about the source, such as `orientation=6`."""
    libraries: Mapping[str, str]
    """Versions of the libraries that decoded and encoded."""
    cache: str | None
    """Where the output came from, as RFC 9211 writes it: `image-processor; hit; detail=memory`."""
    timings: Mapping[str, float]
    """Milliseconds of each stage."""
    request_id: str | None
    """The request's id in the service's log."""
    stored_uri: str | None = None
    """Where the service keeps the response: `s3://bucket/key`. With `store="wait"` it is there already."""
    stored_link: str | None = None
    """A URL of the kept response for the seconds of `store_link`; it needs no credentials."""


@dataclass(frozen=True)
class Output:
    """One output of an image: an encoded image, or tensors in their container."""

    content: bytes | bytearray = field(repr=False)
    """The bytes."""
    content_type: str
    """`image/jpeg`, `application/vnd.safetensors`, …"""
    info: Info
    """How it was made."""
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    """All headers of the response, in lower case."""

    def tensors(self) -> Tensors:
        """The tensors by name.

        Raises:
            ValueError: the output is not a container that this library reads.
        """
        return Tensors(self._arrays(), self.info)

    def tensor(self, name: str | None = None) -> Array:
        """The only tensor, or the one with this name.

        Raises:
            ValueError: there are several tensors and no name is given.
            KeyError: there is no tensor of this name.
        """
        return self.tensors().one(name)

    def pillow(self) -> Any:
        """The image as a `PIL.Image.Image`; needs Pillow."""
        from PIL import Image

        return Image.open(io.BytesIO(self.content))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bytes to a file."""
        Path(path).write_bytes(self.content)

    def _arrays(self) -> dict[str, Array]:
        kind = self.content_type
        if kind == "application/vnd.safetensors":
            return read_safetensors(self.content)
        if kind == "application/x-npz":
            return read_npz(self.content)
        if kind == "application/x-npy":
            return {"tensor": read_npy(self.content)}
        if kind == "application/octet-stream" and "inference-header-content-length" not in self.headers:
            shape = [int(length) for length in self.headers["tensor-shape"].split(",")]
            return {"tensor": read_raw(self.content, self.headers["tensor-datatype"], shape)}
        raise ValueError(f'{kind} is not a container of tensors; ask for format="safetensors".')

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Shows an image in a notebook."""
        text = {"text/plain": repr(self)}
        if not self.content_type.startswith("image/"):
            return text
        return {**text, self.content_type: base64.b64encode(self.content).decode("ascii")}


class Tensors(dict[str, Array]):
    """Tensors by name, as the model's library names its inputs: `model(**tensors)`."""

    def __init__(self, tensors: Mapping[str, Array], info: Info | None = None) -> None:
        super().__init__(tensors)
        self.info = info
        """How they were made."""

    def one(self, name: str | None = None) -> Array:
        """The only tensor, or the one with this name.

        Raises:
            ValueError: there are several tensors and no name is given.
            KeyError: there is no tensor of this name.
        """
        names = ", ".join(self)
        if name is not None:
            if name not in self:
                raise KeyError(f"There is no tensor {name}; the response has {names}.")
            return self[name]
        if len(self) != 1:
            raise ValueError(
                f"The response has {len(self)} tensors: {names}. The model needs all of them: call tensors(), or give "
                "the name of one."
            )
        return next(iter(self.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Tensors, (dict(self), self.info))


@dataclass(frozen=True)
class OutputDescription:
    """An output, before it is made: a tensor (`name`, `datatype`, `shape`, `bytes`) or an image (`format`, …)."""

    name: str | None = None
    datatype: str | None = None
    """UINT8, FP16, FP32 or BF16."""
    shape: tuple[int, ...] | None = None
    bytes: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class Description:
    """What a request gives, known without decoding the image."""

    source: SourceInfo | None
    outputs: tuple[OutputDescription, ...]
    decisions: tuple[str, ...]
    key: str | None
    """The key that the response will have."""
    tokens: int | None
    """Tokens that stand for the image in the prompt of the preset's model; None if it has none."""
    grid: tuple[int, ...]
    """Frames, rows and columns of patches; empty if the preset does not cut the image into patches."""
    pages: tuple[tuple[int, int], ...] = ()
    """Width and height in pixels of a document's first pages; empty for a picture."""


@dataclass(frozen=True)
class Preset:
    """A model's own preprocessing."""

    name: str
    aliases: tuple[str, ...]
    family: str
    """The library that it comes from: `transformers`, `timm`, …"""
    numerics: tuple[str, ...]
    """Those that it can be computed with. The first one is what `exact` means."""
    outputs: tuple[str, ...]
    """The names of its tensors."""
    steps: tuple[str, ...] = ()
    """What is done to an image, in words; only from `preset()`."""
    python: str | None = None
    """Lines that make the same tensors with the library itself; only from `preset()`."""


def info_of(headers: Mapping[str, str]) -> Info:
    """The headers of a response, whose names are in lower case, as values."""
    return Info(
        key=_unquoted(headers.get("etag")),
        numerics=_unquoted(headers.get("image-numerics")),
        width=_integer(headers.get("image-width")),
        height=_integer(headers.get("image-height")),
        source=_source_of(headers.get("image-source")),
        decisions=tuple(_strings(headers.get("image-decisions", ""))),
        libraries={name: _unescaped(value) for name, value in _members(headers.get("image-libraries", ""))},
        cache=headers.get("cache-status"),
        timings={
            name: float(ms) for name, ms in re.findall(r"([\w-]+);dur=([\d.]+)", headers.get("server-timing", ""))
        },
        request_id=headers.get("x-request-id"),
        stored_uri=_unquoted(headers.get("image-stored")),
        stored_link=_unquoted(headers.get("image-stored-link")),
    )


# Structured fields (RFC 9651): strings in double quotes, in which a backslash escapes the next character.
_STRING = r'"((?:[^"\\]|\\.)*)"'


def _strings(text: str) -> list[str]:
    return [_unescaped(one) for one in re.findall(_STRING, text)]


def _members(text: str) -> list[tuple[str, str]]:
    return re.findall(rf"([\w*.-]+)={_STRING}", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _unquoted(text: str | None) -> str | None:
    return None if text is None else _unescaped(text.removeprefix("W/").strip('"'))


def _integer(text: str | None) -> int | None:
    return None if text is None else int(text)


def _source_of(text: str | None) -> SourceInfo | None:
    if text is None:
        return None
    fields = dict(re.findall(r"(\w+)=\"?([^;\"]+)", text))
    return SourceInfo(
        format=text.partition(";")[0],
        width=int(fields["width"]),
        height=int(fields["height"]),
        bytes=int(fields["bytes"]),
        sha256=fields["sha256"],
    )


def description_of(value: Mapping[str, Any]) -> Description:
    """The JSON of /v1/describe as a value. Members of later versions are left out."""
    source = value.get("source")
    return Description(
        source=None
        if source is None
        else SourceInfo(
            source["format"],
            source["width"],
            source["height"],
            orientation=source.get("orientation"),
            pages=source.get("pages"),
        ),
        outputs=tuple(_output_of(one) for one in value["outputs"]),
        decisions=tuple(value.get("decisions", ())),
        key=value.get("key"),
        tokens=value.get("tokens"),
        grid=tuple(value.get("grid", ())),
        pages=tuple((one["width"], one["height"]) for one in value.get("pages", ())),
    )


def _output_of(value: Mapping[str, Any]) -> OutputDescription:
    known = {name: value.get(name) for name in ("name", "datatype", "bytes", "format", "width", "height")}
    shape = value.get("shape")
    return OutputDescription(shape=None if shape is None else tuple(shape), **known)


def preset_of(value: Mapping[str, Any]) -> Preset:
    """The JSON of a preset as a value."""
    lists = {name: tuple(value.get(name, ())) for name in ("aliases", "numerics", "outputs", "steps")}
    return Preset(name=value["name"], family=value["family"], python=value.get("python"), **lists)
