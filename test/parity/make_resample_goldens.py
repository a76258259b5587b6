"""Makes resample-goldens.json: SHA-256 (its first 16 digits) of what Pillow's Image.resize gives for pictures of noise.

    pip install pillow && python test/parity/make_resample_goldens.py

test/parity/resample.test.ts makes the same pictures (test/processor/image/kernels/noise.ts) and compares.
Pillow's versions differ in which pass goes first for tall images, so the file has a hash for each of some minor
versions (12.1, 12.3, 13.0); a run replaces those of the Pillow that it runs with.
"""

import hashlib
import json
import platform
from functools import cache
from pathlib import Path

import PIL
from PIL import Image

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

# source size, target size, box
GEOMETRIES = [
    # One pixel, to one and from one.
    ((1, 1), (1, 1), None),
    ((1, 1), (7, 5), None),
    ((37, 23), (1, 1), None),
    ((2, 2), (3, 3), None),
    # One side stays, or both.
    ((64, 48), (64, 48), None),
    ((64, 48), (64, 20), None),
    ((64, 48), (21, 48), None),
    # Down: even and odd factors, sizes that are no multiple of anything.
    ((128, 96), (64, 48), None),
    ((301, 227), (97, 61), None),
    ((333, 500), (224, 224), None),
    ((640, 427), (32, 32), None),
    # Up, and up on one side while down on the other.
    ((17, 13), (160, 90), None),
    ((100, 75), (101, 76), None),
    ((50, 211), (211, 50), None),
    # Around the shapes for which Pillow 13 goes vertically first: 40 rows fewer, 19, 20 and 21 columns fewer.
    ((100, 100), (81, 60), None),
    ((100, 100), (80, 60), None),
    ((100, 100), (79, 60), None),
    ((90, 200), (64, 64), (3.5, 20, 80.25, 199)),
    ((60, 40), (300, 39), None),
    # Around those for which Pillow 12.2 and 12.3 do: over 100 times as high as wide.
    ((3, 300), (2, 150), None),
    ((3, 301), (2, 150), None),
    ((3, 301), (2, 301), (0.5, 0, 3, 301)),
    # Extreme shapes.
    ((1, 5000), (1, 77), None),
    ((5000, 1), (77, 1), None),
    ((1, 5000), (9, 5001), None),
    ((4999, 3), (3, 41), None),
    # Parts of the source: whole pixels, fractions, a sliver, an upscaled pixel, a plain crop, each edge.
    ((64, 48), (32, 32), (8, 4, 56, 44)),
    ((64, 48), (31, 17), (7.25, 3.1, 55.75, 41.9)),
    ((64, 48), (20, 20), (63.2, 0, 64, 48)),
    ((64, 48), (9, 9), (30, 20, 31, 21)),
    ((64, 48), (40, 30), (10, 10, 50, 40)),
    ((64, 48), (40, 30), (10.5, 10.5, 50.5, 40.5)),
    ((64, 48), (64, 48), (0, 0, 63, 48)),
    ((301, 227), (224, 224), (37, 0, 264, 227)),
    ((301, 227), (16, 300), (0.1, 200.7, 300.9, 227)),
]


@cache
def noise(length: int, pattern: str) -> bytes:
    state = 1
    values = bytearray(length)
    for i in range(length):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[i] = state >> 24 if pattern == "bytes" else (state >> 31) * 255
    return bytes(values)


def picture(size: tuple[int, int], channels: int, pattern: str) -> Image.Image:
    return Image.frombytes(MODES[channels], size, noise(size[0] * size[1] * channels, pattern))


def cases():
    for source, target, box in GEOMETRIES:
        for channels in MODES:
            for pattern in ("bytes", "extremes"):
                image = picture(source, channels, pattern)
                for name, resampling in FILTERS.items():
                    resized = image.resize(target, resampling, box)
                    case = {"source": source, "channels": channels, "pattern": pattern, "filter": name, "size": target}
                    if box is not None:
                        case["box"] = box
                    yield case, hashlib.sha256(resized.tobytes()).hexdigest()[:16]


def inline(values: dict) -> str:
    return "{ " + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()) + " }"


def written(case: dict, hashes: dict[str, str]) -> str:
    """As Biome formats it."""
    lines = [f"      {json.dumps(key)}: {json.dumps(value)}" for key, value in case.items()]
    lines.append(f'      "sha256": {inline(hashes)}')
    return "    {\n" + ",\n".join(lines) + "\n    }"


def main() -> None:
    path = Path(__file__).with_name("resample-goldens.json")
    before = json.loads(path.read_text()) if path.exists() else {"versions": {}, "cases": []}
    known = {json.dumps({**case, "sha256": None}): case["sha256"] for case in before["cases"]}
    minor = ".".join(PIL.__version__.split(".")[:2])
    made_by = f"Pillow {PIL.__version__}, Python {platform.python_version()}, {platform.machine()}"
    versions = dict(sorted({**before["versions"], minor: made_by}.items()))
    entries = []
    for case, digest in cases():
        others = known.get(json.dumps({**case, "sha256": None}), {})
        entries.append(written(case, dict(sorted({**others, minor: digest}.items()))))
    lines = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in versions.items())
    path.write_text(
        f'{{\n  "versions": {{\n{lines}\n  }},\n  "cases": [\n' + ",\n".join(entries) + "\n  ]\n}\n"
    )


main()
