"""Makes tensor-goldens.json: all tensors that transformers' image processors make of a picture.

    pip install -r test/parity/requirements-models.txt
    python test/parity/make_tensor_goldens.py [TYPE ...]      all types, or some beside the others' goldens
    npx biome format --write test/parity/tensor-goldens.json

Nothing is downloaded: the configs are below. test/parity/tensors.test.ts makes the same pictures (`picture`) and
compares. `batch` has the tensors of all
pictures together. Of each tensor it keeps the name, the type, the shape and the first 16 digits of the SHA-256 of its values in
C order, little-endian.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision
import transformers

from make_preset_goldens import picture

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
# With one thread, PyTorch chooses another kernel for floats that are not antialiased.
torch.set_num_threads(2)
HERE = Path(__file__).resolve().parent

# width, height, channels: landscape, portrait, very wide, very tall, smaller than a tile.
PICTURES = [(640, 427, 3, "mixed"), (333, 517, 3, "mixed"), (900, 120, 3, "mixed"), (40, 700, 3, "mixed"), (37, 54, 3, "mixed")]

square = lambda side: {"height": side, "width": side}

TYPES = {
    "AriaImageProcessor": [
        {"max_image_size": 490},
        {"max_image_size": 490, "min_image_size": 50, "split_image": True, "split_resolutions": [[490, 980], [980, 490]]},
    ],
    "Cohere2VisionImageProcessor": [{"size": square(64)}, {"size": square(48), "max_patches": 5}, {"size": square(48), "crop_to_patches": False}],
    "Gemma3ImageProcessor": [
        {"size": square(64)},
        {
            "size": square(64),
            "do_pan_and_scan": True,
            "pan_and_scan_min_crop_size": 64,
            "pan_and_scan_max_num_crops": 4,
            "pan_and_scan_min_ratio_to_activate": 1.2,
        },
    ],
    "DeepseekOcr2ImageProcessor": [
        {"size": square(128), "tile_size": 96},
        {"size": square(128), "tile_size": 96, "crop_to_patches": False, "background_color": [200, 10, 0]},
        {"size": square(64), "tile_size": 640, "min_patches": 1, "do_rescale": False, "do_normalize": False},
        {"size": square(128), "tile_size": 96, "min_patches": 5, "max_patches": 4},
    ],
    "DeepseekVLHybridImageProcessor": [
        {"size": square(48), "high_res_size": square(96), "high_res_image_mean": [0.1, 0.2, 0.3], "high_res_image_std": [0.4, 0.5, 0.6]},
        {"size": square(48), "high_res_size": square(96), "resample": 2, "high_res_resample": 0, "min_size": 30, "do_normalize": False},
    ],
    "GraniteDoclingImageProcessor": [
        {"size": square(48), "max_patches": 5, "fine_route": True},
        {"size": {"height": 40, "width": 56}, "min_patches": 3, "max_patches": 9},
        {"size": square(24), "max_patches": 40, "do_rescale": False, "do_normalize": False},
        {"size": square(48), "max_patches": 4, "dense_max_patches": 9, "dense_min_aspect": 1.2, "dense_max_aspect": 3},
        {"size": square(48), "max_patches": 4, "dense_max_patches": 7, "dense_max_scale": 0.3},
        {"size": square(48), "crop_to_patches": False},
    ],
    "GotOcr2ImageProcessor": [
        {"size": square(48)},
        {"do_resize": False},
        {"size": square(48), "crop_to_patches": True},
        {"size": {"height": 40, "width": 56}, "crop_to_patches": True, "min_patches": 3, "max_patches": 7},
    ],
    "Idefics2ImageProcessor": [
        {"size": {"shortest_edge": 90, "longest_edge": 120}},
        {"size": {"shortest_edge": 40, "longest_edge": 120}, "do_image_splitting": True},
        {"size": square(48), "do_image_splitting": True, "do_pad": False},
    ],
    "Idefics3ImageProcessor": [
        {"size": {"longest_edge": 160}, "max_image_size": {"longest_edge": 48}},
        {"size": {"longest_edge": 40}, "max_image_size": {"longest_edge": 48}},
        {"size": {"longest_edge": 160}, "max_image_size": {"longest_edge": 48}, "return_row_col_info": True},
        {"size": {"longest_edge": 160}, "max_image_size": {"longest_edge": 48}, "do_image_splitting": False},
    ],
    "Llama4ImageProcessor": [
        {"size": square(48)},
        {"size": square(56), "max_patches": 5},
        {"size": square(48), "max_patches": 7, "resize_to_max_canvas": True},
    ],
    "LlavaNextImageProcessor": [
        {"size": {"shortest_edge": 48}, "crop_size": square(48), "image_grid_pinpoints": [[48, 96], [96, 48], [96, 96], [144, 48]]},
        {"size": {"shortest_edge": 40}, "crop_size": square(36), "image_grid_pinpoints": [[72, 100], [100, 60]]},
    ],
    "LlavaOnevisionImageProcessor": [{"size": square(48), "image_grid_pinpoints": [[48, 96], [96, 48], [96, 96], [144, 48]]}],
    "MllamaImageProcessor": [{"size": square(64)}, {"size": square(48), "max_image_tiles": 6}],
    "MiniCPMOcrImageProcessor": [
        {"scale_resolution": 112},
        {"scale_resolution": 56, "patch_size": 7, "max_slice_nums": 5, "downsample_mode": "16x"},
        {"scale_resolution": 112, "slice_mode": False, "small_image_upsize": "never", "do_rescale": False, "do_normalize": False},
    ],
    "MiniCPMV4_6ImageProcessor": [
        {"scale_resolution": 112},
        {"scale_resolution": 84, "max_slice_nums": 20, "downsample_mode": "4x", "resample": 2},
        {"scale_resolution": 112, "slice_mode": False, "do_rescale": False, "do_normalize": False},
    ],
    "Ovis2ImageProcessor": [
        {"size": square(48)},
        {"do_resize": False},
        {"size": square(48), "crop_to_patches": True},
        {"size": square(48), "crop_to_patches": True, "use_covering_area_grid": False, "min_patches": 2, "max_patches": 9},
    ],
    "Owlv2ImageProcessor": [{"size": square(160)}, {"size": {"height": 150, "width": 190}}, {"size": square(800)}, {"do_pad": False, "size": square(90)}],
    "PerceptionLMImageProcessor": [
        {"tile_size": 48},
        {"tile_size": 48, "max_num_tiles": 5},
        {"tile_size": 48, "vision_input_type": "vanilla"},
    ],
    "Phi4MultimodalImageProcessor": [{"size": square(112)}, {"size": square(140), "dynamic_hd": 4}],
    "SmolVLMImageProcessor": [{"size": {"longest_edge": 128}, "max_image_size": {"longest_edge": 64}}],
    "UnlimitedOcrImageProcessor": [
        {"size": {"height": 100, "width": 128}, "tile_size": 96},
        {"size": square(128), "tile_size": 96, "max_patches": 5, "crop_to_patches": False},
        {"size": square(128), "tile_size": 96, "maximum_pad_value": 100, "crop_to_patches": False},
    ],
}

# Types that resize, crop, pad, rescale and normalize one picture.
EDGES = {"shortest_edge": 60, "longest_edge": 100}
DETECTION = [{"size": EDGES}, {"size": {"max_height": 50, "max_width": 70}, "do_pad": True, "pad_size": {"height": 61, "width": 72}}]
DEPTH = [
    {"do_resize": True, "size": square(98), "ensure_multiple_of": 6, "keep_aspect_ratio": True, "do_pad": False},
    {"do_resize": False, "do_pad": True, "size_divisor": 14},
]
LONG_AXIS = {"size": {"height": 90, "width": 61}, "do_align_long_axis": True}
SQUARE = [{"size": square(48)}]
LAYOUT = [{"size": square(96)}, {"size": {"height": 50, "width": 90}, "resample": 2, "image_mean": 0.4, "image_std": 0.3}, {"size": square(48), "resample": 0}]
ONE_PICTURE = {
    "Apertus1p5ImageProcessor": [{"size": {"min_pixels": 2000, "max_pixels": 5000}, "spatial_factor": 8}],
    "BridgeTowerImageProcessor": [{"size": {"shortest_edge": 64}, "size_divisor": 2, "do_center_crop": False}, {"size": {"shortest_edge": 64}, "size_divisor": 2, "crop_size": {"shortest_edge": 50}}],
    "CHMv2ImageProcessor": DEPTH,
    "ConditionalDetrImageProcessor": DETECTION,
    "DINOv3ViTImageProcessor": [{"do_resize": False}, {"size": square(64)}, {"size": {"height": 50, "width": 90}, "resample": 3}, {"size": square(400)}],
    "DPTImageProcessor": DEPTH,
    "DeepseekVLImageProcessor": SQUARE,
    "DeformableDetrImageProcessor": DETECTION,
    "DetrImageProcessor": [*DETECTION, {"size": 50, "max_size": 80}],
    "DepthProImageProcessor": [{"size": square(64)}, {"size": {"height": 150, "width": 90}}, {"do_resize": False}],
    "DonutImageProcessor": [LONG_AXIS, {"size": [61, 90], "resample": 0, "do_align_long_axis": False}],
    "EfficientNetImageProcessor": [
        {"size": square(48), "do_center_crop": True, "crop_size": square(40)},
        {"size": square(48), "include_top": False},
        {"size": square(48), "rescale_offset": True, "rescale_factor": 1 / 127.5},
        {"size": square(48), "rescale_offset": True, "do_normalize": False},
        {"size": square(48), "rescale_offset": True, "rescale_factor": 1 / 127.5, "include_top": False, "image_std": 0.3},
        {"size": square(48), "do_rescale": False},
    ],
    "Emu3ImageProcessor": [{"min_pixels": 2000, "max_pixels": 5000}],
    "EomtImageProcessor": [{"size": EDGES}, {"size": {"shortest_edge": 40, "longest_edge": 64}, "do_pad": True}],
    "FlavaImageProcessor": [{"size": square(64), "crop_size": square(48)}],
    "GLPNImageProcessor": [{"size": square(1)}],
    "GroundingDinoImageProcessor": DETECTION,
    "IdeficsImageProcessor": [{"image_size": 48}],
    "JanusImageProcessor": [*SQUARE, {"size": square(48), "min_size": 20, "do_pad": False}],
    "LayoutLMv2ImageProcessor": [{"size": square(48), "apply_ocr": False}],
    "LayoutLMv3ImageProcessor": [{"size": square(48), "apply_ocr": False}],
    "LlavaImageProcessor": [{"size": {"shortest_edge": 48}, "crop_size": square(40), "do_pad": True}],
    "Mask2FormerImageProcessor": [{"size": EDGES}, {"size": {"height": 50, "width": 70}, "size_divisor": 0, "pad_size": square(72)}],
    "MaskFormerImageProcessor": [{"size": EDGES, "size_divisor": 16}],
    "NougatImageProcessor": [{"size": {"height": 90, "width": 61}, "do_crop_margin": False, "do_thumbnail": False, "do_pad": False}],
    "OneFormerImageProcessor": [{"size": EDGES}],
    "PI0ImageProcessor": [{"size": {"max_height": 48, "max_width": 50}, "pad_size": square(52)}],
    "PPDocLayoutV2ImageProcessor": [*LAYOUT, {"size": 40, "do_center_crop": True, "crop_size": 48, "do_rescale": False}],
    "PPDocLayoutV3ImageProcessor": LAYOUT,
    "PPDocLayoutV4ImageProcessor": [*LAYOUT, {"size": 40, "do_center_crop": True, "crop_size": 48, "do_rescale": False}, {"do_resize": False, "do_pad": True}],
    "PPFormulaNetImageProcessor": [{"size": {"height": 90, "width": 61}, "do_crop_margin": False}],
    "PPLCNetImageProcessor": [{"resize_short": 60, "crop_size": 48}, {"resize_short": None, "size": square(60), "crop_size": 48}],
    "PPOCRV5ServerDetImageProcessor": [
        {"limit_side_len": 160},
        {"limit_side_len": 80, "limit_type": "min", "max_side_limit": 200, "resample": 3},
        {"limit_side_len": 128, "limit_type": "resize_long", "resample": 0, "do_normalize": False},
        {"do_resize": False},
        {"limit_side_len": 96, "do_rescale": False},
    ],
    "PerceiverImageProcessor": [{"size": {"height": 48, "width": 40}, "crop_size": square(56)}],
    "PixtralImageProcessor": [{"size": {"longest_edge": 128}, "patch_size": 14}],
    "PoolFormerImageProcessor": [{"size": 48, "crop_size": 44}, {"size": {"height": 48, "width": 40}, "crop_size": 44, "crop_pct": 0.8}],
    "PromptDepthAnythingImageProcessor": DEPTH,
    "RTDetrImageProcessor": [{"size": square(64)}, {"size": EDGES, "do_pad": True}],
    "RfDetrImageProcessor": [*DETECTION, {"size": square(64)}, {"size": {"height": 150, "width": 90}, "do_pad": False}, {"do_resize": False}],
    "Sam2ImageProcessor": SQUARE,
    "Sam3ImageProcessor": SQUARE,
    "SamImageProcessor": [{"size": {"longest_edge": 60}, "pad_size": square(64)}],
    "Sapiens2ImageProcessor": [{"size": {"height": 64, "width": 48}}, {"size": {"height": 64, "width": 48}, "do_pad": True}],
    "SegGptImageProcessor": SQUARE,
    "SuperPointImageProcessor": [{"size": {"height": 48, "width": 64}}],
    "Swin2SRImageProcessor": [{}, {"pad_size": 16}],
    "TextNetImageProcessor": [{"size": {"shortest_edge": 64}}],
    "Tipsv2DptImageProcessor": SQUARE,
    "Tipsv2ImageProcessor": SQUARE,
    "ViltImageProcessor": [{"size": {"shortest_edge": 64}, "size_divisor": 2}],
    "YolosImageProcessor": [{"size": {"shortest_edge": 90, "longest_edge": 400}}],
    "ZoeDepthImageProcessor": [
        {},
        {"size": {"height": 50, "width": 64}},
        {"size": {"height": 101, "width": 150}, "keep_aspect_ratio": False, "ensure_multiple_of": 8, "resample": 3},
        {"do_resize": False},
        {"do_pad": False, "size": square(300), "do_normalize": False, "rescale_factor": 0.0078},
    ],
}

# Attributes that their constructors compute, in classes that have no such key.
DERIVED = {"background_color", "high_res_background_color", "metadata"}
DERIVED_OF = {"IdeficsImageProcessor": "image_size", "Emu3ImageProcessor": "size"}
# What is no tensor.
NO_TENSORS = {"task_inputs", "patch_offsets"}

# Blurred by sums whose order is not known: equal within 1e-6 of the largest magnitude.
FLOATS = {"Owlv2ImageProcessor": "pixel_values"}

# A list of images is one sample for these, so a batch is a list of lists.
SAMPLES_OF_IMAGES = {"GraniteDoclingImageProcessor", "Idefics2ImageProcessor", "Idefics3ImageProcessor", "MllamaImageProcessor", "SmolVLMImageProcessor"}


def tensor_of(value) -> np.ndarray:
    if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:
        return value.contiguous().view(torch.int16).numpy()
    return np.array(value, order="C")


def described(value, is_float: bool = False) -> str:
    array = tensor_of(value)
    if is_float:
        # Some of the values, which are within 1e-6 of these.
        samples = array.reshape(-1)[[array.size * part // 97 for part in range(97)]]
        return f"{array.dtype.name} {'x'.join(map(str, array.shape))} ~{','.join(map(str, samples.tolist()))}"
    dtype = "bfloat16" if getattr(value, "dtype", None) == torch.bfloat16 else array.dtype.name
    shape = "x".join(map(str, array.shape))
    return f"{dtype} {shape} {hashlib.sha256(array.tobytes()).hexdigest()[:16]}"


def tensors_of(processor, images, suffix: str) -> dict:
    tensors = processor(images, return_tensors="pt" if suffix == "" else "np")
    # IDEFICS returns only the pixels.
    named = tensors if hasattr(tensors, "items") else {"pixel_values": tensors}
    # PP-OCRv5 returns an empty tensor of sizes if it resizes nothing.
    return {key: value for key, value in named.items() if key not in NO_TENSORS and len(value) > 0}


def batch_of(processor, suffix: str) -> dict[str, str] | None:
    """The tensors of all pictures together; None where they have unequal shapes that the library does not pad."""
    images = [picture(*shape) for shape in PICTURES]
    if type(processor).__name__.removesuffix("Pil") in SAMPLES_OF_IMAGES:
        images = [[image] for image in images]
    try:
        tensors = tensors_of(processor, images, suffix)
    except (ValueError, RuntimeError):
        return None
    floats = FLOATS.get(type(processor).__name__)
    return {key: described(value, key == floats) for key, value in tensors.items()}


def goldens_of(name: str, configs: list[dict]) -> tuple[str | None, list[dict]]:
    """The values of the class in JSON, and the goldens of all configs with each backend."""
    presets = []
    values = None
    for backend, suffix in [("pillow", "")] if name == "Emu3ImageProcessor" else [("torch", ""), ("pillow", "Pil")]:
        processor_class = getattr(transformers, name + suffix, None)
        # The Pillow backend of Owlv2 blurs with SciPy, which is not computed here.
        if processor_class is None or (name == "Owlv2ImageProcessor" and suffix):
            continue
        if suffix == "":
            own = processor_class().to_dict()
            derived = DERIVED - set(processor_class.valid_kwargs.__annotations__)
            for key in [*derived, DERIVED_OF.get(name)]:
                own.pop(key, None)
            values = json.dumps(own, sort_keys=True)
        for config in configs:
            processor = processor_class.from_dict({"image_processor_type": name, **config})
            cases = {}
            for shape in PICTURES:
                width, height, channels, kind = shape
                tensors = tensors_of(processor, picture(*shape), suffix)
                floats = FLOATS.get(name)
                cases[f"{width}x{height}x{channels} {kind}"] = {
                    key: described(value, key == floats) for key, value in tensors.items()
                }
            golden = {"config": {"image_processor_type": name, **config}, "backend": backend, "cases": cases}
            presets.append({**golden, "batch": batch_of(processor, suffix)})
    return values, presets


def main() -> None:
    types = {**TYPES, **ONE_PICTURE}
    names = sys.argv[1:] or list(types)
    path = HERE / "tensor-goldens.json"
    old = json.loads(path.read_text()) if path.exists() else {"classes": {}, "presets": []}
    classes = dict(old["classes"])
    presets = {name: [] for name in types}
    for each in old["presets"]:
        presets.get(each["config"]["image_processor_type"], []).append(each)
    for name in names:
        values, presets[name] = goldens_of(name, types[name])
        if values is not None:
            classes[name] = values
    versions = {"transformers": transformers.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__}
    goldens = {
        "versions": versions,
        "classes": {name: classes[name] for name in types if name in classes},
        "presets": [each for name in types for each in presets[name]],
    }
    path.write_text(json.dumps(goldens, indent=1) + "\n")


if __name__ == "__main__":
    main()
