"""The same work by Pillow, by OpenCV and by transformers, as a user of Python would write it."""

import io


def pillow():
    import numpy as np
    from PIL import Image, ImageOps

    def resized(content, size):
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGB")
        return image.resize(size, Image.Resampling.BILINEAR)

    def encoded(image, image_format, **options):
        out = io.BytesIO()
        image.save(out, image_format, **options)
        return out.getvalue()

    def tensor(content):
        values = np.asarray(resized(content, (224, 224)), np.float32) / np.float32(255)
        return np.ascontiguousarray(((values - np.float32(0.5)) / np.float32(0.5)).transpose(2, 0, 1)).tobytes()

    return {
        "grayJpeg": lambda content: encoded(resized(content, (1024, 768)).convert("L"), "JPEG", quality=80),
        "png": lambda content: encoded(resized(content, (1024, 768)), "PNG"),
        "tensor": tensor,
    }


def opencv():
    import cv2
    import numpy as np

    def resized(content, size):
        return cv2.resize(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR), size)

    def gray_jpeg(content):
        gray = cv2.cvtColor(resized(content, (1024, 768)), cv2.COLOR_BGR2GRAY)
        return cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()

    def tensor(content):
        rgb = cv2.cvtColor(resized(content, (224, 224)), cv2.COLOR_BGR2RGB)
        values = (rgb.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
        return np.ascontiguousarray(values.transpose(2, 0, 1)).tobytes()

    return {
        "grayJpeg": gray_jpeg,
        "png": lambda content: cv2.imencode(".png", resized(content, (1024, 768)))[1].tobytes(),
        "tensor": tensor,
    }


def transformers():
    import json
    import tempfile
    from pathlib import Path

    from PIL import Image, ImageOps
    from safetensors.torch import save
    from transformers import AutoImageProcessor

    # Qwen2.5-VL's: bench/patches.ts sends the service the same.
    config = json.loads((Path(__file__).parent / "qwen2_5_vl.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "preprocessor_config.json").write_text(json.dumps(config))
        processor = AutoImageProcessor.from_pretrained(folder, backend="torchvision")

    def patches(content):
        image = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        return save(dict(processor(image, do_rescale=False, do_normalize=False, return_tensors="pt")))

    return {"patches": patches}


WAYS = {"pillow": pillow, "opencv": opencv, "transformers": transformers}
