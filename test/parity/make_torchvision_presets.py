"""Makes src/processor/presets/torchvision-presets.json: the presets of torchvision's own weights.

    pip install torch torchvision && python test/parity/make_torchvision_presets.py

All weights: ImageClassification, SemanticSegmentation, VideoClassification and OpticalFlow, with their own parameters.
Those of ObjectDetection only convert to FP32; the models go on with a GeneralizedRCNNTransform, whose parameters are
those of the weights.
"""

import functools
import inspect
import json
from pathlib import Path

import torchvision
from torchvision.models import get_model, get_model_weights, list_models
from torchvision.transforms._presets import (
    ImageClassification,
    ObjectDetection,
    OpticalFlow,
    SemanticSegmentation,
    VideoClassification,
)

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/torchvision-presets.json"

# What most of them have; only what differs is in the file.
DEFAULT_MEAN = [0.485, 0.456, 0.406]
DEFAULT_STD = [0.229, 0.224, 0.225]
DEFAULTS = {"mean": DEFAULT_MEAN, "std": DEFAULT_STD}


def presets():
    for model in list_models():
        for weights in get_model_weights(model):
            transforms = weights.transforms
            made = transforms.func if isinstance(transforms, functools.partial) else transforms
            if made in VALUES_OF:
                yield name_of(weights), VALUES_OF[made](model, transforms())


def resized(model, preset):
    assert preset.antialias is True
    values = {"resize_size": preset.resize_size[0]}
    if isinstance(preset, ImageClassification):
        values["crop_size"] = preset.crop_size[0]
    values["interpolation"] = preset.interpolation.value
    return values | normalized(preset.mean, preset.std)


def video(model, preset):
    assert preset.interpolation.value == "bilinear" and len(set(preset.crop_size)) == 1
    size = preset.resize_size
    return {
        "resize_size": size[0] if len(size) == 1 else list(size),
        "crop_size": preset.crop_size[0],
        "interpolation": "bilinear",
        "antialias": False,
    } | normalized(preset.mean, preset.std)


def normalized(mean, std):
    values = {"mean": list(mean), "std": list(std)}
    return {key: value for key, value in values.items() if value != DEFAULTS[key]}


def detection(model, preset):
    transform = get_model(model, weights=None, weights_backbone=None).transform
    sizes = {"fixed_size": list(transform.fixed_size)} if transform.fixed_size else {
        "min_size": transform.min_size[-1],
        "max_size": transform.max_size,
    }  # fmt: skip
    detection = sizes | {"size_divisible": transform.size_divisible}
    return {"detection": detection} | normalized(transform.image_mean, transform.image_std)


# OpticalFlow.forward normalizes by these numbers.
assert "mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]" in inspect.getsource(OpticalFlow.forward)
VALUES_OF = {
    ImageClassification: resized,
    SemanticSegmentation: resized,
    VideoClassification: video,
    OpticalFlow: lambda *_: normalized([0.5] * 3, [0.5] * 3),
    ObjectDetection: detection,
}


def name_of(weights):
    return f"{type(weights).__name__}.{weights.name}"


def aliases(names):
    """A model's name, and DEFAULT, which is an alias of the enum."""
    for model in list_models():
        enum = get_model_weights(model)
        default = name_of(enum.DEFAULT)
        if default in names:
            yield model, default
            yield f"{enum.__name__}.DEFAULT", default


def main() -> None:
    def line(values):
        return json.dumps(values).replace("{", "{ ").replace("}", " }")

    weights = dict(presets())
    lines = ",\n".join(f'    "{name}": {line(values)}' for name, values in sorted(weights.items()))
    version = torchvision.__version__.split("+")[0]
    head = f'  "torchvision": "{version}",\n  "mean": {DEFAULT_MEAN},\n  "std": {DEFAULT_STD},\n'
    others = ",\n".join(f'    "{alias}": "{name}"' for alias, name in sorted(dict(aliases(weights)).items()))
    PATH.write_text(f'{{\n{head}  "weights": {{\n{lines}\n  }},\n  "aliases": {{\n{others}\n  }}\n}}\n')


main()
