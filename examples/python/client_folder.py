"""Makes the tensors of a folder of images, with the Python client, and goes on after an image that fails.

python client_folder.py photos tensors [openai/clip-vit-base-patch32]
"""

import sys
from pathlib import Path

import numpy as np
from image_service_client import Client

source, target = map(Path, sys.argv[1:3])
preset = sys.argv[3] if len(sys.argv) > 3 else "openai/clip-vit-base-patch32"

target.mkdir(parents=True, exist_ok=True)
failed = 0
# The address is IMAGE_API_URL, the key IMAGE_API_KEY.
with Client() as client:
    for item in client.stream(sorted(source.iterdir()), concurrency=8, preset=preset):
        if item.error is None:
            np.savez(target / f"{item.source.name}.npz", **item.tensors())
            print(item.source.name, {name: array.shape for name, array in item.tensors().items()})
        else:
            failed += 1
            print(f"{item.source.name}: {item.error}", file=sys.stderr)
raise SystemExit(1 if failed else 0)
