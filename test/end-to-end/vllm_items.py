"""Makes items of vLLM with the code of its models, and decodes those of `format=vllm` beside them.

Reads a JSON object from standard input: `image`, the path of an image, and `requests`, each with a `config` as in
processor_config.json, the name of the `family` below, `pixels`, `dtype` and the path of the service's `item`. Prints a JSON
array with the item that vLLM makes of each and the decoded one, both as tensors with the SHA-256 of their values and their
fields, and the number of embeddings that vLLM counts.

transformers makes the tensors. vLLM's own classes make the rest: `_postprocess_hf_mm_data`, `_get_mm_fields_config` and
the counts of its ProcessingInfo. No model is loaded; the processors have no tokenizers, which only the prompt needs.
"""

import base64
import hashlib
import importlib
import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import torch
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, BatchFeature
from vllm.config.multimodal import MultiModalConfig
from vllm.multimodal.inputs import MultiModalKwargsItem, MultiModalKwargsItems
from vllm.multimodal.processing import InputProcessingContext
from vllm.v1.serial_utils import MsgpackDecoder

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32, "fp16": torch.float16}


def model_class(path):
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


class Family:
    """A model of vLLM: its classes of processing, and the config of the model."""

    def __init__(self, module, processor, info, model, processor_class, count, prepare=None):
        self.module = module if module.startswith("vllm.") else f"vllm.model_executor.models.{module}"
        self.processor = processor
        self.info = info
        self.model = model
        self.processor_class = processor_class
        self.count = count
        self.prepare = prepare or (lambda tensors, case: None)


class Case:
    """A request: the image, transformers' image processor and processor, and vLLM's classes around them."""

    def __init__(self, family, config, image, dtype):
        self.image = image
        self.width, self.height = image.size
        self.outer = {key: value for key, value in config.items() if key != "image_processor"}
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "preprocessor_config.json").write_text(json.dumps(config["image_processor"]))
            self.image_processor = AutoImageProcessor.from_pretrained(folder)
        transformers_class = model_class(f"transformers:{family.processor_class}")
        self.hf_processor = transformers_class.__new__(transformers_class)
        attributes = {
            "image_processor": self.image_processor,
            "tokenizer": SimpleNamespace(init_kwargs={}),
            "image_token": "<image>",
            **self.outer,
        }
        for name, value in attributes.items():
            setattr(self.hf_processor, name, value)
        defaults = getattr(transformers_class, "valid_processor_kwargs", None)
        self.images_kwargs = dict(getattr(defaults, "_defaults", {}).get("images_kwargs", {}))
        hf_config = family.model(self)
        model_config = SimpleNamespace(
            hf_config=hf_config,
            dtype=dtype,
            trust_remote_code=False,
            multimodal_config=MultiModalConfig(),
            get_multimodal_config=MultiModalConfig,
        )
        info_class = model_class(f"{family.module}:{family.info}")
        context = InputProcessingContext(model_config=model_config, tokenizer=None)

        class Info(info_class):
            def get_hf_processor(_, **kwargs):
                return self.hf_processor

        self.info = Info(context)
        processor_class = model_class(f"{family.module}:{family.processor}")
        self.processor = processor_class.__new__(processor_class)
        self.processor.info = self.info


def of_type(model_type, **values):
    return lambda case: AutoConfig.for_model(model_type, **{key: value(case) for key, value in values.items()})


def side(case):
    """Of a picture or tile, in pixels."""
    size = getattr(case.image_processor, "crop_size", None) or case.image_processor.size
    return size["height"] if size.get("height") else size["shortest_edge"]


def clip(case):
    return {"model_type": "clip_vision_model", "image_size": side(case), "patch_size": case.outer["patch_size"]}


def siglip(case):
    patch = case.outer.get("patch_size", 14)
    return {"model_type": "siglip_vision_model", "image_size": side(case), "patch_size": patch}


def strategy(case):
    return case.outer["vision_feature_select_strategy"]


def pinpoints(case):
    return [list(pair) for pair in case.image_processor.image_grid_pinpoints]


def count_size(case, tensors):
    return case.info.get_num_image_tokens(image_width=case.width, image_height=case.height)


def count_patches(case, tensors):
    """`get_image_replacement` of qwen2_vl.py and glm4_1v.py."""
    return int(tensors["image_grid_thw"][0].prod()) // case.image_processor.merge_size**2


def count_processor(case, tensors):
    return case.info.get_num_image_tokens(
        image_width=case.width, image_height=case.height, processor=case.hf_processor, mm_kwargs={}
    )


def count_paddle(case, tensors):
    return case.info.get_num_image_tokens(
        image_width=case.width, image_height=case.height, image_processor=case.image_processor, mm_kwargs={}
    )


def count_cohere(case, tensors):
    """`get_replacement` of cohere2_vision.py."""
    patches = case.info.get_num_patches(
        image_width=case.width, image_height=case.height, processor=case.hf_processor, mm_kwargs={}
    )
    return patches * int(case.image_processor.patch_size**2)


def count_llama4(case, tensors):
    """`get_replacement` of mllama4.py."""
    chunk = case.info.get_patch_per_chunk(case.info.get_hf_config().vision_config)
    return case.hf_processor._prompt_split_image(tensors["aspect_ratios"][0], chunk).count("<|patch|>")


def count_lfm2(case, tensors):
    """`get_image_replacement_lfm2vl` of lfm2_vl.py."""
    processor = case.hf_processor
    processor.image_start_token, processor.image_end_token = "<start>", "<end>"
    processor.image_thumbnail_token = "<thumbnail>"
    shapes = tensors["spatial_shapes"]
    text = case.info.get_image_repl(case.width, case.height, shapes, processor, {})
    return text.count("<image>")


def count_gemma4(case, tensors):
    return case.info._compute_num_soft_tokens(case.width, case.height)


def remap_gemma4(tensors, case):
    """As `_apply_hf_processor_main` of gemma4_mm.py."""
    tensors["pixel_position_ids"] = tensors.pop("image_position_ids")


def prepare_internvl(tensors, case):
    """As `_apply_hf_processor_main` of interns1.py."""
    tensors["image_num_patches"] = torch.tensor([len(tensors["pixel_values"])])
    tensors["image_token_id"] = torch.tensor(case.outer["image_token_id"])


def pixtral_patch(case):
    return case.outer["patch_size"]


def pixtral_vision(case):
    size = case.image_processor.size["longest_edge"]
    return {"model_type": "pixtral", "patch_size": pixtral_patch(case), "image_size": size}


def soft_tokens(name):
    def config(case):
        processor = case.image_processor
        return {
            "patch_size": processor.patch_size,
            "pooling_kernel_size": processor.pooling_kernel_size,
            name: processor.max_soft_tokens,
        }

    return config


LLAVA = {"vision_feature_select_strategy": strategy}
FAMILIES = {
    "qwen2_vl": Family(
        "qwen2_vl",
        "Qwen2VLMultiModalProcessor",
        "Qwen2VLProcessingInfo",
        of_type("qwen2_vl"),
        "Qwen2VLProcessor",
        count_patches,
    ),
    "glm4v": Family(
        "glm4_1v", "Glm4vMultiModalProcessor", "Glm4vProcessingInfo", of_type("glm4v"), "Glm4vProcessor", count_patches
    ),
    "glm5next": Family(
        "vllm.models.glm5next.common.multimodal",
        "Glm5NextMultiModalProcessor",
        "Glm5NextProcessingInfo",
        of_type("glm5_next"),
        "Glm5NextProcessor",
        count_patches,
    ),
    "cohere_compass": Family(
        "cohere_compass",
        "CohereCompassMultiModalProcessor",
        "CohereCompassProcessingInfo",
        of_type("cohere_compass"),
        "CohereCompassProcessor",
        count_patches,
    ),
    "cosmos3_edge": Family(
        "cosmos3_edge",
        "Cosmos3EdgeMultiModalProcessor",
        "Cosmos3EdgeProcessingInfo",
        of_type("cosmos3_edge"),
        "Cosmos3EdgeProcessor",
        count_patches,
    ),
    "muse_glimmer": Family(
        "muse_glimmer",
        "MuseGlimmerMultiModalProcessor",
        "MuseGlimmerProcessingInfo",
        of_type("muse_glimmer"),
        "MuseGlimmerProcessor",
        count_patches,
    ),
    "paddleocr_vl": Family(
        "paddleocr_vl",
        "PaddleOCRVLMultiModalProcessor",
        "PaddleOCRVLProcessingInfo",
        of_type("paddleocr_vl"),
        "PaddleOCRVLProcessor",
        count_paddle,
    ),
    "llava": Family(
        "llava",
        "LlavaMultiModalProcessor",
        "LlavaProcessingInfo",
        of_type("llava", vision_config=clip, **LLAVA),
        "LlavaProcessor",
        count_size,
    ),
    "llava_siglip": Family(
        "llava",
        "LlavaMultiModalProcessor",
        "LlavaProcessingInfo",
        of_type("llava", vision_config=siglip, **LLAVA),
        "LlavaProcessor",
        count_size,
    ),
    "paligemma": Family(
        "paligemma",
        "PaliGemmaMultiModalProcessor",
        "PaliGemmaProcessingInfo",
        of_type("paligemma", vision_config=siglip),
        "PaliGemmaProcessor",
        count_size,
    ),
    "blip2": Family(
        "blip2",
        "Blip2MultiModalProcessor",
        "Blip2ProcessingInfo",
        of_type("blip-2", num_query_tokens=lambda case: case.outer["num_query_tokens"]),
        "Blip2Processor",
        lambda case, _: case.info.get_num_image_tokens(),
    ),
    "llava_next": Family(
        "llava_next",
        "LlavaNextMultiModalProcessor",
        "LlavaNextProcessingInfo",
        of_type("llava_next", vision_config=clip, image_grid_pinpoints=pinpoints, **LLAVA),
        "LlavaNextProcessor",
        count_size,
    ),
    "llava_onevision": Family(
        "llava_onevision",
        "LlavaOnevisionMultiModalProcessor",
        "LlavaOnevisionProcessingInfo",
        of_type("llava_onevision", vision_config=siglip, image_grid_pinpoints=pinpoints, **LLAVA),
        "LlavaOnevisionProcessor",
        count_size,
    ),
    "gemma3": Family(
        "gemma3_mm", "Gemma3MultiModalProcessor", "Gemma3ProcessingInfo", of_type("gemma3"), "Gemma3Processor", count_processor
    ),
    "gemma4": Family(
        "gemma4_mm",
        "Gemma4MultiModalProcessor",
        "Gemma4ProcessingInfo",
        of_type("gemma4", vision_config=soft_tokens("default_output_length")),
        "Gemma4Processor",
        count_gemma4,
        remap_gemma4,
    ),
    "gemma4_unified": Family(
        "gemma4_unified",
        "Gemma4MultiModalProcessor",
        "Gemma4UnifiedProcessingInfo",
        of_type("gemma4_unified", vision_config=soft_tokens("num_soft_tokens")),
        "Gemma4UnifiedProcessor",
        count_gemma4,
        remap_gemma4,
    ),
    "idefics3": Family(
        "idefics3",
        "Idefics3MultiModalProcessor",
        "Idefics3ProcessingInfo",
        of_type("idefics3"),
        "Idefics3Processor",
        count_processor,
    ),
    "smolvlm": Family(
        "smolvlm",
        "SmolVLMMultiModalProcessor",
        "SmolVLMProcessingInfo",
        of_type("smolvlm"),
        "SmolVLMProcessor",
        count_processor,
    ),
    "cohere2_vision": Family(
        "cohere2_vision",
        "Cohere2VisionMultiModalProcessor",
        "Cohere2VisionProcessingInfo",
        of_type("cohere2_vision"),
        "Cohere2VisionProcessor",
        count_cohere,
    ),
    "llama4": Family(
        "mllama4",
        "Mllama4MultiModalProcessor",
        "Mllama4ProcessingInfo",
        of_type("llama4", vision_config=lambda case: {"image_size": side(case), "patch_size": case.outer["patch_size"]}),
        "Llama4Processor",
        count_llama4,
    ),
    "aria": Family(
        "aria",
        "AriaMultiModalProcessor",
        "AriaProcessingInfo",
        of_type("aria"),
        "AriaProcessor",
        lambda case, _: case.info.get_num_image_tokens(),
    ),
    "lfm2_vl": Family(
        "lfm2_vl", "Lfm2VLMultiModalProcessor", "Lfm2VLProcessingInfo", of_type("lfm2_vl"), "Lfm2VlProcessor", count_lfm2
    ),
    "internvl": Family(
        "interns1",
        "InternS1MultiModalProcessor",
        "InternS1ProcessingInfo",
        of_type("internvl"),
        "InternVLProcessor",
        # `get_replacement_interns1_image`
        lambda case, tensors: int(tensors["image_num_patches"][0]) * case.outer["image_seq_length"],
        prepare_internvl,
    ),
    "pixtral": Family(
        "llava",
        "PixtralHFMultiModalProcessor",
        "PixtralHFProcessingInfo",
        of_type("llava", vision_config=pixtral_vision),
        "PixtralProcessor",
        lambda case, _: model_class("vllm.model_executor.models.pixtral:PixtralHFEncoderInfo")(
            case.info.get_hf_config()
        ).get_num_image_tokens(image_width=case.width, image_height=case.height),
    ),
    "mistral3": Family(
        "mistral3",
        "Mistral3MultiModalProcessor",
        "Mistral3ProcessingInfo",
        of_type("mistral3", vision_config=pixtral_vision, spatial_merge_size=lambda case: case.outer["spatial_merge_size"]),
        "PixtralProcessor",
        lambda case, _: case.info.get_num_image_tokens(image_width=case.width, image_height=case.height),
    ),
}


def plain(slices):
    """Slices as lists; their ends may be tensors."""
    if isinstance(slices, slice):
        return [None if end is None else int(end) for end in (slices.start, slices.stop)]
    return [plain(each) for each in slices]


def described(item):
    return {
        name: {
            "dtype": str(element.data.dtype).removeprefix("torch."),
            "shape": list(element.data.shape),
            "field": type(element.field).__name__,
            "onCpu": element.field.keep_on_cpu,
            "slices": plain(getattr(element.field, "slices", [])),
            "sha256": hashlib.sha256(element.data.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest(),
        }
        for name, element in item.items()
    }


def item_of(request, image):
    family = FAMILIES[request["family"]]
    case = Case(family, request["config"], image, DTYPES[request["dtype"]])
    options = dict(case.images_kwargs)
    if request["pixels"] == "uint8":
        options.update(do_rescale=False, do_normalize=False)
    if request["family"] in ("pixtral", "mistral3"):
        # PixtralProcessor._process_images
        merged = case.outer["patch_size"] * case.outer["spatial_merge_size"]
        options["patch_size"] = {"height": merged, "width": merged}
    output = case.image_processor(images=[image], return_tensors="pt", **options)
    tensors = BatchFeature(case.info.ctx._postprocess_output(dict(output)))
    family.prepare(tensors, case)
    tensors = case.processor._postprocess_hf_mm_data({"images": [image]}, {}, tensors)
    fields = case.processor._get_mm_fields_config(tensors, {})
    [item] = MultiModalKwargsItems.from_hf_inputs(tensors, fields)["image"]
    return item, family.count(case, tensors)


def compared(request, image):
    item, tokens = item_of(request, image)
    content = base64.b64decode(Path(request["item"]).read_text())
    decoded = MsgpackDecoder(t=MultiModalKwargsItem).decode(content)
    return {"expected": described(item), "tokens": tokens, "decoded": described(decoded)}


asked = json.load(sys.stdin)
picture = Image.open(asked["image"]).convert("RGB")
print(json.dumps([compared(request, picture) for request in asked["requests"]]))
