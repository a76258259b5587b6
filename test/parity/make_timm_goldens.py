"""Makes timm-goldens.json: what timm and open_clip themselves make of pictures, for each way to crop and each form of config.

    pip install pillow numpy torch torchvision transformers timm open_clip_torch
    python test/parity/make_timm_goldens.py

The file is in the format of make_preset_goldens.py, which makes the pictures as well. timm's tensors are those of
create_transform, and of transformers' TimmWrapperImageProcessor where the config names it; open_clip's those of
image_transform_v2. A gray image or one with alpha is converted to RGB first, which both libraries leave to the caller.
`torch` is the same steps by torchvision's transforms v2 on a uint8 tensor.
"""

import json
from dataclasses import asdict

import numpy as np
import open_clip
import timm
import torch
import transformers
from open_clip.pretrained import _PRETRAINED
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg
from timm.models._hub import _parse_model_cfg
from torchvision.transforms import Compose
from torchvision.transforms.functional import convert_image_dtype, to_pil_image
from torchvision.transforms.v2 import functional as v2

from make_preset_goldens import FEW_PICTURES, HERE, PICTURES, golden_of, picture

TIMM_NAMES = [
    "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k",  # 0.9, 0.5
    "timm/resnet50.a1_in1k",  # 0.95
    "timm/volo_d5_512.sail_in1k",  # 1.15: a crop larger than the picture
    "timm/tf_efficientnet_b0.ns_jft_in1k",
    "timm/eva02_tiny_patch14_336.mim_in22k_ft_in1k",  # squash
    "timm/tf_efficientnetv2_b0.in1k",  # squash, 0.9
    "vit_base_patch16_224",  # an architecture's default weights
]

BASE = {"architecture": "resnet18", "input_size": [3, 96, 96], "interpolation": "bicubic", "crop_pct": 0.875}
TIMM_CONFIGS = [
    {"architecture": "resnet18", "num_classes": 10, "pretrained_cfg": {"input_size": [3, 97, 97], "crop_pct": 0.9}},
    {"architecture": "resnet18", "pretrained_cfg": {}},
    {**BASE, "crop_mode": "squash"},
    {**BASE, "crop_mode": "squash", "input_size": [3, 96, 61], "crop_pct": 0.93},
    {**BASE, "crop_mode": "border"},
    {**BASE, "crop_mode": "border", "crop_pct": 1.0, "mean": [0.5, 0.25, 0.9], "std": [0.2, 0.3, 0.4]},
    {**BASE, "crop_mode": "border", "input_size": [3, 61, 96]},
    {**BASE, "crop_mode": "border", "input_size": [3, 96, 61], "crop_pct": 1.3},
    {**BASE, "crop_mode": "something else"},
    {**BASE, "input_size": [3, 96, 61]},
    {**BASE, "input_size": [3, 61, 96], "crop_pct": 0, "interpolation": "", "crop_mode": None, "mean": None, "std": []},
    {**BASE, "mean": [0.5], "std": [0.25], "test_input_size": [3, 128, 128], "test_crop_pct": 1.0},
    *[{**BASE, "interpolation": name} for name in ("nearest", "bilinear", "box", "hamming", "lanczos")],
    {"architecture": "vit", "model_args": {"img_size": 80}, "pretrained_cfg": {**BASE, "fixed_input_size": True}},
    {"architecture": "vit", "model_args": {"img_size": [80, 70]}, "pretrained_cfg": {**BASE, "fixed_input_size": True}},
    {"architecture": "vit", "model_args": {"img_size": 80}, "pretrained_cfg": BASE},
    {
        "model_type": "timm_wrapper",
        "architecture": "vit",
        "model_args": {"img_size": 80},
        "pretrained_cfg": {**BASE, "fixed_input_size": True},
    },
    {"image_processor_type": "TimmWrapperImageProcessor", "architecture": "resnet18", "pretrained_cfg": BASE},
]

OPEN_CLIP_NAMES = [
    "ViT-B-32/laion2b_s34b_b79k",
    "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    "ViT-B-16-SigLIP:webli",
    "timm/PE-Core-B-16",
    "MobileCLIP-S1/datacompdr",
]

MODEL = {"embed_dim": 64, "vision_cfg": {"image_size": 96, "layers": 1, "width": 64, "patch_size": 16}, "text_cfg": {}}
OPEN_CLIP_CONFIGS = [
    {"model_cfg": MODEL},
    {"model_cfg": MODEL, "preprocess_cfg": {"size": 224, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}},
    {"model_cfg": {**MODEL, "vision_cfg": {**MODEL["vision_cfg"], "image_size": [96, 61]}}, "preprocess_cfg": None},
    {"preprocess_cfg": {"size": [61, 96], "interpolation": "bilinear", "resize_mode": "shortest", "mean": None}},
    *[
        {"size": size, "mode": "RGB", "interpolation": interpolation, "resize_mode": mode, "fill_color": fill}
        for size, interpolation, mode, fill in [
            (96, "bicubic", "squash", 0),
            ([61, 96], "bilinear", "squash", 0),
            (96, "bilinear", "longest", 0),
            (97, "random", "longest", 127),
            ([61, 96], "bicubic", "longest", 255),
        ]
    ],
]


def timm_values(name=None, config=None):
    if name is not None:
        return resolve_data_config(pretrained_cfg=get_pretrained_cfg(name.removeprefix("timm/")).to_dict())
    if "model_type" in config or "image_processor_type" in config:
        return transformers.TimmWrapperImageProcessor(**config).data_config
    pretrained, _, _ = _parse_model_cfg(json.loads(json.dumps(config)), {"source": "hf-hub"})
    return resolve_data_config(pretrained_cfg=pretrained)


def results_of(transform, image):
    """What the transform makes of a Pillow image, and of its tensor where the steps are those of torchvision v2."""
    steps, (_, normalize) = transform.transforms[:-2], transform.transforms[-2:]

    def by_pillow():
        return np.asarray(Compose(steps)(image)), transform(image).numpy()

    def by_torch():
        pixels = v2.pil_to_tensor(image)
        for step in steps:
            pixels = on_tensor(step, pixels)
        # As torchvision's own presets go on; v2.to_dtype multiplies by 1/255.
        return pixels.permute(1, 2, 0).numpy(), normalize(convert_image_dtype(pixels)).numpy()

    return golden_of({"pillow": by_pillow, "torch": by_torch})


def on_tensor(step, pixels):
    """A step on a uint8 tensor. Those of timm and open_clip themselves resize tensors as float32."""
    name = type(step).__name__
    if name == "Resize":
        return v2.resize(pixels, step.size, interpolation=step.interpolation, antialias=True)
    if name == "ResizeKeepRatio":
        size = step.get_params(to_pil_image(pixels), step.size, step.longest)
        return v2.resize(pixels, size, interpolation=step.interpolation, antialias=True)
    if name == "CenterCropOrPad":
        height, width = (step.size, step.size) if isinstance(step.size, int) else step.size
        missing = [max(0, width - pixels.shape[2]), max(0, height - pixels.shape[1])]
        padding = [side // 2 for side in missing] + [(side + 1) // 2 for side in missing]
        return v2.center_crop(v2.pad(pixels, padding, fill=step.fill), [height, width])
    return v2.center_crop(pixels, step.size) if name == "CenterCrop" else pixels


def by_timm(**preset):
    return create_transform(**timm_values(**preset), is_training=False)


def open_clip_values(name=None, config=None):
    """As create_model joins them."""
    values = asdict(PreprocessCfg())
    if name is not None:
        names = {f"{model}:{tag}": (model, tag) for model, tags in _PRETRAINED.items() for tag in tags}
        hub = {pretrained["hf_hub"].rstrip("/"): (model, tag) for model, tags in _PRETRAINED.items()
               if not model.endswith("-quickgelu") for tag, pretrained in tags.items()}  # fmt: skip
        model, tag = hub.get(name) or names[name.replace("/", ":")]
        size = open_clip.get_model_config(model)["vision_cfg"].get("image_size", 224)
        return {**merge_preprocess_dict(values, _PRETRAINED[model][tag]), "size": size}
    given = config.get("preprocess_cfg", {}) if "model_cfg" in config else config.get("preprocess_cfg", config)
    values = merge_preprocess_dict(values, given)
    if "model_cfg" in config:
        model = open_clip.CLIP(**{**config["model_cfg"], "text_cfg": {"layers": 1, "width": 64, "heads": 1}})
        values["size"] = model.visual.image_size
    return values


def by_open_clip(**preset):
    return image_transform_v2(PreprocessCfg(**open_clip_values(**preset)), is_train=False)


def goldens_of(by_library, tensor, pictures, **preset):
    transform = by_library(**preset)
    made = [(source, results_of(transform, picture(*source).convert("RGB"))) for source in pictures]
    columns = ["size", "dtype", "pillow pixels", "pillow tensor", "torch pixels", "torch tensor"]
    config = {"config": json.dumps(preset["config"])} if "config" in preset else {"weights": preset["name"]}
    return {
        "name": preset.get("name", by_library.__name__),
        **config,
        "tensor": tensor,
        **{f"{library}_samples": made[0][1].get(f"{library} samples", "") for library in ("pillow", "torch")},
        "cases": [
            " ".join([f"{width}x{height}x{channels}", kind, *(golden.get(column, "-") for column in columns)])
            for (width, height, channels, kind), golden in made
        ],
    }


def main() -> None:
    goldens = [
        *[goldens_of(by_timm, "pixel_values", FEW_PICTURES, name=name) for name in TIMM_NAMES],
        *[goldens_of(by_timm, "pixel_values", PICTURES, config=config) for config in TIMM_CONFIGS],
        *[goldens_of(by_open_clip, "image", FEW_PICTURES, name=name) for name in OPEN_CLIP_NAMES],
        *[goldens_of(by_open_clip, "image", PICTURES, config=config) for config in OPEN_CLIP_CONFIGS],
    ]
    modules = {"timm": timm, "open_clip": open_clip, "torch": torch, "transformers": transformers}
    versions = {name: module.__version__.split("+")[0] for name, module in modules.items()}
    text = json.dumps({"versions": versions, "presets": goldens}, indent=2)
    (HERE / "timm-goldens.json").write_text(text + "\n")


main()
