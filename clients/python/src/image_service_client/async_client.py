"""The client for programs with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from . import calls
from .exchange import Call, Lost, Read, Reply, Send
from .options import has_preset
from .sources import Source
from .streams import Item, check_concurrency, in_tasks
from .transport import Deadline, async_chunks_of, lost, reply_of, request_options, settings_of

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .options import Options
    from .outputs import Description, Output, Preset, Tensors
    from .skew import Skew, SkewBatch, TensorSource
    from .tensors import Array

T = TypeVar("T")


class AsyncClient:
    """`Client` for asyncio: the same arguments, methods and failures.

    A client belongs to one event loop. Files are read in a thread, so that they do not block it.
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
        self._http = httpx.AsyncClient(**self._settings.httpx_options())

    async def tensor(self, source: Source, *, name: str | None = None, **options: Unpack[Options]) -> Array:
        """As `Client.tensor`."""
        return await self._run(calls.tensor(source, name, options, self._settings.patience))

    async def tensors(self, source: Source, **options: Unpack[Options]) -> Tensors:
        """As `Client.tensors`."""
        return await self._run(calls.tensors(source, options, self._settings.patience))

    async def image(self, source: Source, **options: Unpack[Options]) -> Output:
        """As `Client.image`."""
        return await self._run(calls.image(source, options, self._settings.patience))

    async def process(self, source: Source, **options: Unpack[Options]) -> Output:
        """As `Client.process`."""
        return await self._run(calls.process(source, options, self._settings.patience))

    async def variants(self, source: Source, outputs: Sequence[Options], **options: Unpack[Options]) -> list[Output]:
        """As `Client.variants`."""
        return await self._run(calls.variants(source, outputs, options, self._settings.patience))

    async def pages(
        self, source: Source, numbers: Iterable[int] | None = None, **options: Unpack[Options]
    ) -> AsyncIterator[Output]:
        """As `Client.pages`."""
        if numbers is None:
            numbers = range(1, await self._run(calls.count_of_pages(source, options, self._settings.patience)) + 1)
        for group in calls.page_groups(numbers):
            for output in await self.variants(source, [{"page": number} for number in group], **options):
                yield output

    async def batch(self, sources: Iterable[Source], **options: Unpack[Options]) -> Tensors:
        """As `Client.batch`."""
        if has_preset(options):
            return await self._run(calls.batch(sources, options, self._settings.patience))
        options.setdefault("format", calls.TENSOR_FORMAT)
        return calls.joined([item async for item in self.stream(sources, **options)])

    def stream(
        self,
        sources: Iterable[Source] | AsyncIterable[Source],
        *,
        concurrency: int = 8,
        ordered: bool = True,
        **options: Unpack[Options],
    ) -> AsyncGenerator[Item, None]:
        """As `Client.stream`; sources may come from an asynchronous iterator as well."""
        check_concurrency(concurrency)

        async def run(source: Source) -> Output:
            return await self.process(source, **options)

        return in_tasks(run, sources, concurrency, ordered)

    async def skew(
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
        """As `Client.skew`."""
        fields = calls.skew_fields(tolerance, map, tensor_name)
        return await self._run(calls.skew(image, tensor, picture, fields, options, self._settings.patience))

    async def skew_batch(
        self,
        pairs: Iterable[tuple[Source, TensorSource]],
        *,
        tolerance: float | str | None = None,
        map: bool = False,
        picture: bool = False,
        tensor_name: str | None = None,
        **options: Unpack[Options],
    ) -> SkewBatch:
        """As `Client.skew_batch`."""
        fields = calls.skew_fields(tolerance, map, tensor_name)
        return await self._run(calls.skew_batch(pairs, picture, fields, options, self._settings.patience))

    async def describe(self, source: Source, **options: Unpack[Options]) -> Description:
        """As `Client.describe`."""
        return await self._run(calls.describe(source, options, self._settings.patience))

    async def preset(self, name: str) -> Preset:
        """As `Client.preset`."""
        return await self._run(calls.preset(name, self._settings.patience))

    async def presets(self, q: str = "") -> AsyncIterator[Preset]:
        """As `Client.presets`."""
        cursor = ""
        while True:
            page, cursor = await self._run(calls.presets_page(q, cursor, self._settings.patience))
            for one in page:
                yield one
            if not cursor:
                return

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.url!r})"

    async def _run(self, call: Call[T]) -> T:
        """Performs the effects of a call until it returns."""
        result: object = None
        try:
            while True:
                effect = call.send(result)
                if isinstance(effect, Read):
                    result = await asyncio.to_thread(effect.reader, effect.source)
                elif isinstance(effect, Send):
                    result = await self._send(effect)
                else:
                    await asyncio.sleep(effect.seconds)
        except StopIteration as end:
            value: T = end.value
            return value

    async def _send(self, send: Send) -> Reply | Lost:
        deadline = Deadline(send.timeout)
        try:
            request = self._http.build_request(**request_options(send, deadline, async_chunks_of))
            response = await self._http.send(request, stream=True)
            try:
                body = bytearray()
                async for chunk in response.aiter_raw():
                    body += chunk
                    deadline.check()
                return reply_of(response, body)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            return lost(self._settings.url, send.request, error)
