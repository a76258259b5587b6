"""Sends an image to a model behind the Open Inference Protocol (Triton, KServe, …), over HTTP, with requests only.

python infer_http.py photo.jpg MODEL INPUT [PRESET]

The tensor goes from image-api to the model server unchanged: its datatype and shape are headers of the response, its
bytes follow the JSON of the request, as Triton's binary data extension has it.
"""

import json
import os
import sys

import requests

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")
model_server = os.environ.get("MODEL_SERVER_URL", "http://localhost:8000")
photo, model, input_name, preset = (*sys.argv[1:], "clip-vit-base-patch32")[:4]

with open(photo, "rb") as image:
    tensor = requests.post(f"{api}/v1/images", params={"preset": preset, "format": "raw"}, data=image, timeout=35)
tensor.raise_for_status()

head = {
    "inputs": [
        {
            "name": input_name,
            "datatype": tensor.headers["Tensor-Datatype"],
            "shape": [int(side) for side in tensor.headers["Tensor-Shape"].split(",")],
            "parameters": {"binary_data_size": len(tensor.content)},
        }
    ]
}
head = json.dumps(head).encode()
answer = requests.post(
    f"{model_server}/v2/models/{model}/infer",
    data=head + tensor.content,
    headers={"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))},
    timeout=60,
)
answer.raise_for_status()
for output in answer.json()["outputs"]:
    print(output["name"], output["datatype"], output["shape"], output["data"][:8])
