"""Comparisons of another program's tensor with the expected one: what is sent, and the report."""

from __future__ import annotations

import binascii
import io
import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np

from .errors import ImageServiceError, error_class
from .outputs import SourceInfo
from .sources import read_source

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import Client
    from .options import Options
    from .sources import Source

# An array, a torch tensor or another object with __array__, the path or the bytes of a .npy, .npz or safetensors file,
# a file opened in binary mode, or a PIL image.
TensorSource = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Any]


@dataclass(frozen=True)
class SkewStep:
    """One difference between two kinds of preprocessing."""

    name: str
    """The option or step: `filter`, `channel_order`, `mean`, …"""
    yours: str
    """In the given tensor."""
    expected: str
    """In the expected tensor."""
    also: tuple[str, ...] = ()
    """Other values of `yours` that give the same tensor."""


@dataclass(frozen=True)
class SkewCause:
    """The preprocessing that made the given tensor."""

    exact: bool
    """Whether it gives every value, to the last bit."""
    confidence: float | None
    """0 to 1; 1 if exact. None for the cause of several pairs."""
    sentence: str
    steps: tuple[SkewStep, ...]
    """Where it differs from the expected preprocessing, in the order of processing."""


@dataclass(frozen=True)
class TensorInfo:
    """A tensor without its values."""

    name: str
    datatype: str
    """As the Open Inference Protocol names it, such as FP32."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Skew:
    """How a tensor differs from the expected one, and why."""

    equal: bool
    """Whether shape, datatype and all values are equal."""
    within_tolerance: bool | None
    """Whether the difference is within the tolerance of the call; None without one."""
    differing_share: float | None
    """0 to 1. This and the next ones are None if the tensors differ in size."""
    mean_abs: float | None
    """In the units of the expected tensor."""
    max_abs: float | None
    """In the units of the expected tensor."""
    percentiles: Mapping[str, float]
    """Of the absolute differences: p50, p90, p99, p99.9."""
    cause: SkewCause | None
    """None if the tensors are equal or within the tolerance."""
    given: TensorInfo | None
    expected: TensorInfo | None
    source: SourceInfo | None
    """The image as it was received."""
    plan: tuple[str, ...]
    """The steps that give the expected tensor, in words."""
    python: str | None
    """Lines that make the expected tensor with the preset's own library."""
    map: bytes | None = field(repr=False, default=None)
    """A PNG of the differences, brighter where they are larger; only with `map=True`."""

    @property
    def passed(self) -> bool:
        """Whether the tensors are equal or within the tolerance."""
        return self.equal or self.within_tolerance is True

    def raise_if_different(self) -> None:
        """Raises an AssertionError with the sentence and the steps, unless `passed`."""
        __tracebackhide__ = True
        if not self.passed:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        if self.passed:
            return "The tensors are equal." if self.equal else "The tensors are within the tolerance."
        sentence = "The tensors differ." if self.cause is None else self.cause.sentence
        return "\n".join([sentence, *self._step_lines(), *self._figure_lines()])

    def _step_lines(self) -> list[str]:
        steps = () if self.cause is None else self.cause.steps
        return [f"  {step.name}: {' or '.join((step.yours, *step.also))}; expected: {step.expected}" for step in steps]

    def _figure_lines(self) -> list[str]:
        if self.differing_share is None:
            shapes = [
                ("unknown" if one is None else f"{one.datatype} {one.shape}") for one in (self.given, self.expected)
            ]
            return [f"The tensors differ in size: {shapes[0]}; expected: {shapes[1]}."]
        return [
            f"{self.differing_share:.2%} of the values differ: mean {self.mean_abs:.3g}, largest {self.max_abs:.3g}"
        ]


@dataclass(frozen=True)
class SkewOverall:
    """What holds for all pairs of a call together."""

    equal: bool
    """Whether every pair was compared and is equal."""
    pairs: int
    failed: int
    """Pairs that could not be compared."""
    differing_share: float | None
    """Of all values of all pairs whose tensors have the same size."""
    mean_abs: float | None
    max_abs: float | None
    cause: SkewCause | None
    """The cause that most of the pairs that differ have; None if they have no common one."""


@dataclass(frozen=True)
class SkewBatch:
    """The comparisons of several pairs."""

    overall: SkewOverall
    pairs: tuple[Skew | ImageServiceError, ...]
    """In the order of the call. A pair that could not be compared has its failure."""

    @property
    def passed(self) -> bool:
        """Whether every pair was compared, and is equal or within the tolerance."""
        return all(isinstance(pair, Skew) and pair.passed for pair in self.pairs)

    def raise_if_different(self) -> None:
        """Raises an AssertionError that names every pair that did not pass."""
        __tracebackhide__ = True
        if not self.passed:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        lines = [
            f"pair {index}: {pair}"
            for index, pair in enumerate(self.pairs)
            if not (isinstance(pair, Skew) and pair.passed)
        ]
        return "\n".join(lines) or "All pairs are equal or within the tolerance."


def assert_no_skew(
    client: Client,
    image: Source,
    tensor: TensorSource,
    *,
    tolerance: float | str | None = None,
    **options: Unpack[Options],
) -> None:
    """Asserts in a test that a tensor is the expected one; the arguments are those of `Client.skew`.

    Raises:
        AssertionError: with the sentence and the steps, if it is neither equal nor within the tolerance.
        ImageServiceError: as `Client.skew`.
    """
    __tracebackhide__ = True
    client.skew(image, tensor, tolerance=tolerance, **options).raise_if_different()


def is_picture(tensor: TensorSource) -> bool:
    """Whether a source is a PIL image."""
    return hasattr(tensor, "save") and hasattr(tensor, "mode")


def read_tensor(tensor: TensorSource) -> bytes:
    """The bytes of a tensor's file.

    Raises:
        OSError: the file cannot be read.
        TypeError: the source is none of the kinds that are accepted, or has no numbers.
    """
    if isinstance(tensor, bytes):
        return tensor
    if isinstance(tensor, bytearray | memoryview):
        return bytes(tensor)
    if isinstance(tensor, str | os.PathLike):
        return Path(tensor).read_bytes()
    if hasattr(tensor, "cpu"):  # torch's tensors, on any device
        return _torch_file(tensor.detach().cpu())
    if hasattr(tensor, "__array__"):
        return _array_file(np.asarray(tensor))
    if hasattr(tensor, "read"):
        return bytes(tensor.read())
    kind = f"{type(tensor).__module__}.{type(tensor).__qualname__}"
    raise TypeError(f"A {kind} is not a tensor: pass an array, a torch tensor, or a .npy or safetensors file.")


def read_picture(picture: TensorSource) -> bytes:
    """The bytes of an encoded image.

    Raises:
        OSError: the file cannot be read.
        TypeError: the source is none of the kinds that are accepted.
    """
    content = read_source(picture)
    if isinstance(content, bytes):
        return content
    raise TypeError("A picture is sent as bytes; the service downloads only the image. Pass a path or bytes.")


def _torch_file(tensor: Any) -> bytes:
    if str(tensor.dtype) != "torch.bfloat16":
        return _array_file(np.asarray(tensor))
    # NumPy has no bfloat16; the bits are the same.
    import torch

    return _bfloat16_file(tensor.contiguous().view(torch.int16).numpy().tobytes(), tuple(tensor.shape))


def _array_file(array: Any) -> bytes:
    if array.dtype.name == "bfloat16":
        return _bfloat16_file(np.ascontiguousarray(array).tobytes(), array.shape)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"An array of dtype {array.dtype} is not a tensor of numbers.")
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).reshape(array.shape))
    return file.getvalue()


def _bfloat16_file(values: bytes, shape: Sequence[int]) -> bytes:
    """A safetensors file: .npy has no bfloat16."""
    entry = {"dtype": "BF16", "shape": list(shape), "data_offsets": [0, len(values)]}
    header = json.dumps({"tensor": entry}).encode()
    return struct.pack("<Q", len(header)) + header + values


def tolerance_text(tolerance: float | str) -> str:
    """A tolerance as the service reads it."""
    return tolerance if isinstance(tolerance, str) else repr(float(tolerance))


def skew_of(value: Mapping[str, Any]) -> Skew:
    """The JSON of a comparison as a value. Members of later versions are left out."""
    return Skew(
        equal=value["equal"],
        within_tolerance=value.get("within_tolerance"),
        differing_share=value.get("differing_share"),
        mean_abs=value.get("mean_abs"),
        max_abs=value.get("max_abs"),
        percentiles=dict(value.get("percentiles", {})),
        cause=_cause_of(value.get("cause")),
        given=_tensor_of(value.get("given")),
        expected=_tensor_of(value.get("expected")),
        source=_source_of(value.get("source")),
        plan=tuple(value.get("plan", ())),
        python=value.get("python"),
        map=_decoded(value.get("map")),
    )


def batch_of(value: Mapping[str, Any]) -> SkewBatch:
    """The JSON of several pairs as a value."""
    overall = value["overall"]
    return SkewBatch(
        overall=SkewOverall(
            equal=overall["equal"],
            pairs=overall["pairs"],
            failed=overall["failed"],
            differing_share=overall.get("differing_share"),
            mean_abs=overall.get("mean_abs"),
            max_abs=overall.get("max_abs"),
            cause=_cause_of(overall.get("cause")),
        ),
        pairs=tuple(_pair_of(index, pair) for index, pair in enumerate(value["pairs"])),
    )


def _pair_of(index: int, value: Mapping[str, Any]) -> Skew | ImageServiceError:
    problem = value.get("problem")
    if problem is None:
        return skew_of(value)
    reason, retryable = problem["reason"], problem.get("retryable", False)
    metadata = {**problem.get("metadata", {}), "index": str(index)}
    kind = error_class(reason, retryable)
    return kind(problem.get("message", ""), reason=reason, metadata=metadata, retryable=retryable)


def _cause_of(value: Mapping[str, Any] | None) -> SkewCause | None:
    if value is None:
        return None
    steps = tuple(
        SkewStep(step["name"], step["yours"], step["expected"], tuple(step.get("also", ()))) for step in value["steps"]
    )
    return SkewCause(value["exact"], value.get("confidence"), value["sentence"], steps)


def _tensor_of(value: Mapping[str, Any] | None) -> TensorInfo | None:
    return None if value is None else TensorInfo(value["name"], value["datatype"], tuple(value["shape"]))


def _source_of(value: Mapping[str, Any] | None) -> SourceInfo | None:
    if value is None:
        return None
    known = {name: value.get(name) for name in ("bytes", "sha256", "orientation")}
    return SourceInfo(value["format"], value["width"], value["height"], **known)


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else binascii.a2b_base64(text)
