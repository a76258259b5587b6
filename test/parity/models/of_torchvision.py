"""torchvision: Weights.transforms() of all weights of one image, for Pillow images and for tensors."""

import torch
import torchvision
from torchvision.models import get_model, get_model_weights, list_models
from torchvision.transforms._presets import OpticalFlow
from torchvision.transforms.functional import pil_to_tensor

# As PyTorch does by default where there are several cores; with one thread it chooses another kernel for floats.
torch.set_num_threads(2)
VERSIONS = {"torchvision": torchvision.__version__.split("+")[0]}
MODELS = {
    f"{type(weights).__name__}.{weights.name}": (model, weights)
    for model in list_models()
    for weights in get_model_weights(model)
}
WEIGHTS = {name: weights for name, (_, weights) in MODELS.items()}
# The transforms of detection are in its models: see detection().
DETECTION = "torchvision.models.detection"


def subjects():
    for name, weights in WEIGHTS.items():
        # Optical flow takes pairs of images, video classification frames: each is compared with one image.
        if is_detection(weights) or is_video(weights):
            yield {"name": name, "library": "torch"}
            continue
        for library in ("pillow", "torch"):
            yield {"name": name, "library": library}


def is_detection(weights):
    return type(weights).__module__.startswith(DETECTION)


def is_video(weights):
    return ".video." in type(weights).__module__


def detection(name):
    model, weights = MODELS[name]
    transform = get_model(model, weights=None, weights_backbone=None).eval().transform
    transforms = weights.transforms()

    def compute(images):
        images = [transforms(image.convert("RGB")) for image in images]
        sizes = [image.shape[-2:] for image in images]
        made, _ = transform(images)
        return {
            "images": made.tensors,
            "image_sizes": torch.tensor(made.image_sizes),
            "original_image_sizes": torch.tensor(sizes),
        }

    return {"preset": name, "numerics": "NUMERICS_TORCH"}, compute


def frame_of(transforms, image):
    return transforms(pil_to_tensor(image)[None])[:, 0]


def case(subject, draw, index):
    weights = WEIGHTS[subject["name"]]
    if is_detection(weights):
        return detection(subject["name"])
    is_torch = subject["library"] == "torch"
    transforms = weights.transforms()

    def tensor_of(image):
        image = image.convert("RGB")
        if is_video(weights):
            return frame_of(transforms, image)
        image = pil_to_tensor(image) if is_torch else image
        return transforms(image, image)[0] if isinstance(transforms, OpticalFlow) else transforms(image)

    def compute(images):
        return {"image": torch.stack([tensor_of(image) for image in images])}

    request = {"preset": subject["name"], "numerics": "NUMERICS_TORCH" if is_torch else "NUMERICS_PILLOW"}
    return request, compute
