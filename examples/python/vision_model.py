"""Runs a vision model of transformers on the tensors that the service made of an image.

python vision_model.py photo.jpg FOLDER

FOLDER holds a model as `save_pretrained` writes it: config.json, preprocessor_config.json and its weights. The service
gets the unchanged preprocessor_config.json, and `model(**load(…))` its tensors by the names that the model has for them.
"""

import os
import sys
from pathlib import Path

import requests
import torch
from safetensors.torch import load
from transformers import AutoModel

api = os.environ.get("IMAGE_API_URL", "http://localhost:8080")
photo, folder = sys.argv[1:]

config = Path(folder, "preprocessor_config.json").read_text()
with open(photo, "rb") as image:
    options = {"preprocessor_config": config, "format": "safetensors"}
    answer = requests.post(f"{api}/v1/images", files={"image": image}, data=options, timeout=35)
if not answer.ok:
    problem = answer.json()
    raise SystemExit(f"{problem['reason']}: {problem['detail']}")

inputs = load(answer.content)
model = AutoModel.from_pretrained(folder).eval()
with torch.inference_mode():
    output = model(**inputs)
print(list(inputs), tuple(output.last_hidden_state.shape), output.last_hidden_state.double().mean().item())
