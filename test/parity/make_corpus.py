#!/usr/bin/env python3
"""Makes a folder of pictures for `npm run parity -- --files DIR`.

    python3 test/parity/make_corpus.py DIR

Each is of a kind that once came out wrong, or that decoders do by different ways: where orientation stands, how a TIFF
is stored in its file, planes and matrices of AVIF, whole files of kinds that are not read, damaged files. The pictures of
test/fixtures/ join them, for what needs other encoders. Needs Pillow, numpy, tifffile and imagecodecs.
"""

import io
import pathlib
import shutil
import struct
import sys
import zlib

import imagecodecs
import numpy
import tifffile
from PIL import Image

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"

# Of the ratio that shows a turn, and odd: no multiple of a JPEG's or an AVIF's blocks.
WIDTH, HEIGHT = 97, 61

EXIF_TYPES = {"byte": 1, "short": 3, "long": 4}


def smooth(width=WIDTH, height=HEIGHT, channels=3, dtype=numpy.uint8):
    """[height, width, channels]"""
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [127 + 60 * numpy.sin(x / 9 + k) + 60 * numpy.cos(y / 7 + k) for k in range(channels)]
    largest = numpy.iinfo(dtype).max
    return (numpy.stack(waves, -1).clip(0, 255) * (largest / 255)).astype(dtype)


def rgb(width=WIDTH, height=HEIGHT):
    return Image.fromarray(smooth(width, height))


def alpha(height, width):
    return numpy.random.default_rng(1).integers(0, 256, (height, width)).astype(numpy.uint8)


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def exif(orientation, kind="short"):
    """EXIF of one directory with one tag, in TIFF's form, little-endian."""
    value = {"byte": "<Bxxx", "short": "<Hxx", "long": "<I"}[kind]
    return (
        b"II*\0" + struct.pack("<IHHHI", 8, 1, 0x112, EXIF_TYPES[kind], 1) + struct.pack(value, orientation) + bytes(4)
    )


def xmp(orientation, is_element=False):
    attribute = "" if is_element else f' tiff:Orientation="{orientation}"'
    element = f"<tiff:Orientation>{orientation}</tiff:Orientation>" if is_element else ""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"{attribute}>{element}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunk(png, added, is_after=False):
    """A PNG with one chunk more, before its pixels or after them."""
    at = len(png) - 12 if is_after else png.index(b"IDAT") - 4
    return png[:at] + added + png[at:]


def orientations():
    """EXIF and XMP in every place and form in which Pillow looks for them."""
    png = encoded(rgb(), "PNG")
    for orientation in range(1, 9):
        yield f"exif-{orientation}.jpg", encoded(rgb(), "JPEG", exif=b"Exif\0\0" + exif(orientation))
    for kind in EXIF_TYPES:
        tags = exif(6, kind)
        yield f"exif-{kind}.jpg", encoded(rgb(), "JPEG", exif=b"Exif\0\0" + tags)
        yield f"exif-{kind}.webp", encoded(rgb(), "WEBP", exif=tags, lossless=True)
        yield f"exif-{kind}.png", with_chunk(png, chunk(b"eXIf", tags))
    yield "exif-after-pixels.png", with_chunk(png, chunk(b"eXIf", exif(6)), True)
    yield "exif-with-prefix.png", with_chunk(png, chunk(b"eXIf", b"Exif\0\0" + exif(6)))
    tags = b"Exif\0\0" + exif(6)
    profile = b"\nexif\n%8d\n" % len(tags) + tags.hex().encode() + b"\n"
    keyword = b"Raw profile type exif\0"
    yield "raw-profile-zTXt.png", with_chunk(png, chunk(b"zTXt", keyword + b"\0" + zlib.compress(profile)))
    yield "raw-profile-tEXt.png", with_chunk(png, chunk(b"tEXt", keyword + profile))
    for form, packet in ("attribute", xmp(6)), ("element", xmp(6, True)):
        text = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
        yield f"xmp-{form}.jpg", encoded(rgb(), "JPEG", xmp=packet)
        yield f"xmp-{form}.webp", encoded(rgb(), "WEBP", xmp=packet, lossless=True)
        yield f"xmp-{form}.avif", encoded(rgb(), "AVIF", xmp=packet)
        yield f"xmp-{form}.png", with_chunk(png, chunk(b"iTXt", text))
        yield f"xmp-{form}.tif", tiff(smooth(), photometric="rgb", extratags=[(700, 1, len(packet), packet, True)])
    # EXIF that says 1 goes before XMP that says 6.
    yield "exif-before-xmp.jpg", encoded(rgb(), "JPEG", exif=b"Exif\0\0" + exif(1), xmp=xmp(6))


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def tiffs():
    values = smooth(128, 96)
    for compression in None, "lzw", "deflate", "packbits", "zstd", "lzma", "lerc", "jpeg", "jpeg2000", "webp":
        name = compression or "none"
        for layout, options in ("strips", {"rowsperstrip": 16}), ("tiles", {"tile": (32, 32)}):
            yield f"{layout}-{name}.tif", tiff(values, photometric="rgb", compression=compression, **options)
    whole = tiff(values, photometric="rgb", tile=(32, 32))
    for percent in 20, 40, 60, 80, 95:
        yield f"tiles-cut-at-{percent}.tif", whole[: len(whole) * percent // 100]
    for extra in "unspecified", "unassalpha", "assocalpha":
        options = {"photometric": "rgb", "extrasamples": [extra], "compression": "deflate"}
        yield f"rgb-{extra}.tif", tiff(premultiplied(extra), **options)
    for dtype in numpy.uint8, numpy.uint16:
        bits = numpy.iinfo(dtype).bits
        yield f"ycbcr-{bits}-bit.tif", tiff(smooth(dtype=dtype), photometric="ycbcr")
        yield f"gray-{bits}-bit.tif", tiff(smooth(channels=1, dtype=dtype)[..., 0], photometric="minisblack")
        yield f"gray-white-is-0-{bits}-bit.tif", tiff(
            smooth(channels=1, dtype=dtype)[..., 0], photometric="miniswhite"
        )
        planes = numpy.moveaxis(smooth(64, 48, dtype=dtype), -1, 0).copy()
        for layout, options in ("strips", {"rowsperstrip": 16}), ("tiles", {"tile": (16, 16)}):
            for compression in None, "lzw":
                name = f"planes-{layout}-{compression or 'none'}-{bits}-bit.tif"
                yield name, tiff(
                    planes, photometric="rgb", planarconfig="separate", compression=compression, **options
                )
    for compression in "raw", "tiff_lzw", "tiff_adobe_deflate", "packbits":
        yield f"ycbcr-{compression}.tif", encoded(rgb().convert("YCbCr"), "TIFF", compression=compression)
    for compression in "tiff_ccitt", "group3", "group4":
        yield f"{compression}.tif", encoded(rgb().convert("1"), "TIFF", compression=compression)
    yield "lab.tif", tiff(values, photometric="cielab")
    yield "cmyk.tif", encoded(rgb().convert("CMYK"), "TIFF")
    gray = numpy.moveaxis(numpy.dstack([values[..., 0], alpha(96, 128)]), -1, 0).copy()
    yield "gray-alpha-planes.tif", tiff(
        gray, photometric="minisblack", planarconfig="separate", extrasamples=["unassalpha"], compression="lzw"
    )


def premultiplied(extra):
    values = smooth(channels=4)
    if extra == "assocalpha":
        values[..., :3] = values[..., :3].astype(int) * values[..., 3:] // 255
    return values


def avifs():
    for subsampling in "4:2:0", "4:2:2", "4:4:4":
        for extent in "full", "limited":
            name = f"{subsampling.replace(':', '')}-{extent}"
            options = {"quality": 90, "subsampling": subsampling, "range": extent}
            yield f"{name}.avif", encoded(rgb(), "AVIF", **options)
            yield f"{name}-turned.avif", encoded(rgb(), "AVIF", **options, exif=exif(6))
            colours = rgb().convert("RGBA")
            colours.putalpha(Image.fromarray(alpha(HEIGHT, WIDTH)))
            yield f"{name}-alpha.avif", encoded(colours, "AVIF", **options)
            yield f"gray-{name}.avif", encoded(rgb().convert("L").convert("RGB"), "AVIF", **options)
    frames = encoded(rgb(), "AVIF", save_all=True, append_images=[Image.fromarray(255 - smooth())])
    yield "sequence.avif", frames
    yield "sequence-as-avif.avif", frames[:8] + b"avif" + frames[12:]


def others():
    values = smooth()
    noisy = rgb().convert("RGBA")
    noisy.putalpha(Image.fromarray(alpha(HEIGHT, WIDTH)))
    yield "12-bits.jpg", imagecodecs.jpeg_encode((smooth(dtype=numpy.uint16) >> 4), bitspersample=12)
    yield "jpeg-ls.jls", imagecodecs.jpegls_encode(values)
    yield "rgba.png", encoded(noisy, "PNG")
    yield "rgba.webp", encoded(noisy, "WEBP")
    for mode in "1", "L", "P", "RGB":
        for format in "BMP", "GIF", "PNG":
            yield f"{mode}.{format.lower()}", encoded(rgb().convert(mode), format)
    yield "rgba.bmp", encoded(noisy, "BMP")
    yield "transparent.gif", encoded(noisy, "GIF")
    yield "cmyk.jpg", encoded(rgb().convert("CMYK"), "JPEG")
    for subsampling in "4:4:4", "4:2:2", "4:2:0":
        for is_progressive in False, True:
            name = f"{subsampling.replace(':', '')}{'-progressive' if is_progressive else ''}.jpg"
            file = encoded(rgb(), "JPEG", subsampling=subsampling, progressive=is_progressive)
            yield name, file
            yield f"cut-{name}", file[: len(file) // 2]
    for format in "PNG", "WEBP", "BMP", "GIF", "AVIF":
        file = encoded(rgb(), format)
        yield f"cut.{format.lower()}", file[: len(file) // 2]


def main():
    folder = pathlib.Path(sys.argv[1])
    for pictures in orientations, tiffs, avifs, others:
        into = folder / pictures.__name__
        into.mkdir(parents=True, exist_ok=True)
        for name, content in pictures():
            (into / name).write_bytes(content)
    shutil.copytree(FIXTURES, folder / "fixtures", dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.ts", "*.md"))


main()
