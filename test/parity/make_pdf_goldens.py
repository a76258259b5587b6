#!/usr/bin/env python3
"""Makes the documents of test/fixtures/pdf/ and, from them, test/parity/pdf-goldens.json.

    python3 test/parity/make_pdf_goldens.py           all of it
    python3 test/parity/make_pdf_goldens.py --compare DIRECTORY  prints the difference of DIRECTORY/NAME.rgb from this pypdfium2

Needs the packages of test/parity/requirements-pdf.txt. Every document is made here, its fonts too, so none has a licence
of its own. A golden has the size of a page and the SHA-256 of [height, width, 3] uint8 as pypdfium2 draws it:
`page.render(scale=dpi / 72)` on white, without form fields.
"""

import argparse
import ctypes
import hashlib
import io
import json
import pathlib
import struct
import sys
import zlib

import numpy
import pikepdf
import pypdfium2
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, TiffImagePlugin

HERE = pathlib.Path(__file__).parent

# Fonts of this machine are not used: fonts that are not embedded are those that PDFium contains.
NO_FONTS = (ctypes.POINTER(ctypes.c_char) * 2)(ctypes.cast(ctypes.c_char_p(b"/nowhere"), ctypes.POINTER(ctypes.c_char)), None)
CONFIG = pypdfium2.raw.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=NO_FONTS, m_pIsolate=None, m_v8EmbedderSlot=0)


def start_anew():
    """PDFium as in a new process: what it drew before changes the shapes of fonts that are not embedded."""
    pypdfium2.raw.FPDF_DestroyLibrary()
    pypdfium2.raw.FPDF_InitLibraryWithConfig(CONFIG)


FIXTURES = HERE.parent / "fixtures" / "pdf"
RESOLUTIONS = (72, 144, 300)


def document(pages, more=(), trailer=""):
    """pages: (entries, content); more: objects from 3 + 2 × pages on, each text or (dictionary, bytes)."""
    first = 3
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>"]
    for i, (entries, content) in enumerate(pages):
        box = "" if "/MediaBox" in entries else "/MediaBox [0 0 200 120]"
        objects.append(f"<< /Type /Page /Parent 2 0 R {box} {entries} /Contents {first + 2 * i + 1} 0 R >>")
        objects.append(("", content.encode("latin-1")))
    return write([*objects, *more], trailer)


def write(objects, trailer=""):
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, value in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode()
        if isinstance(value, str):
            out += value.encode("latin-1")
        else:
            dictionary, content = value
            out += f"<< {dictionary} /Length {len(content)} >>\nstream\n".encode("latin-1") + content + b"\nendstream"
        out += b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    for offset in offsets:
        out += f"{offset:010d} 00000 n \n".encode()
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


# Fonts, whose glyphs are polygons. U+4E00 and U+4E8C are strokes as in the characters for one and two.
GLYPHS = {
    "A": [[(50, 0), (300, 700), (550, 0), (430, 0), (300, 420), (170, 0)]],
    "B": [[(80, 0), (80, 700), (420, 640), (460, 380), (520, 200), (400, 0)], [(200, 150), (360, 190), (300, 300), (200, 300)]],
    "C": [[(500, 100), (300, 0), (60, 350), (300, 700), (500, 600), (430, 520), (300, 580), (180, 350), (300, 120), (430, 180)]],
}
CJK = {
    "uni4E00": [[(60, 360), (940, 400), (940, 320), (60, 300)]],
    "uni4E8C": [[(160, 640), (840, 660), (840, 590), (160, 570)], [(60, 120), (940, 150), (940, 70), (60, 60)]],
    "uni53E3": [[(150, 100), (150, 700), (850, 700), (850, 100)], [(240, 190), (760, 190), (760, 610), (240, 610)]],
}


def draw_glyph(pen, contours):
    for contour in contours:
        pen.moveTo(contour[0])
        for point in contour[1:]:
            pen.lineTo(point)
        pen.closePath()


def true_type(glyphs, cmap, width):
    order = [".notdef", *glyphs]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(cmap)
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        draw_glyph(pen, glyphs.get(name, []))
        drawn[name] = pen.glyph()
    builder.setupGlyf(drawn)
    return finish(builder, order, width)


def cff(glyphs, cmap, width):
    order = [".notdef", *glyphs]
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(cmap)
    strings = {}
    for name in order:
        pen = T2CharStringPen(width, None)
        draw_glyph(pen, glyphs.get(name, []))
        strings[name] = pen.getCharString()
    builder.setupCFF("Made", {"FullName": "Made"}, strings, {})
    return finish(builder, order, width)


def finish(builder, order, width):
    builder.setupHorizontalMetrics({name: (width, 0) for name in order})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    # Equal bytes in every run.
    builder.font["head"].created = builder.font["head"].modified = 0
    builder.font.recalcTimestamp = False
    out = io.BytesIO()
    builder.save(out)
    return out.getvalue()


def flate(content):
    return zlib.compress(content, 9)


def descriptor(file_key, number):
    return f"<< /Type /FontDescriptor /FontName /Made /Flags 4 /FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 /{file_key} {number} 0 R >>"


def embedded_fonts():
    latin = {ord("A"): "A", ord("B"): "B", ord("C"): "C"}
    files = [true_type(GLYPHS, latin, 600), cff(GLYPHS, latin, 600)]
    # 7: descriptor of TrueType, 8: file; 9: descriptor of OpenType with CFF, 10: file
    fonts = "/Font << /T 5 0 R /O 6 0 R /E 11 0 R >>"
    text = "BT /T 36 Tf 10 70 Td (ABC CAB) Tj ET BT /O 17 Tf 1 0.1 -0.1 1 10 35 Tm (ABCABC) Tj ET BT /T 6 Tf 10 10 Td 1 0 0 rg (ABC ABC ABC CBA) Tj ET BT /E 12 Tf 1 Tr 110 40 Td (AB) Tj ET"
    simple = "/FirstChar 65 /LastChar 67 /Widths [600 600 600] /Encoding /WinAnsiEncoding"
    return document(
        [(f"/Resources << {fonts} >>", text)],
        [
            f"<< /Type /Font /Subtype /TrueType /BaseFont /Made {simple} /FontDescriptor 7 0 R >>",
            f"<< /Type /Font /Subtype /Type1 /BaseFont /Made {simple} /FontDescriptor 9 0 R >>",
            descriptor("FontFile2", 8),
            (f"/Filter /FlateDecode /Length1 {len(files[0])}", flate(files[0])),
            descriptor("FontFile3", 10),
            ("/Filter /FlateDecode /Subtype /OpenType", flate(files[1])),
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 750 750] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 65 /LastChar 66 /Widths [800 800] /CharProcs << /a 12 0 R /b 13 0 R >> /Encoding << /Type /Encoding /Differences [65 /a /b] >> >>",
            ("", b"800 0 0 0 750 750 d1 0 0 750 750 re f"),
            ("", b"800 0 d0 0 0.5 0 rg 0 0 m 375 750 l 750 0 l f"),
        ],
    )


def cjk():
    file = true_type(CJK, {0x4E00: "uni4E00", 0x4E8C: "uni4E8C", 0x53E3: "uni53E3"}, 1000)
    vertical = "BT /V 24 Tf 170 105 Td <000100020003> Tj ET"
    return document(
        [("/Resources << /Font << /H 5 0 R /V 9 0 R >> >>", f"BT /H 40 Tf 10 60 Td <000100020003> Tj ET BT /H 9 Tf 10 20 Td <00030003000200010003> Tj ET {vertical}")],
        [
            "<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding /Identity-H /DescendantFonts [6 0 R] >>",
            "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Made /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R /DW 1000 /CIDToGIDMap /Identity >>",
            descriptor("FontFile2", 8),
            (f"/Filter /FlateDecode /Length1 {len(file)}", flate(file)),
            "<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding /Identity-V /DescendantFonts [6 0 R] >>",
        ],
    )


STANDARD = ["Helvetica", "Helvetica-Bold", "Times-Roman", "Times-Italic", "Courier", "Symbol", "ZapfDingbats"]


def standard_fonts():
    fonts = " ".join(f"/F{i} << /Type /Font /Subtype /Type1 /BaseFont /{name} >>" for i, name in enumerate(STANDARD))
    lines = " ".join(f"BT /F{i} {7 + i} Tf 8 {105 - 15 * i} Td (Hamburgefonstiv 0123 {name}) Tj ET" for i, name in enumerate(STANDARD))
    missing = "/M << /Type /Font /Subtype /TrueType /BaseFont /NoSuchFont /Encoding /WinAnsiEncoding >>"
    return document([(f"/Resources << /Font << {fonts} {missing} >> >>", f"{lines} BT /M 9 Tf 8 4 Td (A font that is not embedded) Tj ET")])


def vectors():
    curves = " ".join(
        f"{0.1 * (i % 10):.1f} {0.05 * i % 1:.2f} 0.4 RG {0.2 + i % 7 * 0.3:.1f} w {i * 3} 0 m {i * 2} 40 {200 - i} {i} {100 + i} {20 + i} c S" for i in range(60)
    )
    dashes = "q 3 w [9 3 2] 1 d 2 J 5 5 m 195 5 l S Q q 8 w 1 j 1 J 20 60 m 60 110 l 100 60 l S Q q 0 w 3 3 m 197 117 l S Q"
    rules = "0.2 0.6 0.3 rg 120 20 m 150 110 l 180 20 l 110 80 l 190 80 l h f* 1 0 0 rg 130 5 20 20 re 135 10 10 10 re f"
    clip = "q 60 90 30 25 re W n 0 0 1 rg 75 100 m 110 130 l 110 70 l f Q"
    return document([("", f"{curves} {dashes} {rules} {clip}")])


def gradients():
    two = "<< /FunctionType 2 /Domain [0 1] /C0 [1 0 0] /C1 [0 0 1] /N 1.5 >>"
    stitched = f"<< /FunctionType 3 /Domain [0 1] /Functions [{two} << /FunctionType 2 /Domain [0 1] /C0 [0 1 0] /C1 [1 1 0] /N 1 >>] /Bounds [0.4] /Encode [0 1 0 1] >>"
    shadings = (
        f"/A << /ShadingType 2 /ColorSpace /DeviceRGB /Coords [10 10 90 50] /Function {two} /Extend [true true] >>"
        f" /R << /ShadingType 3 /ColorSpace /DeviceRGB /Coords [150 60 5 140 60 45] /Function {stitched} /Extend [false true] >>"
        " /G << /ShadingType 1 /ColorSpace /DeviceRGB /Domain [0 1 0 1] /Matrix [60 0 0 40 20 70] /Function 5 0 R >> /M 6 0 R"
    )
    pattern = "/P << /Type /Pattern /PatternType 2 /Shading 7 0 R >> /T 8 0 R"
    mesh = b"".join(struct.pack(">BHHBBB", flag, x, y, *rgb) for flag, x, y, rgb in [(0, 0, 0, (255, 0, 0)), (0, 65535, 0, (0, 255, 0)), (0, 30000, 65535, (0, 0, 255))])
    return document(
        [
            (
                f"/Resources << /Shading << {shadings} >> /Pattern << {pattern} >> /ColorSpace << /CP [/Pattern] >> >>",
                "q 5 5 90 60 re W n /A sh Q q 100 5 95 110 re W n /R sh Q /G sh /M sh /CP cs /P scn 5 100 60 15 re f /T scn 70 90 40 25 re f",
            )
        ],
        [
            ("/FunctionType 4 /Domain [0 1 0 1] /Range [0 1 0 1 0 1]", b"{ 2 copy mul sin abs 3 1 roll }"),
            ("/ShadingType 4 /ColorSpace /DeviceRGB /BitsPerCoordinate 16 /BitsPerComponent 8 /BitsPerFlag 8 /Decode [60 100 40 80 0 1 0 1 0 1]", mesh),
            f"<< /ShadingType 2 /ColorSpace /DeviceRGB /Coords [5 0 65 0] /Function {two} >>",
            ("/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 8 8] /XStep 8 /YStep 8 /Resources << >>", b"1 0 0 rg 0 0 4 4 re f 0 0 1 rg 4 4 4 4 re f"),
        ],
    )


def transparency():
    modes = ["Normal", "Multiply", "Screen", "Overlay", "Darken", "Lighten", "ColorDodge", "ColorBurn", "HardLight", "SoftLight", "Difference", "Exclusion", "Hue", "Saturation", "Color", "Luminosity"]
    states = " ".join(f"/G{i} << /Type /ExtGState /BM /{mode} /ca 0.7 >>" for i, mode in enumerate(modes))
    squares = " ".join(f"/G{i} gs 0.{(i * 3) % 10} 0.{(i * 7) % 10} 0.9 rg {4 + i % 8 * 24} {8 + i // 8 * 60} 20 50 re f" for i in range(16))
    base = "1 0.6 0.2 rg 0 30 200 30 re f 0.1 0.5 0.3 rg 0 80 200 20 re f"
    return document(
        [(f"/Resources << /ExtGState << {states} /S << /SMask << /S /Luminosity /G 6 0 R >> >> >> /XObject << /X 5 0 R >> >> /Group << /S /Transparency /CS /DeviceRGB /I true >>", f"{base} q /G1 gs /X Do Q {squares} q /S gs 0 0 0 rg 0 0 200 120 re f Q")],
        [
            ("/Type /XObject /Subtype /Form /BBox [0 0 200 120] /Group << /S /Transparency /K true >>", b"0 0.4 1 rg 90 40 m 150 110 l 190 10 l f 1 0 0 rg 100 20 50 50 re f"),
            ("/Type /XObject /Subtype /Form /BBox [0 0 200 120] /Group << /S /Transparency /CS /DeviceGray >> /Resources << /Shading << /A << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 200 0] /Function << /FunctionType 2 /Domain [0 1] /C0 [0] /C1 [0.8] /N 1 >> >> >> >>", b"/A sh"),
        ],
    )


def boxes():
    content = "0.9 0.3 0.1 rg 0 0 100 60 re f 0 0.4 0.8 rg 30 20 90 70 re f 0 0 0 RG 2 w 10 10 180 100 re S 5 w 20 110 m 180 15 l S"
    pages = [("/Rotate 90", content), ("/Rotate 180", content), ("/Rotate 270 /CropBox [20 10 150.5 100.25]", content), ("/CropBox [20.3 10.7 150.5 100.25]", content), ("/MediaBox [-50 -30 150 90] /CropBox [-400 -10 100 900]", content), ("/MediaBox [0 0 200.4 119.7]", content), ("/MediaBox [10 20 10 20]", content), ("/UserUnit 2", content)]
    return document(pages)


def annotations():
    stamp = "<< /Type /Annot /Subtype /Stamp /Rect [100 60 190 110] /F 4 /AP << /N 5 0 R >> >>"
    highlight = "<< /Type /Annot /Subtype /Highlight /Rect [10 60 90 80] /QuadPoints [10 80 90 80 10 60 90 60] /C [1 1 0] /F 4 >>"
    square = "<< /Type /Annot /Subtype /Square /Rect [10 10 60 40] /C [1 0 0] /IC [0.8 0.9 1] /BS << /W 3 >> /F 4 >>"
    hidden = "<< /Type /Annot /Subtype /Square /Rect [0 0 200 120] /IC [0 0 0] /F 2 >>"
    link = "<< /Type /Annot /Subtype /Link /Rect [0 90 60 120] /Border [0 0 1] /A << /S /URI /URI (http://127.0.0.1:9/) >> >>"
    line = "<< /Type /Annot /Subtype /Line /Rect [0 0 200 120] /L [0 0 200 120] /C [1 0 1] /F 4 >>"
    polygon = "<< /Type /Annot /Subtype /Polygon /Rect [0 0 200 120] /Vertices [10 10 100 100 190 10] /C [1 0 1] /F 4 >>"
    return document(
        [(f"/Annots [{stamp} {highlight} {square} {hidden} {link} {line} {polygon}]", "0.7 g 0 40 200 40 re f")],
        [("/Type /XObject /Subtype /Form /BBox [0 0 90 50] /Matrix [1 0.2 0 1 0 0]", b"1 0 0 RG 4 w 5 5 80 40 re S 0 0 1 rg 20 15 50 20 re f")],
    )


def photo(width, height):
    y, x = numpy.mgrid[0:height, 0:width].astype(float)
    channels = [127 + 120 * numpy.sin(x / (5 + 2 * c) + y / (7 + c)) for c in range(3)]
    return Image.fromarray(numpy.dstack(channels).astype(numpy.uint8))


def lines(width, height):
    y, x = numpy.mgrid[0:height, 0:width]
    return Image.fromarray((((x * y) // 40 + x // 9) % 2 * 255).astype(numpy.uint8)).convert("1")


def group4(image):
    out = io.BytesIO()
    image.save(out, "TIFF", compression="group4")
    tiff = Image.open(out)
    offset, length = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    return out.getvalue()[offset : offset + length], tiff.tag_v2[262]


def lzw(content):
    """LZW of PDF with EarlyChange 1: TIFF 6.0, section 13."""
    table, width, bits, count = {bytes([i]): i for i in range(256)}, 9, 0, 0
    out, following = bytearray(), 258

    def put(code):
        nonlocal bits, count
        bits, count = bits << width | code, count + width
        while count >= 8:
            out.append(bits >> (count - 8) & 255)
            count -= 8
            bits &= (1 << count) - 1

    put(256)
    run = b""
    for byte in content:
        longer = run + bytes([byte])
        if longer in table:
            run = longer
            continue
        put(table[run])
        table[longer], following = following, following + 1
        run = bytes([byte])
        if following == 4094:
            put(256)
            table, width, following = {bytes([i]): i for i in range(256)}, 9, 258
        else:
            width = max(9, following.bit_length())
    put(table[run])
    width = max(9, (following + 1).bit_length())
    put(257)
    if count:
        out.append(bits << (8 - count) & 255)
    return bytes(out)


def run_length(content):
    out = bytearray()
    for at in range(0, len(content), 100):
        part = content[at : at + 100]
        if len(set(part)) == 1 and len(part) > 1:
            out += bytes([257 - len(part), part[0]])
        else:
            out += bytes([len(part) - 1]) + part
    return bytes(out) + b"\x80"


def ascii85(content):
    import base64

    return base64.a85encode(content) + b"~>"


def png_predictor(raw, stride, channels):
    out, before = bytearray(), bytes(stride)
    for row in range(len(raw) // stride):
        now = raw[row * stride : (row + 1) * stride]
        kind = row % 5
        out.append(kind)
        for i, value in enumerate(now):
            left = now[i - channels] if i >= channels else 0
            up, corner = before[i], before[i - channels] if i >= channels else 0
            guess = left + up - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            out.append((value - (0, left, up, (left + up) // 2, nearest)[kind]) & 255)
        before = now
    return bytes(out)


def tiff_predictor(raw, stride, channels):
    array = numpy.frombuffer(raw, numpy.uint8).reshape(-1, stride // channels, channels).astype(int)
    return (numpy.diff(array, axis=1, prepend=numpy.zeros((array.shape[0], 1, channels), int)) & 255).astype(numpy.uint8).tobytes()


def jbig2(image):
    """A page of one immediate generic region, coded by MMR: ISO/IEC 14492, 7.4.6 and 6.2.6."""
    data, _ = group4(image)
    width, height = image.size

    def segment(number, kind, content):
        return struct.pack(">IBBBI", number, kind, 0, 1, len(content)) + content

    page = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + data
    return segment(0, 48, page) + segment(1, 38, region)


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def images():
    rgb = photo(60, 40)
    raw, gray, bits = rgb.tobytes(), rgb.convert("L"), lines(64, 48)
    fax, photometric = group4(bits)
    size, small = "/Width 60 /Height 40 /BitsPerComponent 8", "/Width 64 /Height 48 /BitsPerComponent 1 /ColorSpace /DeviceGray"
    rgb8, parms = f"{size} /ColorSpace /DeviceRGB", "/Columns 60 /Colors 3 /BitsPerComponent 8"
    palette = bytes(range(0, 256, 16)) * 3
    indexed = (numpy.asarray(gray) // 16 % 16).astype(numpy.uint8)
    nibbles = (indexed[:, ::2] << 4 | indexed[:, 1::2]).tobytes()
    items = [
        (f"{rgb8} /Filter /DCTDecode", encoded(rgb, "JPEG", quality=80)),
        (f"{rgb8} /Filter /DCTDecode", encoded(rgb, "JPEG", quality=85, progressive=True, subsampling=0)),
        (f"{size} /ColorSpace /DeviceCMYK /Filter /DCTDecode", encoded(rgb.convert("CMYK"), "JPEG", quality=85)),
        (f"{rgb8} /Filter /FlateDecode", flate(raw)),
        (f"{rgb8} /Filter /FlateDecode /DecodeParms << /Predictor 15 {parms} >>", flate(png_predictor(raw, 180, 3))),
        (f"{rgb8} /Filter /FlateDecode /DecodeParms << /Predictor 2 {parms} >>", flate(tiff_predictor(raw, 180, 3))),
        (f"{rgb8} /Filter /LZWDecode", lzw(raw)),
        (f"{rgb8} /Filter /LZWDecode /DecodeParms << /Predictor 12 {parms} >>", lzw(png_predictor(raw, 180, 3))),
        (f"{size} /ColorSpace /DeviceGray /Filter /RunLengthDecode", run_length(gray.tobytes())),
        (f"{size} /ColorSpace /DeviceGray /Filter /ASCIIHexDecode", gray.tobytes().hex().encode() + b">"),
        (f"{rgb8} /Filter [/ASCII85Decode /FlateDecode]", ascii85(flate(raw))),
        (f"{small} /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 64 /Rows 48 /BlackIs1 {'false' if photometric == 0 else 'true'} >>", fax),
        (f"{small} /Filter /JBIG2Decode", jbig2(bits)),
        ("/Width 60 /Height 40 /Filter /JPXDecode", encoded(rgb, "JPEG2000", irreversible=False)),
        ("/Width 60 /Height 40 /Filter /JPXDecode", encoded(rgb, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[10])),
        (f"/Width 60 /Height 40 /BitsPerComponent 4 /ColorSpace [/Indexed /DeviceRGB 15 <{palette.hex()}>] /Filter /FlateDecode", flate(nibbles)),
        (f"{rgb8} /SMask {{mask}} 0 R /Filter /FlateDecode", flate(raw)),
        (f"{size} /ColorSpace /DeviceGray /Filter /FlateDecode", flate(bytes(numpy.linspace(0, 255, 2400).astype(numpy.uint8)))),
        ("/Width 64 /Height 48 /BitsPerComponent 1 /ImageMask true", bits.tobytes()),
        (f"{size} /ColorSpace [/Lab << /WhitePoint [0.95 1 1.09] /Range [-100 100 -100 100] >>] /Filter /FlateDecode", flate(raw)),
        (f"/Width 30 /Height 40 /BitsPerComponent 16 /ColorSpace /DeviceRGB /Filter /FlateDecode", flate(raw)),
    ]
    first = 5
    mask = next(i for i, (dictionary, _) in enumerate(items) if "mask}" in dictionary) + 1 + first
    names = " ".join(f"/I{i} {first + i} 0 R" for i in range(len(items)))
    drawn = " ".join(f"q 0.2 0.5 0.2 rg {30} {i % 3} {-(i % 2) * 6} 22 {6 + i % 6 * 40} {4 + i // 6 * 29} cm /I{i} Do Q" for i in range(len(items)))
    return document(
        [(f"/MediaBox [0 0 250 125] /Resources << /XObject << {names} >> >>", f"0.8 0.9 1 rg 0 0 250 125 re f {drawn}")],
        [(f"/Type /XObject /Subtype /Image {dictionary.replace('{mask}', str(mask))}", content) for dictionary, content in items],
    )


def form_fields():
    return document(
        [("/Annots [5 0 R]", "0.9 g 0 0 200 60 re f")],
        ["<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Ada) /Rect [20 40 180 80] /F 4 /DA (/Helv 18 Tf 0 g) /MK << /BC [1 0 0] /BG [1 1 0.8] >> /AP << /N 6 0 R >> >>",
         ("/Type /XObject /Subtype /Form /BBox [0 0 160 40] /Resources << /Font << /Helv << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>", b"1 1 0.8 rg 0 0 160 40 re f BT /Helv 18 Tf 0 g 4 12 Td (Ada) Tj ET")],
    )


def encrypted(r):
    plain = pikepdf.open(io.BytesIO(boxes()))
    out = io.BytesIO()
    plain.save(out, encryption=pikepdf.Encryption(user="réponse", owner="owner", R=r, aes=r >= 4, metadata=r >= 4), deterministic_id=False)
    return out.getvalue()


def object_streams():
    plain = pikepdf.open(io.BytesIO(transparency()))
    out = io.BytesIO()
    plain.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    return out.getvalue()


DOCUMENTS = {
    "annotations": annotations,
    "boxes": boxes,
    "cjk": cjk,
    "embedded-fonts": embedded_fonts,
    "encrypted-aes-256": lambda: encrypted(6),
    "encrypted-rc4": lambda: encrypted(3),
    "form-fields": form_fields,
    "gradients": gradients,
    "images": images,
    "object-streams": object_streams,
    "standard-fonts": standard_fonts,
    "transparency": transparency,
    "vectors": vectors,
}


def cases(name, pages):
    for page in range(1, pages + 1):
        for dpi in RESOLUTIONS if page == 1 else (144,):
            yield {"page": page, "dpi": dpi}
        if name == "boxes":
            yield {"page": page, "dpi": 100, "page_box": "media"}
    if name == "annotations":
        yield {"page": 1, "dpi": 144, "annotations": False}


def render(content, options, password):
    start_anew()
    pdf = pypdfium2.PdfDocument(content, password=password)
    page = pdf[options["page"] - 1]
    if options.get("page_box") == "media":
        page.set_cropbox(*page.get_mediabox())
    bitmap = page.render(scale=options["dpi"] / 72, draw_annots=options.get("annotations", True), may_draw_forms=False, rev_byteorder=True)
    array = numpy.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
    pdf.close()
    return array


def password_of(name):
    return "réponse" if name.startswith("encrypted") else None


def goldens():
    rows = []
    for name in DOCUMENTS:
        content, password = (FIXTURES / f"{name}.pdf").read_bytes(), password_of(name)
        with pypdfium2.PdfDocument(content, password=password) as pdf:
            pages = len(pdf)
        for options in cases(name, pages):
            array = render(content, options, password)
            row = {"document": name, **options, "width": array.shape[1], "height": array.shape[0], "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
            rows.append({**row, **({"password": password} if password else {})})
    return rows


def compare(directory):
    """Prints, for each golden, the share of bytes that differ, and the largest difference."""
    differing = 0
    for index, row in enumerate(json.loads((HERE / "pdf-goldens.json").read_text())["pages"]):
        content = (FIXTURES / f"{row['document']}.pdf").read_bytes()
        expected = render(content, row, row.get("password"))
        actual = numpy.frombuffer((directory / f"{index}.rgb").read_bytes(), numpy.uint8)
        label = f"{row['document']} page {row['page']} at {row['dpi']} dpi"
        if actual.size != expected.size:
            print(f"{label}: {actual.size} bytes for {expected.size}")
            differing += 1
            continue
        difference = numpy.abs(actual.reshape(expected.shape).astype(int) - expected)
        if difference.any():
            differing += 1
            print(f"{label}: {100 * (difference > 0).mean():.3f} % differ, at most by {difference.max()}")
    print(f"pypdfium2 {pypdfium2.version.PYPDFIUM_INFO} (PDFium {pypdfium2.version.PDFIUM_INFO}): {differing} of {index + 1} pages differ")
    sys.exit(differing > 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compare", type=pathlib.Path)
    parser.add_argument("--goldens", action="store_true", help="only the goldens, of the documents that are there")
    options = parser.parse_args()
    if options.compare:
        return compare(options.compare)
    FIXTURES.mkdir(parents=True, exist_ok=True)
    if not options.goldens:
        for name, make in DOCUMENTS.items():
            (FIXTURES / f"{name}.pdf").write_bytes(make())
    made_by = f"pypdfium2 {pypdfium2.version.PYPDFIUM_INFO}, PDFium {pypdfium2.version.PDFIUM_INFO}"
    (HERE / "pdf-goldens.json").write_text(json.dumps({"made_by": made_by, "pages": goldens()}, indent=1) + "\n")


main()
