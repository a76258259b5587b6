"""Makes src/processor/presets/torchvision-presets.json: the presets of torchvision's own weights.

    pip install torch torchvision && python test/parity/make_torchvision_presets.py

All weights whose transforms are torchvision's ImageClassification, with that preset's own parameters. Weights
have other ones as well (object detection, video, optical flow): those are left out.
"""

import functools
import json
from pathlib import Path

import torchvision
from torchvision.models import get_model_weights, list_models
from torchvision.transforms._presets import ImageClassification

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/torchvision-presets.json"

# What most of them have; only what differs is in the file.
DEFAULT_MEAN = [0.485, 0.456, 0.406]
DEFAULT_STD = [0.229, 0.224, 0.225]


def presets():
    for model in list_models():
        for weights in get_model_weights(model):
            transforms = weights.transforms
            made = transforms.func if isinstance(transforms, functools.partial) else transforms
            if made is not ImageClassification:
                continue
            preset = transforms()
            assert preset.antialias is True
            values = {
                "resize_size": preset.resize_size[0],
                "crop_size": preset.crop_size[0],
                "interpolation": preset.interpolation.value,
            }
            if list(preset.mean) != DEFAULT_MEAN:
                values["mean"] = list(preset.mean)
            if list(preset.std) != DEFAULT_STD:
                values["std"] = list(preset.std)
            yield name_of(weights), values


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
