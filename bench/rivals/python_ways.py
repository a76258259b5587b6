"""The same work by Pillow, OpenCV, torchvision and transformers, as a user of Python would write it.

Each library is a function that imports it and returns a function for each piece of work, from the bytes of a file to the
bytes of a response. torch and OpenCV have one thread: several requests are in work at the same time, and with torch's
default the threads of a small image use ten times its CPU by waiting for each other.
"""

import io
import json
import tempfile
from pathlib import Path

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]


def pillow():
    import numpy as np
    from PIL import Image, ImageOps

    def opened(content):
        return ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")

    def resized(content, size):
        return opened(content).resize(size, Image.Resampling.BILINEAR)

    def encoded(image, image_format, **options):
        out = io.BytesIO()
        image.save(out, image_format, **options)
        return out.getvalue()

    def values(image, mean, std):
        array = (np.asarray(image, np.float32) / np.float32(255) - np.float32(mean)) / np.float32(std)
        return np.ascontiguousarray(array.transpose(2, 0, 1)).tobytes()

    def clip(content):
        image = opened(content)
        scale = 224 / min(image.size)
        width, height = (int(side * scale) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BICUBIC)
        left, top = (width - 224) // 2, (height - 224) // 2
        return values(image.crop((left, top, left + 224, top + 224)), CLIP_MEAN, CLIP_STD)

    return {
        "grayJpeg": lambda content: encoded(resized(content, (1024, 768)).convert("L"), "JPEG", quality=80),
        "png": lambda content: encoded(resized(content, (1024, 768)), "PNG"),
        "tensor": lambda content: values(resized(content, (224, 224)), [0.5] * 3, [0.5] * 3),
        "clip": clip,
        "colourJpeg": lambda content: encoded(resized(content, (512, 512)), "JPEG", quality=80),
        "smallPng": lambda content: encoded(resized(content, (224, 224)), "PNG"),
    }


def opencv():
    import cv2
    import numpy as np

    cv2.setNumThreads(1)

    def decoded(content):
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)

    def resized(content, size):
        return cv2.resize(decoded(content), size)

    def jpeg(image):
        return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()

    def png(image):
        return cv2.imencode(".png", image)[1].tobytes()

    def values(image, mean, std):
        rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        array = (rgb.astype(np.float32) / np.float32(255) - np.float32(mean)) / np.float32(std)
        return np.ascontiguousarray(array.transpose(2, 0, 1)).tobytes()

    def clip(content):
        image = decoded(content)
        height, width = image.shape[:2]
        scale = 224 / min(width, height)
        width, height = int(width * scale), int(height * scale)
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_CUBIC)
        left, top = (width - 224) // 2, (height - 224) // 2
        return values(image[top : top + 224, left : left + 224], CLIP_MEAN, CLIP_STD)

    return {
        "grayJpeg": lambda content: jpeg(cv2.cvtColor(resized(content, (1024, 768)), cv2.COLOR_BGR2GRAY)),
        "png": lambda content: png(resized(content, (1024, 768))),
        "tensor": lambda content: values(resized(content, (224, 224)), [0.5] * 3, [0.5] * 3),
        "clip": clip,
        "colourJpeg": lambda content: jpeg(resized(content, (512, 512))),
        "smallPng": lambda content: png(resized(content, (224, 224))),
    }


def torchvision():
    import torch
    from torchvision.io import ImageReadMode, decode_image, encode_jpeg, encode_png
    from torchvision.transforms import InterpolationMode, v2

    torch.set_num_threads(1)

    def decoded(content):
        return decode_image(torch.frombuffer(bytearray(content), dtype=torch.uint8), ImageReadMode.RGB)

    def normalized(mean, std):
        return [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)]

    def resized(content, height, width):
        return v2.functional.resize(decoded(content), [height, width])

    clip = v2.Compose(
        [
            v2.Resize(224, InterpolationMode.BICUBIC),
            v2.CenterCrop(224),
            *normalized(CLIP_MEAN, CLIP_STD),
        ]
    )
    tensor = v2.Compose([v2.Resize((224, 224)), *normalized([0.5] * 3, [0.5] * 3)])
    gray = v2.Compose([v2.Resize((768, 1024)), v2.Grayscale()])

    def to_bytes(values):
        return values.numpy().tobytes()

    return {
        "grayJpeg": lambda content: to_bytes(encode_jpeg(gray(decoded(content)), quality=80)),
        "png": lambda content: to_bytes(encode_png(resized(content, 768, 1024))),
        "tensor": lambda content: to_bytes(tensor(decoded(content))),
        "clip": lambda content: to_bytes(clip(decoded(content))),
        "colourJpeg": lambda content: to_bytes(encode_jpeg(resized(content, 512, 512), quality=80)),
        "smallPng": lambda content: to_bytes(encode_png(resized(content, 224, 224))),
    }


def transformers():
    import torch
    from PIL import Image, ImageOps
    from safetensors.torch import save

    torch.set_num_threads(1)

    def opened(content):
        return ImageOps.exif_transpose(Image.open(io.BytesIO(content)))

    qwen = processor_of("qwen2_5_vl.json")
    clip = processor_of("clip.json")

    def patches(content):
        return save(dict(qwen(opened(content), do_rescale=False, do_normalize=False, return_tensors="pt")))

    def clip_tensor(content):
        return clip(opened(content), return_tensors="pt")["pixel_values"].numpy().tobytes()

    return {"patches": patches, "clip": clip_tensor}


def processor_of(name):
    """The processor of a configuration in this folder, with torch as its backend."""
    from transformers import AutoImageProcessor

    config = json.loads((Path(__file__).parent / name).read_text())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "preprocessor_config.json").write_text(json.dumps(config))
        return AutoImageProcessor.from_pretrained(folder, backend="torchvision")


WAYS = {"pillow": pillow, "opencv": opencv, "torchvision": torchvision, "transformers": transformers}
