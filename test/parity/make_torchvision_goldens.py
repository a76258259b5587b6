"""Makes torchvision-goldens.json: what torchvision makes of pictures for segmentation, video classification,
optical flow and detection.

    pip install pillow numpy torch torchvision transformers && python test/parity/make_torchvision_goldens.py

make_preset_goldens.py makes the pictures. For each it keeps the shape of the tensor, 50 of its values from the first to
the last, and for detection the tensors beside it.
"""

import json

import torch
from torchvision.models import get_model, get_weight
from torchvision.transforms._presets import ObjectDetection, OpticalFlow, VideoClassification
from torchvision.transforms.functional import pil_to_tensor

from make_preset_goldens import HERE, picture

# With one thread, PyTorch chooses another kernel for floats that are not antialiased.
torch.set_num_threads(2)
PICTURES = [(333, 517, 3, "mixed"), (301, 200, 1, "mixed"), (120, 71, 4, "smooth")]
PRESETS = {
    "FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1": None,
    "R3D_18_Weights.KINETICS400_V1": None,
    "MViT_V2_S_Weights.KINETICS400_V1": None,
    "Raft_Large_Weights.C_T_SKHT_V2": None,
    "FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1": "fasterrcnn_mobilenet_v3_large_320_fpn",
    "SSD300_VGG16_Weights.COCO_V1": "ssd300_vgg16",
}


def tensors_of(name, image):
    transforms = get_weight(name).transforms()
    if isinstance(transforms, OpticalFlow):
        return transforms(image, image)[0][None], {}
    if isinstance(transforms, VideoClassification):
        return transforms(pil_to_tensor(image)[None]).permute(1, 0, 2, 3), {}
    values = transforms(image)
    if not isinstance(transforms, ObjectDetection):
        return values[None], {}
    model = get_model(PRESETS[name], weights=None, weights_backbone=None).eval()
    images, _ = model.transform([values])
    return images.tensors, {"image_sizes": images.image_sizes[0], "original_image_sizes": tuple(values.shape[-2:])}


def golden_of(name, source):
    tensor, others = tensors_of(name, picture(*source).convert("RGB"))
    flat = tensor.numpy().reshape(-1)
    samples = " ".join(str(float(flat[(flat.size - 1) * part // 49])) for part in range(50))
    return {"source": list(source), "shape": list(tensor.shape), **others, "samples": samples}


def main() -> None:
    goldens = [{"name": name, "cases": [golden_of(name, source) for source in PICTURES]} for name in PRESETS]
    (HERE / "torchvision-goldens.json").write_text(json.dumps(goldens, indent=2) + "\n")


main()
