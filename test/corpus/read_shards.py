"""Reads the shards of corpora with the libraries that people use, and compares all values.

Usage: read_shards.py FOLDER, with the corpora FOLDER/webdataset, parquet, safetensors and npy of tensors,
FOLDER/webdataset-images and parquet-images, and the expected FOLDER/expected/ROW.npy and ROW.png.
Prints the number of values that each library compared as one JSON object.
"""

import glob
import io
import json
import os
import sys

folder = sys.argv[1]
os.environ.update(HF_HOME=f"{folder}/huggingface", HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")

import datasets  # noqa: E402
import numpy as np  # noqa: E402
import polars as pl  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
import webdataset as wds  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors import safe_open  # noqa: E402

compared: dict[str, int] = {}


def check(library: str, row: int, actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype, (library, row, actual.dtype, expected.dtype)
    assert actual.shape == expected.shape, (library, row, actual.shape, expected.shape)
    assert actual.tobytes() == expected.tobytes(), (library, row, "values differ")
    compared[library] = compared.get(library, 0) + actual.size


def tensor_of(row: int) -> np.ndarray:
    # The service's first axis counts images.
    return np.load(f"{folder}/expected/{row}.npy")[0]


def pixels_of(row: int) -> np.ndarray:
    return np.asarray(Image.open(f"{folder}/expected/{row}.png"))


def shards(corpus: str) -> list[str]:
    return sorted(glob.glob(f"{folder}/{corpus}/shards/*"))


def stored_in_order(corpus: str) -> list[dict]:
    lines = [line for path in sorted(glob.glob(f"{folder}/{corpus}/index/*")) for line in open(path)]
    return [entry for entry in map(json.loads, lines) if entry["outcome"] == "stored"]


def caption(row: int) -> str:
    return f"caption {row}"


for sample in wds.WebDataset(shards("webdataset"), shardshuffle=False).decode():
    assert sample["json"]["caption"] == caption(sample["json"]["row"])
    check("webdataset", sample["json"]["row"], sample["pixel_values.npy"], tensor_of(sample["json"]["row"]))

for sample in wds.WebDataset(shards("webdataset-images"), shardshuffle=False).decode("pil"):
    pixels = np.asarray(sample["png"].convert("L"))
    check("webdataset, images", sample["json"]["row"], pixels, pixels_of(sample["json"]["row"]))

for path in shards("parquet"):
    file = pq.ParquetFile(path)
    tensors = json.loads(file.schema_arrow.metadata[b"tensors"])
    shape = tensors[0]["shape"]
    for record in file.read().to_pylist():
        assert record["caption"] == caption(record["row"])
        values = np.frombuffer(record["pixel_values"], np.float32).reshape(shape)
        check("pyarrow", record["row"], values, tensor_of(record["row"]))

for record in pl.read_parquet(shards("parquet")).to_dicts():
    values = np.frombuffer(record["pixel_values"], np.float32).reshape(shape)
    check("polars", record["row"], values, tensor_of(record["row"]))

for record in datasets.load_dataset("parquet", data_files=shards("parquet"), split="train"):
    values = np.frombuffer(record["pixel_values"], np.float32).reshape(shape)
    check("datasets", record["row"], values, tensor_of(record["row"]))

images = datasets.load_dataset("parquet", data_files=shards("parquet-images"), split="train")
assert isinstance(images.features["image"], datasets.Image), images.features
for record in images:
    check("datasets, images", record["row"], np.asarray(record["image"]), pixels_of(record["row"]))

for record in pl.read_parquet(shards("parquet-images")).to_dicts():
    pixels = np.asarray(Image.open(io.BytesIO(record["image"]["bytes"])))
    check("polars, images", record["row"], pixels, pixels_of(record["row"]))

entries = iter(stored_in_order("npy"))
for path in shards("npy"):
    array = np.load(path, mmap_mode="r")
    for position in range(len(array)):
        entry = next(entries)
        assert entry["sample"] == position and entry["caption"] == caption(entry["row"])
        check("numpy", entry["row"], np.asarray(array[position]), tensor_of(entry["row"]))
assert next(entries, None) is None

for path in shards("safetensors"):
    with safe_open(path, "numpy") as file:
        ids = json.loads(file.metadata()["ids"])
        values = file.get_slice("pixel_values")
        for position, sample_id in enumerate(ids):
            check("safetensors", int(sample_id), values[position], tensor_of(int(sample_id)))

print(json.dumps(compared))
