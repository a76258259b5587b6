"""Makes numerics-goldens.json: SHA-256 (its first 16 digits) of what torch and OpenCV make of pictures of noise.

    pip install torch torchvision opencv-python-headless && python test/parity/make_numerics_goldens.py

test/parity/numerics.test.ts makes the same pictures (test/processor/image/kernels/noise.ts) and compares. A hash is of
the results for each number of channels and each pattern, one after the other. A library that is not installed keeps
the hashes that it has.
"""

import hashlib
import json
import platform
from functools import cache
from pathlib import Path

import numpy

CHANNELS = (1, 3, 4)
PATTERNS = ("bytes", "extremes")

# source size, target size, the part of the source that is resampled
GEOMETRIES = [
    # One pixel, to one and from one; torch 2.15 fails to make one pixel of some images.
    ((1, 1), (7, 5), None),
    ((37, 23), (1, 2), None),
    ((2, 2), (3, 3), None),
    # One side stays, or both.
    ((64, 48), (64, 48), None),
    ((64, 48), (64, 20), None),
    ((64, 48), (21, 48), None),
    # Whole factors: 2 and 2, 3 and 3, 4 and 2, 49 and 49, which is none in OpenCV's arithmetic.
    ((128, 96), (64, 48), None),
    ((96, 66), (32, 22), None),
    ((128, 96), (32, 48), None),
    ((98, 147), (2, 3), None),
    # Down, by other factors.
    ((301, 227), (97, 61), None),
    ((333, 500), (224, 224), None),
    ((640, 427), (32, 32), None),
    # Up, and up on one side while down on the other.
    ((17, 13), (160, 90), None),
    ((100, 75), (101, 76), None),
    ((50, 211), (211, 50), None),
    # Where torch's nearest pixel is another one than in double precision.
    ((2, 2), (82, 94), None),
    # Extreme shapes.
    ((1, 5000), (1, 77), None),
    ((5000, 1), (77, 1), None),
    ((1, 5000), (9, 5001), None),
    ((4999, 3), (3, 41), None),
    # Parts of the source.
    ((64, 48), (32, 32), (8, 4, 56, 44)),
    ((64, 48), (40, 30), (10, 10, 50, 40)),
    ((301, 227), (224, 224), (37, 0, 264, 227)),
    ((301, 227), (16, 300), (0, 200, 300, 227)),
]

# source size, target size of fit=cover
COVERS = [((64, 48), (32, 32)), ((301, 227), (224, 224)), ((227, 301), (100, 33)), ((5, 300), (7, 7)), ((33, 44), (90, 91))]


@cache
def noise(length: int, pattern: str) -> bytes:
    state = 1
    values = bytearray(length)
    for i in range(length):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = state >> 24 if pattern == "bytes" else (state >> 31) * 255
    return bytes(values)


def picture(size, channels, pattern):
    values = noise(size[0] * size[1] * channels, pattern)
    return numpy.frombuffer(values, numpy.uint8).reshape(size[1], size[0], channels)


def colours(red):
    """All 2¹⁶ colours with a red: [256, 256, 3]."""
    green, blue = numpy.mgrid[0:256, 0:256]
    return numpy.stack([numpy.full((256, 256), red), green, blue], -1).astype(numpy.uint8)


def torch_functions():
    import torch
    import torchvision
    from torchvision.transforms.v2 import functional

    def tensor_of(image):
        return torch.from_numpy(numpy.ascontiguousarray(image.transpose(2, 0, 1)))

    def resize(image, size, name):
        interpolation = functional.InterpolationMode[name.upper()]
        resized = functional.resize(tensor_of(image), size[::-1], interpolation=interpolation, antialias=True)
        return resized.numpy().transpose(1, 2, 0)

    def gray(image):
        return functional.rgb_to_grayscale(tensor_of(image)).numpy()

    version = f"torch {torch.__version__}, torchvision {torchvision.__version__}"
    version += f" on a CPU with {torch.backends.cpu.get_cpu_capability()}"
    return version, ("bilinear", "bicubic", "lanczos", "nearest"), resize, gray


def opencv_functions():
    import cv2

    interpolations = {
        "bilinear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC,
        "box": cv2.INTER_AREA,
        "nearest": cv2.INTER_NEAREST,
    }

    def resize(image, size, name):
        # Intel's IPP, which PyPI's x86 wheels take for INTER_CUBIC only, has an arithmetic of its own.
        cv2.ipp.setUseIPP(name != "bicubic")
        return cv2.resize(image, size, interpolation=interpolations[name])

    return f"OpenCV {cv2.__version__}", tuple(interpolations), resize, lambda image: cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def middle(image, size):
    """The largest part of the middle with the target's shape, as torchvision's center_crop cuts it."""
    height, width = image.shape[:2]
    ratio = size[0] / size[1]
    across = round(ratio * height) if width / height > ratio else width
    down = round(width / ratio) if width / height < ratio else height
    left, top = round((width - across) / 2), round((height - down) / 2)
    return image[top : top + down, left : left + across]


def digest(arrays):
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(numpy.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()[:16]


def goldens(functions):
    version, filters, resize, gray = functions()
    resized = {}
    for source, size, part in GEOMETRIES:
        left, top, right, bottom = part or (0, 0, *source)
        where = f" of {left},{top},{right},{bottom}" if part else ""
        resized[f"{source[0]}x{source[1]}{where} to {size[0]}x{size[1]}"] = {
            name: digest(
                resize(picture(source, channels, pattern)[top:bottom, left:right], size, name)
                for channels in CHANNELS
                for pattern in PATTERNS
            )
            for name in filters
        }
    return {
        "version": f"{version}, Python {platform.python_version()}, {platform.machine()}",
        "grayOfEveryColour": digest(gray(colours(red)) for red in range(256)),
        "covered": {
            f"{source[0]}x{source[1]} to {size[0]}x{size[1]}": digest(
                [resize(middle(picture(source, 3, "bytes"), size), size, "bilinear")]
            )
            for source, size in COVERS
        },
        "resized": resized,
    }


def main():
    path = Path(__file__).with_name("numerics-goldens.json")
    made = json.loads(path.read_text()) if path.exists() else {}
    for library, functions in (("torch", torch_functions), ("opencv", opencv_functions)):
        try:
            made[library] = goldens(functions)
        except ImportError as missing:
            print(f"{library}: kept, {missing}")
    path.write_text(json.dumps(made, indent=2) + "\n")


main()
