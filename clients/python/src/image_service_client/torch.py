"""Datasets and a collator for torch's DataLoader. Needs torch.

Clients open their own connections in each worker, whether it is forked or spawned.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, default_collate, get_worker_info

from .client import Client
from .mapping import OnError, is_made, per_image
from .sources import Source
from .tensors import Array

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

Sample = dict[str, torch.Tensor]


def to_torch(tensors: Mapping[str, Array]) -> Sample:
    """Arrays as torch's tensors, which share their memory where they can. bfloat16 stays bfloat16."""
    return {name: _to_torch(array) for name, array in tensors.items()}


def _to_torch(array: Array) -> torch.Tensor:
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def _sample(tensors: Mapping[str, Array]) -> Sample:
    return to_torch({name: per_image(array) for name, array in tensors.items()})


class TensorDataset(Dataset[Any]):
    """Images by index: a dict of an image's tensors by name, or a pair of it and the image's target.

    A DataLoader asks for all images of a batch at once, and a worker has `concurrency` of them in work. The axis that
    counts images is left out, so that torch's default collation stacks them. For presets whose tensors have different
    shapes use `BatchCollator`.

    Args:
        sources: paths, URLs, bytes, …: see `Client.tensor`.
        targets: what belongs to each image, such as its class; None: samples have no target.
        client: default: `Client()`, which takes its address and key from the environment.
        concurrency: images in work at once for each worker, at most.
        options: those of the service.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        targets: Sequence[Any] | None = None,
        *,
        client: Client | None = None,
        concurrency: int = 8,
        **options: Unpack[Options],
    ) -> None:
        if targets is not None and len(targets) != len(sources):
            raise ValueError(f"There are {len(sources)} sources and {len(targets)} targets.")
        self._sources = sources
        self._targets = targets
        self._client = client or Client()
        self._concurrency = concurrency
        self._options = options
        self._options.setdefault("format", "safetensors")

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """The samples of a batch, in the order of the indices."""
        items = self._client.stream(
            (self._sources[index] for index in indices), concurrency=self._concurrency, **self._options
        )
        samples = [_sample(item.tensors()) for item in items]
        if self._targets is None:
            return samples
        return [(sample, self._targets[index]) for sample, index in zip(samples, indices, strict=True)]


class IterableTensorDataset(IterableDataset[Any]):
    """Images of an iterator, such as the lines of a list of URLs: a dict of each image's tensors by name.

    Each worker of a DataLoader takes every n-th source. The axis that counts images is left out.

    Args:
        sources: iterated once in each worker, so it has to give the same sources in all of them.
        on_error: "raise", or "skip": images that fail are left out, with a warning that names the failure.
        client: default: `Client()`, which takes its address and key from the environment.
        concurrency: images in work at once for each worker, at most.
        ordered: whether samples keep the order of the sources.
        options: those of the service.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        *,
        on_error: OnError = "raise",
        client: Client | None = None,
        concurrency: int = 8,
        ordered: bool = True,
        **options: Unpack[Options],
    ) -> None:
        self._sources = sources
        self._on_error = on_error
        self._client = client or Client()
        self._concurrency = concurrency
        self._ordered = ordered
        self._options = options
        self._options.setdefault("format", "safetensors")

    def __iter__(self) -> Iterator[Sample]:
        worker = get_worker_info()
        first, step = (0, 1) if worker is None else (worker.id, worker.num_workers)
        sources = itertools.islice(self._sources, first, None, step)
        items = self._client.stream(sources, concurrency=self._concurrency, ordered=self._ordered, **self._options)
        return (_sample(item.tensors()) for item in items if is_made(item, self._on_error))


class BatchCollator:
    """Makes the tensors of a batch where a DataLoader collates it: `DataLoader(dataset, collate_fn=BatchCollator(…))`.

    The dataset gives sources, or tuples that begin with a source; the rest of the tuples is collated as torch does by
    default. The service joins the tensors as the model's own library does, with its padding and masks.

    Args:
        client: default: `Client()`, which takes its address and key from the environment.
        options: those of the service; a preset is the usual one.
    """

    def __init__(self, *, client: Client | None = None, **options: Unpack[Options]) -> None:
        self._client = client or Client()
        self._options = options

    def __call__(self, samples: Sequence[Any]) -> Any:
        """The tensors by name, or a list of them and the rest of the samples."""
        if not isinstance(samples[0], tuple):
            return to_torch(self._client.batch(samples, **self._options))
        sources, *rest = zip(*samples, strict=True)
        return [to_torch(self._client.batch(sources, **self._options)), *(default_collate(list(one)) for one in rest)]
