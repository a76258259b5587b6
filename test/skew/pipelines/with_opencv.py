"""OpenCV, as in deployment scripts of PyTorch and ONNX models."""

import numpy as np
from registry import CLIP, CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, OCR, RESNET, SIDE, VIT, YOLO, outside, pipeline


def shorter_side(cv2, image, side, interpolation):
    height, width = image.shape[:2]
    scale = side / min(height, width)
    return cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=interpolation)


def center_crop(image, side):
    height, width = image.shape[:2]
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def normalized(image, mean, std):
    image = image.astype(np.float32) / 255.0
    image = (image - np.array(mean, np.float32)) / np.array(std, np.float32)
    return image.transpose(2, 0, 1)[None]


for flag, words in (
    ("INTER_LINEAR", "bilinear"),
    ("INTER_CUBIC", "bicubic"),
    ("INTER_AREA", ["box", "area"]),
    ("INTER_NEAREST", "nearest"),
    ("INTER_LANCZOS4", "lanczos"),
):
    # Other libraries have the same nearest neighbours; CLIP's own filter is bicubic.
    steps = {"numerics_" if flag == "INTER_NEAREST" else "numerics": "OpenCV"}
    steps |= {} if flag == "INTER_CUBIC" else {"filter": words}

    @pipeline(f"cv2 {flag}, CLIP", CLIP, "cv2", size_="", crop_="", **steps)
    def cv2_clip(path, flag=flag):
        import cv2

        image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        image = center_crop(shorter_side(cv2, image, SIDE, getattr(cv2, flag)), SIDE)
        return normalized(image, CLIP_MEAN, CLIP_STD)


@pipeline("cv2 BGR linear, CLIP", CLIP, "cv2", numerics="OpenCV", filter="bilinear", channel_order="BGR", size_="shorter", crop_="")
def cv2_bgr(path):
    import cv2

    image = center_crop(shorter_side(cv2, cv2.imread(path), SIDE, cv2.INTER_LINEAR), SIDE)
    return normalized(image, CLIP_MEAN, CLIP_STD)


@pipeline("cv2 linear, squashed, CLIP", CLIP, "cv2", kind="photo wide", numerics="OpenCV", filter="bilinear", size="224 × 224", crop_="none")
def cv2_squashed(path):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return normalized(cv2.resize(image, (SIDE, SIDE)), CLIP_MEAN, CLIP_STD)


@pipeline("cv2 linear, squashed, BGR, /255 only, NHWC, ViT", VIT, "cv2", numerics="OpenCV", channel_order="BGR", mean=["0", "none"], std=["1", "none"], layout="NHWC")
def cv2_plain(path):
    import cv2

    image = cv2.resize(cv2.imread(path), (SIDE, SIDE))
    return np.expand_dims(image.astype(np.float32) / 255, 0)


@pipeline("cv2 linear, float64 of numpy, ViT", VIT, "cv2", numerics="OpenCV", datatype="FP64")
def cv2_double(path):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    image = cv2.resize(image, (SIDE, SIDE)) / 255.0
    return ((image - 0.5) / 0.5).transpose(2, 0, 1)[None]


@pipeline("cv2 float image before the resize, ViT", VIT, "cv2", numerics="OpenCV")
def cv2_float(path):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB).astype(np.float32) / 255.0
    image = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return ((image - 0.5) / 0.5).transpose(2, 0, 1)[None]


@pipeline("cv2.dnn.blobFromImage, ViT", VIT, "cv2", numerics="OpenCV", channel_order_="", scale_="", mean_="", std_="")
def cv2_blob(path):
    import cv2

    return cv2.dnn.blobFromImage(cv2.imread(path), 1 / 127.5, (SIDE, SIDE), (127.5, 127.5, 127.5), swapRB=True)


# It resizes by a factor, of which the rounded size is not the exact result.
@outside("cv2.dnn.blobFromImage, crop, swapRB forgotten, ViT", VIT, "cv2", kind="photo wide")
def cv2_blob_crop(path):
    import cv2

    return cv2.dnn.blobFromImage(cv2.imread(path), 1 / 127.5, (SIDE, SIDE), (127.5, 127.5, 127.5), crop=True)


@pipeline("cv2 IMREAD_REDUCED_COLOR_2, ViT", VIT, "cv2", kind="jpeg", numerics="OpenCV", decoder="1/2")
def cv2_reduced(path):
    import cv2

    image = cv2.cvtColor(cv2.imread(path, cv2.IMREAD_REDUCED_COLOR_2), cv2.COLOR_BGR2RGB)
    return normalized(cv2.resize(image, (SIDE, SIDE)), [0.5] * 3, [0.5] * 3)


@pipeline("cv2 IMREAD_IGNORE_ORIENTATION, ViT", VIT, "cv2", kind="exif", numerics="OpenCV", orientation="ignore", size_="")
def cv2_no_exif(path):
    import cv2

    image = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    image = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), (SIDE, SIDE))
    return normalized(image, [0.5] * 3, [0.5] * 3)


@pipeline("cv2 256 then 224, ResNet", RESNET, "cv2", numerics="OpenCV", size_="shorter side 256", crop_="")
def cv2_resnet(path):
    import cv2

    image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return normalized(center_crop(shorter_side(cv2, image, 256, cv2.INTER_LINEAR), SIDE), IMAGENET_MEAN, IMAGENET_STD)


@pipeline("cv2 grayscale replicated, ViT", VIT, "cv2", numerics="OpenCV", grayscale=["OpenCV", "before"])
def cv2_gray(path):
    import cv2

    gray = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2GRAY)
    image = np.stack([cv2.resize(gray, (SIDE, SIDE))] * 3, axis=-1)
    return normalized(image, [0.5] * 3, [0.5] * 3)


@pipeline("cv2 IMREAD_GRAYSCALE replicated, ViT", VIT, "cv2", kind="jpeg", numerics="OpenCV", grayscale_="", decoder_="")
def cv2_imread_gray(path):
    import cv2

    gray = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    image = cv2.cvtColor(cv2.resize(gray, (SIDE, SIDE)), cv2.COLOR_GRAY2RGB)
    return normalized(image, [0.5] * 3, [0.5] * 3)


def letterbox(cv2, image, side, color=(114, 114, 114), centered=True):
    """As in exports of YOLO."""
    height, width = image.shape[:2]
    ratio = min(side / height, side / width)
    unpadded = round(width * ratio), round(height * ratio)
    dw, dh = side - unpadded[0], side - unpadded[1]
    if centered:
        dw, dh = dw / 2, dh / 2
    if (width, height) != unpadded:
        image = cv2.resize(image, unpadded, interpolation=cv2.INTER_LINEAR)
    top, bottom = (round(dh - 0.1), round(dh + 0.1)) if centered else (0, dh)
    left, right = (round(dw - 0.1), round(dw + 0.1)) if centered else (0, dw)
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=color)


def scaled(image, dtype=np.float32):
    return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)[None]).astype(dtype) / dtype(255)


@pipeline("YOLO letterbox as ultralytics, YOLO", YOLO, "cv2")
def yolo(path):
    import cv2

    return scaled(letterbox(cv2, cv2.imread(path), 640))


@pipeline("YOLO letterbox, BGR, YOLO", YOLO, "cv2", channel_order="BGR")
def yolo_bgr(path):
    import cv2

    return scaled(letterbox(cv2, cv2.imread(path), 640)[..., ::-1])


@pipeline("YOLO letterbox, pad 0, YOLO", YOLO, "cv2", kind="photo wide", pad="0")
def yolo_black(path):
    import cv2

    return scaled(letterbox(cv2, cv2.imread(path), 640, (0, 0, 0)))


@pipeline("YOLO letterbox, top left, YOLO", YOLO, "cv2", kind="photo wide", crop_="", pad_="")
def yolo_corner(path):
    import cv2

    return scaled(letterbox(cv2, cv2.imread(path), 640, centered=False))


@pipeline("YOLO squashed, YOLO", YOLO, "cv2", kind="photo wide", size="640 × 640", pad_="", crop_="")
def yolo_squashed(path):
    import cv2

    return scaled(cv2.resize(cv2.imread(path), (640, 640)))


@pipeline("YOLO letterbox, FP16, YOLO", YOLO, "cv2", datatype="FP16")
def yolo_half(path):
    import cv2

    return scaled(letterbox(cv2, cv2.imread(path), 640)).astype(np.float16)


@pipeline("YOLO letterbox, uint8 without a scale, YOLO", YOLO, "cv2", datatype="UINT8", scale="1")
def yolo_bytes(path):
    import cv2

    return letterbox(cv2, cv2.imread(path), 640)[..., ::-1].transpose(2, 0, 1)[None]


@pipeline("YOLO letterbox, INTER_AREA, /256, YOLO", YOLO, "cv2", filter=["area", "box"], numerics_="OpenCV", scale="1/256")
def yolo_area(path):
    import cv2

    image = cv2.imread(path)
    ratio = min(640 / image.shape[0], 640 / image.shape[1])
    size = round(image.shape[1] * ratio), round(image.shape[0] * ratio)
    image = letterbox(cv2, cv2.resize(image, size, interpolation=cv2.INTER_AREA), 640)
    return image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 256


@outside("cv2 CLAHE before the resize, ViT", VIT, "cv2")
def cv2_clahe(path):
    import cv2

    lab = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(lab[..., 0])
    image = cv2.resize(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), (SIDE, SIDE))
    return normalized(image, [0.5] * 3, [0.5] * 3)


@outside("cv2 GaussianBlur before the resize, ViT", VIT, "cv2")
def cv2_blur(path):
    import cv2

    image = cv2.GaussianBlur(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB), (5, 5), 0)
    return normalized(cv2.resize(image, (SIDE, SIDE)), [0.5] * 3, [0.5] * 3)


@outside("cv2 through HSV, brighter by 10 %, ViT", VIT, "cv2")
def cv2_hsv(path):
    import cv2

    hsv = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2HSV).astype(np.float32)
    hsv[..., 2] = np.clip(hsv[..., 2] * 1.1, 0, 255)
    image = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)
    return normalized(cv2.resize(image, (SIDE, SIDE)), [0.5] * 3, [0.5] * 3)


@pipeline("PaddleOCR resize_norm_img, PaddleOCR", OCR, "cv2", channel_order_="")
def paddle(path):
    import cv2

    image = cv2.imread(path)
    height, width = image.shape[:2]
    wide = int(48 * max(320 / 48, width / height))
    resized = min(wide, int(np.ceil(48 * width / height)))
    image = cv2.resize(image, (resized, 48)).astype("float32").transpose(2, 0, 1) / 255
    image -= 0.5
    image /= 0.5
    padded = np.zeros((3, 48, wide), dtype=np.float32)
    padded[:, :, :resized] = image
    return padded[None]
