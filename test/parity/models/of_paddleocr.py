"""PaddleOCR: the input of its models for text detection and recognition (paddlex/inference/models)."""

import cv2
import numpy as np
from paddlex import __version__
from paddlex.utils import deps
from paddlex.inference.models.text_detection import processors as of_detection
from paddlex.inference.models.text_recognition import processors as of_recognition
from paddlex.inference.models.text_detection.processors import DetResizeForTest, NormalizeImage
from paddlex.inference.models.text_recognition.processors import OCRReisizeNormImg, ToBatch
from paddlex.modules.base.utils.pdparams2safetensors.inference_meta import _DET_PREPROCESS, _REC_IMAGE_SHAPE

# They want cv2 from opencv-contrib-python; its functions are the same in each package of OpenCV.
deps.is_dep_available = lambda *_, **__: True
of_detection.cv2 = of_recognition.cv2 = cv2
VERSIONS = {"PaddleX": __version__}
OPERATIONS = {name: values for each in _DET_PREPROCESS["transform_ops"] for name, values in each.items()}
assert OPERATIONS["DecodeImage"]["img_mode"] == "BGR"
# _get_text_det_resize_defaults of text_detection/predictor.py, and configs/pipelines/OCR.yaml.
LIMITS = {"paddleocr/det": (OPERATIONS["DetResizeForTest"]["resize_long"], "max"), "paddleocr/pipeline-det": (64, "min")}
NORMALIZE = NormalizeImage(**OPERATIONS["NormalizeImage"])


def subjects():
    for name in [*LIMITS, "paddleocr/rec"]:
        yield {"name": name, "library": "opencv", "random": True}


def detection(images, limit, limit_type):
    resize = DetResizeForTest(limit_side_len=limit, limit_type=limit_type)
    resized, shapes = resize(images)
    x = np.stack([image.transpose(2, 0, 1) for image in NORMALIZE(resized)])
    return {"x": x.astype(np.float32, copy=False), "shape": np.array(shapes, np.float32)}


def recognition(images):
    return {"x": ToBatch()(OCRReisizeNormImg(rec_image_shape=_REC_IMAGE_SHAPE)(images))[0]}


def case(subject, draw, index):
    name = subject["name"]

    def compute(images):
        arrays = [np.ascontiguousarray(np.asarray(image.convert("RGB"))[..., ::-1]) for image in images]
        return detection(arrays, *LIMITS[name]) if name in LIMITS else recognition(arrays)

    return {"preset": name}, compute
