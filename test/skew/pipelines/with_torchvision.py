"""torchvision's transforms, old and new."""

from registry import CLIP, CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, RESNET, SIDE, VIT, pipeline

HALF = [0.5] * 3


def opened(path):
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


@pipeline("torchvision v1 on PIL, 256 then 224, ResNet", RESNET, "torchvision", numerics_="", size_="", crop_="")
def v1(path):
    from torchvision import transforms as T

    transform = T.Compose([T.Resize(256), T.CenterCrop(SIDE), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v1 on PIL, 232 then 224, ResNet", RESNET, "torchvision", size="232", numerics_="", crop_="")
def v1_232(path):
    from torchvision import transforms as T

    transform = T.Compose([T.Resize(232), T.CenterCrop(SIDE), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v1, Resize((224, 224)) for Resize(256), ResNet", RESNET, "torchvision", kind="photo wide", size="224 × 224", crop_="none", numerics_="")
def v1_squashed(path):
    from torchvision import transforms as T

    transform = T.Compose([T.Resize((SIDE, SIDE)), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v1, bilinear for bicubic, CLIP", CLIP, "torchvision", filter="bilinear", numerics_="", size_="", crop_="")
def v1_bilinear(path):
    from torchvision import transforms as T

    transform = T.Compose([T.Resize(SIDE), T.CenterCrop(SIDE), T.ToTensor(), T.Normalize(CLIP_MEAN, CLIP_STD)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v1, only CenterCrop(224), ResNet", RESNET, "torchvision", kind="photo", size_="", crop_="", numerics_="", filter_="", pad_="")
def v1_crop(path):
    from torchvision import transforms as T

    transform = T.Compose([T.CenterCrop(SIDE), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v1, ToTensor and no Normalize, ResNet", RESNET, "torchvision", mean=["0", "none"], std=["1", "none"], numerics_="", size_="", crop_="")
def v1_unnormalized(path):
    from torchvision import transforms as T

    return T.Compose([T.Resize(256), T.CenterCrop(SIDE), T.ToTensor()])(opened(path)).unsqueeze(0)


for antialias in (True, False):

    @pipeline(f"torchvision on a uint8 tensor, antialias={antialias}, ResNet", RESNET, "torchvision", numerics="torch", filter_="", size_="", crop_="")
    def v1_bytes(path, antialias=antialias):
        from torchvision import transforms as T

        transform = T.Compose([
            T.PILToTensor(), T.Resize(256, antialias=antialias), T.CenterCrop(SIDE),
            T.ConvertImageDtype(__import__("torch").float32), T.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ])
        return transform(opened(path)).unsqueeze(0)

    @pipeline(f"torchvision on a float tensor, antialias={antialias}, ResNet", RESNET, "torchvision", numerics="torch", filter_="", size_="", crop_="")
    def v1_floats(path, antialias=antialias):
        from torchvision import transforms as T

        transform = T.Compose([
            T.ToTensor(), T.Resize(256, antialias=antialias), T.CenterCrop(SIDE), T.Normalize(IMAGENET_MEAN, IMAGENET_STD),
        ])
        return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v2 on a tensor of decode_image, ViT", VIT, "torchvision", kind="jpeg", numerics_="torch")
def v2_decoded(path):
    import torch
    from torchvision.io import decode_image
    from torchvision.transforms import v2

    transform = v2.Compose([v2.Resize((SIDE, SIDE)), v2.ToDtype(torch.float32, scale=True), v2.Normalize(HALF, HALF)])
    return transform(decode_image(path, mode="RGB")).unsqueeze(0)


@pipeline("torchvision v2, bicubic on uint8, CLIP", CLIP, "torchvision", numerics_="torch", size_="", crop_="")
def v2_bicubic(path):
    import torch
    from torchvision.transforms import v2

    transform = v2.Compose([
        v2.ToImage(), v2.Resize(SIDE, interpolation=v2.InterpolationMode.BICUBIC), v2.CenterCrop(SIDE),
        v2.ToDtype(torch.float32, scale=True), v2.Normalize(CLIP_MEAN, CLIP_STD),
    ])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v2, scale=True forgotten, ViT", VIT, "torchvision", scale="1", numerics_="torch")
def v2_unscaled(path):
    import torch
    from torchvision.transforms import v2

    transform = v2.Compose([v2.ToImage(), v2.Resize((SIDE, SIDE)), v2.ToDtype(torch.float32), v2.Normalize(HALF, HALF)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision v2, bfloat16 at the end, ViT", VIT, "torchvision", datatype="BF16", numerics_="torch")
def v2_bfloat(path):
    import torch
    from torchvision.transforms import v2

    transform = v2.Compose([v2.ToImage(), v2.Resize((SIDE, SIDE)), v2.ToDtype(torch.float32, scale=True), v2.Normalize(HALF, HALF)])
    return transform(opened(path)).unsqueeze(0).bfloat16()


@pipeline("torchvision v2, half before Normalize, ViT", VIT, "torchvision", datatype="FP16", numerics_="torch")
def v2_half(path):
    import torch
    from torchvision.transforms import v2

    transform = v2.Compose([v2.ToImage(), v2.Resize((SIDE, SIDE)), v2.ToDtype(torch.float16, scale=True), v2.Normalize(HALF, HALF)])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision Grayscale(3), ResNet", RESNET, "torchvision", grayscale="", numerics_="", size_="", crop_="")
def v1_gray(path):
    from torchvision import transforms as T

    transform = T.Compose([
        T.Resize(256), T.CenterCrop(SIDE), T.Grayscale(3), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD),
    ])
    return transform(opened(path)).unsqueeze(0)


@pipeline("torchvision pil_loader of a gray file, ResNet", RESNET, "torchvision", kind="gray", numerics_="", size_="", crop_="")
def v1_gray_file(path):
    from torchvision import transforms as T
    from torchvision.datasets.folder import pil_loader

    transform = T.Compose([T.Resize(256), T.CenterCrop(SIDE), T.ToTensor(), T.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return transform(pil_loader(path)).unsqueeze(0)


@pipeline("torch interpolate of floats, align_corners=False, ViT", VIT, "torch", "PIL", numerics="torch", filter_="")
def interpolate(path):
    import numpy as np
    import torch

    image = torch.from_numpy(np.array(opened(path))).permute(2, 0, 1)[None].float() / 255
    image = torch.nn.functional.interpolate(image, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    return (image - 0.5) / 0.5
