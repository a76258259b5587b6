"""Makes patch-goldens.json: the tensors that transformers' image processors of patches make of pictures.

    pip install pillow numpy torch torchvision transformers
    python test/parity/make_patch_goldens.py                        the committed file
    python test/parity/make_patch_goldens.py COUNT SEED FILE        COUNT random configs a type on random sizes

test/parity/patches.test.ts makes the same pictures and compares; PATCH_GOLDENS=FILE lets it take another file.

Of each type, config, backend and picture it keeps every tensor in one line: name, type, shape, and the first digits of
the SHA-256 of its values. "refused" is a picture that the processor refuses.
"""

import json
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import transformers
from make_preset_goldens import hash_of, picture
from PIL import Image

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
HERE = Path(__file__).resolve().parent

# width, height, channels, kind: odd, portrait, tiny, thin, gray, with alpha, too thin.
PICTURES = [
    (333, 517, 3, "mixed"),
    (640, 427, 3, "mixed"),
    (37, 54, 3, "mixed"),
    (1, 1, 3, "mixed"),
    (23, 2, 3, "mixed"),
    (1500, 20, 3, "mixed"),
    (301, 200, 1, "mixed"),
    (120, 271, 4, "mixed"),
    (201, 1, 3, "mixed"),
]
FEW_PICTURES = [PICTURES[index] for index in (0, 2, 6)]
BUDGET = {"size": {"shortest_edge": 3000, "longest_edge": 50000}}
GRID = [
    {"patch_size": 16, "merge_size": 1, "temporal_patch_size": 3, "image_mean": [0.5, 0.4, 0.3]},
    {"do_resize": False, "patch_size": 1, "merge_size": 1},
    {"do_rescale": False},
    {"do_normalize": False},
    {"do_rescale": False, "do_normalize": False, **BUDGET},
    {"resample": 2, "rescale_factor": 0.0078, **BUDGET},
    {"do_center_crop": True, "crop_size": 20, "do_pad": True, "pad_size": 900, **BUDGET},
]
PIXELS = [
    {"min_pixels": 100_000},
    {"max_pixels": 20_000},
    {"size": {"min_pixels": 1, "max_pixels": 2}, "min_pixels": 3136, "max_pixels": 90_000},
    {"min_pixels": 200_000, "max_pixels": 100_000},
]

TYPES = {
    "Qwen2VLImageProcessor": GRID + PIXELS,
}


def class_of(name: str, backend: str):
    return getattr(transformers, name + ("Pil" if backend == "pillow" else ""), None)


def backends_of(name: str) -> list[str]:
    return [backend for backend in ("torch", "pillow") if class_of(name, backend) is not None]


def line_of(value) -> str:
    array = value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    shape = "x".join(map(str, array.shape))
    return f"{array.dtype} {shape} {hash_of(array)}"


def result_of(processor, images: list[Image.Image]) -> str:
    try:
        tensors = processor(images, return_tensors="pt")
    except Exception:
        return "refused"
    return ", ".join(f"{name} {line_of(value)}" for name, value in tensors.items())


def golden(name: str, config: dict, pictures: list[tuple], batches: list[list[tuple]]) -> dict:
    full = {"image_processor_type": name, **config}
    results = {}
    for backend in backends_of(name):
        processor = class_of(name, backend).from_dict(dict(full))
        lines = [f"{w}x{h}x{c} {kind}: {result_of(processor, [picture(w, h, c, kind)])}" for w, h, c, kind in pictures]
        for batch in batches:
            sources = " + ".join(f"{w}x{h}x{c} {kind}" for w, h, c, kind in batch)
            lines.append(f"{sources}: {result_of(processor, [picture(*each) for each in batch])}")
        results[backend] = lines
    return {"config": json.dumps(full), **results}


def values_of(name: str) -> str:
    """The class's values of the keys that a config may have."""
    processor = class_of(name, "torch")()
    keys = processor._valid_kwargs_names
    values = {key: getattr(processor, key, None) for key in keys}
    return json.dumps({key: dict(value) if hasattr(value, "get") else value for key, value in values.items() if value is not None})


def random_config(rng: random.Random, overrides: list[dict]) -> dict:
    config = {}
    for each in rng.sample(overrides, rng.randint(0, min(3, len(overrides)))):
        config.update(each)
    return config


def random_picture(rng: random.Random) -> tuple:
    side = lambda: max(1, int(1100 ** rng.random() * rng.random() * 1.5))
    return (side(), side(), rng.choice([3, 3, 3, 1, 4]), "mixed")


def main() -> None:
    committed = len(sys.argv) == 1
    goldens = []
    for name, overrides in TYPES.items():
        if committed:
            goldens.append(golden(name, {}, PICTURES, [[PICTURES[1], PICTURES[0], PICTURES[6]]]))
            goldens += [golden(name, config, FEW_PICTURES, []) for config in overrides]
            continue
        rng = random.Random(f"{sys.argv[2]} {name}")
        for _ in range(int(sys.argv[1])):
            pictures = [random_picture(rng) for _ in range(6)]
            goldens.append(golden(name, random_config(rng, overrides), pictures, []))
        print(name, file=sys.stderr)
    result = {
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "classes": {name: values_of(name) for name in TYPES},
        "goldens": goldens,
    }
    path = HERE / "patch-goldens.json" if committed else Path(sys.argv[3])
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
