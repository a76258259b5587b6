"""Makes src/processor/presets/keras-presets.json: how each model of keras.applications gets its images.

    pip install keras scipy jax && KERAS_BACKEND=numpy python test/parity/make_keras_presets.py

Of each model it keeps the default size of its input, the mode of its preprocess_input (none: the model
rescales by itself) and its module. Nothing is downloaded: a constructor is stopped where it asks for the size.
MobileNetV3 takes any size; its documentation names the one of its weights.
"""

import inspect
import json
import re
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
from keras import applications
from keras.src.applications import imagenet_utils

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/keras-presets.json"


class Stop(Exception):
    pass


def obtain_input_shape(input_shape, default_size, **_):
    raise Stop(default_size)


def preprocess_input(x, data_format=None, mode="caffe"):
    raise Stop(mode)


imagenet_utils.obtain_input_shape = obtain_input_shape
imagenet_utils.preprocess_input = preprocess_input


def stopped_in(call):
    """What a call wanted of the functions above, or None."""
    try:
        call()
    except Stop as stop:
        return stop.args[0]
    return None


def models():
    for name, model in sorted(vars(applications).items()):
        if not inspect.isfunction(model):
            continue
        module = model.__module__.rpartition(".")[2]
        functions = import_module(f"keras.applications.{module}")
        mode = stopped_in(lambda: functions.preprocess_input(np.zeros((1, 1, 3), np.float32)))
        size = stopped_in(lambda: model(weights=None))
        if size is None:
            size = int(re.search(r"`\((\d+), \1, 3\)`", model.__doc__)[1])
        assert isinstance(size, int), name
        yield name, {"module": module, "size": size, "mode": mode or "none"}


def line(values):
    return json.dumps(values).replace("{", "{ ").replace("}", " }")


lines = ",\n".join(f'    "{name}": {line(values)}' for name, values in models())
PATH.write_text(f'{{\n  "keras": "{keras.__version__}",\n  "models": {{\n{lines}\n  }}\n}}\n')
