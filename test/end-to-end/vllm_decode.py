"""Decodes responses of `format=vllm` with vLLM's own classes.

Reads the features from standard input and prints a line of JSON for each item: whether vLLM's encoder makes the same bytes
of it, and its tensors with the SHA-256 of their values.
"""

import base64
import hashlib
import json
import sys

import torch
from vllm.multimodal.inputs import MultiModalKwargsItem
from vllm.v1.serial_utils import MsgpackDecoder, MsgpackEncoder

# What decode_mm_kwargs_item of vllm/entrypoints/scale_out/token_in_token_out/mm_serde.py does, which imports the server as well.
decoder = MsgpackDecoder(t=MultiModalKwargsItem)
encoder = MsgpackEncoder(size_threshold=2**62)


def described(element):
    values = element.data.contiguous().view(torch.uint8).numpy().tobytes()
    return {
        "dtype": str(element.data.dtype).removeprefix("torch."),
        "shape": list(element.data.shape),
        "field": type(element.field).__name__,
        "sha256": hashlib.sha256(values).hexdigest(),
    }


for encoded in json.load(sys.stdin)["kwargs_data"]["image"]:
    content = base64.b64decode(encoded)
    item = decoder.decode(content)
    tensors = {name: described(element) for name, element in item.items()}
    print(json.dumps({"isSame": bytes(encoder.encode(item)[0]) == content, "tensors": tensors}))
