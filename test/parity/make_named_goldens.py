"""Makes named-goldens.json: the tensors that Ultralytics, PaddleOCR and Keras make of pictures, by preset.

    pip install -r test/parity/requirements-models.txt
    python test/parity/make_named_goldens.py

The libraries are called as test/parity/models/of_*.py calls them, with settings drawn there from fixed seeds. Nothing is
downloaded. test/parity/named-presets.test.ts makes the same pictures (`picture`) and compares. Of each tensor it keeps the
type, the shape and the first 16 digits of the SHA-256 of its values in C order, little-endian; under `batch` that of all
pictures together, for presets that pad.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

import numpy as np

from make_preset_goldens import picture

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "models"))

import of_keras
import of_paddleocr
import of_ultralytics

# Landscape, portrait, very wide, very tall, tiny.
SIZES = [(640, 427), (333, 517), (900, 60), (40, 700), (37, 20), (1, 1)]
FEW = SIZES[:2]
DATATYPES = {"float32": "FP32", "int64": "INT64"}


def described(tensors):
    def line(value):
        value = np.ascontiguousarray(value)
        digest = hashlib.sha256(value.tobytes()).hexdigest()[:16]
        return f"{DATATYPES[value.dtype.name]} {'x'.join(map(str, value.shape))} {digest}"

    return {name: line(value) for name, value in tensors.items()}


def preset(family, subject, index, sizes):
    request, compute = family.case(subject, random.Random(f"{subject['name']} {index}"), index)
    images = [picture(width, height, 3, "mixed") for width, height in sizes]
    cases = {f"{image.width}x{image.height}": described(compute([image])) for image in images}
    batch = {"batch": described(compute(images))} if subject["name"] == "paddleocr/rec" else {}
    return {"request": request, "cases": cases, **batch}


def presets():
    for subject in of_ultralytics.subjects():
        for index in range(5 if subject["name"] == "ultralytics/yolo" else 2):
            yield preset(of_ultralytics, subject, index, SIZES if index < 3 else FEW)
    for subject in of_paddleocr.subjects():
        yield preset(of_paddleocr, subject, 0, SIZES)
    for subject in of_keras.subjects():
        yield preset(of_keras, subject, 0, FEW)


versions = of_ultralytics.VERSIONS | of_paddleocr.VERSIONS | of_keras.VERSIONS
(HERE / "named-goldens.json").write_text(json.dumps({"versions": versions, "presets": list(presets())}, indent=2) + "\n")
