"""The datasets with torch's own DataLoader: in its process, in forked and in spawned workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_service_client import Client, ImageError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("default")

PRESET = "google/vit-base-patch16-224"
DETR = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 128}}
WORKERS = [(0, None), (2, "fork"), (2, "spawn")]


@pytest.mark.parametrize(("workers", "method"), WORKERS)
def test_images_by_index(client: Client, photo: Path, workers: int, method: str | None) -> None:
    from image_service_client.torch import TensorDataset

    dataset = TensorDataset([photo] * 10, list(range(10)), client=client, preset=PRESET)
    expected = torch.from_numpy(client.tensor(photo, preset=PRESET)[0])
    assert torch.equal(dataset[3][0]["pixel_values"], expected)
    loader = torch.utils.data.DataLoader(dataset, 4, num_workers=workers, multiprocessing_context=method)
    seen = []
    for tensors, targets in loader:
        assert tensors["pixel_values"].shape == (len(targets), 3, 224, 224)
        assert all(torch.equal(one, expected) for one in tensors["pixel_values"])
        seen += targets.tolist()
    assert seen == list(range(10))


@pytest.mark.parametrize(("workers", "method"), WORKERS)
def test_images_of_an_iterator(client: Client, photo: Path, workers: int, method: str | None) -> None:
    from image_service_client.torch import IterableTensorDataset

    sources: list[Any] = [*[photo] * 10, b"no image"]
    dataset = IterableTensorDataset(sources, client=client, on_error="skip", preset=PRESET)
    loader = torch.utils.data.DataLoader(dataset, None, num_workers=workers, multiprocessing_context=method)
    assert [sample["pixel_values"].shape for sample in loader] == [(3, 224, 224)] * 10


@pytest.mark.parametrize(("workers", "method"), WORKERS)
def test_batches_with_the_librarys_own_padding(
    client: Client, photo: Path, tmp_path: Path, workers: int, method: str | None
) -> None:
    from image_service_client.torch import BatchCollator

    tall = tmp_path / "tall.png"
    client.image(photo, width=90, height=300, format="png", grayscale=False).save(tall)
    samples = [(photo, 1), (tall, 2)]
    loader = torch.utils.data.DataLoader(
        samples,
        2,
        num_workers=workers,
        multiprocessing_context=method,
        collate_fn=BatchCollator(client=client, preprocessor_config=DETR),
    )
    ((tensors, targets),) = loader
    expected = client.batch([photo, tall], preprocessor_config=DETR)
    assert {name: one.numpy().tobytes() for name, one in tensors.items()} == {
        name: one.tobytes() for name, one in expected.items()
    }
    assert targets.tolist() == [1, 2]


def test_a_failure_in_a_worker_is_the_services(client: Client, photo: Path) -> None:
    from image_service_client.torch import TensorDataset

    dataset = TensorDataset([photo, b"no image"], client=client, preset=PRESET)
    with pytest.raises(ImageError, match="FORMAT_UNSUPPORTED"):
        list(torch.utils.data.DataLoader(dataset, 2, num_workers=1))


def test_bfloat16_stays_bfloat16(client: Client, photo: Path) -> None:
    pytest.importorskip("ml_dtypes")
    from image_service_client.torch import to_torch

    tensors = client.tensors(photo, preset=PRESET, datatype="bf16")
    made = to_torch(tensors)["pixel_values"]
    assert made.dtype == torch.bfloat16
    assert np.array_equal(made.float().numpy(), tensors["pixel_values"].astype(np.float32))
