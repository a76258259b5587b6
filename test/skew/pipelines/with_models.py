"""The preprocessing of model libraries: transformers, timm, open_clip."""

from registry import CLIP, RESNET, SIDE, VIT, pipeline

TIMM = "timm/resnet50.a1_in1k"


def opened(path):
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


@pipeline("transformers CLIPImageProcessor, CLIP", CLIP, "transformers", "torchvision", numerics_="", size_="", crop_="")
def clip(path):
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor()(opened(path), return_tensors="pt")["pixel_values"]


@pipeline("transformers CLIPImageProcessor of Pil, CLIP", CLIP, "transformers", numerics_="Pillow", size_="", crop_="")
def clip_pil(path):
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil()(opened(path), return_tensors="np")["pixel_values"]


@pipeline("transformers CLIPImageProcessor for a ViT, ViT", VIT, "transformers", "torchvision", kind="photo wide", size="shorter side", crop_="", filter="bicubic", mean="CLIP", std="CLIP", numerics_="")
def clip_for_vit(path):
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor()(opened(path), return_tensors="pt")["pixel_values"]


@pipeline("transformers ViTImageProcessor, do_rescale off after /255, ViT", VIT, "transformers", "torchvision", numerics_="torch")
def vit_floats(path):
    import numpy as np
    from transformers import ViTImageProcessor

    image = np.asarray(opened(path)).astype(np.float32) / 255
    return ViTImageProcessor(do_rescale=False)(image, input_data_format="channels_last", return_tensors="pt")["pixel_values"]


@pipeline("transformers ViTImageProcessor, rescaled twice, ViT", VIT, "transformers", "torchvision", scale_="", mean_="", std_="", numerics_="")
def vit_twice(path):
    import numpy as np
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    image = np.asarray(opened(path).resize((SIDE, SIDE), 2)).astype(np.float32) / 255
    return ViTImageProcessorPil(do_resize=False)(image, input_data_format="channels_last", return_tensors="np")["pixel_values"]


def timm_transform(path, **options):
    from timm.data import create_transform

    return create_transform(**{"input_size": (3, SIDE, SIDE), "is_training": False, **options})(opened(path)).unsqueeze(0)


@pipeline("timm create_transform, center, bicubic 0.95, ResNet", RESNET, "timm", size_="", filter="bicubic", crop_="", numerics_="")
def timm_center(path):
    return timm_transform(path, interpolation="bicubic", crop_pct=0.95)


@pipeline("timm create_transform, squash, ResNet", RESNET, "timm", kind="photo wide", size="224 × 224", crop_="none", numerics_="")
def timm_squash(path):
    return timm_transform(path, interpolation="bilinear", crop_pct=1.0, crop_mode="squash")


@pipeline("timm create_transform, squash 0.9, ResNet", RESNET, "timm", kind="photo wide", size="24", crop_="", numerics_="")
def timm_squash_crop(path):
    return timm_transform(path, interpolation="bilinear", crop_pct=0.9, crop_mode="squash")


@pipeline("timm create_transform, border, ResNet", RESNET, "timm", size_="", crop_="", pad_="", numerics_="")
def timm_border(path):
    return timm_transform(path, interpolation="bilinear", crop_pct=1.0, crop_mode="border")


@pipeline("timm's default mean and std for CLIP, CLIP", CLIP, "timm", mean="ImageNet", std="ImageNet", numerics_="", size_="", crop_="")
def timm_clip(path):
    return timm_transform(path, interpolation="bicubic", crop_pct=1.0)


@pipeline("open_clip image_transform, CLIP", CLIP, "open_clip", numerics_="Pillow", size_="", crop_="")
def open_clip_transform(path):
    from open_clip.transform import image_transform

    return image_transform(SIDE, is_train=False)(opened(path)).unsqueeze(0)


@pipeline("open_clip image_transform, resize_mode=longest, CLIP", CLIP, "open_clip", size_="", crop_="", pad_="", numerics_="Pillow")
def open_clip_longest(path):
    from open_clip.transform import image_transform

    return image_transform(SIDE, is_train=False, resize_mode="longest")(opened(path)).unsqueeze(0)


@pipeline("open_clip image_transform, resize_mode=squash, CLIP", CLIP, "open_clip", kind="photo wide", size="224 × 224", crop_="none", numerics_="Pillow")
def open_clip_squash(path):
    from open_clip.transform import image_transform

    return image_transform(SIDE, is_train=False, resize_mode="squash")(opened(path)).unsqueeze(0)


@pipeline("ultralytics LetterBox, YOLO", "ultralytics/yolo", "ultralytics", size_="", crop_="", pad_="")
def ultralytics(path):
    import cv2
    import numpy as np
    from ultralytics.data.augment import LetterBox

    image = LetterBox((640, 640), auto=False)(image=cv2.imread(path))
    return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32) / 255


@pipeline("ultralytics classify_transforms, ResNet", RESNET, "ultralytics", mean=["0", "none"], std=["1", "none"], size="224", crop_="", numerics_="")
def ultralytics_classify(path):
    from ultralytics.data.augment import classify_transforms

    return classify_transforms(SIDE)(opened(path)).unsqueeze(0)
