"""Runs a vision model of transformers on the tensors that the service made of an image.

python vision_model.py photo.jpg FOLDER

FOLDER holds a model as `save_pretrained` writes it: config.json, preprocessor_config.json and its weights. The service
gets the unchanged preprocessor_config.json, and the model its tensors by the names that it has for them.
"""

import sys
from pathlib import Path

import torch
from image_service_client import Client, ImageServiceError
from image_service_client.torch import to_torch
from transformers import AutoModel

photo, folder = sys.argv[1:]

# The address is IMAGE_API_URL, the key IMAGE_API_KEY.
with Client() as client:
    try:
        inputs = to_torch(client.tensors(photo, preprocessor_config=Path(folder, "preprocessor_config.json")))
    except ImageServiceError as error:
        raise SystemExit(str(error)) from None

model = AutoModel.from_pretrained(folder).eval()
with torch.inference_mode():
    output = model(**inputs)
print(list(inputs), tuple(output.last_hidden_state.shape), output.last_hidden_state.double().mean().item())
