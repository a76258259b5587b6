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
import struct
import sys
import warnings
import zlib

from PIL import Image, ImageFilter, ImageOps, __version__

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

KINDS = ["png L", "png LA", "png RGB", "png RGBA", "png P", "png P transparent", "png 1", "png RGB 16",
         "jpeg RGB", "jpeg RGB", "jpeg RGB", "jpeg L", "jpeg CMYK", "webp RGB", "webp RGBA",
         "tiff L", "tiff RGB", "tiff RGBA"]  # fmt: skip
FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


def picture(draw, width, height):
    """RGBA: noise, smoothed as often as not."""
    image = Image.frombytes("RGBA", (width, height), draw.randbytes(width * height * 4))
    return image.filter(ImageFilter.GaussianBlur(draw.uniform(0.5, 4))) if draw.random() < 0.5 else image


def png_of_16_bits(draw, width, height):
    rows = b"".join(b"\0" + draw.randbytes(width * 6) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def file_of(draw, kind, width, height):
    """The file, and how it was written."""
    if kind == "png RGB 16":
        return png_of_16_bits(draw, width, height), {}
    file_format, mode, *transparent = kind.split()
    image = picture(draw, width, height)
    options = {}
    if mode == "P":
        image = image.convert("RGB").quantize(draw.randint(2, 256))
        if transparent:
            options["transparency"] = 0
    else:
        image = image.convert(mode)
    if file_format == "jpeg":
        options = {"quality": draw.randint(30, 98), "progressive": draw.random() < 0.4}
        if mode == "RGB":
            options["subsampling"] = draw.choice(["4:4:4", "4:2:2", "4:2:0"])
    if file_format == "webp":
        options = {"lossless": True, "exact": True}
    if file_format == "tiff":
        options["compression"] = draw.choice(["raw", "tiff_lzw"])
    if draw.random() < 0.3 and file_format == "jpeg":
        exif = Image.Exif()
        exif[0x0112] = draw.randint(1, 8)
        options["exif"] = exif
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue(), {key: value for key, value in options.items() if key != "exif"}


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
