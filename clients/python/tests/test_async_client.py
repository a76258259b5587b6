from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_service_client import AsyncClient, Client, ImageError, Item

PRESET = "google/vit-base-patch16-224"


def test_it_has_the_methods_of_the_client_with_the_same_parameters() -> None:
    renamed = {"close": "aclose"}
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_") or name == "__init__":
            twin = getattr(AsyncClient, renamed.get(name, name))
            assert list(inspect.signature(twin).parameters) == list(inspect.signature(method).parameters), name


def test_every_method_gives_what_the_client_gives(url: str, client: Client, photo: Path) -> None:
    async def run() -> None:
        async with AsyncClient(url) as twin:
            assert np.array_equal(await twin.tensor(photo, preset=PRESET), client.tensor(photo, preset=PRESET))
            tensors = await twin.tensors(photo, preset=PRESET)
            assert list(tensors) == ["pixel_values"]
            image = await twin.image(photo, width=5, height=4)
            assert image.content == client.image(photo, width=5, height=4).content
            assert (await twin.process(photo, width=5, height=4)).content == image.content
            assert [one.content for one in await twin.variants(photo, [{"width": 5, "height": 4}])] == [image.content]
            for options in ({"preset": PRESET}, {"width": 5, "height": 4}):
                batch = await twin.batch([photo, photo], **options)
                assert [len(array) for array in batch.values()] == [2]
            assert await twin.describe(photo, preset=PRESET) == client.describe(photo, preset=PRESET)
            assert await twin.preset(PRESET) == client.preset(PRESET)
            assert [one async for one in twin.presets("resnet50")] == list(client.presets("resnet50"))

    asyncio.run(run())


@pytest.mark.parametrize("ordered", [True, False])
def test_a_stream_goes_on_after_failures(url: str, photo: Path, ordered: bool) -> None:
    async def sources() -> AsyncIterator[Any]:
        for index in range(30):
            yield b"no image" if index == 7 else Path("missing") if index == 8 else photo

    async def run() -> list[Item]:
        async with AsyncClient(url) as client:
            stream = client.stream(sources(), concurrency=3, ordered=ordered, preset=PRESET)
            return [item async for item in stream]

    items = asyncio.run(run())
    indices = [item.index for item in items]
    assert indices == list(range(30)) if ordered else sorted(indices) == list(range(30))
    failures = {item.index: item.error for item in items if item.error is not None}
    assert isinstance(failures.pop(7), ImageError)
    assert isinstance(failures.pop(8), FileNotFoundError)
    assert failures == {}


def test_a_stream_that_is_left_cancels_its_requests(url: str, photo: Path) -> None:
    async def run() -> None:
        async with AsyncClient(url) as client:
            stream = client.stream([photo] * 100, preset=PRESET)
            async for _ in stream:
                break
            await stream.aclose()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            assert not others

    asyncio.run(run())
