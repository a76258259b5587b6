"""A function for the maps of Hugging Face datasets and Ray Data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .client import Client
from .streams import Item
from .tensors import Array

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

OnError = Literal["raise", "skip"]


class TensorMap:
    """Adds the tensors of a column of images: `dataset.map(TensorMap(preset=…), batched=True)`.

    It takes a batch as columns and returns columns: a column for each tensor, with an array for each row, and those of
    `keep`. The axis that counts images is left out of the arrays. It is the same for `datasets.Dataset.map` and
    `ray.data.Dataset.map_batches`, and can be pickled for their workers.

    Args:
        column: the column of images: paths, URLs, bytes, PIL images, or rows {"bytes": …, "path": …}.
        keep: columns that are returned unchanged. Ray drops all others; Hugging Face's `map` keeps all anyway.
        on_error: "raise", or "skip": rows whose image fails are left out, with a warning that names the failure.
        client: default: `Client()`, which takes its address and key from the environment.
        concurrency: images of a batch in work at once, at most.
        options: those of the service.
    """

    def __init__(
        self,
        *,
        column: str = "image",
        keep: Sequence[str] = (),
        on_error: OnError = "raise",
        client: Client | None = None,
        concurrency: int = 8,
        **options: Unpack[Options],
    ) -> None:
        self._column = column
        self._keep = list(keep)
        self._on_error = on_error
        self._client = client or Client()
        self._concurrency = concurrency
        self._options = options
        self._options.setdefault("format", "safetensors")

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a batch.

        Raises:
            ImageServiceError, OSError: an image fails, and `on_error` is "raise".
        """
        items = self._client.stream(batch[self._column], concurrency=self._concurrency, **self._options)
        made = [item for item in items if is_made(item, self._on_error)]
        rows = [item.tensors() for item in made]
        columns: dict[str, Any] = {name: [batch[name][item.index] for item in made] for name in self._keep}
        names = dict.fromkeys(name for row in rows for name in row)
        return {**columns, **{name: _column_of([per_image(row[name]) for row in rows]) for name in names}}


def is_made(item: Item, on_error: OnError) -> bool:
    """Whether an item has an output. Raises its failure, or warns of it, if it has none."""
    if item.error is None:
        return True
    if on_error == "raise":
        raise item.error
    warnings.warn(f"Image {item.index} is skipped: {item.error}", stacklevel=3)
    return False


def per_image(array: Array) -> Array:
    """A tensor without the axis that counts images, if it counts one."""
    return array[0] if array.ndim > 1 and array.shape[0] == 1 else array


def _column_of(arrays: list[Array]) -> Any:
    """One array of all rows, or a column of arrays if their shapes differ."""
    if len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    column = np.empty(len(arrays), dtype=object)
    for index, array in enumerate(arrays):
        column[index] = array
    return column
