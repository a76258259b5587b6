"""The options of a request, as keyword arguments and as texts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict, Union

ImageFormat = Literal["source", "jpeg", "png", "webp"]
TensorFormat = Literal["raw", "npy", "safetensors", "npz", "vllm", "open_inference", "auto"]
ConfigSource = Union[Mapping[str, Any], str, "os.PathLike[str]"]


class Options(TypedDict, total=False):
    """The options of a request, under the names that all interfaces of the service use.

    The page "Options" of the service's documentation describes each. Options that are left out take the defaults of
    the service, which the operator may have changed.
    """

    # One page from 1; several, such as "1-3,7" or [1, 2], with `pages`.
    page: int | str | Sequence[int]
    dpi: float
    page_box: Literal["crop", "media"]
    annotations: bool
    # Of an encrypted document. It is sent in a header or a form, never in a query.
    password: str
    scale: bool
    width: int
    height: int
    shortest_edge: int
    crop_width: int
    crop_height: int
    fit: Literal["fill", "cover", "contain", "inside", "outside"]
    filter: Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
    grayscale: bool
    format: ImageFormat | TensorFormat
    quality: int
    numerics: Literal["exact", "pillow", "torch", "opencv", "fast"]
    background: str
    orientation: Literal["apply", "ignore"]
    alpha: Literal["default", "drop", "white", "black"]
    preset: str
    # A dict, JSON as text, or the path of a file as a pathlib.Path.
    preprocessor_config: ConfigSource
    imgsz: int | Sequence[int]
    stride: int
    rect: bool
    datatype: Literal["uint8", "fp16", "fp32", "bf16"]
    pixels: Literal["normalized", "uint8"]
    layout: Literal["nchw", "nhwc"]
    rescale: float
    mean: float | Sequence[float]
    std: float | Sequence[float]
    channel_order: Literal["rgb", "bgr"]
    store: bool | Literal["wait"]
    store_link: int


def has_preset(options: Mapping[str, Any]) -> bool:
    """Whether a model's own preprocessing is asked for."""
    return options.get("preset") is not None or options.get("preprocessor_config") is not None


def option_texts(options: Mapping[str, Any]) -> dict[str, str]:
    """Options as query parameters, form fields or JSON members contain them.

    An option that is None counts as left out. Names are not checked: the service refuses unknown ones and names the
    nearest.
    """
    return {name: _text(name, value) for name, value in options.items() if value is not None}


def _text(name: str, value: Any) -> str:
    if name == "preprocessor_config":
        return config_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, Sequence):
        return ",".join(_text(name, one) for one in value)
    if isinstance(value, float):
        return repr(value)
    return str(value)


def config_text(config: ConfigSource) -> str:
    """The JSON of a preprocessor_config: of a mapping, of a text, or of the file at a `Path`."""
    if isinstance(config, Mapping):
        return json.dumps(config)
    if isinstance(config, str):
        return config
    return Path(config).read_text(encoding="utf-8")
