#!/usr/bin/env python3
"""The other side of bench/numerics.ts: decodes and resizes by Pillow, and by OpenCV and torchvision where they are.

Reads a line of JSON from stdin, {"way", "width", "height", "filter", "gray", "bytes"}, and so many bytes; responds with
{"ms", "bytes"} and so many bytes of pixels, [height, width, 3 | 1] uint8. Decoding counts in the time.
"""

import io
import json
import sys
import time

from PIL import Image, ImageOps, __version__

WAYS = {}
VERSIONS = {"Pillow": __version__}


def pillow(file, width, height, filter_name, gray):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
    image = image.resize((width, height), Image.Resampling[filter_name.upper()])
    return (image.convert("L") if gray else image).tobytes()


WAYS["Pillow"] = pillow

try:
    import cv2
    import numpy as np

    def opencv(interpolation):
        def resized(file, width, height, _filter, _gray):
            image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR_RGB)
            return cv2.resize(image, (width, height), interpolation=interpolation).tobytes()

        return resized

    cv2.setNumThreads(1)
    VERSIONS["OpenCV"] = cv2.__version__
    WAYS["OpenCV INTER_LINEAR"] = opencv(cv2.INTER_LINEAR)
    WAYS["OpenCV INTER_AREA"] = opencv(cv2.INTER_AREA)
    WAYS["OpenCV INTER_CUBIC"] = opencv(cv2.INTER_CUBIC)
    WAYS["OpenCV INTER_LANCZOS4"] = opencv(cv2.INTER_LANCZOS4)
except ImportError:
    pass

try:
    import torch
    import torchvision
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import pil_to_tensor, resize

    def torch_antialias(file, width, height, filter_name, _gray):
        image = pil_to_tensor(Image.open(io.BytesIO(file)).convert("RGB"))
        resized = resize(image, [height, width], InterpolationMode(filter_name), antialias=True)
        return resized.permute(1, 2, 0).contiguous().numpy().tobytes()

    torch.set_num_threads(1)
    VERSIONS["torchvision"] = torchvision.__version__.split("+")[0]
    WAYS["torchvision v2, uint8, antialias"] = torch_antialias
except ImportError:
    pass

for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    content = sys.stdin.buffer.read(request["bytes"])
    if "way" in request:
        keys = ("width", "height", "filter", "gray")
        start = time.perf_counter()
        pixels = WAYS[request["way"]](content, *(request[key] for key in keys))
        reply = {"ms": (time.perf_counter() - start) * 1000, "bytes": len(pixels)}
    else:
        pixels = b""
        reply = {"versions": VERSIONS, "ways": list(WAYS), "bytes": 0}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + pixels)
    sys.stdout.buffer.flush()
