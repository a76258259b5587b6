from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from image_service_client import Client, ImageError, TensorMap

PRESET = "google/vit-base-patch16-224"
DETR = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 128}}


def test_it_adds_a_column_for_each_tensor(client: Client, photo: Path) -> None:
    made = pickle.loads(pickle.dumps(TensorMap(client=client, preset=PRESET)))({"image": [str(photo)] * 3})
    assert list(made) == ["pixel_values"]
    assert made["pixel_values"].shape == (3, 3, 224, 224)
    assert np.array_equal(made["pixel_values"][1], client.tensor(photo, preset=PRESET)[0])


def test_rows_of_different_shapes_stay_apart(client: Client, photo: Path) -> None:
    tall = client.image(photo, width=90, height=300).content
    made = TensorMap(client=client, column="bytes", preprocessor_config=DETR)({"bytes": [photo.read_bytes(), tall]})
    shapes = [row.shape for row in made["pixel_values"]]
    assert shapes == [client.tensors(one, preprocessor_config=DETR)["pixel_values"].shape[1:] for one in (photo, tall)]
    assert shapes[0] != shapes[1]


def test_a_failure_is_raised_or_skipped(client: Client, photo: Path) -> None:
    batch = {"image": [photo, b"no image", photo], "label": [5, 6, 7]}
    with pytest.raises(ImageError, match="FORMAT_UNSUPPORTED"):
        TensorMap(client=client, preset=PRESET)(batch)
    skipping = TensorMap(client=client, preset=PRESET, keep=["label"], on_error="skip")
    with pytest.warns(UserWarning, match="Image 1 is skipped: FORMAT_UNSUPPORTED"):
        made = skipping(batch)
    assert made["label"] == [5, 7]
    assert made["pixel_values"].shape == (2, 3, 224, 224)


@pytest.mark.filterwarnings("default")
def test_hugging_face_datasets_map_by_it(client: Client, photo: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"image": [str(photo)] * 5, "label": list(range(5))}
    expected = client.tensor(photo, preset=PRESET)[0]
    for decode in (True, False):
        dataset = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image(decode=decode))
        mapped = dataset.map(
            TensorMap(client=client, preset=PRESET),
            batched=True,
            batch_size=2,
            num_proc=2,
            cache_file_name=str(tmp_path / f"{decode}.arrow"),
        )
        assert mapped.column_names == ["image", "label", "pixel_values"]
        pixels = mapped.with_format("numpy", columns=["pixel_values"])[4]["pixel_values"]
        assert np.array_equal(pixels, expected)


@pytest.mark.filterwarnings("default")
def test_ray_maps_batches_by_it(client: Client, photo: Path) -> None:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    try:
        rows = [{"bytes": photo.read_bytes(), "label": index} for index in range(5)]
        to_tensors = TensorMap(client=client, column="bytes", keep=["label"], preset=PRESET)
        made = ray.data.from_items(rows).map_batches(to_tensors, batch_size=2).take_all()
        expected = client.tensor(photo, preset=PRESET)[0]
        assert sorted(row["label"] for row in made) == list(range(5))
        assert all(np.array_equal(row["pixel_values"], expected) for row in made)
    finally:
        ray.shutdown()
