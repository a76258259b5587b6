#!/usr/bin/env python3
"""Makes test/parity/geometry-goldens.json: where Pillow's ImageOps puts images of many sizes.

    python3 test/parity/make_geometry_goldens.py [COUNT [SEED]]    default: 100 sizes of seed 1

Needs Pillow and nothing else. No pixels are computed: ImageOps is given an image that only notes the size, the
box and the requested place. Sizes for which Pillow gives an empty image, because a side is rounded to 0
pixels, are left out.
"""

import json
import pathlib
import random
import sys
from types import SimpleNamespace

import PIL
from PIL import Image, ImageOps

GOLDENS = pathlib.Path(__file__).resolve().parent / "geometry-goldens.json"


class Noting:
    """As much of an image as ImageOps looks at."""

    mode = "L"
    palette = None
    info: dict = {}

    def __init__(self, size):
        self.size = tuple(size)
        self.width, self.height = self.size
        self.box = None
        self.place = None

    def resize(self, size, resample=None, box=None, reducing_gap=None):
        result = Noting(size)
        result.box = box
        return result

    def copy(self):
        return self

    def paste(self, image, place):
        self.place = place
        self.inner = image.size


# pad() puts the image on a new one.
ImageOps.Image = SimpleNamespace(**{**vars(Image), "new": lambda mode, size, color=None: Noting(size)})


def geometry(source, target):
    image = Noting(source)
    padded = ImageOps.pad(image, target)
    return {
        "cover": list(ImageOps.fit(image, target).box),
        "inside": list(ImageOps.contain(image, target).size),
        "outside": list(ImageOps.cover(image, target).size),
        "contain": [*padded.inner, *padded.place] if padded.place else [*padded.size, 0, 0],
    }


def sizes(count, seed):
    draw = random.Random(seed)

    def side():
        return draw.choice([draw.randint(1, 8), draw.randint(1, 400), draw.randint(1, 6000), 224, 256, 640, 1024])

    # Halves, which Python rounds to the even neighbour: 3 × 1 into 6 × 7 and similar sizes.
    yield from [((4, 2), (5, 5)), ((4, 2), (3, 3)), ((2, 4), (5, 5)), ((2, 4), (3, 3)), ((2, 1), (4, 5))]
    yield from [((1, 1), (5, 4)), ((3, 3), (4, 7)), ((640, 480), (4, 3)), ((4, 3), (640, 480))]
    for _ in range(count):
        yield (side(), side()), (side(), side())


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rows = []
    for source, target in sizes(count, seed):
        row = {"source": source, "target": target, **geometry(source, target)}
        if 0 not in row["inside"]:
            rows.append(row)
    head = {"made_by": "test/parity/make_geometry_goldens.py", "versions": {"Pillow": PIL.__version__}}

    # As the repository's formatter has it.
    def lines(row):
        return ",\n".join(f'      "{key}": {json.dumps(value)}' for key, value in row.items())

    objects = ",\n".join(f"    {{\n{lines(row)}\n    }}" for row in rows)
    GOLDENS.write_text(json.dumps(head, indent=2)[:-2] + f',\n  "goldens": [\n{objects}\n  ]\n}}\n')


main()
