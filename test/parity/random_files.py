"""Random pictures as files of the kinds that parity is tested with: modes, bit depths, EXIF orientations."""

import io
import random
import struct
import zlib

from PIL import Image, ImageFile, ImageFilter

# Pillow writes a progressive JPEG in one piece, and fails where it is longer.
ImageFile.MAXBLOCK = 2**25

KINDS = ["png L", "png LA", "png RGB", "png RGBA", "png P", "png P transparent", "png 1", "png RGB 16",
         "jpeg RGB", "jpeg RGB", "jpeg RGB", "jpeg L", "jpeg CMYK", "webp RGB", "webp RGBA",
         "tiff L", "tiff RGB", "tiff RGBA"]  # fmt: skip


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
    if draw.random() < 0.3 and file_format in ("jpeg", "png", "webp"):
        exif = Image.Exif()
        exif[0x0112] = draw.randint(1, 8)
        options["exif"] = exif
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue(), {key: value for key, value in options.items() if key != "exif"}


def size_of(draw):
    """Tiny, odd, photo-like, tall and wide; the longer side is at most 40 times the other, rarely up to 260 times."""
    if draw.random() < 0.04:
        width, height = 1, draw.randint(100, 260)
    else:
        width = draw.randint(1, draw.choice([8, 60, 300, 700]))
        height = draw.randint(1, draw.choice([width, 40 * width, 700]))
        height = max(min(height, 40 * width, 1200), -(-width // 40))
    return draw.choice([(width, height), (height, width)])
