#!/usr/bin/env python3
"""torchvision in a DataLoader: CLIP's tensors of one JPEG, in batches of 32, with as many processes as are named.

`dataloader.py WORKERS pillow | torch`: the first opens files as ImageFolder does, by Pillow; the other decodes to tensors.
A line of JSON is {"file", "count"}, or {"count"}, which is replied to with the seconds that as many images took.
"""

import base64
import io
import json
import sys
import time

import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import InterpolationMode, v2

from python_ways import CLIP_MEAN, CLIP_STD

CLIP = v2.Compose(
    [
        v2.Resize(224, InterpolationMode.BICUBIC),
        v2.CenterCrop(224),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(CLIP_MEAN, CLIP_STD),
    ]
)
OPEN = {
    "pillow": lambda content: Image.open(io.BytesIO(content)).convert("RGB"),
    "torch": lambda content: decode_image(torch.frombuffer(bytearray(content), dtype=torch.uint8), ImageReadMode.RGB),
}


class Images(Dataset):
    """One file, repeatedly: no time is spent on a disk."""

    def __init__(self, content, count):
        self.content = content
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return CLIP(OPEN[sys.argv[2]](self.content))


if __name__ == "__main__":
    torch.set_num_threads(1)
    loader = None
    for line in iter(sys.stdin.buffer.readline, b""):
        question = json.loads(line)
        if "file" in question:
            content = base64.b64decode(question["file"])
            images = Images(content, question["count"])
            # The processes stay for all epochs, so only the first one waits for their start.
            loader = DataLoader(images, 32, num_workers=int(sys.argv[1]), persistent_workers=True)
            reply = base64.b64encode(images[0].numpy().tobytes()).decode()
        else:
            start = time.perf_counter()
            count = sum(len(batch) for batch in loader)
            assert count == len(loader.dataset)
            reply = time.perf_counter() - start
        print(json.dumps(reply), flush=True)
