#!/usr/bin/env python3
"""The resizes of libraries that the skew report names: a function for each row of src/processor/skew/lattice/resamplers/.

Each takes [height, width, 3] uint8 and the size of the result, and returns what the library makes of it: uint8, or
floats where no step rounds. `rows()` gives those whose library is installed. make_resampler_goldens.py makes hashes of
their results.

As a program it is the other side of test/parity/resamplers.ts: it reads a line of JSON, {"row", "seed", "index"}, and
responds with the sizes, the bytes of a random image and those of the row's result. A request without a seed gets the
names of the rows and the libraries' versions.
"""

import json
import random
import sys

import numpy

FILTERS = ("bilinear", "bicubic", "lanczos", "box", "hamming")


def pillow():
    import PIL
    from PIL import Image

    version = PIL.__version__
    minor = tuple(int(part) for part in version.split(".")[:2])
    prefix = "pillow" if minor >= (13, 0) else "pillow 12.3" if minor >= (12, 2) else "pillow 12.1"

    def resize(name, **more):
        return lambda image, size: numpy.asarray(
            Image.fromarray(image).resize(size, Image.Resampling[name.upper()], **more)
        )

    def reduce(image, size):
        factor = tuple(-(-side // to) for side, to in zip(image.shape[1::-1], size))
        return numpy.asarray(Image.fromarray(image).reduce(factor))

    rows = {f"{prefix} {name}": resize(name) for name in FILTERS}
    if prefix == "pillow":
        rows["pillow nearest"] = resize("nearest")
        rows |= {f"pillow gap 2 {name}": resize(name, reducing_gap=2.0) for name in FILTERS}
        rows |= {f"pillow gap 3 {name}": resize(name, reducing_gap=3.0) for name in FILTERS}
        rows["pillow reduce"] = reduce
    return f"Pillow {version}", rows


def opencv():
    import cv2

    def resize(interpolation, ipp=True, before=None):
        def run(image, size):
            cv2.ipp.setUseIPP(ipp)
            return cv2.resize(image if before is None else before(image), size, interpolation=interpolation)

        return run

    flags = {
        "bilinear": cv2.INTER_LINEAR,
        "box": cv2.INTER_AREA,
        "bicubic": cv2.INTER_CUBIC,
        "nearest": cv2.INTER_NEAREST,
        "linear exact": cv2.INTER_LINEAR_EXACT,
        "lanczos": cv2.INTER_LANCZOS4,
    }
    floats = {
        "float": lambda image: image.astype(numpy.float32),
        "unit": lambda image: image.astype(numpy.float32) / 255,
        "double": lambda image: image / 255.0,
    }
    # Intel's IPP, which PyPI's x86 wheels take for INTER_CUBIC of uint8, has an arithmetic of its own.
    rows = {f"opencv {name}": resize(flag, name != "bicubic") for name, flag in flags.items()}
    if cv2.__version__ < "5":  # version 5 resolves ties in another way
        rows["opencv nearest exact"] = resize(cv2.INTER_NEAREST_EXACT)
    for kind, before in floats.items():
        for name in ("bilinear", "box", "bicubic", "lanczos"):
            rows[f"opencv {kind} {name}"] = resize(flags[name], False, before)
        rows[f"opencv {kind} bilinear ipp"] = resize(cv2.INTER_LINEAR, True, before)
    return f"OpenCV {cv2.__version__}", rows


def torch():
    import torch
    import torchvision
    from torchvision import transforms
    from torchvision.transforms.v2 import functional

    def tensor_of(image):
        return torch.from_numpy(numpy.ascontiguousarray(image.transpose(2, 0, 1)))

    def resize(name, antialias, before=lambda tensor: tensor):
        def run(image, size):
            mode = functional.InterpolationMode[name.upper().replace("-", "_")]
            tensor = before(tensor_of(image))
            return functional.resize(tensor, size[::-1], interpolation=mode, antialias=antialias).numpy().transpose(1, 2, 0)

        return run

    def version_1(name, antialias):
        mode = transforms.InterpolationMode[name.upper()]
        return lambda image, size: (
            transforms.functional.resize(tensor_of(image), size[::-1], mode, antialias=antialias).numpy().transpose(1, 2, 0)
        )

    ranges = {
        "unit": lambda tensor: tensor.float() / 255,  # ToTensor
        "scaled": lambda tensor: functional.to_dtype(tensor, torch.float32, scale=True),
        "float": torch.Tensor.float,
    }

    rows = {f"torch {name}": resize(name, True) for name in ("bilinear", "bicubic", "lanczos", "nearest", "nearest-exact")}
    rows |= {f"torchLinear {name}": version_1(name, False) for name in ("bilinear", "bicubic")}
    rows |= {f"torch rounded {name}": version_1(name, True) for name in ("bilinear", "bicubic")}
    rows["torchPlain bilinear"] = resize("bilinear", False)
    rows["torchPlain bicubic"] = resize("bicubic", False)
    for kind, before in ranges.items():
        for name in ("bilinear", "bicubic"):
            rows[f"torch {kind} {name}"] = resize(name, True, before)
            rows[f"torch {kind} plain {name}"] = resize(name, False, before)
    return f"torch {torch.__version__}, torchvision {torchvision.__version__}", rows


def tensorflow():
    import tensorflow

    def resize(method, antialias):
        return lambda image, size: tensorflow.image.resize(image, size[::-1], method, antialias=antialias).numpy()

    rows = {f"tensorflow {name}": resize(name, False) for name in ("bilinear", "nearest")}
    return f"TensorFlow {tensorflow.__version__}", rows


def rows():
    """The functions of all rows by name, and the versions of the libraries that are installed."""
    versions, found = [], {}
    for library in (pillow, opencv, torch, tensorflow):
        try:
            version, own = library()
        except ImportError:
            continue
        versions.append(version)
        found |= own
    return versions, found


def picture(draw, width, height):
    """Noise, a smooth picture, or nothing but black and white."""
    random_bytes = numpy.random.default_rng(draw.randrange(2**32))
    match draw.choice(["noise", "smooth", "extremes"]):
        case "noise":
            return random_bytes.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
        case "smooth":
            y, x = numpy.mgrid[0:height, 0:width]
            return numpy.stack([x * 7 + y * 3, x * y // max(1, width), 255 - x - y], -1).astype(numpy.uint8)
        case _:
            return random_bytes.integers(0, 2, (height, width, 3), dtype=numpy.uint8) * 255


def case_of(found, row, seed, index):
    draw = random.Random(f"{row}-{seed}-{index}")
    side = draw.choice([8, 60, 300, 900])
    width, height = draw.randint(1, side), draw.randint(1, side)
    to = draw.choice([40, 400])
    size = (draw.randint(1, to), draw.randint(2, to))
    if draw.random() < 0.15:  # whole factors have ways of their own
        across, down = draw.choice([(2, 2), (3, 3), (4, 4), (2, 4), (5, 3), (7, 7), (1, 2), (2, 1)])
        size = (max(1, width // across), max(2, height // down))
        width, height = size[0] * across, size[1] * down
    image = picture(draw, width, height)
    result = found[row](image, size)
    case = {"source": [width, height], "size": list(result.shape[1::-1]), "dtype": str(result.dtype)}
    return case, image.tobytes(), numpy.ascontiguousarray(result).tobytes()


if __name__ == "__main__":
    versions, found = rows()
    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        image, result = b"", b""
        if "seed" in request:
            reply, image, result = case_of(found, request["row"], request["seed"], request["index"])
            reply["imageBytes"] = len(image)
        else:
            reply = {"versions": versions, "rows": list(found)}
        sys.stdout.buffer.write(json.dumps({**reply, "bytes": len(image) + len(result)}).encode() + b"\n" + image + result)
        sys.stdout.buffer.flush()
