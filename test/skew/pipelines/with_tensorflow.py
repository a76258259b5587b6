"""Keras and TensorFlow."""

from registry import IMAGENET_MEAN, IMAGENET_STD, KERAS, RESNET, SIDE, VIT, outside, pipeline

CAFFE = "keras/ResNet50"


@pipeline("Keras load_img and preprocess_input, MobileNetV2", KERAS, "tensorflow", numerics_="Pillow")
def mobilenet(path):
    import numpy as np
    from keras.applications.mobilenet_v2 import preprocess_input
    from keras.utils import img_to_array, load_img

    return preprocess_input(img_to_array(load_img(path, target_size=(SIDE, SIDE)))[np.newaxis])


@pipeline("Keras load_img, bilinear, MobileNetV2", KERAS, "tensorflow", filter="bilinear", numerics_="Pillow")
def mobilenet_bilinear(path):
    import numpy as np
    from keras.applications.mobilenet_v2 import preprocess_input
    from keras.utils import img_to_array, load_img

    image = load_img(path, target_size=(SIDE, SIDE), interpolation="bilinear")
    return preprocess_input(img_to_array(image)[np.newaxis])


@pipeline("Keras preprocess_input of another model, ResNet50", CAFFE, "tensorflow", scale_="", mean_="", std_="", channel_order="RGB", numerics_="")
def other_model(path):
    import numpy as np
    from keras.applications.mobilenet_v2 import preprocess_input
    from keras.utils import img_to_array, load_img

    return preprocess_input(img_to_array(load_img(path, target_size=(SIDE, SIDE)))[np.newaxis])


@pipeline("Keras preprocess_input of ResNet50, MobileNetV2", KERAS, "tensorflow", scale="1", mean=["103.939", "Caffe"], std_="", channel_order="BGR", numerics_="")
def caffe(path):
    import numpy as np
    from keras.applications.resnet50 import preprocess_input
    from keras.utils import img_to_array, load_img

    return preprocess_input(img_to_array(load_img(path, target_size=(SIDE, SIDE)))[np.newaxis])


@pipeline("Keras, preprocess_input forgotten, MobileNetV2", KERAS, "tensorflow", scale="1", mean_="", std_="", numerics_="")
def unscaled(path):
    import numpy as np
    from keras.utils import img_to_array, load_img

    return img_to_array(load_img(path, target_size=(SIDE, SIDE)))[np.newaxis]


@pipeline("Keras rescale=1/255 of ImageDataGenerator, MobileNetV2", KERAS, "tensorflow", scale="1/255", mean_="", std_="", numerics_="")
def rescaled(path):
    import numpy as np
    from keras.utils import img_to_array, load_img

    image = img_to_array(load_img(path, target_size=(SIDE, SIDE)))
    image *= 1.0 / 255
    return image[np.newaxis]


for method in ("bilinear", "bicubic", "nearest", "area", "lanczos3"):
    declare = pipeline if method in ("bilinear", "nearest") else outside
    filters = {"filter": "nearest", "numerics_": ""} if method == "nearest" else {"numerics": ["TensorFlow", "tf."]}
    steps = {"decoder_": "", **filters} if declare is pipeline else {}

    @declare(f"tf.image.resize, {method}, ViT", VIT, "tensorflow", **steps)
    def tf_resize(path, method=method):
        import tensorflow as tf

        image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
        image = tf.cast(tf.image.resize(image, (SIDE, SIDE), method=method), tf.float32) / 127.5 - 1.0
        return tf.transpose(image, (2, 0, 1))[tf.newaxis].numpy()


@outside("tf.image.resize, antialias=True, MobileNetV2", KERAS, "tensorflow")
def tf_antialias(path):
    import tensorflow as tf

    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.keras.applications.mobilenet_v2.preprocess_input(tf.image.resize(image, (SIDE, SIDE), antialias=True))[tf.newaxis].numpy()


@pipeline("tf.image.resize, EXIF ignored as decode_jpeg does, MobileNetV2", KERAS, "tensorflow", kind="exif", orientation="ignore", numerics_="", filter="bilinear", decoder_="")
def tf_exif(path):
    import tensorflow as tf

    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    return tf.keras.applications.mobilenet_v2.preprocess_input(tf.image.resize(image, (SIDE, SIDE)))[tf.newaxis].numpy()


@pipeline("tf.image.resize of nearest, uint8, MobileNetV2", KERAS, "tensorflow", decoder_="", datatype="UINT8", scale="1", mean_="", std_="", numerics_="")
def tf_bytes(path):
    import tensorflow as tf

    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.image.resize(image, (SIDE, SIDE), method="nearest")[tf.newaxis].numpy()
