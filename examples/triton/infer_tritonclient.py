"""Sends an image to a model behind the Open Inference Protocol, over HTTP, with Triton's own client.

python infer_tritonclient.py photo.jpg MODEL INPUT [PRESET]
"""

import io
import os
import sys

import numpy as np
import requests
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")
model_server = os.environ.get("MODEL_SERVER_URL", "http://localhost:8000").removeprefix("http://")
photo, model, input_name, preset = (*sys.argv[1:], "clip-vit-base-patch32")[:4]

with open(photo, "rb") as image:
    answer = requests.post(f"{api}/v1/images", params={"preset": preset, "format": "npy"}, data=image, timeout=35)
answer.raise_for_status()
tensor = np.load(io.BytesIO(answer.content))

infer_input = triton.InferInput(input_name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
infer_input.set_data_from_numpy(tensor)
client = triton.InferenceServerClient(model_server)
result = client.infer(model, [infer_input])
for output in result.get_response()["outputs"]:
    print(output["name"], output["datatype"], output["shape"], result.as_numpy(output["name"]).ravel()[:8].tolist())
