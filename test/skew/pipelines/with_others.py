"""Albumentations, scikit-image, imageio, SciPy."""

import numpy as np
from registry import CLIP, CLIP_MEAN, CLIP_STD, IMAGENET_MEAN, IMAGENET_STD, RESNET, SIDE, VIT, outside, pipeline


def planes(image, dtype=np.float32):
    return image.transpose(2, 0, 1)[None].astype(dtype)


@pipeline("albumentations SmallestMaxSize and CenterCrop, ResNet", RESNET, "albumentations", numerics="OpenCV", size_="", crop_="")
def albumentations_center(path):
    import albumentations as A
    import cv2

    transform = A.Compose([A.SmallestMaxSize(256), A.CenterCrop(SIDE, SIDE), A.Normalize(IMAGENET_MEAN, IMAGENET_STD)])
    return planes(transform(image=cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB))["image"])


@pipeline("albumentations Resize, BGR, ViT", VIT, "albumentations", numerics="OpenCV", channel_order="BGR")
def albumentations_bgr(path):
    import albumentations as A
    import cv2

    transform = A.Compose([A.Resize(SIDE, SIDE), A.Normalize((0.5,) * 3, (0.5,) * 3)])
    return planes(transform(image=cv2.imread(path))["image"])


@pipeline("albumentations LongestMaxSize and PadIfNeeded, ViT", VIT, "albumentations", numerics="OpenCV", size_="", crop_="", pad_="")
def albumentations_padded(path):
    import albumentations as A
    import cv2

    transform = A.Compose([
        A.LongestMaxSize(SIDE), A.PadIfNeeded(SIDE, SIDE, border_mode=cv2.BORDER_CONSTANT), A.Normalize((0.5,) * 3, (0.5,) * 3),
    ])
    return planes(transform(image=cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB))["image"])


@pipeline("imageio and Pillow, ViT", VIT, "imageio", numerics_="Pillow")
def imageio_pillow(path):
    import imageio.v3 as iio
    from PIL import Image

    image = np.asarray(Image.fromarray(iio.imread(path)).resize((SIDE, SIDE), Image.BILINEAR), np.float32)
    return planes((image / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


@outside("scikit-image resize, no antialiasing, float64, ViT", VIT, "skimage", "lazy_loader")
def skimage_plain(path):
    from skimage import io, transform

    return planes(transform.resize(io.imread(path), (SIDE, SIDE), anti_aliasing=False) * 2 - 1, np.float64)


@outside("scikit-image resize, antialiasing, ViT", VIT, "skimage", "lazy_loader")
def skimage_resize(path):
    from skimage import io, transform

    return planes((transform.resize(io.imread(path), (SIDE, SIDE), anti_aliasing=True) - 0.5) / 0.5)


@outside("scipy.ndimage.zoom, ViT", VIT, "scipy", "PIL")
def scipy_zoom(path):
    from PIL import Image
    from scipy.ndimage import zoom

    image = np.asarray(Image.open(path).convert("RGB"))
    image = zoom(image, (SIDE / image.shape[0], SIDE / image.shape[1], 1), order=1)
    return planes((image.astype(np.float32) / 255 - np.float32(0.5)) / np.float32(0.5))


@outside("gamma 1/2.2 before the resize, ViT", VIT, "PIL")
def gamma(path):
    from PIL import Image

    image = (np.asarray(Image.open(path).convert("RGB")) / 255.0) ** (1 / 2.2)
    image = np.asarray(Image.fromarray((image * 255).astype(np.uint8)).resize((SIDE, SIDE), 2), np.float32)
    return planes((image / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


@outside("normalized by the image's own mean and std, ViT", VIT, "PIL")
def standardized(path):
    from PIL import Image

    image = np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), 2), np.float32)
    return planes((image - image.mean()) / image.std())


@outside("noise of ±1 level after the resize, ViT", VIT, "PIL")
def noisy(path):
    from PIL import Image

    image = np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), 2), np.int16)
    image = np.clip(image + np.random.default_rng(1).integers(-1, 2, image.shape), 0, 255).astype(np.float32)
    return planes((image / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


@outside("one pixel painted over after the resize, ViT", VIT, "PIL")
def painted(path):
    from PIL import Image

    image = np.array(Image.open(path).convert("RGB").resize((SIDE, SIDE), 2), np.float32)
    image[57, 93] = 255 - image[57, 93]
    return planes((image / np.float32(255) - np.float32(0.5)) / np.float32(0.5))


@outside("the tensor of another photograph, ViT", VIT, "PIL", "skimage", "lazy_loader")
def another(path):
    from os.path import dirname, join

    import skimage
    from PIL import Image

    other = "coffee.png" if "chelsea" in path else "chelsea.png"
    image = Image.open(join(dirname(skimage.__file__), "data", other)).convert("RGB").resize((SIDE, SIDE), 2)
    return planes((np.asarray(image, np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(0.5))
