#!/usr/bin/env python3
"""Makes the pictures of test/fixtures/heic/ and test/fixtures/jxl/ and, from them, test/parity/optional-goldens.json.

    python3 test/parity/make_optional_goldens.py           all of it
    python3 test/parity/make_optional_goldens.py --goldens only the goldens, of the pictures that are there

Needs Pillow, pillow-heif and pillow-jxl-plugin. Each golden has the SHA-256 of the bytes of
`ImageOps.exif_transpose(image).convert("RGB")`, or "RGBA" where the picture has alpha. Of lossy pictures it has the bytes
themselves, compressed by zlib, in base64: there the decoders differ.
"""

import base64
import hashlib
import io
import json
import pathlib
import struct
import sys
import tempfile
import zlib
from importlib.metadata import version

import pillow_heif
import pillow_jxl  # noqa: F401 (registers the plugin)
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = {name: HERE.parent / "fixtures" / name for name in ("heic", "jxl")}
GOLDENS = HERE / "optional-goldens.json"

# Odd, no multiple of a coding block, and more than HEVC's smallest picture.
WIDTH, HEIGHT = 71, 53


def red(x, y):
    return (x * 5 + y * 2) % 256


def green(x, y):
    return (y * 4 + (40 if x // 9 % 2 else 0)) % 256


def blue(x, y):
    return (250 - 3 * x + (y % 3) * 9) % 256


def alpha(x, y):
    return [0, 64, 128, 255][(x // 9 + y // 7) % 4]


def made(mode, *channels, width=WIDTH, height=HEIGHT):
    image = Image.new(mode, (width, height))
    values = [tuple(c(x, y) for c in channels) for y in range(height) for x in range(width)]
    image.putdata([value[0] for value in values] if len(channels) == 1 else values)
    return image


def rgb():
    return made("RGB", red, green, blue)


def even_rgb():
    """Of even sides: libheif before 1.23.6 has wrong colours at an edge of a picture of odd sides that it turns."""
    return made("RGB", red, green, blue, width=72, height=54)


def rgba():
    return made("RGBA", red, green, blue, alpha)


def gray():
    return made("L", red)


def deep(mode, *channels):
    """Samples of 16 bits, whose lower bits differ from the higher ones."""
    values = [
        min(65535, c(x, y) * 257 + (x * 31 + y * 17) % 256)
        for y in range(HEIGHT)
        for x in range(WIDTH)
        for c in channels
    ]
    return mode, (WIDTH, HEIGHT), struct.pack(f"<{len(values)}H", *values)


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def heic(image, **options):
    out = io.BytesIO()
    if isinstance(image, tuple):
        file = pillow_heif.from_bytes(*image)
        file.save(out, quality=options.pop("quality", 80), **options)
    else:
        image.save(out, format="HEIF", quality=options.pop("quality", 80), **options)
    return out.getvalue()


def with_property(data, kind, body):
    """Adds a transformative property to the primary item: a box at the end of ipco, and its number in ipma."""
    meta = data.index(b"meta") - 4
    ipco = data.index(b"ipco") - 4
    ipma = data.index(b"ipma") - 4
    (ipco_length,) = struct.unpack_from(">I", data, ipco)
    count, at = 0, ipco + 8
    while at < ipco + ipco_length:
        at += struct.unpack_from(">I", data, at)[0]
        count += 1
    box = struct.pack(">I", 8 + len(body)) + kind + body
    association = ipma + 8 + 4 + 4
    item, entries = struct.unpack_from(">HB", data, association)
    new = bytearray(data)
    end = association + 3 + entries
    new[end:end] = bytes([0x80 | (count + 1)])
    new[association + 2] += 1
    new[ipco + ipco_length : ipco + ipco_length] = box
    added = len(box) + 1

    def grow(at, by):
        new[at : at + 4] = struct.pack(">I", struct.unpack_from(">I", new, at)[0] + by)

    grow(ipco, len(box))
    grow(ipma + len(box), 1)
    grow(data.index(b"iprp") - 4, added)
    grow(meta, added)
    return shift_places(bytes(new), added)


def shift_places(data, by):
    """Moves every extent of iloc, of version 0 or 1 with 4-byte offsets, that is in the file and not in idat."""
    new = bytearray(data)
    at = data.index(b"iloc") + 4
    box_version = data[at]
    sizes = data[at + 4]
    base_bytes, index_bytes = data[at + 5] >> 4, data[at + 5] & 15
    assert sizes == 0x44 and base_bytes in (0, 4), (sizes, base_bytes)
    (count,) = struct.unpack_from(">H", data, at + 6)
    at += 8
    for _ in range(count):
        at += 2
        method = 0
        if box_version > 0:
            (method,) = struct.unpack_from(">H", data, at)
            at += 2
        at += 2 + base_bytes
        (extents,) = struct.unpack_from(">H", data, at)
        at += 2
        for _ in range(extents):
            at += index_bytes if box_version > 0 else 0
            if method == 0:
                (offset,) = struct.unpack_from(">I", data, at)
                struct.pack_into(">I", new, at, offset + by)
            at += 8
    return bytes(new)


def heics():
    # The decoder of libheif-js differs from pillow-heif's in lossy pictures, and only in those.
    for chroma in (420, 422, 444):
        yield f"lossy-{chroma}.heic", heic(rgb(), chroma=chroma, quality=90)
    limited = dict(matrix_coefficients=6, color_primaries=6, transfer_characteristic=6, full_range_flag=0)
    yield "lossy-limited.heic", heic(rgb(), quality=90, **limited)
    yield "lossy-10-bit.heic", heic(deep("RGB;16", red, green, blue), chroma=420, quality=90)
    plain = heic(rgb(), quality=-1)
    yield "rgb.heic", plain
    yield "gray.heic", heic(gray(), quality=-1)
    yield "alpha.heic", heic(rgba(), quality=-1)
    yield "10-bit.heic", heic(deep("RGB;16", red, green, blue), quality=-1)
    yield "alpha-10-bit.heic", heic(deep("RGBA;16", red, green, blue, alpha), quality=-1)
    yield "gray-10-bit.heic", heic(deep("L;16", red), quality=-1)
    yield "premultiplied.heic", heic(rgba().convert("RGBa"), quality=-1)
    yield "icc.heic", heic(rgb(), icc_profile=bytes(128), quality=-1)
    yield "grid.heic", heic(made("RGB", red, green, blue, width=80, height=70), tile_size=64, quality=-1)
    # pillow-heif writes irot and imir for it.
    for orientation in range(2, 9):
        yield f"orientation-{orientation}.heic", heic(even_rgb(), exif=exif(orientation), quality=-1)
    even = heic(even_rgb(), quality=-1)
    for turn in range(1, 4):
        yield f"irot-{turn}.heic", with_property(even, b"irot", bytes([turn]))
    for axis in range(2):
        yield f"imir-{axis}.heic", with_property(even, b"imir", bytes([axis]))
    crop = struct.pack(">8I", 40, 1, 30, 1, 0, 1, 0, 1)
    yield "clean-aperture.heic", with_property(plain, b"clap", crop)


def jxl(image, **options):
    out = io.BytesIO()
    image.save(out, format="JXL", **options)
    return out.getvalue()


def jxls():
    yield "rgb.jxl", jxl(rgb(), lossless=True)
    yield "container.jxl", jxl(rgb(), lossless=True, exif=exif(1))
    yield "gray.jxl", jxl(gray(), lossless=True)
    yield "gray-alpha.jxl", jxl(made("LA", red, alpha), lossless=True)
    yield "alpha.jxl", jxl(rgba(), lossless=True)
    yield "gray-16-bit.jxl", jxl(Image.frombytes("I;16", *deep("L;16", red)[1:]), lossless=True)
    for orientation in range(2, 9):
        yield f"orientation-{orientation}.jxl", jxl(even_rgb(), lossless=True, exif=exif(orientation))
    yield "lossy.jxl", jxl(rgb(), quality=90)
    yield "lossy-50.jxl", jxl(rgb(), quality=50)
    yield "lossy-gray.jxl", jxl(gray(), quality=85)
    yield "lossy-alpha.jxl", jxl(rgba(), quality=85)
    with tempfile.TemporaryDirectory() as folder:
        jpeg = pathlib.Path(folder) / "a.jpg"
        rgb().save(jpeg, quality=85)
        with Image.open(jpeg) as image:
            yield "lossy-from-jpeg.jxl", jxl(image, lossless_jpeg=True)


def mode_of(image):
    return "RGBA" if image.mode in ("RGBA", "RGBa", "LA", "La") else "RGB"


def golden(path):
    with Image.open(path) as image:
        picture = image
        if image.mode.startswith("I;16"):
            # Pillow clips at 255; here the high byte is taken.
            picture = Image.frombytes("L", image.size, image.tobytes()[1::2])
        upright = ImageOps.exif_transpose(picture).convert(mode_of(image))
        pixels = upright.tobytes()
        return {
            "mode": mode_of(image),
            "width": upright.width,
            "height": upright.height,
            **(
                {"pixels": base64.b64encode(zlib.compress(pixels, 9)).decode()}
                if "lossy" in path.name
                else {"sha256": hashlib.sha256(pixels).hexdigest()}
            ),
        }


def main():
    pillow_heif.register_heif_opener()
    if "--goldens" not in sys.argv:
        for kind, pictures in (("heic", heics()), ("jxl", jxls())):
            FOLDERS[kind].mkdir(parents=True, exist_ok=True)
            for name, data in pictures:
                assert len(data) < 16384, f"{name} has {len(data)} bytes"
                (FOLDERS[kind] / name).write_bytes(data)
    paths = sorted(path for folder in FOLDERS.values() for path in folder.iterdir())
    GOLDENS.write_text(
        json.dumps(
            {
                "made_by": "test/parity/make_optional_goldens.py",
                "versions": {name: version(name) for name in ("pillow", "pillow-heif", "pillow-jxl-plugin")}
                | {"libheif": pillow_heif.libheif_version()},
                "goldens": {path.name: golden(path) for path in paths},
            },
            indent=2,
        )
        + "\n"
    )


main()
