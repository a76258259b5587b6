from __future__ import annotations

import multiprocessing
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from image_service_client import Client, ImageError, RequestError

PRESET = "google/vit-base-patch16-224"


@pytest.mark.parametrize("ordered", [True, False])
def test_a_stream_goes_on_after_failures(client: Client, photo: Path, ordered: bool) -> None:
    sources: list[object] = [photo] * 30
    sources[7], sources[8] = b"no image", "missing.jpg"
    items = list(client.stream(sources, concurrency=3, ordered=ordered, preset=PRESET))
    indices = [item.index for item in items]
    assert indices == list(range(30)) if ordered else sorted(indices) == list(range(30))
    failures = {item.index: item.error for item in items if item.error is not None}
    assert isinstance(failures.pop(7), ImageError)
    assert isinstance(failures.pop(8), FileNotFoundError)
    assert failures == {}
    for item in items:
        assert item.source is sources[item.index]
        if item.index == 7:
            with pytest.raises(ImageError, match="FORMAT_UNSUPPORTED"):
                item.tensor()
        elif item.error is None:
            assert item.tensor().shape == (1, 3, 224, 224)


def test_a_stream_reads_only_a_few_sources_ahead(client: Client, photo: Path) -> None:
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        while True:
            taken += 1
            yield photo

    stream = client.stream(endless(), concurrency=2, preset=PRESET)
    for seen in range(1, 10):
        next(stream)
        assert taken <= seen + 2 * 2
    stream.close()


def test_a_stream_ends_with_a_failure_of_all_images(client: Client, photo: Path) -> None:
    with pytest.raises(RequestError, match="PRESET_UNKNOWN"):
        list(client.stream([photo] * 1000, preset="nothing"))
    with pytest.raises(TypeError, match="not an image"):
        list(client.stream([7], preset=PRESET))
    with pytest.raises(ValueError, match="concurrency is 0"):
        client.stream([photo], concurrency=0, preset=PRESET)


def test_threads_may_share_a_client(client: Client, photo: Path) -> None:
    made: list[bytes] = []

    def run(width: int) -> None:
        made.append(client.tensor(photo, width=width, height=2).tobytes())

    threads = [threading.Thread(target=run, args=(1 + index % 4,)) for index in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 16
    assert len({len(one) for one in made}) == 4


def _tensor_bytes(client: Client, photo: Path) -> bytes:
    return client.tensor(photo, preset=PRESET).tobytes()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_may_share_a_client(client: Client, photo: Path, method: str) -> None:
    # Its connection is open when the process is forked.
    expected = _tensor_bytes(client, photo)
    with multiprocessing.get_context(method).Pool(2) as pool:
        made = pool.starmap(_tensor_bytes, [(client, photo)] * 8)
    assert made == [expected] * 8
    assert _tensor_bytes(client, photo) == expected


def test_a_pickled_client_has_its_settings(url: str, photo: Path) -> None:
    with Client(url, api_key="key", timeout=7) as client, pickle.loads(pickle.dumps(client)) as copy:
        assert copy._settings == client._settings
        assert np.array_equal(copy.tensor(photo, preset=PRESET), client.tensor(photo, preset=PRESET))
        assert "key" not in repr(client) + repr(client._settings)
