"""open_clip: the preprocessing of all pretrained weights, by open_clip_config.json and by MODEL/TAG."""

import json
from dataclasses import asdict

import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

torch.set_num_threads(1)
VERSIONS = {"open_clip": open_clip.__version__}


def subjects():
    for model, tag in open_clip.list_pretrained():
        yield {"name": f"{model}/{tag}", "library": "pillow"}


def case(subject, draw, index):
    model, _, tag = subject["name"].rpartition("/")
    pretrained = open_clip.get_pretrained_cfg(model, tag)
    model_config = open_clip.get_model_config(model)
    values = merge_preprocess_dict(asdict(PreprocessCfg()), pretrained)
    # create_model: the size is that of the model, whatever the preprocessing says.
    values["size"] = model_config["vision_cfg"].get("image_size", 224)
    transform = image_transform_v2(PreprocessCfg(**values), is_train=False)
    if draw.random() < 0.5:
        request = {"preset": subject["name"]}
    else:
        request = {"preprocessorConfig": json.dumps({"model_cfg": model_config, "preprocess_cfg": values})}

    def compute(images):
        # It would resize other modes as they are, and convert them to RGB after that.
        return {"image": torch.stack([transform(image.convert("RGB")) for image in images])}

    return request, compute
