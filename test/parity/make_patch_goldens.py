"""Makes patch-goldens.json: the tensors that transformers' image processors of patches make of pictures.

    pip install pillow numpy torch torchvision transformers
    python test/parity/make_patch_goldens.py [TYPE ...]             the committed file, all types or some
    python test/parity/make_patch_goldens.py COUNT SEED FILE [TYPE ...]   COUNT random configs a type on random sizes

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
torch.set_num_threads(1)
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

NO_SIZE = [{key: value for key, value in each.items() if key != "size"} for each in GRID]
LIMITS = {"min_image_tokens": 4, "max_image_tokens": 60}

TYPES = {
    "CohereCompassImageProcessor": GRID[:2] + PIXELS[:1],
    "Cosmos3EdgeImageProcessor": GRID[:3] + [{"temporal_patch_size": 2, "min_pixels": 9}],
    "Ernie4_5_VLMoeImageProcessor": GRID[:3] + [{"min_pixels": 9, "max_pixels": 9}],
    "Glm46VImageProcessor": GRID[:3],
    "Glm4vImageProcessor": GRID,
    "GlmImageImageProcessor": GRID + PIXELS,
    "GlmgaImageProcessor": GRID[:3] + [{"patch_expand_factor": 2}],
    "HYV4VLImageProcessor": GRID[:3] + [{"resample": 1}],
    "HunYuanVLImageProcessor": GRID + PIXELS + [{"resample": 1}],
    "MiniMaxM3VLImageProcessor": GRID[:3] + PIXELS[:1] + [{"size": [672, 672]}],
    "PaddleOCRVLImageProcessor": GRID + PIXELS,
    "Qwen2VLImageProcessor": GRID + PIXELS,
    "VideoLlama3ImageProcessor": GRID[:3] + PIXELS[:1] + [{"merge_size": 2}],
    "Gemma4ImageProcessor": [
        {"max_soft_tokens": 70},
        {"patch_size": 14, "pooling_kernel_size": 2, "resample": 2},
        {"do_resize": False, "patch_size": 1, "pooling_kernel_size": 1, "max_soft_tokens": 1120},
        {"do_normalize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": 0.5},
        {"do_rescale": False, "do_convert_rgb": False},
    ],
    "Gemma4UnifiedImageProcessor": [
        {"max_soft_tokens": 70},
        {"patch_size": 14, "pooling_kernel_size": 2, "resample": 2},
        {"do_normalize": True, "image_mean": [0.5, 0.4, 0.3], "image_std": 0.5},
    ],
    "Glm5NextImageProcessor": NO_SIZE[:4] + [LIMITS, {**LIMITS, "patch_expand_factor": 2}, {"min_image_tokens": 900}],
    "Kimi_K25ImageProcessor": [
        {"max_patches": 100},
        {"size": {"max_height": 20, "max_width": 20}, "patch_size": 16, "merge_size": 3},
        {"do_resize": False, "patch_size": 1},
        {"do_rescale": False, "max_patches": 7},
    ],
    "Lfm2VlImageProcessor": [
        {"max_image_tokens": 9, "min_image_tokens": 4, "tile_size": 64, "max_tiles": 5},
        {"max_image_tokens": 9, "tile_size": 64, "min_tiles": 2, "max_tiles": 2, "max_pixels_tolerance": 1.0},
        {"do_image_splitting": False, "downsample_factor": 1, "resample": 3, "do_normalize": False},
        {"use_thumbnail": False, "max_image_tokens": 16, "tile_size": 48, "do_rescale": False},
        {"min_tiles": 1, "max_tiles": 1, "tile_size": 64, "encoder_patch_size": 8},
    ],
    "MuseGlimmerImageProcessor": [
        {"max_image_tokens": 20},
        {"max_image_tokens": 100, "patch_size": 7, "temporal_patch_size": 1},
        {"do_resize": False, "patch_size": 1, "temporal_patch_size": 3},
        {"resample": 3, "do_normalize": False, "max_image_tokens": 9},
    ],
    "NeoMMEImageProcessor": [
        {"max_side": 100},
        {"size": {"min_pixels": 5000, "max_pixels": 30_000}, "patch_size": 7},
        {"size": {"min_pixels": 20_000, "max_pixels": 20_500}, "max_side": 300},
        {"do_resize": False, "max_side": 10},
        {"do_rescale": False, "resample": 3, "max_side": 64},
    ],
    "Siglip2ImageProcessor": [
        {"max_num_patches": 100},
        {"patch_size": 14, "resample": 3, "image_mean": [0.5, 0.4, 0.3]},
        {"do_resize": False, "patch_size": 1, "max_num_patches": 70_000},
        {"do_normalize": False, "do_convert_rgb": True},
        {"do_rescale": False, "max_num_patches": 1},
    ],
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
    if not processor.do_convert_rgb:
        images = [image.convert("RGB") for image in images]
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
    is_random = len(sys.argv) > 1 and sys.argv[1].isdigit()
    path = Path(sys.argv[3]) if is_random else HERE / "patch-goldens.json"
    names = sys.argv[4:] if is_random else sys.argv[1:]
    made = {}
    for name in names or TYPES:
        overrides = TYPES[name]
        if is_random:
            rng = random.Random(f"{sys.argv[2]} {name}")
            configs = [random_config(rng, overrides) for _ in range(int(sys.argv[1]))]
            made[name] = [golden(name, config, [random_picture(rng) for _ in range(6)], []) for config in configs]
        else:
            batch = [PICTURES[1], PICTURES[0], PICTURES[6]]
            is_large = "shortest_edge" in (size := dict(class_of(name, "torch")().size or {})) and size["shortest_edge"] > 60_000
            made[name] = [golden(name, {}, FEW_PICTURES if is_large else PICTURES, [] if is_large else [batch])]
            made[name] += [golden(name, config, FEW_PICTURES, []) for config in overrides]
    write(path, made)


def write(path: Path, made: dict[str, list]) -> None:
    """Replaces the goldens of these types and keeps those of the others."""
    old = json.loads(path.read_text()) if path.exists() else {"classes": {}, "goldens": []}
    goldens = {name: [] for name in TYPES}
    for each in old["goldens"]:
        goldens.get(json.loads(each["config"])["image_processor_type"], []).append(each)
    goldens.update(made)
    classes = {**old["classes"], **{name: values_of(name) for name in made}}
    result = {
        "versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "classes": {name: classes[name] for name in TYPES if name in classes},
        "goldens": [each for name in TYPES for each in goldens[name]],
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
