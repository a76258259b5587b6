#!/usr/bin/env python3
"""The other side of test/parity/numerics.ts: makes a random image and the result of torch or OpenCV for it.

Reads a line of JSON, {"library": "torch" | "opencv", "seed", "index"}, and responds with the request, the sizes of two
byte strings, and these: the image, [height, width, channels] uint8, and the library's result. A request without a
seed gets the versions.
"""

import json
import platform
import random
import sys

import numpy

TORCH_FILTERS = ["bilinear", "bicubic", "lanczos", "nearest"]
OPENCV_FILTERS = ["bilinear", "bicubic", "box", "nearest"]


def picture(draw, width, height, channels):
    """Noise, a smooth picture, or nothing but black and white."""
    random_bytes = numpy.random.default_rng(draw.randrange(2**32))
    match draw.choice(["noise", "smooth", "extremes"]):
        case "noise":
            return random_bytes.integers(0, 256, (height, width, channels), dtype=numpy.uint8)
        case "smooth":
            y, x = numpy.mgrid[0:height, 0:width]
            planes = [x * 7 + y * 3, x * y // max(1, width), 255 - x - y, x * 2 + y * 5]
            return numpy.stack(planes[:channels], -1).astype(numpy.uint8)
        case _:
            return random_bytes.integers(0, 2, (height, width, channels), dtype=numpy.uint8) * 255


def by_torch(draw, image, size, method, grayscale):
    import torch
    from torchvision.transforms.v2 import functional

    tensor = torch.from_numpy(numpy.ascontiguousarray(image)).permute(2, 0, 1)
    # As transformers has it, or as a view of [height, width, channels].
    if draw.random() < 0.5:
        tensor = tensor.contiguous()
    interpolation = functional.InterpolationMode[method.upper()]
    tensor = functional.resize(tensor, [size[1], size[0]], interpolation=interpolation, antialias=True)
    if grayscale:
        tensor = functional.rgb_to_grayscale(tensor)
    return tensor.permute(1, 2, 0).contiguous().numpy()


def by_opencv(draw, image, size, method, grayscale):
    import cv2

    interpolation = {
        "bilinear": cv2.INTER_LINEAR,
        "bicubic": cv2.INTER_CUBIC,
        "box": cv2.INTER_AREA,
        "nearest": cv2.INTER_NEAREST,
    }[method]
    # Intel's IPP, which PyPI's x86 wheels take for INTER_CUBIC only, has an arithmetic of its own.
    cv2.ipp.setUseIPP(method != "bicubic")
    result = cv2.resize(image, size, interpolation=interpolation)
    if grayscale:
        result = cv2.cvtColor(result, cv2.COLOR_RGB2GRAY)
    return result.reshape(size[1], size[0], -1)


LIBRARIES = {"torch": (by_torch, TORCH_FILTERS), "opencv": (by_opencv, OPENCV_FILTERS)}


def case_of(library, seed, index):
    draw = random.Random(f"{library}-{seed}-{index}")
    resize, filters = LIBRARIES[library]
    side = draw.choice([8, 60, 300, 900])
    width, height = draw.randint(1, side), draw.randint(1, side)
    to = draw.choice([40, 400, 640])
    size = [draw.randint(1, to), draw.randint(1, to)]
    if draw.random() < 0.1:
        size[draw.randrange(2)] = [width, height][draw.randrange(2)]
    if draw.random() < 0.15:  # whole factors have ways of their own
        across, down = draw.choice([(2, 2), (3, 3), (4, 4), (2, 4), (5, 3), (7, 7), (1, 2), (2, 1)])
        size = [max(1, width // across), max(1, height // down)]
        width, height = size[0] * across, size[1] * down
    if draw.random() < 0.05:
        width, height, size = size[0], size[1], [width, height]
    if library == "torch" and size == [1, 1]:
        size = [1, 2]  # torch 2.15 fails with an internal assertion
    channels = draw.choice([3, 3, 3, 1, 4])
    grayscale = channels == 3 and draw.random() < 0.2
    image = picture(draw, width, height, channels)
    case = {"source": [width, height], "channels": channels, "filter": draw.choice(filters), "size": size}
    part = [0, 0, width, height]
    if draw.random() < 0.2:
        left, top = draw.randrange(width), draw.randrange(height)
        part = [left, top, draw.randint(left + 1, width), draw.randint(top + 1, height)]
    case |= {"part": part, "grayscale": grayscale}
    left, top, right, bottom = part
    result = resize(draw, image[top:bottom, left:right], size, case["filter"], grayscale)
    return case, image.tobytes(), result.tobytes()


def versions(library):
    found = {"machine": platform.machine(), "numpy": numpy.__version__}
    if library == "torch":
        import torch
        import torchvision

        capability = torch.backends.cpu.get_cpu_capability()
        return {"torch": torch.__version__, "torchvision": torchvision.__version__, "CPU": capability, **found}
    import cv2

    return {"OpenCV": cv2.__version__, **found}


if __name__ == "__main__":
    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        if "seed" in request:
            case, image, result = case_of(request["library"], request["seed"], request["index"])
            reply = {**case, "imageBytes": len(image), "bytes": len(image) + len(result)}
        else:
            image, result = b"", b""
            reply = {"versions": versions(request["library"]), "bytes": 0}
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + image + result)
        sys.stdout.buffer.flush()
