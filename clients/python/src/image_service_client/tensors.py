"""Tensors as NumPy arrays, from the containers of the service."""

from __future__ import annotations

import io
import json
import math
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Names of datatypes in safetensors and in the Tensor-Datatype header (the Open Inference Protocol).
_DTYPES = {
    "U8": "<u1",
    "UINT8": "<u1",
    "BOOL": "|b1",
    "I32": "<i4",
    "INT32": "<i4",
    "I64": "<i8",
    "INT64": "<i8",
    "F16": "<f2",
    "FP16": "<f2",
    "F32": "<f4",
    "FP32": "<f4",
    "F64": "<f8",
    "FP64": "<f8",
}


def dtype_of(name: str) -> np.dtype[Any]:
    """NumPy's dtype of a datatype.

    Raises:
        ImportError: for bfloat16 without the package ml_dtypes, because NumPy has no such type.
        ValueError: for a datatype that this version does not know.
    """
    if name == "BF16":
        try:
            import ml_dtypes
        except ImportError as error:
            raise ImportError(
                "NumPy has no bfloat16: install image-service-client[bf16], which adds ml_dtypes, or ask for "
                'datatype="fp16" or "fp32".'
            ) from error
        bfloat16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return bfloat16
    if name not in _DTYPES:
        raise ValueError(f"Datatype {name} is not known to this version of image-service-client.")
    return np.dtype(_DTYPES[name])


def read_safetensors(content: bytearray | bytes) -> dict[str, Array]:
    """The tensors of a safetensors file by name, in the order of their values.

    The arrays share the memory of `content`: writable if it is a bytearray.
    Format: https://github.com/huggingface/safetensors#format
    """
    (header_bytes,) = struct.unpack_from("<Q", content)
    header = json.loads(bytes(content[8 : 8 + header_bytes]))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, _ = entry["data_offsets"]
        tensors[name] = _array(content, entry["dtype"], entry["shape"], 8 + header_bytes + begin)
    return tensors


def read_raw(content: bytearray | bytes, datatype: str, shape: list[int]) -> Array:
    """One tensor from its values: little-endian, in C order."""
    return _array(content, datatype, shape, 0)


def _array(content: bytearray | bytes, datatype: str, shape: list[int], offset: int) -> Array:
    array = np.frombuffer(content, dtype_of(datatype), count=math.prod(shape), offset=offset).reshape(shape)
    # Some libraries refuse or slow down on values that are not aligned.
    return array if array.flags.aligned else array.copy()


def read_npy(content: bytearray | bytes) -> Array:
    """One tensor from a .npy file."""
    array: Array = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def read_npz(content: bytearray | bytes) -> dict[str, Array]:
    """The tensors of a .npz file by name."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
