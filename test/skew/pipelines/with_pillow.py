"""Pillow and NumPy, as in scripts without a framework."""

import io

import numpy as np
from registry import CLIP, CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, KERAS, RESNET, SIDE, VIT, outside, pipeline

HALF = [0.5] * 3


def array(image, mean=HALF, std=HALF, dtype=np.float32):
    values = np.asarray(image).astype(np.float32) / np.float32(255)
    values = (values - np.array(mean, np.float32)) / np.array(std, np.float32)
    return values.transpose(2, 0, 1)[None].astype(dtype)


def opened(path):
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def cropped(image, side, crop, filter, round_=int, shift=(0, 0)):
    scale = side / min(image.size)
    image = image.resize((round_(image.width * scale), round_(image.height * scale)), filter)
    left, top = (image.width - crop) // 2 + shift[0], (image.height - crop) // 2 + shift[1]
    return image.crop((left, top, left + crop, top + crop))


for version in ("9.", "11.", "12.1", "12.3", "13."):

    @pipeline(f"Pillow {version} bilinear, ViT", VIT, f"PIL {version}", numerics_="Pillow")
    def pillow_bilinear(path):
        from PIL import Image

        return array(opened(path).resize((SIDE, SIDE), Image.BILINEAR))

    @pipeline(f"Pillow {version} bicubic, CLIP", CLIP, f"PIL {version}", numerics_="Pillow", size_="", crop_="", pad_="")
    def pillow_bicubic(path):
        from PIL import Image

        return array(cropped(opened(path), SIDE, SIDE, Image.BICUBIC), CLIP_MEAN, CLIP_STD)

    @pipeline(f"Pillow {version} thumbnail with draft, squashed after, ViT", VIT, f"PIL {version}", kind="jpeg", numerics_="", filter_="", size_="", decoder_="")
    def pillow_thumbnail_squashed(path):
        from PIL import Image

        image = Image.open(path)
        image.draft("RGB", (SIDE, SIDE))
        return array(image.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


for name in ("BICUBIC", "LANCZOS", "NEAREST", "BOX", "HAMMING"):

    @pipeline(f"Pillow {name}, ViT", VIT, "PIL", filter=name.lower(), numerics_="Pillow")
    def pillow_filter(path, name=name):
        from PIL import Image

        return array(opened(path).resize((SIDE, SIDE), getattr(Image, name)))


@pipeline("Pillow reducing_gap 2, ViT", VIT, "PIL", kind="large", numerics_="", filter_="", size_="", decoder_="")
def pillow_gap(path):
    from PIL import Image

    return array(opened(path).resize((SIDE, SIDE), Image.BILINEAR, reducing_gap=2.0))


@pipeline("Pillow draft mode, ViT", VIT, "PIL", kind="large jpeg", decoder="1/", numerics_="Pillow")
def pillow_draft(path):
    from PIL import Image

    image = Image.open(path)
    image.draft("RGB", (SIDE, SIDE))
    return array(image.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("Pillow 256 for 224, CLIP", CLIP, "PIL", size="256", crop_="", numerics_="Pillow")
def pillow_256(path):
    from PIL import Image

    return array(cropped(opened(path), 256, SIDE, Image.BICUBIC), CLIP_MEAN, CLIP_STD)


@pipeline("Pillow squashed, CLIP", CLIP, "PIL", kind="photo wide", size="224 × 224", crop_="none", numerics_="Pillow")
def pillow_squashed(path):
    from PIL import Image

    return array(opened(path).resize((SIDE, SIDE), Image.BICUBIC), CLIP_MEAN, CLIP_STD)


@pipeline("Pillow ImageOps.fit, CLIP", CLIP, "PIL", size_="", crop_="", numerics_="Pillow")
def pillow_fit(path):
    from PIL import Image, ImageOps

    return array(ImageOps.fit(opened(path), (SIDE, SIDE), Image.BICUBIC), CLIP_MEAN, CLIP_STD)


@pipeline("Pillow ImageOps.pad, ViT", VIT, "PIL", size_="", crop_="", pad_="", filter="bicubic", numerics_="Pillow")
def pillow_pad(path):
    from PIL import ImageOps

    return array(ImageOps.pad(opened(path), (SIDE, SIDE)))


@pipeline("Pillow square crop first, then resize, CLIP", CLIP, "PIL", size_="", crop_="", numerics_="Pillow")
def pillow_crop_first(path):
    from PIL import Image

    image = opened(path)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.BICUBIC)
    return array(image, CLIP_MEAN, CLIP_STD)


@pipeline("crop one pixel to the right, CLIP", CLIP, "PIL", kind="wide", crop_="", size_="", numerics_="Pillow")
def pillow_shifted(path):
    from PIL import Image

    return array(cropped(opened(path), SIDE, SIDE, Image.BICUBIC, shift=(1, 0)), CLIP_MEAN, CLIP_STD)


@pipeline("size rounded up, ResNet", RESNET, "PIL", size_="", crop_="", pad_="", numerics_="Pillow")
def pillow_ceil(path):
    from PIL import Image

    image = cropped(opened(path), 256, SIDE, Image.BILINEAR, lambda length: int(np.ceil(length)))
    return array(image, IMAGENET_MEAN, IMAGENET_STD)


@pipeline("EXIF ignored, ViT", VIT, "PIL", kind="exif", orientation="ignore", numerics_="Pillow", size_="")
def pillow_no_exif(path):
    from PIL import Image

    return array(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("mean and std swapped, ResNet", RESNET, "PIL", mean="the std of ImageNet", std="the mean of ImageNet", numerics_="Pillow", size_="", crop_="")
def pillow_swapped(path):
    from PIL import Image

    return array(cropped(opened(path), 256, SIDE, Image.BILINEAR), IMAGENET_STD, IMAGENET_MEAN)


@pipeline("CLIP's mean and std, ResNet", RESNET, "PIL", mean="CLIP", std="CLIP", numerics_="Pillow", size_="", crop_="")
def pillow_other_mean(path):
    from PIL import Image

    return array(cropped(opened(path), 256, SIDE, Image.BILINEAR), CLIP_MEAN, CLIP_STD)


@pipeline("no normalization, ResNet", RESNET, "PIL", mean=["0", "none"], std=["1", "none"], numerics_="Pillow", size_="", crop_="")
def pillow_plain(path):
    from PIL import Image

    return array(cropped(opened(path), 256, SIDE, Image.BILINEAR), [0.0] * 3, [1.0] * 3)


@pipeline("normalized twice, ViT", VIT, "PIL", mean_="", std_="", scale_="", numerics_="Pillow")
def pillow_twice(path):
    from PIL import Image

    return (array(opened(path).resize((SIDE, SIDE), Image.BILINEAR)) - np.float32(0.5)) / np.float32(0.5)


@pipeline("not rescaled before the normalization, ResNet", RESNET, "PIL", scale="1", numerics_="Pillow", size_="", crop_="")
def pillow_not_rescaled(path):
    from PIL import Image

    values = np.asarray(cropped(opened(path), 256, SIDE, Image.BILINEAR)).astype(np.float32)
    values = (values - np.array(IMAGENET_MEAN, np.float32)) / np.array(IMAGENET_STD, np.float32)
    return values.transpose(2, 0, 1)[None]


@pipeline("Pillow /256, ViT", VIT, "PIL", scale="1/256", numerics_="Pillow")
def pillow_256ths(path):
    from PIL import Image

    values = np.asarray(opened(path).resize((SIDE, SIDE), Image.BILINEAR)).astype(np.float32) / 256
    return ((values - 0.5) / 0.5).transpose(2, 0, 1)[None]


@pipeline("batch axis missing, ViT", VIT, "PIL", layout="CHW", numerics_="Pillow")
def pillow_unbatched(path):
    from PIL import Image

    return array(opened(path).resize((SIDE, SIDE), Image.BILINEAR))[0]


@pipeline("NHWC, ViT", VIT, "PIL", layout="NHWC", numerics_="Pillow")
def pillow_nhwc(path):
    from PIL import Image

    return array(opened(path).resize((SIDE, SIDE), Image.BILINEAR)).transpose(0, 2, 3, 1)


@pipeline("FP16, ViT", VIT, "PIL", datatype="FP16", numerics_="Pillow")
def pillow_half(path):
    from PIL import Image

    return array(opened(path).resize((SIDE, SIDE), Image.BILINEAR), dtype=np.float16)


@pipeline("uint8 HWC, ViT", VIT, "PIL", datatype="UINT8", layout="HWC", scale_="1", mean_="", std_="", numerics_="Pillow")
def pillow_bytes(path):
    from PIL import Image

    return np.asarray(opened(path).resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("gray of Pillow replicated, ViT", VIT, "PIL", grayscale="", numerics_="Pillow")
def pillow_gray(path):
    from PIL import Image

    return array(opened(path).convert("L").convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("gray as the mean of the channels, ViT", VIT, "PIL", grayscale=["mean", "average"], numerics_="Pillow")
def pillow_mean_gray(path):
    from PIL import Image

    values = np.asarray(opened(path).resize((SIDE, SIDE), Image.BILINEAR)).mean(axis=2).astype(np.uint8)
    return array(np.stack([values] * 3, axis=-1))


for color in ("white", "black"):

    @pipeline(f"alpha on {color}, ViT", VIT, "PIL", kind="alpha", alpha=color, numerics_="Pillow")
    def pillow_alpha(path, color=color):
        from PIL import Image

        image = Image.open(path).convert("RGBA")
        background = Image.new("RGBA", image.size, color)
        return array(Image.alpha_composite(background, image).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("alpha dropped, ViT", VIT, "PIL", kind="alpha", numerics_="Pillow")
def pillow_alpha_dropped(path):
    from PIL import Image

    return array(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("resized with alpha, then alpha dropped, ViT", VIT, "PIL", kind="alpha", alpha_="", numerics_="Pillow")
def pillow_alpha_after(path):
    from PIL import Image

    return array(Image.open(path).resize((SIDE, SIDE), Image.BILINEAR).convert("RGB"))


@pipeline("ICC profile applied, ViT", VIT, "PIL", kind="icc", icc="appl", numerics_="Pillow")
def pillow_icc(path):
    from PIL import Image, ImageCms

    image = Image.open(path)
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    image = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    return array(image.resize((SIDE, SIDE), Image.BILINEAR))


def encoded(image, format, **options):
    from PIL import Image

    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return Image.open(buffer).convert("RGB")


for quality in (75, 90, 95):

    @pipeline(f"source encoded again as JPEG {quality}, ViT", VIT, "PIL", recompression=str(quality), numerics_="Pillow")
    def pillow_jpeg_before(path, quality=quality):
        from PIL import Image

        return array(encoded(opened(path), "JPEG", quality=quality).resize((SIDE, SIDE), Image.BILINEAR))

    @pipeline(f"resized, then encoded as JPEG {quality}, ViT", VIT, "PIL", recompression=str(quality), numerics_="Pillow")
    def pillow_jpeg_after(path, quality=quality):
        from PIL import Image

        return array(encoded(opened(path).resize((SIDE, SIDE), Image.BILINEAR), "JPEG", quality=quality))


@pipeline("source encoded again as WebP 80, ViT", VIT, "PIL", recompression="WebP", numerics_="Pillow")
def pillow_webp_before(path):
    from PIL import Image

    return array(encoded(opened(path), "WEBP", quality=80).resize((SIDE, SIDE), Image.BILINEAR))


@pipeline("mirrored, ViT", VIT, "PIL", orientation_=["mirror", "flip"], crop_="", numerics_="Pillow")
def pillow_mirrored(path):
    from PIL import ImageOps, Image

    return array(ImageOps.mirror(opened(path)).resize((SIDE, SIDE), Image.BILINEAR))


@outside("autocontrast, ViT", VIT, "PIL")
def pillow_autocontrast(path):
    from PIL import Image, ImageOps

    return array(ImageOps.autocontrast(opened(path), cutoff=2).resize((SIDE, SIDE), Image.BILINEAR))


@outside("rotated by 3 degrees, ViT", VIT, "PIL")
def pillow_rotated(path):
    from PIL import Image

    return array(opened(path).rotate(3, Image.BILINEAR).resize((SIDE, SIDE), Image.BILINEAR))


@outside("quantized to 64 colours, ViT", VIT, "PIL")
def pillow_quantized(path):
    from PIL import Image

    return array(opened(path).quantize(64).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR))


@outside("random crop of RandomResizedCrop left in, ViT", VIT, "PIL")
def pillow_random(path):
    from PIL import Image

    image = opened(path)
    width, height = image.size
    image = image.crop((int(width * 0.137), int(height * 0.091), int(width * 0.823), int(height * 0.877)))
    return array(image.resize((SIDE, SIDE), Image.BILINEAR))
