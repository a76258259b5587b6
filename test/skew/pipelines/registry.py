"""The pipelines: functions from the path of an image to the tensor that a model would receive."""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any, Callable, NamedTuple

"""Side of the tensors. make_goldens.py makes small ones."""
SIDE = int(os.environ.get("SIDE", 224))

CLIP = "openai/clip-vit-base-patch32"
VIT = "google/vit-base-patch16-224"
RESNET = "ResNet50_Weights.IMAGENET1K_V1"
YOLO = "ultralytics/yolo"
KERAS = "keras/MobileNetV2"
OCR = "paddleocr/rec"

IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


class Pipeline(NamedTuple):
    """A pipeline, and what a comparison has to say about its tensor."""

    name: str
    """The preset that it is meant to compute."""
    preset: str
    """Module -> start of its version; empty for any version."""
    needs: dict[str, str]
    """The images that it runs on; see images.py."""
    kind: str
    """Step -> a part of the words that have to be named, or a list of such parts of which one has to be. A step that ends
    with "?" may be named and need not be. None: the arithmetic is not in the lattice, so no exact cause may be named."""
    expected: dict[str, str | list[str]] | None
    run: Callable[[str], Any]


pipelines: list[Pipeline] = []


def resized(words: str | list[str]) -> str | list[str]:
    """The words for tensors of SIDE × SIDE."""
    return [resized(word) for word in words] if isinstance(words, list) else words.replace("224", str(SIDE))


def pipeline(name: str, preset: str, *needs: str, kind: str = "photo", **steps: str | list[str]):
    """Declares a pipeline. `needs` are modules, as "cv2" or "PIL 9."; a step whose name ends with "_" is optional."""

    def declare(run: Callable[[str], Any]) -> Callable[[str], Any]:
        sized = {step: resized(words) for step, words in steps.items()}
        versions = {module: version for module, _, version in (need.partition(" ") for need in needs)}
        expected = {step.rstrip("_") + "?" * step.endswith("_"): words for step, words in sized.items()}
        # Libraries fuse the rescaling and the normalization, or do not.
        expected.setdefault("rounding?", "")
        pipelines.append(Pipeline(name, preset, versions, kind, expected, run))
        return run

    return declare


def outside(name: str, preset: str, *needs: str, kind: str = "photo"):
    """Declares a pipeline whose arithmetic is not in the lattice."""

    def declare(run: Callable[[str], Any]) -> Callable[[str], Any]:
        pipeline(name, preset, *needs, kind=kind)(run)
        pipelines[-1] = pipelines[-1]._replace(expected=None)
        return run

    return declare


def missing(needs: dict[str, str]) -> str | None:
    """The first need that this interpreter does not meet; None if it meets all."""
    for module, version in needs.items():
        if importlib.util.find_spec(module) is None:
            return module
        if version and not importlib.import_module(module).__version__.startswith(version):
            return f"{module} {version}"
    return None
