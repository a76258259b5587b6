#!/usr/bin/env python3
"""The other side of test/parity/fresh.ts: makes a random picture and Pillow's result for a random request.

Reads a line of JSON, {"seed", "index", "presets": [{"name", "config" | "weights"}]}, and responds with the request,
the sizes of two byte strings, and these: the file, and Pillow's pixels, [height, width, 3 | 1] uint8. A request
without a seed gets the versions. Presets are computed by transformers' Pillow backend and torchvision
with a Pillow image, where they are installed.
"""

import io
import json
import random
import sys
import warnings

from PIL import Image, ImageOps, __version__

from random_files import KINDS, file_of

warnings.filterwarnings("ignore")
VERSIONS = {"Pillow": __version__}
try:
    import numpy
    import transformers

    transformers.logging.set_verbosity_error()
    VERSIONS["transformers"] = transformers.__version__
except ImportError:
    transformers = None
try:
    import torchvision
    from torchvision.models import get_weight

    VERSIONS["torchvision"] = torchvision.__version__.split("+")[0]
except ImportError:
    torchvision = None

FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


def resized(image, resize):
    """By Pillow's functions of the table in docs/numerics.md."""
    if resize is None:
        return image
    size = (resize["width"], resize["height"])
    method = Image.Resampling[resize["filter"].upper()]
    match resize["fit"]:
        case "fill":
            return image.resize(size, method)
        case "cover":
            return ImageOps.fit(image, size, method)
        case "contain":
            return ImageOps.pad(image, size, method)
        case "inside":
            return ImageOps.contain(image, size, method)
        case "outside":
            return ImageOps.cover(image, size, method)


def by_preset(image, preset):
    if "config" in preset:
        config = {**preset["config"], "do_rescale": False, "do_normalize": False}
        config |= {"do_flip_channel_order": False}
        processor = getattr(transformers, config["image_processor_type"] + "Pil").from_dict(config)
        if not processor.do_convert_rgb:
            image = image.convert("RGB")
        pixels = numpy.asarray(processor(image, return_tensors=None)["pixel_values"][0]).transpose(1, 2, 0)
        return Image.fromarray(numpy.ascontiguousarray(pixels))
    weights = get_weight(preset["weights"]).transforms()
    functional = torchvision.transforms.functional
    image = functional.resize(image.convert("RGB"), weights.resize_size, interpolation=weights.interpolation)
    return functional.center_crop(image, weights.crop_size)


def case_of(seed, index, presets):
    draw = random.Random(f"{seed}-{index}")
    side = draw.choice([8, 60, 300, 700])
    width, height = draw.randint(1, side), draw.randint(1, side)
    kind = draw.choice(KINDS)
    file, options = file_of(draw, kind, width, height)
    case = {"kind": kind, "size": [width, height], "options": options, "grayscale": False}
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    image = upright.convert("RGB")
    known = [preset for preset in presets if (transformers if "config" in preset else torchvision)]
    thin = max(width, height) > 8 * min(width, height)
    if known and not thin and draw.random() < 0.15:
        preset = draw.choice(known)
        # It lays alpha on white itself, where it converts.
        image = by_preset(upright, preset)
        case["preset"] = preset["name"]
    else:
        case["resize"] = None
        if draw.random() < 0.9:
            fit = "fill" if draw.random() < 0.5 else draw.choice(["cover", "contain", "inside", "outside"])
            case["resize"] = {"fit": fit, "filter": draw.choice(FILTERS)}
            case["resize"] |= {"width": draw.randint(1, 400), "height": draw.randint(1, 400)}
            if fit != "fill" and thin:
                case["resize"]["fit"] = "fill"  # a side of 0 in Pillow
        image = resized(image, case["resize"])
        if draw.random() < 0.25:
            crop = [draw.randint(1, image.width), draw.randint(1, image.height)]
            left, top = (image.width - crop[0]) // 2, (image.height - crop[1]) // 2
            image = image.crop((left, top, left + crop[0], top + crop[1]))
            case["crop"] = crop
        if draw.random() < 0.3:
            image = image.convert("L")
            case["grayscale"] = True
    case["outputSize"] = image.size
    return case, file, image.tobytes()


for line in iter(sys.stdin.buffer.readline, b""):
    request = json.loads(line)
    if "seed" in request:
        case, file, pixels = case_of(request["seed"], request["index"], request["presets"])
        reply = {**case, "fileBytes": len(file), "bytes": len(file) + len(pixels)}
    else:
        file, pixels = b"", b""
        reply = {"versions": VERSIONS, "bytes": 0}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n" + file + pixels)
    sys.stdout.buffer.flush()
