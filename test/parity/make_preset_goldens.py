"""Makes preset-goldens.json: what transformers and torchvision themselves make of pictures, preset by preset.

    pip install pillow numpy torch torchvision transformers
    python test/parity/make_preset_goldens.py                       the committed file
    python test/parity/make_preset_goldens.py COUNT SEED FILE       COUNT random presets on random sizes

Nothing is downloaded: the configs are below, and in src/processor/presets/*.json. test/parity/presets.test.ts makes
the same pictures (`picture`) and compares; PRESET_GOLDENS=FILE lets it take another file.

For each preset, picture and library it keeps the size, the SHA-256 of the uint8 pixels before they are rescaled
([height, width, 3]) and that of the float32 tensor. `pillow` is transformers' Pillow backend, or torchvision with a
Pillow image; `torch` is transformers' torchvision backend.

A case is a line: the picture's size and kind, the result's size and type, then the hashes of pixels and tensor of
pillow and of torch. "-" is none: a size or a filter that the library refuses.
"""

import hashlib
import json
import random
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import PIL
import torch
import torchvision
import transformers
from PIL import Image
from torchvision.models import get_weight

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
HERE = Path(__file__).resolve().parent
PRESETS = HERE.parents[1] / "src/processor/presets"

# width, height, channels: odd, portrait, smaller than every crop, thin, gray, with alpha; and without noise.
PICTURES = [
    (333, 517, 3, "mixed"),
    (640, 427, 3, "mixed"),
    (225, 224, 3, "mixed"),
    (100, 75, 3, "mixed"),
    (37, 54, 3, "mixed"),
    (1, 1, 3, "mixed"),
    (1, 20, 3, "mixed"),
    (23, 2, 3, "mixed"),
    (301, 200, 1, "mixed"),
    (50, 21, 1, "mixed"),
    (120, 271, 4, "mixed"),
    (640, 427, 3, "smooth"),
    (333, 517, 3, "smooth"),
]
FEW_PICTURES = [PICTURES[index] for index in (0, 1, 3, 4, 8, 11, 12)]

# Parts of the messages with which a library refuses a size or a filter.
REFUSALS = ["must be > 0", "should be greater than 0", "got box", "got hamming"]

# What transformers 5 computes by configuration, or by a resize that is no more than one.
TYPES = {
    "BeitImageProcessor": [{"size": 224, "resample": 2, "reduce_labels": True}, {"do_center_crop": True, "crop_size": 99}],
    "BitImageProcessor": [{"size": {"shortest_edge": 448}, "crop_size": 448, "resample": 2, "image_mean": 0.5}],
    "BlipImageProcessor": [{"size": 384}, {"size": [120, 200]}],
    "ChameleonImageProcessor": [{"size": {"shortest_edge": 99}, "crop_size": {"height": 80, "width": 121}}],
    "ChineseCLIPImageProcessor": [{"size": {"height": 224, "width": 224}, "do_center_crop": False}],
    "CLIPImageProcessor": [
        {"size": 224, "crop_size": 224},
        {"size": 100, "default_to_square": True},
        {"size": 100, "default_to_square": None, "crop_size": [90, 110]},
        {"size": {"shortest_edge": 90, "longest_edge": None}},
        {"size": {"shortest_edge": 90, "longest_edge": 131}, "do_center_crop": False},
        {"size": {"max_height": 91, "max_width": 130}, "do_center_crop": False},
        {"use_square_size": True, "size": 55, "do_center_crop": False},
        {"do_resize": False},
        {"do_resize": False, "do_center_crop": False},
        {"do_rescale": False},
        {"do_normalize": False},
        {"do_rescale": False, "do_normalize": False, "image_mean": None, "image_std": None},
        {"rescale_factor": 0.0078431372, "image_mean": [1, 1, 1], "image_std": 1},
        {"do_convert_rgb": False},
        *[{"size": 101, "crop_size": {"height": 100, "width": 97}, "resample": filter} for filter in range(6)],
        # Larger than the picture, by an odd number and by an even one, on one side or on both.
        *[{"do_resize": False, "crop_size": [side, 400 - side]} for side in (75, 76, 101, 199, 302)],
    ],
    "ConvNextImageProcessor": [
        {"size": 224, "crop_pct": 0.875, "resample": 3},
        {"size": 224, "crop_pct": 0.9, "resample": 2},
        {"size": {"shortest_edge": 383, "longest_edge": 2}},
        {"size": 200, "crop_pct": 1.1},
        {"size": 400, "do_center_crop": True, "crop_size": 99},
        {"size": 384, "crop_pct": None},
    ],
    "DeiTImageProcessor": [{"size": 256, "crop_size": 224, "resample": 3}],
    "LevitImageProcessor": [{"size": 224}, {"size": 100}, {"size": {"height": 90, "width": 80}, "do_center_crop": False}],
    "MobileNetV1ImageProcessor": [{"size": 129, "crop_size": 113}],
    "MobileNetV2ImageProcessor": [{"size": {"shortest_edge": 256}, "do_reduce_labels": True}],
    "MobileViTImageProcessor": [
        {"size": 288, "crop_size": 256, "resample": 2, "do_flip_channel_order": True},
        {"do_flip_channel_order": False, "do_normalize": True},
        {"do_rescale": False},
    ],
    "OwlViTImageProcessor": [{"size": [96, 96], "crop_size": 96, "rescale": True}, {"size": [9, 9], "rescale": False}],
    "PPChart2TableImageProcessor": [{"size": {"height": 99, "width": 98}}],
    "PvtImageProcessor": [{"size": {"height": 224, "width": 224}, "resample": 2}],
    "SegformerImageProcessor": [{"size": 128, "reduce_labels": True}, {"size": 64, "do_center_crop": True, "crop_size": 9}],
    "SiglipImageProcessor": [{"size": {"height": 384, "width": 384}, "do_convert_rgb": None}, {"size": 97}],
    "ViTImageProcessor": [{"size": 224}, {"size": {"height": 33, "width": 700}, "resample": 1}],
}


@cache
def picture(width: int, height: int, channels: int, kind: str) -> Image.Image:
    y, x, channel = np.indices((height, width, channels), dtype=np.uint32)
    waves = (x * 5 + y * 3 + channel * 85) % 512
    waves = np.where(waves < 256, waves, 511 - waves)
    noise = ((x * 73856093) ^ (y * 19349663) ^ (channel * 83492791)) * np.uint32(2654435761) >> 24
    is_noise = (((x >> 4) + (y >> 4)) % 4 == 0) & (kind == "mixed")
    values = np.where(is_noise, noise, waves).astype(np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def hash_of(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def processed(processor, config: dict, image: Image.Image) -> np.ndarray:
    """The image as the only one of a batch, converted first where the processor wouldn't."""
    if not config.get("do_convert_rgb", processor.do_convert_rgb):
        image = image.convert("RGB")
    return np.asarray(processor(image, return_tensors=None)["pixel_values"][0])


def by_transformers(config: dict, image: Image.Image) -> dict:
    plain = {**config, "do_rescale": False, "do_normalize": False, "do_flip_channel_order": False}
    plain.pop("rescale", None)

    def of_class(suffix: str) -> tuple[np.ndarray, np.ndarray]:
        processor = getattr(transformers, config["image_processor_type"] + suffix)
        pixels = processed(processor.from_dict(plain), config, image).transpose(1, 2, 0)
        return pixels, processed(processor.from_dict(config), config, image)

    return golden_of({"pillow": lambda: of_class("Pil"), "torch": lambda: of_class("")})


def by_torchvision(weights: str, image: Image.Image) -> dict:
    preset = get_weight(weights).transforms()
    image = image.convert("RGB")

    def processed_image(source: Image.Image) -> Image.Image:
        resized = torchvision.transforms.functional.resize(
            source, preset.resize_size, interpolation=preset.interpolation, antialias=preset.antialias
        )
        return torchvision.transforms.functional.center_crop(resized, preset.crop_size)

    # A tensor is no case: the presets resize it as float32, which no numerics here does.
    return golden_of({"pillow": lambda: (np.asarray(processed_image(image)), preset(image).numpy())})


def golden_of(libraries: dict) -> dict:
    """The columns of a case. Every library that does not refuse gives the same size and type."""
    golden = {}
    for library, results in libraries.items():
        try:
            pixels, tensor = results()
        except (ValueError, RuntimeError) as error:
            assert any(text in str(error) for text in REFUSALS), error
            continue
        assert pixels.dtype == np.uint8
        shape = {"size": f"{pixels.shape[1]}x{pixels.shape[0]}", "dtype": str(tensor.dtype)}
        assert golden.items() >= shape.items() or not golden, (golden, shape)
        flat = tensor.reshape(-1)
        golden |= shape | {
            f"{library} pixels": hash_of(pixels),
            f"{library} tensor": hash_of(tensor),
            f"{library} samples": " ".join(str(float(flat[flat.size * part // 7])) for part in range(7)),
        }
    return golden


def goldens_of(name: str, preset: dict, pictures) -> dict:
    """All goldens of a preset, and seven values of each library's first tensor."""
    cases = []
    samples = {}
    for source in pictures:
        image = picture(*source)
        if "config" in preset:
            golden = by_transformers(preset["config"], image)
        else:
            golden = by_torchvision(preset["weights"], image)
        if not cases:
            samples = {f"{library}_samples": golden.get(f"{library} samples", "") for library in ("pillow", "torch")}
        columns = ["size", "dtype", "pillow pixels", "pillow tensor", "torch pixels", "torch tensor"]
        width, height, channels, kind = source
        words = [f"{width}x{height}x{channels}", kind, *(golden.get(column, "-") for column in columns)]
        cases.append(" ".join(words))
    # As text, which a formatter leaves on its line.
    fields = {"config": json.dumps(preset["config"])} if "config" in preset else preset
    return {"name": name, **fields, **samples, "cases": cases}


def classification_weights():
    weights = json.loads((PRESETS / "torchvision-presets.json").read_text())["weights"]
    return {name: values for name, values in weights.items() if "crop_size" in values}


def committed_presets():
    for name, configs in TYPES.items():
        yield name, {"config": {"image_processor_type": name}}, FEW_PICTURES
        for config in configs:
            yield name, {"config": {"image_processor_type": name, **config}}, PICTURES
    for entry in json.loads((PRESETS / "shipped-presets.json").read_text()):
        yield entry["models"][0], {"config": entry["config"]}, FEW_PICTURES
    seen = set()
    for name, values in classification_weights().items():
        if str(values) not in seen:
            yield name, {"weights": name}, FEW_PICTURES
        seen.add(str(values))


def random_presets(count: int, seed: int):
    draw = random.Random(seed)

    def side() -> int:
        return draw.choice([draw.randint(1, 9), draw.randint(1, 300), draw.randint(1, 300), 224, 256])

    def size():
        one, other = sorted([side(), side()])
        return draw.choice(
            [
                side(),
                [side(), side()],
                {"height": side(), "width": side()},
                {"shortest_edge": side()},
                {"shortest_edge": one, "longest_edge": other},
                {"max_height": side(), "max_width": side()},
            ]
        )

    weights = list(classification_weights())
    for _ in range(count):
        sizes = [(draw.randint(1, 500), draw.randint(1, 500)) for _ in range(2)]
        pictures = [(*sides, draw.choice([1, 3, 3, 4]), draw.choice(["mixed", "smooth"])) for sides in sizes]
        if draw.random() < 0.15:
            name = draw.choice(weights)
            yield name, {"weights": name}, pictures
            continue
        name = draw.choice(list(TYPES))
        config = {"image_processor_type": name}
        if draw.random() < 0.8:
            config["size"] = size()
        if name == "ConvNextImageProcessor":
            config["size"] = draw.choice([side(), {"shortest_edge": side()}, 384, 400])
            config["crop_pct"] = draw.choice([0.875, 0.9, 0.95, 1.0, 1.2, draw.uniform(0.5, 1.5)])
        if name == "LevitImageProcessor" and isinstance(config.get("size"), dict) and "max_height" in config["size"]:
            config["size"] = side()
        if draw.random() < 0.5:
            config["do_center_crop"] = draw.random() < 0.7
            config["crop_size"] = draw.choice([side(), [side(), side()], {"height": side(), "width": side()}])
        if draw.random() < 0.6:
            config["resample"] = draw.randint(0, 5)
        for key in ("do_resize", "do_rescale", "do_normalize", "do_convert_rgb", "default_to_square"):
            # ConvNeXT fails with the square that it would make of a number.
            if draw.random() < 0.15 and (key, name) != ("default_to_square", "ConvNextImageProcessor"):
                config[key] = draw.choice([True, False, None])
        if draw.random() < 0.3:
            config["rescale_factor"] = draw.choice([1 / 255, 1 / 127.5, 0.0078, draw.uniform(0.001, 2)])
        if draw.random() < 0.5:
            config["image_mean"] = [draw.uniform(-1, 1) for _ in range(3)]
            config["image_std"] = draw.choice([draw.uniform(0.1, 2), [draw.uniform(0.1, 2) for _ in range(3)]])
        if name == "ConvNextImageProcessor" and config["size"] not in (384, 400):
            config.pop("do_center_crop", None)
        yield name, {"config": config}, pictures


def class_values(name: str) -> dict:
    of_class = getattr(transformers, name + "Pil")
    keys = [*of_class.valid_kwargs.__annotations__]
    return {key: value for key in keys if (value := getattr(of_class, key, None)) is not None}


def main() -> None:
    if len(sys.argv) > 1:
        count, seed, path = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
        presets = random_presets(count, seed)
    else:
        path = HERE / "preset-goldens.json"
        presets = committed_presets()
    modules = {"pillow": PIL, "numpy": np, "torch": torch, "torchvision": torchvision, "transformers": transformers}
    goldens = {
        "versions": {name: module.__version__.split("+")[0] for name, module in modules.items()},
        "classes": {name: json.dumps(class_values(name)) for name in TYPES},
        "presets": [goldens_of(name, preset, pictures) for name, preset, pictures in presets],
    }
    path.write_text(json.dumps(goldens, indent=2) + "\n")


if __name__ == "__main__":
    main()
