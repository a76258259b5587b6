"""The source of a request: an image's bytes, or the URL that leads to them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Union


class ReadableFile(Protocol):
    """A file that was opened in binary mode."""

    def read(self) -> bytes:
        """All bytes from the current position on."""


@dataclass(frozen=True)
class Url:
    """An image that the service downloads: an http or https URL.

    A `str` that starts with `http://` or `https://` means the same.
    """

    url: str


# A path, a URL, bytes, a file opened in binary mode, a PIL image, or a row of a Hugging Face `Image` column.
Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Url, ReadableFile, Mapping[str, Any], Any]
Content = bytes | Url

# Modes of Pillow that PNG stores without loss.
_PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def read_source(source: Source) -> Content:
    """The bytes of an image, or its URL.

    Raises:
        OSError: the file cannot be read.
        TypeError: the source is none of the kinds that are accepted, for example an array.
    """
    if isinstance(source, Url | bytes):
        return source
    if isinstance(source, bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        return Url(source)
    if isinstance(source, str | os.PathLike):
        return Path(source).read_bytes()
    if isinstance(source, Mapping):
        return _read_row(source)
    if hasattr(source, "save") and hasattr(source, "mode"):
        return _png_of(source)
    if hasattr(source, "read"):
        return _read_file(source)
    raise TypeError(_refusal(source))


def _read_row(row: Mapping[str, Any]) -> Content:
    """A row of an `Image(decode=False)` column of Hugging Face datasets: {"bytes": …, "path": …}."""
    if row.get("bytes") is not None:
        return bytes(row["bytes"])
    if isinstance(row.get("path"), str | os.PathLike):
        return read_source(row["path"])
    raise TypeError('A mapping is an image if it has "bytes", or "path" with a path or URL.')


def _read_file(file: ReadableFile) -> bytes:
    content = file.read()
    if isinstance(content, str):
        raise TypeError('The file is open in text mode; open it in binary mode: open(path, "rb").')
    return bytes(content)


def _png_of(image: Any) -> bytes:
    """A PIL image as PNG, which keeps its pixels as they are. EXIF is left out: the pixels are not turned again."""
    if image.mode not in _PNG_MODES:
        raise TypeError(
            f"PNG cannot store a PIL image of mode {image.mode!r}. Pass the file's own bytes or path, or "
            'image.convert("RGB").'
        )
    file = io.BytesIO()
    image.save(file, format="PNG", compress_level=1, exif=b"")
    return file.getvalue()


def _refusal(source: object) -> str:
    kind = f"{type(source).__module__}.{type(source).__qualname__}"
    if hasattr(source, "shape") and hasattr(source, "dtype"):
        return (
            f"A {kind} is an array of pixels without a channel order, and the service takes encoded images. Pass the "
            "file's own bytes or path, or PIL.Image.fromarray(array) of an RGB array."
        )
    return f"A {kind} is not an image: pass a path, a URL, bytes, a binary file or a PIL image."
