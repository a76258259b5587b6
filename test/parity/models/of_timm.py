"""timm: the preprocessing of every pretrained model, by its config.json and by its name."""

import json

import timm
import torch
from timm.data import create_transform, resolve_data_config
from timm.models import get_pretrained_cfg, split_model_name_tag

torch.set_num_threads(1)
VERSIONS = {"timm": timm.__version__}


def subjects():
    for name in timm.list_pretrained():
        yield {"name": name, "library": "pillow"}


def case(subject, draw, index):
    name = subject["name"]
    values = get_pretrained_cfg(name).to_dict()
    transform = create_transform(**resolve_data_config(pretrained_cfg=values), is_training=False)
    if draw.random() < 0.5:
        request = {"preset": f"timm/{name}"}
    else:
        architecture, _ = split_model_name_tag(name)
        request = {"preprocessorConfig": json.dumps({"architecture": architecture, "pretrained_cfg": values})}

    def compute(images):
        return {"pixel_values": torch.stack([transform(image.convert("RGB")) for image in images])}

    return request, compute
