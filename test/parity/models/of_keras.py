"""Keras: load_img with a model's size, then preprocess_input of its module in keras.applications."""

import inspect
import io
import json
import os
from importlib import import_module
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import applications
from keras.utils import img_to_array, load_img

VERSIONS = {"Keras": keras.__version__}
PRESETS = Path(__file__).resolve().parents[3] / "src/processor/presets/keras-presets.json"
# The sizes are the models' own: make_keras_presets.py asks their constructors.
SIZES = {name: model["size"] for name, model in json.loads(PRESETS.read_text())["models"].items()}


def subjects():
    for name, model in sorted(vars(applications).items()):
        if inspect.isfunction(model):
            yield {"name": f"keras/{name}", "library": "pillow"}


def case(subject, draw, index):
    name = subject["name"].removeprefix("keras/")
    module = getattr(applications, name).__module__.rpartition(".")[2]
    preprocess_input = import_module(f"keras.applications.{module}").preprocess_input

    def array_of(image):
        file = io.BytesIO()
        image.convert("RGB").save(file, "PNG")
        return img_to_array(load_img(file, target_size=(SIZES[name], SIZES[name])))

    def compute(images):
        return {"input_layer": preprocess_input(np.stack([array_of(image) for image in images]))}

    return {"preset": subject["name"]}, compute
