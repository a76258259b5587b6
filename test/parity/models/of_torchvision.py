"""torchvision: Weights.transforms() of all weights of one image, for Pillow images and for tensors."""

import torch
import torchvision
from torchvision.models import get_model_weights, list_models
from torchvision.transforms._presets import OpticalFlow
from torchvision.transforms.functional import pil_to_tensor

torch.set_num_threads(1)
VERSIONS = {"torchvision": torchvision.__version__.split("+")[0]}
WEIGHTS = {
    f"{type(weights).__name__}.{weights.name}": weights
    for model in list_models()
    for weights in get_model_weights(model)
}
# The transforms of detection are in its models: see case().
DETECTION = "torchvision.models.detection"


def subjects():
    for name, weights in WEIGHTS.items():
        # Optical flow takes pairs of images, video classification frames: each is compared with one image.
        if type(weights).__module__.startswith(DETECTION):
            continue
        for library in ("pillow", "torch"):
            yield {"name": name, "library": library}


def case(subject, draw, index):
    weights = WEIGHTS[subject["name"]]
    is_video = ".video." in type(weights).__module__
    is_torch = subject["library"] == "torch"
    transforms = weights.transforms()

    def tensor_of(image):
        image = image.convert("RGB")
        if is_video:
            return transforms(pil_to_tensor(image)[None])[:, 0]
        image = pil_to_tensor(image) if is_torch else image
        return transforms(image, image)[0] if isinstance(transforms, OpticalFlow) else transforms(image)

    def compute(images):
        return {"image": torch.stack([tensor_of(image) for image in images])}

    request = {"preset": subject["name"], "numerics": "NUMERICS_TORCH" if is_torch else "NUMERICS_PILLOW"}
    return request, compute
