"""Ultralytics: preprocess of its predictors (ultralytics/engine/predictor.py) for arrays as cv2.imread returns them."""

from types import SimpleNamespace

import numpy as np
import torch
import ultralytics
from ultralytics.data.augment import LetterBox, classify_transforms
from ultralytics.engine.predictor import BasePredictor
from ultralytics.models.rtdetr import RTDETRPredictor
from ultralytics.models.yolo.classify import ClassificationPredictor
from ultralytics.models.yolo.depth.predict import DepthPredictor
from ultralytics.utils.checks import check_imgsz

torch.set_num_threads(1)
VERSIONS = {"Ultralytics": ultralytics.__version__}
# The sizes and strides are the models' own, which are not part of the package.
PREDICTORS = {
    "ultralytics/yolo": (BasePredictor, 640, 32),
    "ultralytics/yolo-obb": (BasePredictor, 1024, 32),
    "ultralytics/yolo-p6": (BasePredictor, 1280, 64),
    "ultralytics/yolo-cls": (ClassificationPredictor, 224, 32),
    "ultralytics/yolo-depth": (DepthPredictor, 768, 32),
    "ultralytics/rtdetr": (RTDETRPredictor, 640, 32),
}


def subjects():
    for name, (kind, _, _) in PREDICTORS.items():
        library = "pillow" if kind is ClassificationPredictor else "opencv"
        yield {"name": name, "library": library, "random": True}


def drawn(draw):
    """Settings of image.v1.PresetSettings."""
    settings = {}
    if draw.random() < 0.9:
        settings["imgszHeight"] = draw.choice([640, 320, 416, draw.randint(1, 700), draw.randint(1, 700)])
        if draw.random() < 0.5:
            settings["imgszWidth"] = draw.choice([640, 96, draw.randint(1, 700), draw.randint(1, 700)])
    if draw.random() < 0.4:
        settings["stride"] = draw.choice([1, 8, 16, 32, 48, 64])
    if draw.random() < 0.5:
        settings["rect"] = draw.choice([True, False])
    return settings


def predictor_of(kind, imgsz, stride, rect):
    """A predictor without a model."""
    predictor = kind.__new__(kind)
    predictor.imgsz = imgsz
    predictor.device = torch.device("cpu")
    predictor.args = SimpleNamespace(rect=rect)
    predictor.model = SimpleNamespace(format="pt", stride=stride, fp16=False, device=torch.device("cpu"))
    if kind is ClassificationPredictor:
        transforms = classify_transforms(imgsz).transforms
        predictor.host_transforms = type(classify_transforms(imgsz))(transforms[:2])
        predictor.device_transform = transforms[-1]
    return predictor


def case(subject, draw, index):
    kind, size, stride = PREDICTORS[subject["name"]]
    settings = drawn(draw) if index > 0 else {}
    if kind is not BasePredictor:
        settings.pop("rect", None)
    stride = settings.get("stride", stride)
    height = settings.get("imgszHeight", size)
    imgsz = check_imgsz([height, settings.get("imgszWidth", height)], stride=stride, min_dim=2)
    rect = settings.get("rect", False)
    predictor = predictor_of(kind, imgsz, stride, rect)
    letterbox = LetterBox(imgsz, auto=rect, stride=stride)

    def compute(images):
        # A batch of several shapes is never rectangular there; here each image is.
        if rect and len({image.size for image in images}) > 1:
            return None
        arrays = [np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1]) for image in images]
        tensors = {"images": predictor.preprocess(arrays)}
        if kind is BasePredictor:
            found = [letterbox.get_params({"img": array}) for array in arrays]
            rows = [[params["ratio"][0], params["left"], params["top"]] for params in found]
            tensors["ratio_pad"] = torch.tensor(rows, dtype=torch.float32)
        return tensors

    return {"preset": subject["name"], **({"presetSettings": settings} if settings else {})}, compute
