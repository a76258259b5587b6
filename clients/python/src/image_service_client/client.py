"""The client for programs without asyncio."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import calls
from .exchange import Call, Lost, Read, Reply, Send
from .options import has_preset
from .sources import Source
from .streams import Item, check_concurrency, in_threads
from .transport import Deadline, chunks_of, lost, reply_of, request_options, settings_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .options import Options
    from .outputs import Description, Output, Preset, Tensors
    from .skew import Skew, SkewBatch, TensorSource
    from .tensors import Array

T = TypeVar("T")


class Client:
    """Calls the image service over HTTP.

    A client keeps its connections open, may be shared by threads, can be pickled, and opens its own connections after
    a fork. Close it, or use it as a context manager.

    Args:
        url: address of image-api. Default: the environment's IMAGE_API_URL, or http://localhost:8080.
        api_key: key of the service. Default: the environment's IMAGE_API_KEY, or none.
        timeout: seconds for a call, all attempts and the waits between them together.
        attempts: how often a request is sent at most, if it fails and the failure can be retried.
        max_connections: connections that are open at once, at most.
        http_options: more arguments of httpx.Client, such as {"verify": "ca.pem"} or {"proxy": "http://…"}.

    All methods raise `ImageServiceError` if the service refuses the request, cannot be reached, or is too slow.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        attempts: int = 6,
        max_connections: int = 64,
        http_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings_of(url, api_key, timeout, attempts, max_connections, http_options)
        self._open()

    def tensor(self, source: Source, *, name: str | None = None, **options: Unpack[Options]) -> Array:
        """The tensor of an image, such as [1, 3, 224, 224] float32.

        Args:
            source: a path, a URL, bytes, a file opened in binary mode, or a PIL image.
            name: which tensor, for a preset that makes several.
            options: those of the service, such as preset="openai/clip-vit-base-patch32".

        Raises:
            ValueError: the preset makes several tensors and no name is given. Leaving out a mask that the model needs
                would change its results, so `tensors` returns all of them.
        """
        return self._run(calls.tensor(source, name, options, self._settings.patience))

    def tensors(self, source: Source, **options: Unpack[Options]) -> Tensors:
        """All tensors of an image by name, as the model's library names its inputs: `model(**tensors)`."""
        return self._run(calls.tensors(source, options, self._settings.patience))

    def image(self, source: Source, **options: Unpack[Options]) -> Output:
        """An encoded image: its bytes, content type, size and how it was made. `pillow()` opens it."""
        return self._run(calls.image(source, options, self._settings.patience))

    def process(self, source: Source, **options: Unpack[Options]) -> Output:
        """One output in any format, as bytes."""
        return self._run(calls.process(source, options, self._settings.patience))

    def variants(self, source: Source, outputs: Sequence[Options], **options: Unpack[Options]) -> list[Output]:
        """Up to 16 outputs of one image, which is sent and decoded once.

        Args:
            source: as in `tensor`.
            outputs: the options of each output.
            options: those of all outputs.

        Raises:
            ImageServiceError: one output cannot be made; `metadata["index"]` is its index.
        """
        return self._run(calls.variants(source, outputs, options, self._settings.patience))

    def pages(
        self, source: Source, numbers: Iterable[int] | None = None, **options: Unpack[Options]
    ) -> Iterator[Output]:
        """Outputs of a document's pages, one after another, in any format. A request makes 8 of them.

        Args:
            source: as in `tensor`; a file is read for each request.
            numbers: pages from 1, in the order of the outputs. Default: all pages, which one more request counts.
            options: those of the service, such as dpi=200 and a preset.

        Raises:
            ImageServiceError: a page cannot be drawn; `metadata["index"]` is its index within its request.
        """
        if numbers is None:
            numbers = range(1, self._run(calls.count_of_pages(source, options, self._settings.patience)) + 1)
        for group in calls.page_groups(numbers):
            yield from self.variants(source, [{"page": number} for number in group], **options)

    def batch(self, sources: Iterable[Source], **options: Unpack[Options]) -> Tensors:
        """The tensors of several images, joined along their first axis, in the order of the sources.

        With a preset, one request of at most 256 images: the service joins them as the model's own library does, with
        its padding and masks. Without one, the images are sent one by one, and must become equal shapes.

        Raises:
            ImageServiceError: an image cannot be used (`metadata["index"]` is its index), or the shapes differ
                (BATCH_SHAPES_UNEQUAL). `stream` goes on after a failure.
        """
        if has_preset(options):
            return self._run(calls.batch(sources, options, self._settings.patience))
        options.setdefault("format", calls.TENSOR_FORMAT)
        return calls.joined(self.stream(sources, **options))

    def stream(
        self, sources: Iterable[Source], *, concurrency: int = 8, ordered: bool = True, **options: Unpack[Options]
    ) -> Generator[Item, None, None]:
        """Outputs of any number of images, as an iterator that goes on after an image that fails.

        Sources are taken from their iterator as the items are consumed, at most twice `concurrency` ahead.

        Args:
            sources: any number of sources, each as in `tensor`.
            concurrency: images in work at once, at most.
            ordered: whether items keep the order of the sources; otherwise each comes when it is ready.
            options: those of the service.

        Yields:
            An item for each source. `error` is None, the service's failure, or the OSError of a file; `tensor()`,
            `tensors()` and `output` raise it.

        Raises:
            RequestError, AuthenticationError, UnexpectedResponseError: failures that all other images would meet too.
        """
        check_concurrency(concurrency)

        def run(source: Source, ended: threading.Event) -> Output:
            return self._run(calls.process(source, options, self._settings.patience), ended)

        return in_threads(run, sources, concurrency, ordered)

    def skew(
        self,
        image: Source,
        tensor: TensorSource,
        *,
        tolerance: float | str | None = None,
        map: bool = False,
        picture: bool = False,
        tensor_name: str | None = None,
        **options: Unpack[Options],
    ) -> Skew:
        """Compares the tensor that another program made of an image with the expected one, and names the cause.

        Args:
            image: the image, as in `tensor`.
            tensor: an array, a torch tensor, the path or the bytes of a .npy, .npz or safetensors file, or a PIL image:
                the pixels before they are rescaled and normalized.
            tolerance: the largest absolute difference that passes, in units of the expected tensor; or text such as
                "mean:0.001" or "max:0.05,share:0.01". Without one only equal tensors pass.
            map: whether the result has a PNG of the differences.
            picture: whether `tensor` is an encoded image.
            tensor_name: which tensor of a file of several.
            options: those of the expected tensor, such as preset="openai/clip-vit-base-patch32".

        Raises:
            TensorError: the tensor cannot be compared: it is cut off, has NaN, or is that of another image.
        """
        fields = calls.skew_fields(tolerance, map, tensor_name)
        return self._run(calls.skew(image, tensor, picture, fields, options, self._settings.patience))

    def skew_batch(
        self,
        pairs: Iterable[tuple[Source, TensorSource]],
        *,
        tolerance: float | str | None = None,
        map: bool = False,
        picture: bool = False,
        tensor_name: str | None = None,
        **options: Unpack[Options],
    ) -> SkewBatch:
        """Compares up to 16 pairs in one request, and names the cause that most of them have.

        Args:
            pairs: of an image and a tensor, each as in `skew`; all tensors are arrays and files, or all are pictures.
            tolerance: as in `skew`, of each pair.
            map: as in `skew`.
            picture: as in `skew`.
            tensor_name: as in `skew`.
            options: as in `skew`.
        """
        fields = calls.skew_fields(tolerance, map, tensor_name)
        return self._run(calls.skew_batch(pairs, picture, fields, options, self._settings.patience))

    def describe(self, source: Source, **options: Unpack[Options]) -> Description:
        """Names, datatypes and shapes of the outputs, tokens and key of a request, without decoding the image."""
        return self._run(calls.describe(source, options, self._settings.patience))

    def preset(self, name: str) -> Preset:
        """A preset with its steps in words, and the Python that makes the same tensors with its own library."""
        return self._run(calls.preset(name, self._settings.patience))

    def presets(self, q: str = "") -> Iterator[Preset]:
        """All presets in the order of their names, or those whose name, alias or family contains the words of `q`."""
        cursor = ""
        while True:
            page, cursor = self._run(calls.presets_page(q, cursor, self._settings.patience))
            yield from page
            if not cursor:
                return

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # The connections of a parent process are not this one's to close.
        if getattr(self, "_process", None) == os.getpid():
            self._http.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"_settings": self._settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._settings = state["_settings"]
        self._open()

    def _open(self) -> None:
        self._http = httpx.Client(**self._settings.httpx_options())
        self._process = os.getpid()

    def _run(self, call: Call[T], ended: threading.Event | None = None) -> T:
        """Performs the effects of a call until it returns. `ended` cuts its waits short."""
        ended = ended or threading.Event()
        result: object = None
        try:
            while True:
                effect = call.send(result)
                if isinstance(effect, Read):
                    result = effect.reader(effect.source)
                elif isinstance(effect, Send):
                    result = self._send(effect)
                elif ended.wait(effect.seconds):
                    raise CancelledError
        except StopIteration as end:
            value: T = end.value
            return value

    def _send(self, send: Send) -> Reply | Lost:
        if self._process != os.getpid():
            # Two processes on one connection would read each other's responses.
            self._open()
        deadline = Deadline(send.timeout)
        try:
            request = self._http.build_request(**request_options(send, deadline, chunks_of))
            response = self._http.send(request, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    deadline.check()
                return reply_of(response, body)
            finally:
                response.close()
        except httpx.HTTPError as error:
            return lost(self._settings.url, send.request, error)
