"""transformers: every image processor with each of its backends, under random configs.

The configs are drawn from what a class declares: its valid_kwargs and its own values, so a new type needs no line here.
"""

import importlib
import inspect
import json
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import AutoImageProcessor
from transformers.image_processing_backends import TorchvisionBackend
from transformers.image_processing_utils import BaseImageProcessor

transformers.logging.set_verbosity_error()
# With one thread, PyTorch chooses another kernel for floats that are not antialiased.
torch.set_num_threads(2)
VERSIONS = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}

NUMERICS = {"torch": "NUMERICS_TORCH", "pillow": "NUMERICS_PILLOW"}
BACKENDS = {"torch": "torchvision", "pillow": "pil"}
# Types that blur floats by sums of products whose order is not known.
FLOAT_PATHS = {"Owlv2ImageProcessor"}
# Keys without which a type needs another program or file, or is always refused.
BASE = {
    "LayoutLMv2ImageProcessor": {"apply_ocr": False},
    "LayoutLMv3ImageProcessor": {"apply_ocr": False},
    "ImageGPTImageProcessor": {"do_color_quantize": False},
    "NougatImageProcessor": {"do_crop_margin": False},
    "PPFormulaNetImageProcessor": {"do_crop_margin": False},
    "GLPNImageProcessor": {"size": {"height": 480, "width": 640}},
}
# Types that convert only masks to RGB, whatever do_convert_rgb says.
TAKES_RGB = {"SegGptImageProcessor"}
# What decides no pixels of one image, or needs another file.
UNTOUCHED = {
    "data_format", "input_data_format", "device", "return_tensors", "disable_grouping", "image_seq_length", "format",
    "do_convert_annotations", "transform", "repo_path", "class_info_file", "num_text", "num_labels", "ignore_index",
    "apply_ocr", "ocr_lang", "tesseract_config", "header_text", "character_list", "clusters", "mask_size", "mask_pad_size",
}  # fmt: skip
# Other values of keys whose class's own value does not show what they may be.
CHOICES = {
    "background_color": [[0, 0, 0], [255, 20, 7]],
    "dense_max_patches": [40, 50],
    "dense_max_scale": [0.3, 0.8, 2.0],
    "dense_min_aspect": [0.7, 1.1],
    "dense_max_aspect": [2.5],
    "downsample_mode": ["4x", "16x"],
    "limit_type": ["max", "min", "resize_long"],
    "small_image_upsize": ["always", "never"],
}


def classes():
    """All image processors by name, without the old names that lead to them."""
    root = Path(transformers.__file__).parent
    found = {}
    for path in sorted(root.glob("models/*/image_processing*.py")):
        module = importlib.import_module("transformers." + ".".join(path.relative_to(root).with_suffix("").parts))
        for name, value in vars(module).items():
            if inspect.isclass(value) and issubclass(value, BaseImageProcessor) and value.__module__ == module.__name__:
                found[name] = value
    return {name: value for name, value in found.items() if not set(value.__bases__) & set(found.values())}


CLASSES = classes()


def subjects():
    for name, of_class in CLASSES.items():
        if name.endswith("Pil"):
            continue
        tolerance = {"tolerance": 1e-6} if name in FLOAT_PATHS else {}
        has_torch = issubclass(of_class, TorchvisionBackend)
        if has_torch:
            yield {"name": name, "library": "torch", "random": True, **tolerance}
        if not has_torch or name + "Pil" in CLASSES:
            yield {"name": name, "library": "pillow", "random": True, **tolerance}


def side(draw):
    return draw.choice([draw.randint(1, 40), draw.randint(1, 300), draw.randint(1, 300), 224, 256])


def any_size(draw):
    one, other = sorted([side(draw), side(draw)])
    return draw.choice(
        [
            one,
            [one, other],
            {"height": one, "width": other},
            {"shortest_edge": one},
            {"longest_edge": other},
            {"shortest_edge": one, "longest_edge": other},
            {"max_height": one, "max_width": other},
        ]
    )


def smaller(draw, size):
    """A size with the same keys: sides of at most a few hundred; areas become smaller by up to 50 times."""
    largest = max(size.values())
    factor = draw.uniform(0.02, 1) if largest > 5000 else min(1.0, draw.randint(20, 450) / largest)
    one = draw.uniform(0.8, 1.2) if draw.random() < 0.5 else 0
    return {key: max(1, round(value * factor * (one or draw.uniform(0.8, 1.2)))) for key, value in size.items()}


def is_size(value):
    return isinstance(value, dict) and len(value) > 0 and all(isinstance(item, int) for item in value.values())


def drawn(draw, key, default):
    """Another value for a key, by the key's name and its class's value, or None for no other."""
    if key in CHOICES:
        return draw.choice(CHOICES[key])
    if key.endswith(("image_mean", "image_std")):
        low = 0.1 if key.endswith("std") else -0.5
        return draw.choice([draw.uniform(low, 1), [draw.uniform(low, 1) for _ in range(3)]])
    if key.endswith("resample"):
        return draw.choice([0, 1, 2, 2, 3, 3, 4, 5])
    if key.endswith("rescale_factor"):
        return draw.choice([1 / 255, 1 / 127.5, 0.0078, draw.uniform(0.001, 2)])
    if isinstance(default, bool) or key.startswith("do_"):
        # A step that the class does not mention is rarely in a config.
        return draw.choice([True, False]) if default is not None or draw.random() < 0.1 else None
    if is_size(default) or key in ("size", "crop_size"):
        return smaller(draw, default) if is_size(default) and draw.random() < 0.8 else any_size(draw)
    if isinstance(default, int) and default > 0:
        return draw.choice([max(1, default // 2), max(1, default + draw.randint(-2, 2)), default + 1])
    if isinstance(default, float):
        return default * draw.uniform(0.5, 1.5)
    if isinstance(default, list) and len(default) > 2 and isinstance(default[0], list):
        return draw.sample(default, draw.randint(1, len(default)))
    return None


def timm_config(draw):
    """A `pretrained_cfg`, which TimmWrapperImageProcessor has instead of keys of its own."""
    values = {
        "input_size": [3, side(draw), side(draw)] if draw.random() < 0.3 else [3, (one := side(draw)), one],
        "interpolation": draw.choice(["bicubic", "bilinear", "nearest", "lanczos", "box", "hamming", ""]),
        "crop_pct": draw.choice([0, 0.875, 0.9, 1.0, draw.uniform(0.3, 1.2)]),
        "crop_mode": draw.choice(["center", "squash", "border", "other"]),
        "mean": draw.choice([[0.5], [draw.uniform(0, 1) for _ in range(3)]]),
        "std": draw.choice([[0.5], [draw.uniform(0.1, 1) for _ in range(3)]]),
        "test_input_size": [3, 288, 288],
    }
    kept = {key: value for key, value in values.items() if draw.random() < 0.7}
    return {"pretrained_cfg": {**kept, **({"num_classes": 1000} if draw.random() < 0.5 or not kept else {})}}


def config_of(of_class, draw, index):
    """The first is the class's own values, the second differs from them only in size."""
    if of_class.__name__ == "TimmWrapperImageProcessor":
        return timm_config(draw)
    config = {}
    changed = 0 if index < 2 else draw.choice([0.1, 0.3, 0.5])
    for key in of_class.valid_kwargs.__annotations__:
        default = getattr(of_class, key, None)
        default = dict(default) if hasattr(default, "keys") else default
        if index > 0 and key == "size" and is_size(default) and max(default.values()) > 300:
            config[key] = smaller(draw, default)
        if key in UNTOUCHED or draw.random() >= changed:
            continue
        value = drawn(draw, key, default)
        if value is not None:
            config[key] = value
    return config


def takes_samples(of_class):
    """Whether a flat list is one sample of several images. Images of a batch are samples of one image then."""
    return "make_nested_list_of_images" in inspect.getsource(of_class._prepare_images_structure)


def case(subject, draw, index):
    name, library = subject["name"], subject["library"]
    of_class = library == "pillow" and CLASSES.get(name + "Pil") or CLASSES[name]
    config = {"image_processor_type": name, **BASE.get(name, {}), **config_of(of_class, draw, index)}
    text = json.dumps(config)
    loaded = []

    def compute(images):
        if not loaded:
            with tempfile.TemporaryDirectory() as folder:
                # That of timm is in its config.json.
                file = "config.json" if "pretrained_cfg" in config else "preprocessor_config.json"
                Path(folder, file).write_text(text)
                loaded.append(AutoImageProcessor.from_pretrained(folder, backend=BACKENDS[library]))
        processor = loaded[0]
        assert type(processor) is of_class, f"{type(processor).__name__} instead of {of_class.__name__}"
        if name in TAKES_RGB or not getattr(processor, "do_convert_rgb", None):
            images = [image.convert("RGB") for image in images]
        if takes_samples(of_class):
            images = [[image] for image in images]
        result = processor(images, return_tensors="pt")
        # Idefics returns the tensor itself.
        named = dict(result) if hasattr(result, "keys") else {"pixel_values": result}
        # EoMT returns an empty list of offsets if it splits nothing.
        return {key: value for key, value in named.items() if not isinstance(value, list) or len(value) > 0}

    return {"preprocessorConfig": text, "numerics": NUMERICS[library]}, compute
