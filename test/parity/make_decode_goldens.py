#!/usr/bin/env python3
"""Makes the pictures of test/fixtures/decode/ and, from them, test/parity/decode-goldens.json.

    python3 test/parity/make_decode_goldens.py           all of it
    python3 test/parity/make_decode_goldens.py --goldens the goldens alone, of the pictures that are there

Needs Pillow, and libavif's avifenc for what Pillow can't write of AVIF. Each golden is the SHA-256 of the bytes that Pillow has for a picture:
`ImageOps.exif_transpose(image).convert("RGB").tobytes()`. What Pillow can't write (16 bits of colour,
interlaced PNG, odd TIFFs) is written here by hand. One kind of picture has a golden that isn't Pillow's: it clips
16-bit gray at 255, and the high byte is taken here instead.
"""

import base64
import hashlib
import io
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

import PIL
from PIL import GifImagePlugin, Image, ImageOps, features

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = HERE.parent / "fixtures" / "decode"
GOLDENS = HERE / "decode-goldens.json"

# Odd, and no multiple of a JPEG's blocks: edges are where decoders differ.
WIDTH, HEIGHT = 23, 17


def red(x, y):
    return (x * 11 + y * 3) % 256


def green(x, y):
    return (y * 15 + (40 if x // 5 % 2 else 0)) % 256


def blue(x, y):
    return (200 - 7 * x + (y % 3) * 20) % 256


def alpha(x, y):
    return [0, 64, 128, 255][(x // 3 + y // 2) % 4]


def points():
    return [(x, y) for y in range(HEIGHT) for x in range(WIDTH)]


def made(mode, *channels):
    image = Image.new(mode, (WIDTH, HEIGHT))
    values = [tuple(channel(x, y) for channel in channels) for x, y in points()]
    image.putdata([value[0] for value in values] if len(channels) == 1 else values)
    return image


def rgb():
    return made("RGB", red, green, blue)


def rgba():
    return made("RGBA", red, green, blue, alpha)


def gray():
    return made("L", red)


def gray_alpha():
    return made("LA", red, alpha)


def cmyk():
    return made("CMYK", red, green, blue, lambda x, y: (x * 5 + y) % 200)


def palette(colours=16):
    """Bands of a palette's colours, which aren't in any order."""
    image = Image.new("P", (WIDTH, HEIGHT))
    image.putpalette([value for i in range(colours) for value in (i * 67 % 256, i * 131 % 256, 255 - i * 13 % 256)])
    image.putdata([(x // 2 + y) % colours for x, y in points()])
    return image


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


# ---------------------------------------------------------------- PNG by hand


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(colour_type, bit_depth, pixel, interlaced=False, extra=b""):
    """pixel(x, y) gives the samples of one pixel."""

    def row(xs, y):
        bits = "".join(format(sample, f"0{bit_depth}b") for x in xs for sample in pixel(x, y))
        bits += "0" * (-len(bits) % 8)
        return b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")

    rows = []
    for left, top, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        xs = range(left, WIDTH, dx)
        if len(xs):
            rows += [row(xs, y) for y in range(top, HEIGHT, dy)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bit_depth, colour_type, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + extra
        + png_chunk(b"IDAT", zlib.compress(b"".join(rows), 9))
        + png_chunk(b"IEND", b"")
    )


def deep(channel, low=0):
    """16 bits: the channel in the high byte, and a low byte that rounding would change."""
    return lambda x, y: channel(x, y) << 8 | (x * 37 + y * 91 + low) % 256


DEEP = [deep(red), deep(green, 50), deep(blue, 100), deep(alpha, 150)]


def samples(*channels):
    return lambda x, y: [channel(x, y) for channel in channels]


# --------------------------------------------------------------- TIFF by hand


def tiff(photometric, bits, pixel, order="<", orientation=1, planar=False, extra_samples=(), sample_format=1, big=False):
    """One uncompressed strip (a strip a channel where planar)."""
    code = {8: "B", 16: "H", 32: "f"}[bits]
    pixels = [pixel(x, y) for x, y in points()]
    count = len(pixels[0])
    planes = [[p[i] for p in pixels] for i in range(count)] if planar else [[v for p in pixels for v in p]]
    strips = [struct.pack(f"{order}{len(plane)}{code}", *plane) for plane in planes]
    head = 16 if big else 8
    tags = [
        (256, 3, [WIDTH]),
        (257, 3, [HEIGHT]),
        (258, 3, [bits] * count),
        (259, 3, [1]),
        (262, 3, [photometric]),
        (273, 4, [head + sum(map(len, strips[:i])) for i in range(len(strips))]),
        (274, 3, [orientation]),
        (277, 3, [count]),
        (278, 3, [HEIGHT]),
        (279, 4, [len(strip) for strip in strips]),
        (284, 3, [2 if planar else 1]),
    ]
    if extra_samples:
        tags.append((338, 3, list(extra_samples)))
    tags.append((339, 3, [sample_format] * count))
    where = head + sum(map(len, strips))
    where += where % 2
    entry_size, inline = (20, 8) if big else (12, 4)
    after = where + (8 if big else 2) + len(tags) * entry_size + (8 if big else 4)
    entries, outside = b"", b""
    for tag, kind, values in tags:
        data = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(data) > inline:
            place = struct.pack(order + ("Q" if big else "I"), after + len(outside))
            outside += data
        else:
            place = data.ljust(inline, b"\0")
        entries += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, len(values)) + place
    mark = b"II" if order == "<" else b"MM"
    if big:
        start = mark + struct.pack(order + "HHHQ", 43, 8, 0, where)
        directory = struct.pack(order + "Q", len(tags)) + entries + struct.pack(order + "Q", 0)
    else:
        start = mark + struct.pack(order + "HI", 42, where)
        directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0)
    body = b"".join(strips)
    return start + body + b"\0" * (len(body) % 2) + directory + outside


# -------------------------------------------------------------------- the rest


def icc_profile():
    """A matrix profile (ICC.1:2001) whose red primary is sRGB's blue, and the other way round."""

    def xyz(*values):
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    name = b"red and blue change places\0"
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + b"\0" * 78
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))
    tags = [
        (b"desc", text),
        (b"cprt", b"text\0\0\0\0none\0"),
        (b"wtpt", xyz(0.9642, 1.0, 0.8249)),
        (b"rXYZ", xyz(0.1431, 0.0606, 0.7141)),
        (b"gXYZ", xyz(0.3851, 0.7169, 0.0971)),
        (b"bXYZ", xyz(0.4360, 0.2225, 0.0139)),
        (b"rTRC", curve),
        (b"gTRC", curve),
        (b"bTRC", curve),
    ]
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags:
        table += tag + struct.pack(">II", start + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    size = 128 + len(table) + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + xyz(0.9642, 1.0, 0.8249)[8:]
    return header.ljust(128, b"\0") + table + data


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def jpeg(image=None, **options):
    return saved(image or rgb(), "JPEG", **{"quality": 85, "optimize": True, **options})


def without_app14(data):
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2 : at + 4])[0] :]


def with_luma_sampling(data, across, down):
    """The same blocks, declared with a sampling that Pillow has no name for. The picture gets scrambled."""
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 11
    return data[:at] + bytes([across << 4 | down]) + data[at + 1 :]


def smooth():
    """Chroma without edges: how AVIF's and WebP's decoders make full chroma of half is not agreed."""
    return made("RGB", lambda x, y: 60 + x * 2, lambda x, y: 80 + y * 3, lambda x, y: 180 - x - y)


def avif(image, subsampling, **options):
    return saved(image, "AVIF", quality=80, subsampling=subsampling, **options)


def avifenc(image, *options):
    """What Pillow can't ask libavif for: more than 8 bits, premultiplied colours, tiles, a clean aperture."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/source.png", f"{folder}/target.avif"
        image.save(source)
        quality = [] if "--lossless" in options else ["--min", "10", "--max", "20"]
        command = ["avifenc", "--speed", "6", *quality, *options, source, target]
        subprocess.run(command, check=True, capture_output=True)
        return pathlib.Path(target).read_bytes()


def with_matrix(data, matrix):
    """The same planes, declared as coded by another matrix of ITU-T H.273."""
    at = data.index(b"nclx") + 8
    return data[:at] + struct.pack(">H", matrix) + data[at + 2 :]


def as_ycck(data):
    """The same coefficients, declared as YCCK: byte 11 of Adobe's marker is its colour transform."""
    at = data.index(b"Adobe") + 11
    return data[:at] + b"\2" + data[at + 1 :]


def other_frame():
    return Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 255))


def gif_with_two_frames():
    """The first frame has a transparent colour, which isn't black, the second is magenta."""
    first = palette()
    return saved(
        first, "GIF", save_all=True, append_images=[other_frame()], transparency=3, duration=100, disposal=2
    )


def gif_with_small_frame():
    """A frame of 23 × 17 at (4, 3) on a screen of 30 × 25, whose background is colour 2."""
    data = saved(palette(), "GIF", interlace=0)
    descriptor = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", WIDTH, HEIGHT))
    screen = data[:6] + struct.pack("<HH", 30, 25) + data[10:11] + b"\2" + data[12:descriptor]
    return screen + b"\x2c" + struct.pack("<HH", 4, 3) + data[descriptor + 5 :]


def pictures():
    yield "rgb.png", png(2, 8, samples(red, green, blue))
    yield "rgb-interlaced.png", png(2, 8, samples(red, green, blue), interlaced=True)
    yield "gray.png", png(0, 8, samples(red))
    yield "gray-1-bit.png", png(0, 1, lambda x, y: [(x // 2 + y) % 2])
    yield "gray-2-bit.png", png(0, 2, lambda x, y: [(x + y) % 4])
    yield "gray-4-bit.png", png(0, 4, lambda x, y: [(x + y) % 16])
    yield "gray-16-bit.png", png(0, 16, samples(DEEP[0]))
    yield "gray-alpha.png", png(4, 8, samples(red, alpha))
    yield "gray-alpha-16-bit.png", png(4, 16, samples(DEEP[0], DEEP[3]))
    yield "gray-colour-key.png", png(0, 8, lambda x, y: [(x + y) % 8 * 32], extra=png_chunk(b"tRNS", b"\0\x40"))
    yield "rgb-16-bit.png", png(2, 16, samples(*DEEP[:3]))
    yield "rgb-colour-key.png", png(
        2, 8, lambda x, y: [x % 2 * 255, 100, 7], extra=png_chunk(b"tRNS", struct.pack(">3H", 255, 100, 7))
    )
    yield "rgba.png", png(6, 8, samples(red, green, blue, alpha))
    yield "rgba-16-bit.png", png(6, 16, samples(*DEEP), interlaced=True)
    yield "palette.png", saved(palette(200), "PNG")
    yield "palette-4-bit.png", saved(palette(16), "PNG", bits=4)
    yield "palette-transparency.png", saved(palette(16), "PNG", transparency=bytes([255, 0, 128, 30]))
    yield "gamma.png", png(2, 8, samples(red, green, blue), extra=png_chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "icc.png", saved(rgb(), "PNG", icc_profile=icc_profile())
    yield "orientation-6.png", saved(rgb(), "PNG", exif=exif(6))

    yield "444.jpg", jpeg(subsampling="4:4:4")
    yield "422.jpg", jpeg(subsampling="4:2:2")
    yield "420.jpg", jpeg(subsampling="4:2:0")
    yield "440.jpg", with_luma_sampling(jpeg(subsampling="4:2:2"), 1, 2)
    yield "411.jpg", with_luma_sampling(jpeg(rgb().resize((32, 32)), subsampling="4:2:0"), 4, 1)
    yield "progressive.jpg", jpeg(progressive=True)
    yield "restarts.jpg", jpeg(restart_marker_blocks=1)
    yield "quality-10.jpg", jpeg(quality=10)
    yield "gray.jpg", jpeg(gray())
    yield "rgb-adobe.jpg", jpeg(keep_rgb=True)
    yield "cmyk-adobe.jpg", jpeg(cmyk())
    yield "cmyk-plain.jpg", without_app14(jpeg(cmyk()))
    yield "ycck.jpg", as_ycck(jpeg(cmyk()))
    yield "cmyk-orientation-8.jpg", jpeg(cmyk(), exif=exif(8))
    yield "icc.jpg", jpeg(icc_profile=icc_profile())
    for orientation in range(1, 9):
        yield f"orientation-{orientation}.jpg", jpeg(exif=exif(orientation))

    yield "lossy.webp", saved(rgb(), "WEBP", quality=80)
    yield "lossless.webp", saved(rgb(), "WEBP", lossless=True)
    yield "lossy-alpha.webp", saved(rgba(), "WEBP", quality=80)
    yield "lossless-alpha.webp", saved(rgba(), "WEBP", lossless=True, exact=True)
    yield "animated.webp", saved(rgb(), "WEBP", lossless=True, save_all=True, append_images=[other_frame()], duration=100)
    yield "orientation-5.webp", saved(rgb(), "WEBP", lossless=True, exif=exif(5))

    for subsampling in ("4:2:0", "4:2:2", "4:4:4"):
        name = subsampling.replace(":", "")
        yield f"{name}.avif", avif(rgb(), subsampling)
        yield f"{name}-limited.avif", avif(rgb(), subsampling, range="limited")
        yield f"{name}-alpha.avif", avif(rgba(), subsampling)
        yield f"{name}-10-bit-alpha.avif", avifenc(rgba(), "-d", "10", "-y", name, "-r", "limited")
        yield f"{name}-12-bit-alpha.avif", avifenc(rgba(), "-d", "12", "-y", name)
        yield f"{name}-10-bit.avif", avifenc(rgb(), "-d", "10", "-y", name)
    yield "gray.avif", avif(gray(), "4:0:0")
    yield "gray-limited.avif", avif(gray(), "4:0:0", range="limited")
    yield "gray-limited-10-bit.avif", avifenc(gray(), "-d", "10", "-y", "400", "-r", "limited")
    yield "gray-alpha.avif", avif(gray_alpha(), "4:0:0")
    yield "lossless.avif", avifenc(rgb(), "--lossless")
    yield "premultiplied.avif", avifenc(rgba(), "-y", "444", "--premultiply")
    yield "bt709.avif", with_matrix(avif(rgb(), "4:2:0"), 1)
    yield "bt2020.avif", with_matrix(avif(rgb(), "4:2:0", range="limited"), 9)
    yield "smpte240.avif", with_matrix(avif(rgb(), "4:2:0"), 7)
    yield "ycgco.avif", with_matrix(avif(rgb(), "4:2:2"), 8)
    # libavif then goes by what the AV1 image says of itself.
    yield "without-nclx.avif", avif(rgb(), "4:2:0", range="limited").replace(b"colrnclx", b"freenclx")
    yield "clean-aperture.avif", avifenc(rgb(), "-y", "420", "--crop", "2,2,10,8")
    yield "grid.avif", avifenc(smooth().resize((128, 128)), "-y", "420", "--grid", "2x2")
    for orientation in range(2, 9):
        yield f"orientation-{orientation}.avif", avif(rgb(), "4:2:0", exif=exif(orientation))
    yield "animated.avif", avif(rgba(), "4:2:0", save_all=True, append_images=[other_frame().convert("RGBA")])

    yield "plain.gif", saved(palette(), "GIF", interlace=0)
    yield "interlaced.gif", saved(palette(), "GIF", interlace=1)
    yield "two-frames-transparency.gif", gif_with_two_frames()
    yield "small-frame.gif", gif_with_small_frame()

    yield "strips.tiff", saved(rgb(), "TIFF", strip_size=WIDTH * 3 * 4)
    yield "lzw.tiff", saved(rgb(), "TIFF", compression="tiff_lzw")
    yield "deflate.tiff", saved(rgb(), "TIFF", compression="tiff_adobe_deflate")
    yield "packbits.tiff", saved(gray(), "TIFF", compression="packbits")
    yield "jpeg.tiff", saved(rgb(), "TIFF", compression="jpeg", quality=85)
    yield "group4.tiff", saved(gray().point(lambda v: 255 * (v > 127)).convert("1"), "TIFF", compression="group4")
    yield "white-is-0.tiff", tiff(0, 8, samples(red))
    yield "palette.tiff", saved(palette(), "TIFF")
    yield "rgba.tiff", tiff(2, 8, samples(red, green, blue, alpha), extra_samples=[2])
    yield "rgba-associated.tiff", tiff(
        2, 8, lambda x, y: [c(x, y) * alpha(x, y) // 255 for c in (red, green, blue)] + [alpha(x, y)], extra_samples=[1]
    )
    yield "cmyk.tiff", tiff(5, 8, lambda x, y: [red(x, y), green(x, y), blue(x, y), (x * 5 + y) % 200])
    yield "big-endian.tiff", tiff(2, 8, samples(red, green, blue), order=">")
    yield "planes.tiff", tiff(2, 8, samples(red, green, blue), planar=True)
    yield "big.tiff", tiff(2, 8, samples(red, green, blue), big=True)
    yield "orientation-7.tiff", tiff(2, 8, samples(red, green, blue), orientation=7)
    yield "rgb-16-bit.tiff", tiff(2, 16, samples(*DEEP[:3]), order=">")
    yield "gray-16-bit.tiff", tiff(1, 16, samples(DEEP[0]))
    yield "pages.tiff", saved(rgb(), "TIFF", save_all=True, append_images=[other_frame()], compression="tiff_lzw")
    # Not read here: no golden.
    yield "gray-float.tiff", tiff(1, 32, lambda x, y: [red(x, y) / 255], sample_format=3)
    yield "cmyk-16-bit.tiff", tiff(5, 16, samples(*DEEP))
    yield "cmyk-alpha.tiff", tiff(
        5, 8, lambda x, y: [red(x, y), green(x, y), blue(x, y), 20, alpha(x, y)], extra_samples=[2]
    )
    yield "rgb-2-extra.tiff", tiff(2, 8, lambda x, y: [red(x, y), green(x, y), blue(x, y), 9, 8], extra_samples=[0, 0])


# Where sharp's decoder is not Pillow's: their goldens have the pixels, so that a test can say how far it is off.
WITH_PIXELS = {"two-frames-transparency.gif", "small-frame.gif"}
WITHOUT_GOLDEN = {"gray-float.tiff", "cmyk-16-bit.tiff", "cmyk-alpha.tiff", "rgb-2-extra.tiff"}


def high_byte_of_gray():
    """Of the pictures of DEEP[0]."""
    return made("L", red).convert("RGB").tobytes()


def golden(path):
    with Image.open(path) as image:
        first_frame_mode = image.mode
        turned = ImageOps.exif_transpose(image)
        pixels = turned.convert("RGB").tobytes()
        size = turned.size
    ours = first_frame_mode == "I;16"
    if ours:
        pixels = high_byte_of_gray()
    return {
        "width": size[0],
        "height": size[1],
        "sha256": hashlib.sha256(pixels).hexdigest(),
        **({"pixels": base64.b64encode(pixels).decode()} if path.name in WITH_PIXELS else {}),
        **({"ours": "16 bits by the high byte; Pillow clips at 255"} if ours else {}),
    }


def main():
    # Pillow's default of GIF_STRATEGY, set explicitly: a first frame keeps its palette.
    GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_AFTER_FIRST
    if "--goldens" not in sys.argv:
        PICTURES.mkdir(parents=True, exist_ok=True)
        for name, data in pictures():
            assert len(data) < 4096, f"{name} has {len(data)} bytes"
            (PICTURES / name).write_bytes(data)
    names = sorted(path.name for path in PICTURES.iterdir() if path.name not in WITHOUT_GOLDEN)
    GOLDENS.write_text(
        json.dumps(
            {
                "made_by": "test/parity/make_decode_goldens.py",
                "formula": 'sha256(ImageOps.exif_transpose(Image.open(path)).convert("RGB").tobytes())',
                "versions": {
                    "Pillow": PIL.__version__,
                    "libjpeg-turbo": features.version("libjpeg_turbo"),
                    "libwebp": features.version("webp"),
                    "libavif": features.version("avif"),
                    "libtiff": features.version("libtiff"),
                },
                "goldens": {name: golden(PICTURES / name) for name in names},
            },
            indent=2,
        )
        + "\n"
    )


main()
