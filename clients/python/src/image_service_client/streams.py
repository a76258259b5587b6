"""Streams: any number of images, a bounded number of which is in work at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

from .errors import AuthenticationError, ImageServiceError, RequestError, UnexpectedResponseError
from .outputs import Output, Tensors
from .sources import Source
from .tensors import Array

# Failures that every other image of the stream would meet as well.
_OF_ALL_IMAGES = (AuthenticationError, RequestError, UnexpectedResponseError)


@dataclass(frozen=True)
class Item:
    """One image of a stream: its output, or its failure."""

    index: int
    """The position of the source, counted from 0."""
    source: Source = field(repr=False)
    """The source as it was given."""
    outcome: Output | ImageServiceError | OSError
    """The output, or why there is none: the service's failure, or that of reading the file."""

    @property
    def error(self) -> ImageServiceError | OSError | None:
        """Why there is no output; None if there is one."""
        return None if isinstance(self.outcome, Output) else self.outcome

    @property
    def output(self) -> Output:
        """The output. Raises the failure of the image if there is none."""
        if isinstance(self.outcome, Output):
            return self.outcome
        raise self.outcome

    def tensor(self, name: str | None = None) -> Array:
        """As `Output.tensor`. Raises the failure of the image if there is no output."""
        return self.output.tensor(name)

    def tensors(self) -> Tensors:
        """As `Output.tensors`. Raises the failure of the image if there is no output."""
        return self.output.tensors()


def check_concurrency(concurrency: int) -> None:
    """Raises ValueError for a number below 1."""
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; allowed: numbers from 1 on.")


def item_of(index: int, source: Source, outcome: Output | Exception) -> Item:
    """The item of an outcome. Raises failures that every other image would meet as well."""
    if isinstance(outcome, Output):
        return Item(index, source, outcome)
    if isinstance(outcome, ImageServiceError | OSError) and not isinstance(outcome, _OF_ALL_IMAGES):
        return Item(index, source, outcome)
    raise outcome


def in_threads(
    run: Callable[[Source, threading.Event], Output], sources: Iterable[Source], concurrency: int, ordered: bool
) -> Generator[Item, None, None]:
    """Runs a function for each source in threads.

    At most twice `concurrency` sources have been taken and not yet handed out, so neither a slow consumer nor one slow
    image lets memory grow.

    Args:
        run: processes one source; ends early once the event is set.
        sources: read as the items are consumed.
        concurrency: sources in work at once, at most.
        ordered: whether items keep the order of the sources; otherwise each is handed out when it is ready.
    """
    ended = threading.Event()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="image-service")
    pending: dict[Future[Output], tuple[int, Source]] = {}
    numbered = enumerate(sources)
    is_more = True
    try:
        while True:
            while is_more and len(pending) < 2 * concurrency:
                entry = next(numbered, None)
                if entry is None:
                    is_more = False
                else:
                    pending[pool.submit(run, entry[1], ended)] = entry
            if not pending:
                return
            first = next(iter(pending))
            done = [first] if ordered else wait(pending, return_when=FIRST_COMPLETED).done
            for future in done:
                index, source = pending.pop(future)
                yield item_of(index, source, _outcome(future))
    finally:
        ended.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _outcome(future: Future[Output]) -> Output | Exception:
    try:
        return future.result()
    except Exception as error:
        return error


async def in_tasks(
    run: Callable[[Source], Coroutine[Any, Any, Output]],
    sources: Iterable[Source] | AsyncIterable[Source],
    concurrency: int,
    ordered: bool,
) -> AsyncGenerator[Item, None]:
    """As `in_threads`, with tasks of asyncio."""
    room = asyncio.Semaphore(concurrency)

    async def bounded(source: Source) -> Output:
        async with room:
            return await run(source)

    pending: dict[asyncio.Task[Output], tuple[int, Source]] = {}
    remaining = aiter(_asynchronous(sources))
    count, is_more = 0, True
    try:
        while True:
            while is_more and len(pending) < 2 * concurrency:
                try:
                    source = await anext(remaining)
                except StopAsyncIteration:
                    is_more = False
                    break
                pending[asyncio.create_task(bounded(source))] = (count, source)
                count += 1
            if not pending:
                return
            first = next(iter(pending))
            done, _ = await asyncio.wait([first] if ordered else pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                index, source = pending.pop(task)
                failure = task.exception()
                yield item_of(index, source, failure if isinstance(failure, Exception) else task.result())
    finally:
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


async def _asynchronous(sources: Iterable[Source] | AsyncIterable[Source]) -> AsyncIterator[Source]:
    if isinstance(sources, AsyncIterable):
        async for source in sources:
            yield source
    else:
        for source in sources:
            yield source
