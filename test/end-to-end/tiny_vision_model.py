"""Makes a small ViT with random weights and its processor, and prints what the model returns for the processor's tensors.

python tiny_vision_model.py photo.png FOLDER
"""

import sys

import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModel, ViTConfig, ViTImageProcessor, ViTModel

photo, folder = sys.argv[1:]

torch.manual_seed(0)
sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
ViTModel(ViTConfig(image_size=64, patch_size=16, **sizes)).save_pretrained(folder)
ViTImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)

inputs = AutoImageProcessor.from_pretrained(folder)(Image.open(photo), return_tensors="pt")
model = AutoModel.from_pretrained(folder).eval()
with torch.inference_mode():
    output = model(**inputs)
print(list(inputs), tuple(output.last_hidden_state.shape), output.last_hidden_state.double().mean().item())
