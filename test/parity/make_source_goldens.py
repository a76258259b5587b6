"""Makes source-goldens.json: the tensors that transformers makes of files with an orientation or with transparency.

    pip install pillow numpy torch torchvision transformers
    python test/parity/make_source_goldens.py

Of each file of test/fixtures/decode, processor and way of opening the file it keeps the size of the opened image and the
SHA-256 (its first 16 digits) of the float32 tensor. test/parity/sources.test.ts compares.
"""

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import transformers
from PIL import Image, ImageOps
from transformers.image_utils import load_image

warnings.filterwarnings("ignore")
HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures/decode"
FILES = [
    *(f"orientation-{each}.jpg" for each in range(1, 9)),
    "orientation-6.png",
    "orientation-7.tiff",
    "orientation-5.webp",
    "orientation-3.avif",
    "rgba.png",
    "gray-alpha.png",
    "palette-transparency.png",
    "rgb-colour-key.png",
    "lossy-alpha.webp",
]
PROCESSORS = ["CLIPImageProcessor", "SiglipImageProcessor"]
WAYS = {
    "default": lambda path: ImageOps.exif_transpose(Image.open(path)),
    "orientation=ignore": Image.open,
    "alpha=drop": lambda path: load_image(str(path)),
}


def main() -> None:
    goldens = {}
    for name in FILES:
        for way, opened in WAYS.items():
            # Pillow keeps the transparent colour of an RGB image, so the processor still draws it over white.
            if (name, way) == ("rgb-colour-key.png", "alpha=drop"):
                continue
            image = opened(FIXTURES / name)
            for processor in PROCESSORS:
                for backend, suffix in (("torch", ""), ("pillow", "Pil")):
                    config = {"do_convert_rgb": True, "do_center_crop": False, "size": {"height": 13, "width": 17}}
                    made = getattr(transformers, processor + suffix).from_dict(config)
                    tensor = np.asarray(made(image, return_tensors="np")["pixel_values"])
                    digest = hashlib.sha256(np.ascontiguousarray(tensor).tobytes()).hexdigest()[:16]
                    goldens[f"{name} {processor} {backend} {way}"] = digest
    (HERE / "source-goldens.json").write_text(json.dumps(goldens, indent=2) + "\n")


main()
