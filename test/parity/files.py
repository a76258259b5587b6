#!/usr/bin/env python3
"""Pillow's side of test/parity/files.ts: decodes one file for each line of JSON, {"path"}.

The response is a line of JSON and `bytes` bytes: the pixels after `ImageOps.exif_transpose` and `convert("RGB")`,
[height, width, 3] uint8. For gray of 16 bits, which Pillow clips at 255, the pixels by the high byte follow. A file
that Pillow refuses has `error` instead. A line without a path is answered with the versions.
"""

import json
import resource
import sys
import warnings

from PIL import Image, ImageOps, __version__, features

warnings.filterwarnings("ignore")
# The service has a limit of its own.
Image.MAX_IMAGE_PIXELS = None
# A file that announces a giant picture ends in a MemoryError here, and not in a machine without memory.
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

LIBRARIES = ["libjpeg_turbo", "zlib_ng", "webp", "avif", "libtiff"]


def decoded(path):
    """What Pillow says of a file, and its pixels."""
    with Image.open(path) as image:
        facts = {"format": image.format, "mode": image.mode}
        upright = ImageOps.exif_transpose(image)
        pixels = upright.convert("RGB").tobytes()
        if image.mode.startswith("I;16"):
            gray = upright.tobytes()[0 if image.mode.endswith("B") else 1 :: 2]
            pixels += Image.frombytes("L", upright.size, gray).convert("RGB").tobytes()
        return {**facts, "width": upright.width, "height": upright.height}, pixels


def response(question):
    if "path" not in question:
        versions = {name: features.version(name) for name in LIBRARIES}
        return {"versions": {"Pillow": __version__, **{name: found for name, found in versions.items() if found}}}, b""
    try:
        return decoded(question["path"])
    except Exception as error:  # whatever a plugin raises is its way to refuse
        return {"error": f"{type(error).__name__}: {error}"[:200]}, b""


for line in iter(sys.stdin.buffer.readline, b""):
    facts, pixels = response(json.loads(line))
    sys.stdout.buffer.write(json.dumps({**facts, "bytes": len(pixels)}).encode() + b"\n")
    sys.stdout.buffer.write(pixels)
    sys.stdout.buffer.flush()
