#!/usr/bin/env python3
"""The other side of test/parity/models.ts: random pictures and the tensors that a model's own library makes of them.

Reads lines of JSON. {"family"} (null: all) gets versions and subjects: what can be compared. {"family", "name",
"library", "seed", "index", "images"} gets one case: a request as image.v1.ProcessRequest in proto3 JSON, the files,
for each file the library's tensors, and its tensors for all files as one batch. Where the library raises an error
there is a "refusal" instead.

A family is a module of_FAMILY.py beside this file, which is ignored if its imports fail. It has VERSIONS, subjects()
and case(subject, draw, index), which returns a request and a function from Pillow images (upright, in any mode) to
tensors by name, or to None where the library has no batches. A subject is a dict with name, library (pillow, torch
or opencv), random (whether its config is drawn anew for each index), and for float paths the tolerance, relative to
the largest magnitude.
"""

import importlib
import io
import json
import random
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np
from PIL import Image, ImageOps, __version__

from random_files import KINDS, file_of, size_of

warnings.filterwarnings("ignore")
# Responses only: what libraries print goes to the standard error.
RESPONSES, sys.stdout = sys.stdout.buffer, sys.stderr
DTYPES = {
    "float64": "FP64", "float32": "FP32", "float16": "FP16", "bfloat16": "BF16", "bool": "BOOL", "uint8": "UINT8",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
}  # fmt: skip


FAMILIES = {}


def load(asked):
    for path in sorted(HERE.glob("of_*.py")):
        name = path.stem.removeprefix("of_")
        if asked not in (None, name):
            continue
        try:
            FAMILIES[name] = importlib.import_module(path.stem)
        except ImportError as error:
            print(f"parity: {name} is skipped: {error}", file=sys.stderr)


def subjects():
    return [{"family": name, **subject} for name, family in FAMILIES.items() for subject in family.subjects()]


def array_of(value):
    """A tensor's datatype, shape and bytes, or None for an empty one and for what is no tensor, such as words."""
    if isinstance(value, (list, tuple)):
        if len(value) > 0 and hasattr(value[0], "detach"):
            import torch

            value = torch.stack(list(value))
        else:
            value = np.asarray(value)
    if hasattr(value, "detach"):
        value = value.detach().contiguous()
        if str(value.dtype) == "torch.bfloat16":
            import torch

            return "BF16", list(value.shape), value.view(torch.int16).numpy().tobytes()
        value = value.numpy()
    value = np.asarray(value)
    if value.dtype.name not in DTYPES or value.size == 0:
        return None
    return DTYPES[value.dtype.name], list(value.shape), np.ascontiguousarray(value).tobytes()


def outcome_of(compute, images):
    """The tensors of images, and their bytes."""
    try:
        tensors = compute(images)
    except Exception as error:
        return {"refusal": f"{type(error).__name__}: {error}"[:300]}, b""
    if tensors is None:
        return None, b""
    arrays = {name: array for name, value in tensors.items() if (array := array_of(value)) is not None}
    described = [
        {"name": name, "datatype": datatype, "shape": shape, "bytes": len(data)}
        for name, (datatype, shape, data) in arrays.items()
    ]
    return {"tensors": described}, b"".join(data for _, _, data in arrays.values())


def case_of(request):
    family = FAMILIES[request["family"]]
    name, library, index = request["name"], request["library"], request["index"]
    subject = {"name": name, "library": library}
    draw = random.Random(f"{request['seed']}-{name}-{library}-{index}")
    asked, compute = family.case(subject, draw, index)
    files, pictures, outcomes, parts = [], [], [], []
    for _ in range(request["images"]):
        kind, (width, height) = draw.choice(KINDS), size_of(draw)
        file, _ = file_of(draw, kind, width, height)
        files.append({"kind": kind, "width": width, "height": height, "bytes": len(file)})
        parts.append(file)
        pictures.append(ImageOps.exif_transpose(Image.open(io.BytesIO(file))))
    for picture in pictures:
        outcome, data = outcome_of(compute, [picture.copy()])
        outcomes.append(outcome)
        parts.append(data)
    batch, data = outcome_of(compute, [picture.copy() for picture in pictures]) if pictures else (None, b"")
    parts.append(data)
    return {"request": asked, "files": files, "outcomes": outcomes, "batch": batch}, b"".join(parts)


def versions():
    found = {"Pillow": __version__, "NumPy": np.__version__}
    for family in FAMILIES.values():
        found |= family.VERSIONS
    return found


for line in iter(sys.stdin.buffer.readline, b""):
    message = json.loads(line)
    if "seed" in message:
        reply, data = case_of(message)
    else:
        load(message["family"])
        reply, data = {"versions": versions(), "subjects": subjects()}, b""
    RESPONSES.write(json.dumps({**reply, "bytes": len(data)}).encode() + b"\n" + data)
    RESPONSES.flush()
