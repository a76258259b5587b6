"""Makes goldens.json: the pixels that CLIP's own preprocessing and OpenCV make of test/fixtures/photo.jpg, as hashes.

    pip install pillow numpy torch torchvision transformers opencv-python-headless
    python docs/generate/comparison/make_goldens.py

Each is the SHA-256 of [224, 224, 3] uint8 RGB pixels before they are rescaled. Nothing is downloaded.
"""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import transformers
from PIL import Image
from transformers import CLIPImageProcessor

HERE = Path(__file__).resolve().parent
SIDE = 224
photo = Image.open(HERE.parents[2] / "test/fixtures/photo.jpg").convert("RGB")


def training() -> np.ndarray:
    """openai/clip-vit-base-patch32, by transformers with its default backend."""
    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    processor = CLIPImageProcessor(resample=3, do_rescale=False, do_normalize=False, **size)
    return processor(photo, return_tensors="np")["pixel_values"][0].transpose(1, 2, 0)


def opencv() -> np.ndarray:
    """cv2.resize without an interpolation, and the centre."""
    width = SIDE * photo.width // photo.height
    pixels = cv2.resize(np.asarray(photo), (width, SIDE))
    left = (width - SIDE) // 2
    return pixels[:, left : left + SIDE]


def sha256(pixels: np.ndarray) -> str:
    assert pixels.shape == (SIDE, SIDE, 3) and pixels.dtype == np.uint8
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


goldens = {
    "versions": {"transformers": transformers.__version__, "opencv": cv2.__version__},
    "training": sha256(training()),
    "opencv": sha256(opencv()),
}
(HERE / "goldens.json").write_text(json.dumps(goldens, indent=2) + "\n")
