#!/usr/bin/env python3
"""Makes test/parity/lattice-goldens.json: what libraries make of pictures in ways that the comparison knows.

    python3 test/parity/make_lattice_goldens.py

Needs Pillow, OpenCV, torchvision, TensorFlow, scikit-image and simplejpeg. Each golden is the SHA-256 of uint8 values in C
order; its key is the `id` of the choice that has to give them.
"""

import base64
import hashlib
import io
import json
import pathlib

import torch  # isort: skip (TensorFlow cannot be loaded before it)
import torchvision
import cv2
import numpy as np
import PIL
import simplejpeg
import skimage
import tensorflow as tf
from PIL import Image
from torchvision.transforms import functional as v1
from torchvision.transforms.v2 import functional as v2

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures"
JPEGS = ["sample.jpg", "decode/420.jpg", "decode/422.jpg", "decode/444.jpg", "decode/gray.jpg"]


def sha256(values):
    values = np.ascontiguousarray(values)
    assert values.dtype == np.uint8, values.dtype
    return hashlib.sha256(values.tobytes()).hexdigest()


def only(*values):
    """The SHA-256 that all libraries agree on."""
    (one,) = {sha256(np.squeeze(value)) for value in values}
    return one


def drafted(path, mode, shrink):
    image = Image.open(path)
    image.draft(mode, (image.width // shrink, image.height // shrink))
    return np.asarray(image)


def reduced(path, flag):
    image = cv2.imread(str(path), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    return image if image.ndim == 2 else image[..., ::-1]


def decodings(path):
    content = path.read_bytes()
    gray = Image.open(path).mode == "L"
    mode, colour = ("L", "GRAY") if gray else ("RGB", "RGB")
    fast = tf.io.decode_jpeg(content).numpy()
    goldens = {
        "whole": only(np.asarray(Image.open(path)), tf.io.decode_jpeg(content, dct_method="INTEGER_ACCURATE").numpy()),
        "fast": only(fast, simplejpeg.decode_jpeg(content, colour, fastdct=True)),
        "plain": only(simplejpeg.decode_jpeg(content, colour, fastupsample=True)),
        "fast plain": only(
            tf.io.decode_jpeg(content, fancy_upscaling=False).numpy(),
            simplejpeg.decode_jpeg(content, colour, fastdct=True, fastupsample=True),
        ),
        "fast 1/2": only(tf.io.decode_jpeg(content, ratio=2).numpy()),
    }
    for shrink in (2, 4, 8):
        name = "IMREAD_REDUCED_" + ("GRAYSCALE" if gray else "COLOR") + f"_{shrink}"
        pixels = [reduced(path, getattr(cv2, name))]
        # Pillow scales only to sizes that are not below the given one.
        if min(Image.open(path).size) >= 100:
            pixels.append(drafted(path, mode, shrink))
        goldens[f"1/{shrink}"] = only(*pixels)
    if not gray:
        tensor = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        goldens["luma"] = only(
            drafted(path, "L", 1),
            reduced(path, cv2.IMREAD_GRAYSCALE),
            torchvision.io.decode_jpeg(tensor, torchvision.io.ImageReadMode.GRAY).numpy(),
        )
        goldens["fast luma"] = only(tf.io.decode_jpeg(content, channels=1).numpy())
    return goldens


def colours():
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(52, 52 * 52, 3)


def grays():
    rgb = colours()
    wide = rgb.astype(np.float64)
    tensor = torch.from_numpy(rgb).permute(2, 0, 1).contiguous()
    return {
        "pillow": only(np.asarray(Image.fromarray(rgb).convert("L"))),
        "opencv": only(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.cvtColor(rgb[..., ::-1].copy(), cv2.COLOR_BGR2GRAY)),
        "opencv swapped": only(cv2.cvtColor(rgb, cv2.COLOR_BGR2GRAY)),
        "torch": only(v2.rgb_to_grayscale(tensor).numpy()),
        "torch v1": only(v1.rgb_to_grayscale(tensor).numpy()),
        "tensorflow": only(tf.image.rgb_to_grayscale(rgb).numpy()),
        "skimage": only(skimage.img_as_ubyte(skimage.color.rgb2gray(rgb))),
        "mean": only(rgb.mean(axis=2).astype(np.uint8)),
        "mean rounded": only(np.round(rgb.mean(axis=2)).astype(np.uint8)),
        "dot": only(np.dot(wide, [0.299, 0.587, 0.114]).astype(np.uint8)),
        "dot 0.2989": only(np.dot(wide, [0.2989, 0.5870, 0.1140]).astype(np.uint8)),
        "sum": only((0.299 * wide[..., 0] + 0.587 * wide[..., 1] + 0.114 * wide[..., 2]).astype(np.uint8)),
        "sum 0.2989": only((0.2989 * wide[..., 0] + 0.587 * wide[..., 1] + 0.114 * wide[..., 2]).astype(np.uint8)),
        "value": only(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)[..., 2], np.asarray(Image.fromarray(rgb).convert("HSV"))[..., 2]),
        "red": only(rgb[..., 0]),
        "green": only(rgb[..., 1]),
        "blue": only(rgb[..., 2]),
    }


SIZE = (48, 32)


def encoded(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return Image.open(buffer).convert("RGB")


def transparent(image):
    """The picture with an alpha that changes from column to column and row to row."""
    y, x = np.mgrid[: image.height, : image.width]
    alpha = ((x + 2 * y) % 256).astype(np.uint8)
    return Image.fromarray(np.dstack([np.asarray(image), alpha]))


def results():
    path = FIXTURES / "sample.jpg"
    image = Image.open(path).convert("RGB")
    alpha = transparent(image)
    white = Image.new("RGBA", image.size, "white")
    resized = image.resize(SIZE, Image.BILINEAR)
    drafted_image = Image.open(path)
    drafted_image.draft("RGB", (image.width // 4, image.height // 4))
    gray = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    mean = np.asarray(resized).mean(axis=2).astype(np.uint8)
    fast = Image.fromarray(tf.io.decode_jpeg(path.read_bytes()).numpy())
    rgba = np.asarray(alpha).astype(np.int64)
    over = (rgba[..., :3] * rgba[..., 3:] + 255 * (255 - rgba[..., 3:])) // 255
    return {
        "draft": drafted_image.convert("RGB").resize(SIZE, Image.BILINEAR),
        "fast": fast.resize(SIZE, Image.BILINEAR),
        "cv2 gray": cv2.cvtColor(cv2.resize(gray, SIZE), cv2.COLOR_GRAY2RGB),
        "gray before": image.convert("L").resize(SIZE, Image.BILINEAR).convert("RGB"),
        "mean": np.stack([mean] * 3, axis=-1),
        "mirrored": image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).resize(SIZE, Image.BILINEAR),
        "upside down": image.rotate(180).resize(SIZE, Image.BILINEAR),
        "inverted": 255 - np.asarray(resized),
        "GBR": np.asarray(resized)[..., [1, 2, 0]],
        "white": Image.alpha_composite(white, alpha).convert("RGB").resize(SIZE, Image.BILINEAR),
        "white, rounded down": Image.fromarray(over.astype(np.uint8)).resize(SIZE, Image.BILINEAR),
        "drop later": alpha.resize(SIZE, Image.BILINEAR).convert("RGB"),
        "JPEG before": encoded(image, "JPEG", quality=75).resize(SIZE, Image.BILINEAR),
        "JPEG after": encoded(resized, "JPEG", quality=83),
        "JPEG 4:4:4 after": encoded(resized, "JPEG", quality=91, subsampling=0),
        "cv2 JPEG after": cv2.imdecode(cv2.imencode(".jpg", cv2.cvtColor(np.asarray(resized), cv2.COLOR_RGB2BGR))[1], 1)[..., ::-1],
        "WebP before": encoded(image, "WEBP", quality=80).resize(SIZE, Image.BILINEAR),
        "WebP after": encoded(resized, "WEBP"),
    }


def base64_of(pixels):
    values = np.ascontiguousarray(pixels)
    assert values.shape == (SIZE[1], SIZE[0], 3) and values.dtype == np.uint8
    return base64.b64encode(values.tobytes()).decode()


GOLDENS = {
    "made_by": "test/parity/make_lattice_goldens.py",
    "versions": {
        "Pillow": PIL.__version__,
        "OpenCV": cv2.__version__,
        "torchvision": torchvision.__version__,
        "TensorFlow": tf.__version__,
        "scikit-image": skimage.__version__,
        "simplejpeg": simplejpeg.__version__,
    },
    "decodings": {name: decodings(FIXTURES / name) for name in JPEGS},
    "grays": grays(),
    "results": {name: base64_of(pixels) for name, pixels in results().items()},
}
(HERE / "lattice-goldens.json").write_text(json.dumps(GOLDENS, indent=2) + "\n")
