"""Runs the pipelines for run.ts: reads requests as lines of JSON, and responds with a line of JSON and bytes."""

import importlib.metadata
import json
import os
import sys
import tempfile
import traceback

import images
import with_models  # noqa: F401
import with_opencv  # noqa: F401
import with_others  # noqa: F401
import with_pillow  # noqa: F401
import with_tensorflow  # noqa: F401
import with_torchvision  # noqa: F401
from registry import missing, pipelines


def listed():
    return [
        {
            "name": each.name,
            "preset": each.preset,
            "kind": each.kind,
            "expected": each.expected,
            "missing": missing(each.needs),
        }
        for each in pipelines
    ]


LIBRARIES = {
    "OpenCV": "opencv-python-headless",
    "Pillow": "pillow",
    "torchvision": "torchvision",
    "transformers": "transformers",
    "timm": "timm",
    "open_clip": "open-clip-torch",
    "ultralytics": "ultralytics",
    "Keras": "keras",
    "TensorFlow": "tensorflow-cpu",
    "albumentations": "albumentations",
    "scikit-image": "scikit-image",
    "SciPy": "scipy",
    "imageio": "imageio",
}


def versions():
    installed = {each.metadata["Name"].lower().replace("_", "-"): each.version for each in importlib.metadata.distributions()}
    return {name: installed[package] for name, package in LIBRARIES.items() if package in installed}


def described(made):
    """Datatype and shape of an array or a torch tensor, and its bytes."""
    import numpy as np

    datatype = None
    if type(made).__module__ == "torch":
        import torch

        if made.dtype == torch.bfloat16:
            datatype, made = "BF16", made.view(torch.int16)
        made = made.detach().numpy()
    values = np.ascontiguousarray(made)
    names = {"uint8": "UINT8", "float16": "FP16", "float32": "FP32", "float64": "FP64", "int32": "INT32", "int64": "INT64"}
    return {"datatype": datatype or names[values.dtype.name], "shape": values.shape}, values.tobytes()


def tensor(request, content):
    run = next(each.run for each in pipelines if each.name == request["run"])
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, request["file"])
        with open(path, "wb") as file:
            file.write(content)
        made = run(path)
    return described(made)


def respond(request, content):
    if "run" in request:
        return tensor(request, content)
    if "images" in request:
        made = images.held_out()
        files = [{"name": name, "kind": kind, "bytes": len(data)} for name, kind, data in made]
        return {"images": files}, b"".join(data for _, _, data in made)
    return {"pipelines": listed(), "versions": versions()}, b""


def main():
    output = os.fdopen(os.dup(1), "wb")
    # Libraries print.
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        content = sys.stdin.buffer.read(request["bytes"])
        try:
            reply, data = respond(request, content)
        except Exception as error:
            traceback.print_exc()
            reply, data = {"error": f"{type(error).__name__}: {error}"}, b""
        output.write(json.dumps({**reply, "bytes": len(data)}).encode() + b"\n" + data)
        output.flush()


if __name__ == "__main__":
    main()
