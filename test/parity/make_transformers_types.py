"""Makes src/processor/presets/transformers/library-types.json: the image processors that transformers has.

    pip install pillow torch torchvision transformers
    python test/parity/make_transformers_types.py

`types` maps each class of AutoImageProcessor's mapping, without its suffix, to its backends. `models` maps each
`model_type` to its class: AutoImageProcessor falls back to it when a config names no class. Nothing is downloaded.
"""

import json
from pathlib import Path

import transformers
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES

FILE = Path(__file__).resolve().parents[2] / "src/processor/presets/transformers/library-types.json"
BACKENDS = {"torchvision": "torch", "pil": "pillow"}

types: dict[str, set[str]] = {}
models = {}
for model, classes in IMAGE_PROCESSOR_MAPPING_NAMES.items():
    for backend, name in classes.items():
        base = name.removesuffix("Pil")
        assert hasattr(transformers, name), name
        types.setdefault(base, set()).add(BACKENDS[backend])
        models[model] = base

table = {
    "transformers": transformers.__version__,
    "types": {name: sorted(types[name], reverse=True) for name in sorted(types)},
    "models": dict(sorted(models.items())),
}
FILE.write_text(json.dumps(table, indent=2) + "\n")
print(f"{len(types)} types, {len(models)} models")
