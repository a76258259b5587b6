"""Sends an image to a model with any number of inputs behind the Open Inference Protocol (Triton, KServe, …), over HTTP.

python infer_open_inference.py photo.jpg MODEL [PRESET]

image-api returns the body of the model server's request, so it goes on unchanged, with the header that belongs to it.
"""

import os
import sys

import requests

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")
model_server = os.environ.get("MODEL_SERVER_URL", "http://localhost:8000")
photo, model, preset = (*sys.argv[1:], "facebook/detr-resnet-50")[:3]

with open(photo, "rb") as image:
    options = {"preset": preset, "format": "open_inference"}
    body = requests.post(f"{api}/v1/images", params=options, data=image, timeout=35)
body.raise_for_status()

length = "Inference-Header-Content-Length"
answer = requests.post(
    f"{model_server}/v2/models/{model}/infer",
    data=body.content,
    headers={"Content-Type": "application/octet-stream", length: body.headers[length]},
    timeout=60,
)
answer.raise_for_status()
for output in answer.json()["outputs"]:
    print(output["name"], output["datatype"], output["shape"], output["data"][:8])
