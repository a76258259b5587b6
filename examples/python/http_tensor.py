"""Gives an image as the tensor that a model wants, over HTTP, as a NumPy array.

python http_tensor.py photo.jpg [clip-vit-base-patch32]
"""

import io
import os
import sys

import numpy as np
import requests

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")


def tensor_of(image: bytes, preset: str) -> np.ndarray:
    """[1, channels, height, width] float32, as the model's own preprocessing makes it."""
    answer = requests.post(f"{api}/v1/images", params={"preset": preset, "format": "npy"}, data=image, timeout=35)
    if not answer.ok:
        problem = answer.json()
        raise SystemExit(f"{problem['reason']}: {problem['detail']}")
    return np.load(io.BytesIO(answer.content))


with open(sys.argv[1], "rb") as file:
    tensor = tensor_of(file.read(), sys.argv[2] if len(sys.argv) > 2 else "clip-vit-base-patch32")
print(tensor.shape, tensor.dtype, "mean of each channel:", tensor.mean(axis=(0, 2, 3), dtype=float).round(4).tolist())
