"""Makes src/processor/presets/timm-presets.json: the preprocessing of timm's pretrained models, by name.

    pip install torch torchvision timm && python test/parity/make_timm_presets.py

timm (Apache-2.0) is the source of all values: `timm.list_pretrained()` and what `resolve_data_config` makes of each
name's `pretrained_cfg`. Models with equal values share an entry. A "*" follows the name of an architecture's default.
`hub` has the models whose repository on Hugging Face is not `timm/NAME`, if that repository is a model of timm's.
"""

import json
from collections import defaultdict
from pathlib import Path

import timm
from timm.data import resolve_data_config
from timm.models import get_arch_pretrained_cfgs, get_pretrained_cfg, split_model_name_tag

PATH = Path(__file__).resolve().parents[2] / "src/processor/presets/timm-presets.json"


def default_tags():
    """The tag that timm uses for an architecture without one."""
    for architecture in timm.list_models():
        if get_arch_pretrained_cfgs(architecture):
            tag = get_pretrained_cfg(architecture).tag
            yield f"{architecture}.{tag}" if tag else architecture


def values_of(name):
    values = resolve_data_config(pretrained_cfg=get_pretrained_cfg(name).to_dict())
    channels, height, width = values["input_size"]
    assert channels == 3 and len(values["mean"]) == len(values["std"]) == 3, name
    return json.dumps(
        {
            "input_size": [channels, height, width],
            "interpolation": values["interpolation"],
            "crop_pct": values["crop_pct"],
            "crop_mode": values["crop_mode"],
            "mean": list(values["mean"]),
            "std": list(values["std"]),
        }
    )


def is_own_repository(name, repository):
    """Whether a repository is named after the model: others contain models of other libraries."""
    return repository.endswith(f"/{name}") or repository.endswith("_timm")


def main() -> None:
    defaults = set(default_tags())
    models = defaultdict(list)
    hub = {}
    for name in timm.list_pretrained():
        models[values_of(name)].append(f"{name}*" if name in defaults else name)
        repository = get_pretrained_cfg(name).hf_hub_id or ""
        if repository != f"timm/{name}" and is_own_repository(name, repository):
            hub[repository] = name
    assert len({split_model_name_tag(name)[0] for name in timm.list_pretrained()}) == sum(
        name.endswith("*") for names in models.values() for name in names
    )
    # Names as one text, which a formatter leaves on its line.
    lines = ",\n".join(
        f'    {{ "config": {spaced(values)}, "models": {json.dumps(" ".join(names))} }}'
        for values, names in sorted(models.items(), key=lambda entry: -len(entry[1]))
    )
    hub_lines = ",\n".join(f'    "{repository}": "{name}"' for repository, name in sorted(hub.items()))
    PATH.write_text(
        f'{{\n  "timm": "{timm.__version__}",\n  "presets": [\n{lines}\n  ],\n  "hub": {{\n{hub_lines}\n  }}\n}}\n'
    )


def spaced(text):
    return text.replace("{", "{ ").replace("}", " }")


main()
