#!/usr/bin/env python3
"""Pillow's side of test/parity/files.ts: decodes one file for each line of JSON, {"path"}.

The response is a line of JSON and `bytes` bytes: the pixels after `ImageOps.exif_transpose` and `convert("RGB")`,
[height, width, 3] uint8. Where Pillow is known to take 16 bits wrongly and the file shows what is right, the right
pixels follow: by the high byte, or un-premultiplied from all bits. `layout` says how the file is made, as far as an
entry of known-differences.json may need it. A file that Pillow refuses has `error` instead of the pixels. A line
without a path gets the versions.
"""

import array
import json
import os
import resource
import struct
import sys
import warnings
import zlib

from PIL import Image, ImageOps, __version__, features

warnings.filterwarnings("ignore")
# As in files.ts, and not Pillow's own.
MAX_PIXELS = 100_000_000
Image.MAX_IMAGE_PIXELS = None
# A file that announces a giant picture ends in a MemoryError here, and not in a machine without memory.
resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

LIBRARIES = ["libjpeg_turbo", "zlib_ng", "webp", "avif", "libtiff"]


def decoded(path):
    """What Pillow says of a file, and its pixels."""
    with Image.open(path) as image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("more pixels than are compared")
        facts = {"format": image.format, "mode": image.mode}
        right = right_pixels(image, path)
        upright = ImageOps.exif_transpose(image)
        pixels = upright.convert("RGB").tobytes()
        if image.mode.startswith("I;16"):
            gray = upright.tobytes()[0 if image.mode.endswith("B") else 1 :: 2]
            right = Image.frombytes("L", upright.size, gray).convert("RGB").tobytes()
        return {**facts, "width": upright.width, "height": upright.height}, pixels + right


def right_pixels(image, path):
    """[height, width, 3] uint8 of an upright, uncompressed TIFF of 16 bits in strips; else nothing."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(BITS, ())[:1] != (16,) or tags.get(COMPRESSION) != 1 or tags.get(ORIENTATION, 1) != 1:
        return b""
    samples = array.array("H")
    with open(path, "rb") as file:
        for offset, length in zip(tags.get(STRIPS, ()), tags.get(STRIP_LENGTHS, ()), strict=True):
            file.seek(offset)
            samples.frombytes(file.read(length))
    if tags.prefix == b"MM":
        samples.byteswap()
    size = image.width * image.height
    if tags.get(PLANES) == 2 and len(samples) == 3 * size:
        return bytes(samples[plane * size + at] >> 8 for at in range(size) for plane in range(3))
    if tags.get(EXTRA_SAMPLES) == (ASSOCIATED,) and len(samples) == 4 * size:
        return bytes(
            unpremultiplied(samples[at + channel], samples[at + 3])
            for at in range(0, 4 * size, 4)
            for channel in range(3)
        )
    return b""


def unpremultiplied(value, alpha):
    """The high byte of 16 bits."""
    return 0 if alpha == 0 else min(65535, (value * 65535 * 2 + alpha) // (2 * alpha)) >> 8


BITS, COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION = 258, 259, 262, 273, 274
STRIP_LENGTHS, PLANES, TILE_WIDTH, TILES, TILE_LENGTHS, EXTRA_SAMPLES = 279, 284, 322, 324, 325, 338
ASSOCIATED = 1


def layout_of(path):
    """Words on how a TIFF's pixels lie, and on what is wrong with a PNG's chunks."""
    with open(path, "rb") as file:
        if file.read(8) == b"\x89PNG\r\n\x1a\n":
            try:
                return "; ".join(dict.fromkeys(png_faults(file)))
            except zlib.error:
                return "damaged pixels"
    try:
        with Image.open(path, formats=["TIFF"]) as image:
            tags = image.tag_v2
            file_length = os.path.getsize(path)
            # Some files have the places of their tiles where those of strips belong.
            offsets = tags.get(TILES) or tags.get(STRIPS, ())
            lengths = tags.get(TILE_LENGTHS) or tags.get(STRIP_LENGTHS, ())
            is_whole = all(offset + length <= file_length for offset, length in zip(offsets, lengths, strict=True))
            return (
                f"compression {tags.get(COMPRESSION, 1)}, photometric {tags.get(PHOTOMETRIC)}, "
                f"bits {tags.get(BITS, (1,))[0]}, planes {tags.get(PLANES, 1)}, "
                f"extra {tags.get(EXTRA_SAMPLES, ('none',))[0]}, "
                f"{('whole tiles' if is_whole else 'cut tiles') if TILE_WIDTH in tags else 'strips'}"
            )
    except Exception:  # no TIFF
        return ""


def png_faults(file):
    names, pixels = [], zlib.decompressobj()
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        data, checksum = file.read(length), file.read(4)
        if name == b"IDAT" and not pixels.eof:
            pixels.decompress(data)
        if len(data) < length or len(checksum) < 4:
            yield f"cut off {'behind the pixels' if pixels.eof else 'in ' + kind_of(name)}"
            return
        names.append(name)
        if name in (b"iCCP", b"zTXt") and data.partition(b"\0")[2][:1] != b"\0":
            yield "unknown compression of metadata"
        if struct.unpack(">I", checksum)[0] != zlib.crc32(name + data):
            yield f"wrong checksum of {kind_of(name)}"
        if name == b"IEND":
            break
        if name == b"IHDR" and data[9:10] == b"\3":
            names.append("needs a palette")
    else:
        yield "no IEND"
    if "needs a palette" in names and b"PLTE" not in names:
        yield "no palette"


def kind_of(name):
    """Critical chunks begin with a capital letter (PNG, 5.4)."""
    return name.decode("ascii", "replace") if name[:1].isupper() else "metadata"


def response(request):
    if "path" not in request:
        versions = {name: features.version(name) for name in LIBRARIES}
        return {"versions": {"Pillow": __version__, **{name: found for name, found in versions.items() if found}}}, b""
    layout = {"layout": layout_of(request["path"])}
    try:
        facts, pixels = decoded(request["path"])
        return {**facts, **layout}, pixels
    except Exception as error:  # whatever a plugin raises is its way to refuse
        return {"error": f"{type(error).__name__}: {error}"[:200], **layout}, b""


for line in iter(sys.stdin.buffer.readline, b""):
    facts, pixels = response(json.loads(line))
    sys.stdout.buffer.write(json.dumps({**facts, "bytes": len(pixels)}).encode() + b"\n")
    sys.stdout.buffer.write(pixels)
    sys.stdout.buffer.flush()
