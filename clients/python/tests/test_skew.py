from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from image_service_client import (
    AsyncClient,
    Client,
    ImageError,
    RequestError,
    Skew,
    TensorError,
    Url,
    assert_no_skew,
)
from image_service_client.skew import read_tensor
from image_service_client.tensors import Array, read_safetensors

VIT = "google/vit-base-patch16-224"


@pytest.fixture(scope="module")
def right(url: str, photo: Path) -> Array:
    with Client(url) as client:
        return client.tensor(photo, preset=VIT)


@pytest.fixture(scope="module")
def swapped(right: Array) -> Array:
    """The right tensor with red and blue swapped."""
    return np.ascontiguousarray(right[:, ::-1])


def test_an_equal_tensor_passes(client: Client, photo: Path, right: Array) -> None:
    result = client.skew(photo, right, preset=VIT)
    assert result.equal
    assert result.passed
    assert (result.differing_share, result.max_abs, result.cause, result.map) == (0, 0, None, None)
    assert result.expected is not None
    assert result.expected.shape == (1, 3, 224, 224)
    assert result.source is not None
    assert result.source.width == 640
    assert str(result) == "The tensors are equal."
    assert_no_skew(client, photo, right, preset=VIT)


def test_a_tensor_that_differs_has_a_cause_with_steps_and_a_map(client: Client, photo: Path, swapped: Array) -> None:
    result = client.skew(photo, swapped, preset=VIT, map=True)
    assert not result.passed
    assert result.cause is not None
    assert result.cause.exact
    assert [(step.name, step.yours, step.expected) for step in result.cause.steps] == [("channel_order", "BGR", "RGB")]
    assert result.differing_share is not None
    assert result.mean_abs is not None
    assert result.max_abs is not None
    assert 0.5 < result.differing_share <= 1
    assert 0 < result.percentiles["p50"] <= result.percentiles["p99.9"] <= result.max_abs
    assert result.map is not None
    assert Image.open(io.BytesIO(result.map)).size == (224, 224)
    assert result.python is not None
    assert VIT in result.python
    with pytest.raises(AssertionError) as failure:
        assert_no_skew(client, photo, swapped, preset=VIT)
    assert str(failure.value).startswith(f"{result.cause.sentence}\n  channel_order: BGR; expected: RGB\n")


def test_a_difference_within_the_tolerance_passes(client: Client, photo: Path, right: Array, swapped: Array) -> None:
    near = right + np.float32(0.003)
    result = client.skew(photo, near, preset=VIT, tolerance=0.0031)
    assert (result.equal, result.within_tolerance, result.passed, result.cause) == (False, True, True, None)
    assert_no_skew(client, photo, near, preset=VIT, tolerance="mean:0.0031,share:1")
    assert_no_skew(client, photo, right.astype(np.float16), preset=VIT, tolerance=0.001)
    # Axes of length 1 do not count with a tolerance, and do without one.
    assert_no_skew(client, photo, right[0], preset=VIT, tolerance=0)
    assert not client.skew(photo, right[0], preset=VIT).passed
    assert client.skew(photo, swapped, preset=VIT, tolerance=0.01).within_tolerance is False
    with pytest.raises(RequestError, match="tolerance"):
        client.skew(photo, right, preset=VIT, tolerance="much")


def test_all_kinds_of_tensors_and_images_are_taken(
    client: Client, photo: Path, photo_url: str, right: Array, tmp_path: Path
) -> None:
    path = tmp_path / "right.npy"
    np.save(path, right)
    npz = io.BytesIO()
    np.savez(npz, other=np.zeros(3), pixel_values=right)
    tensors: list[Any] = [
        path,
        str(path),
        path.read_bytes(),
        bytearray(path.read_bytes()),
        io.BytesIO(path.read_bytes()),
    ]
    tensors += [npz.getvalue(), right.astype(">f4"), np.asfortranarray(right), memoryview(path.read_bytes())]
    for tensor in tensors:
        assert client.skew(photo, tensor, preset=VIT).equal, type(tensor)
    for image in (photo_url, Url(photo_url), photo.read_bytes()):
        assert client.skew(image, right, preset=VIT).equal, type(image)


def test_a_torch_tensor_is_taken(client: Client, photo: Path, right: Array) -> None:
    torch = pytest.importorskip("torch")
    assert client.skew(photo, torch.from_numpy(right).requires_grad_(), preset=VIT).equal
    half = torch.from_numpy(right).to(torch.bfloat16)
    assert client.skew(photo, half, preset=VIT, tolerance=0.01).within_tolerance


def test_a_bfloat16_array_becomes_safetensors() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3).astype(ml_dtypes.bfloat16)
    assert np.array_equal(read_safetensors(read_tensor(array))["tensor"], array)


def test_a_picture_is_compared_before_normalization(client: Client, photo: Path) -> None:
    with Image.open(photo) as image:
        small = image.convert("RGB").resize((224, 224), Image.Resampling.NEAREST)
    result = client.skew(photo, small, preset=VIT)
    assert result.cause is not None
    assert {step.name: step.yours for step in result.cause.steps}["filter"] == "nearest"
    file = io.BytesIO()
    small.save(file, "PNG")
    assert client.skew(photo, file.getvalue(), preset=VIT, picture=True).cause == result.cause


def test_several_pairs_have_an_overall_cause(client: Client, photo: Path, right: Array, swapped: Array) -> None:
    batch = client.skew_batch([(photo, swapped), (photo, swapped), (b"no image", right)], preset=VIT)
    assert (batch.overall.pairs, batch.overall.failed, batch.overall.equal, batch.passed) == (3, 1, False, False)
    assert batch.overall.cause is not None
    assert [step.name for step in batch.overall.cause.steps] == ["channel_order"]
    first, _, failure = batch.pairs
    assert isinstance(first, Skew)
    assert isinstance(failure, ImageError)
    assert (failure.reason, failure.metadata["index"]) == ("FORMAT_UNSUPPORTED", "2")
    with pytest.raises(AssertionError, match=r"(?s)pair 0: .*BGR.*pair 2: FORMAT_UNSUPPORTED"):
        batch.raise_if_different()
    one = client.skew_batch([(photo, right)], preset=VIT)
    assert (one.passed, one.overall.equal, one.overall.pairs) == (True, True, 1)
    one.raise_if_different()
    with pytest.raises(ValueError, match="at least one pair"):
        client.skew_batch([], preset=VIT)


@pytest.mark.parametrize(
    ("tensor", "reason"),
    [
        (b"no tensor", "TENSOR_INVALID"),
        (np.full((1, 3, 224, 224), np.nan, np.float32), "TENSOR_NOT_FINITE"),
        (np.zeros((2, 3, 4, 5, 6, 7), np.float32), "TENSOR_SHAPE_UNEXPLAINED"),
    ],
)
def test_a_tensor_that_cannot_be_compared_has_its_own_exception(
    client: Client, photo: Path, tensor: object, reason: str
) -> None:
    with pytest.raises(TensorError) as failure:
        client.skew(photo, tensor, preset=VIT)
    assert failure.value.reason == reason


@pytest.mark.parametrize("tensor", [7, np.array(["a"]), np.array([None])])
def test_what_is_no_tensor_is_refused_before_it_is_sent(client: Client, photo: Path, tensor: object) -> None:
    with pytest.raises(TypeError, match="not a tensor"):
        client.skew(photo, tensor, preset=VIT)


def test_a_missing_file_raises_oserror(client: Client, photo: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.skew(photo, "gone.npy", preset=VIT)


def test_the_async_client_gives_the_same_results(url: str, photo: Path, right: Array, swapped: Array) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:
            equal, different = await asyncio.gather(
                client.skew(photo, right, preset=VIT), client.skew(photo, swapped, preset=VIT)
            )
            assert equal.passed
            assert different.cause is not None
            assert different.cause.steps[0].name == "channel_order"
            batch = await client.skew_batch([(photo, right), (photo, right)], preset=VIT)
            assert batch.passed

    asyncio.run(run())
