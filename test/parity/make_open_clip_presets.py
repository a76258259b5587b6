"""Makes src/processor/presets/open-clip-presets.json: the preprocessing of open_clip's pretrained models, by name.

    pip install torch torchvision timm open_clip_torch && python test/parity/make_open_clip_presets.py

open_clip (MIT) is the source of all values: its table of pretrained weights and the image size of each model's config,
joined as create_model does. Models with equal values share an entry. A name is MODEL/TAG. `hub` has the names of the
weights' repositories on Hugging Face, without those of timm's models, which are in timm-presets.json.
"""

import json
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import open_clip
import timm
from open_clip.pretrained import _PRETRAINED
from open_clip.transform import PreprocessCfg, merge_preprocess_dict

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/open-clip-presets.json"


def values_of(model, pretrained):
    values = merge_preprocess_dict(asdict(PreprocessCfg()), pretrained)
    # create_model: the size is that of the model, whatever the preprocessing says.
    values["size"] = open_clip.get_model_config(model)["vision_cfg"].get("image_size", 224)
    assert values.pop("mode") == "RGB"
    values["mean"], values["std"] = list(values["mean"]), list(values["std"])
    return json.dumps(values)


def hub_names(entries):
    """Each repository and the name that it stands for: the model of its name, or one whose values all of them have."""
    repositories = defaultdict(dict)
    for name, (values, repository) in entries.items():
        repositories[repository][name] = values
    timm_names = set(timm.list_pretrained())
    for repository, names in sorted(repositories.items()):
        organization, _, model = repository.partition("/")
        if organization == "timm" and model in timm_names:
            continue
        named = [name for name in names if name.split("/")[0] == model]
        if named or len(set(names.values())) == 1:
            yield repository, (named or list(names))[0]


def main() -> None:
    entries = {}
    for model, tags in _PRETRAINED.items():
        for tag, pretrained in tags.items():
            repository = "/".join(pretrained["hf_hub"].split("/")[:2])
            entries[f"{model}/{tag}"] = values_of(model, pretrained), repository
    models = defaultdict(list)
    for name, (values, _) in entries.items():
        models[values].append(name)
    # Names as one text, which a formatter leaves on its line.
    lines = ",\n".join(
        f'    {{ "config": {spaced(values)}, "models": {json.dumps(" ".join(names))} }}'
        for values, names in sorted(models.items(), key=lambda entry: -len(entry[1]))
    )
    hub = ",\n".join(f'    "{repository}": "{name}"' for repository, name in hub_names(entries))
    PATH.write_text(
        f'{{\n  "open_clip": "{open_clip.__version__}",\n'
        f'  "presets": [\n{lines}\n  ],\n  "hub": {{\n{hub}\n  }}\n}}\n'
    )


def spaced(text):
    return text.replace("{", "{ ").replace("}", " }")


main()
