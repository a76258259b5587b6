#!/usr/bin/env python3
"""Makes test/skew/goldens.json: small tensors of pipelines, and what has to be named of each.

    python3 test/skew/make_goldens.py

Needs OpenCV, torchvision, transformers, timm, open_clip and Pillow. The pictures are made from test/fixtures/sample.jpg, which
is made in code.
"""

import base64
import io
import json
import os
import pathlib
import sys
import tempfile
import zlib

os.environ["SIDE"] = "48"
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "pipelines"))

import numpy as np  # noqa: E402
import with_models  # noqa: E402, F401
import with_opencv  # noqa: E402, F401
import with_others  # noqa: E402, F401
import with_pillow  # noqa: E402, F401
import with_torchvision  # noqa: E402, F401
from peer import described  # noqa: E402
from PIL import Image  # noqa: E402
from registry import CLIP, SIDE, VIT, pipelines  # noqa: E402

NAMES = {
    "jpeg": [
        "cv2 INTER_LINEAR, CLIP",
        "cv2 INTER_AREA, CLIP",
        "cv2 INTER_LANCZOS4, CLIP",
        "cv2 BGR linear, CLIP",
        "cv2 linear, squashed, CLIP",
        "cv2 linear, squashed, BGR, /255 only, NHWC, ViT",
        "cv2 linear, float64 of numpy, ViT",
        "cv2.dnn.blobFromImage, ViT",
        "cv2 IMREAD_REDUCED_COLOR_2, ViT",
        "cv2 grayscale replicated, ViT",
        "Pillow 13. bilinear, ViT",
        "Pillow LANCZOS, ViT",
        "Pillow NEAREST, ViT",
        "Pillow ImageOps.pad, ViT",
        "Pillow square crop first, then resize, CLIP",
        "crop one pixel to the right, CLIP",
        "Pillow /256, ViT",
        "normalized twice, ViT",
        "FP16, ViT",
        "uint8 HWC, ViT",
        "resized, then encoded as JPEG 75, ViT",
        "torchvision v2, bicubic on uint8, CLIP",
        "torchvision v2, bfloat16 at the end, ViT",
        "open_clip image_transform, resize_mode=longest, CLIP",
        "cv2 GaussianBlur before the resize, ViT",
        "noise of ±1 level after the resize, ViT",
    ],
    "exif": ["EXIF ignored, ViT", "cv2 IMREAD_IGNORE_ORIENTATION, ViT"],
    "alpha": ["alpha on white, ViT", "alpha on black, ViT"],
}

HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_normalize": True, "do_rescale": True, "rescale_factor": 1 / 255}
CONFIGS = {
    VIT: {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        **HALF,
    },
    CLIP: {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": SIDE},
        "do_center_crop": True,
        "crop_size": {"height": SIDE, "width": SIDE},
        "do_convert_rgb": True,
        "resample": 3,
        **HALF,
        "image_mean": with_opencv.CLIP_MEAN,
        "image_std": with_opencv.CLIP_STD,
    },
}


def saved(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def sources():
    small = Image.open(HERE.parent / "fixtures" / "sample.jpg").resize((157, 118), Image.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = 6
    clear = small.resize((101, 78))
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    return {
        "jpeg": ("image.jpg", saved(small, "JPEG", quality=92)),
        "exif": ("image.jpg", saved(small, "JPEG", quality=92, exif=exif)),
        "alpha": ("image.png", saved(clear, "PNG", optimize=True)),
    }


def text(data):
    return base64.b64encode(data).decode()


def main():
    files = sources()
    tensors = []
    with tempfile.TemporaryDirectory() as folder:
        for source, names in NAMES.items():
            file, content = files[source]
            path = pathlib.Path(folder) / file
            path.write_bytes(content)
            for name in names:
                pipeline = next(each for each in pipelines if each.name == name)
                tensor, values = described(pipeline.run(str(path)))
                steps = {"name": name, "source": source, "meant": pipeline.preset, "expected": pipeline.expected}
                tensors.append({**steps, **tensor, "deflated": text(zlib.compress(values, 9))})
    goldens = {
        "made_by": "test/skew/make_goldens.py",
        "configs": CONFIGS,
        "sources": {name: text(content) for name, (_, content) in files.items()},
        "tensors": tensors,
    }
    (HERE / "goldens.json").write_text(json.dumps(goldens, indent=2, ensure_ascii=False) + "\n")


main()
