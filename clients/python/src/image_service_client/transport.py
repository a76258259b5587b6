"""What the sync and the async client share about HTTP."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import httpx

from .exchange import Lost, Patience, Reply, Request, Send

DEFAULT_URL = "http://localhost:8080"
# Time that a connection may take to open, in seconds.
CONNECT_TIMEOUT = 5.0
CHUNK_BYTES = 1 << 18


@dataclass(frozen=True)
class Settings:
    """How a client reaches the service. It can be pickled, unlike the connections made with it."""

    url: str
    api_key: str | None = field(repr=False)
    timeout: float
    attempts: int
    max_connections: int
    http_options: Mapping[str, Any] = field(repr=False)

    @property
    def patience(self) -> Patience:
        """How long a call may take and how often its request may be sent."""
        return Patience(timeout=self.timeout, attempts=self.attempts)

    def httpx_options(self) -> dict[str, Any]:
        """The arguments of httpx's clients."""
        headers = {
            "User-Agent": f"image-service-client/{version('image-service-client')}",
            "Accept-Encoding": "identity",
        }
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        limits = httpx.Limits(
            max_connections=self.max_connections, max_keepalive_connections=self.max_connections, keepalive_expiry=4
        )
        options = dict(self.http_options)
        headers.update(options.pop("headers", {}))
        return {"base_url": self.url, "headers": headers, "limits": limits, "follow_redirects": False, **options}


def settings_of(
    url: str | None,
    api_key: str | None,
    timeout: float,
    attempts: int,
    max_connections: int,
    http_options: Mapping[str, Any] | None,
) -> Settings:
    """Settings from a client's arguments, and from the environment where these are None.

    Raises:
        ValueError: the URL is not an http or https URL, or a number is too small.
    """
    url = url or os.environ.get("IMAGE_API_URL") or DEFAULT_URL
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"The URL is {url!r}; allowed: http://… or https://…, such as {DEFAULT_URL}.")
    for name, value in (("timeout", timeout), ("attempts", attempts), ("max_connections", max_connections)):
        if value <= 0:
            raise ValueError(f"{name} is {value}; allowed: numbers above 0.")
    key = os.environ.get("IMAGE_API_KEY") or None if api_key is None else api_key
    return Settings(url.rstrip("/"), key, timeout, attempts, max_connections, dict(http_options or {}))


class Deadline(dict[str, float]):
    """The end of an attempt, in the form in which httpx takes timeouts: each phase gets the time that is left.

    httpx bounds each read and write by itself, but not all of them together.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._ends = time.monotonic() + seconds

    def get(self, phase: str, default: Any = None) -> Any:
        """Seconds for a phase: connect, pool, write or read."""
        left = max(0.001, self._ends - time.monotonic())
        return min(left, CONNECT_TIMEOUT) if phase == "connect" else left

    def check(self) -> None:
        """Raises httpx.ReadTimeout after the end."""
        if time.monotonic() > self._ends:
            raise httpx.ReadTimeout("the time of the attempt is over")


def chunks_of(content: bytes, deadline: Deadline) -> Iterator[bytes]:
    """A request's body in chunks, with a look at the deadline before each."""
    view = memoryview(content)
    for at in range(0, len(view), CHUNK_BYTES):
        deadline.check()
        yield bytes(view[at : at + CHUNK_BYTES])


async def async_chunks_of(content: bytes, deadline: Deadline) -> AsyncIterator[bytes]:
    """As `chunks_of`, for httpx's asynchronous client, which takes no other."""
    for chunk in chunks_of(content, deadline):
        yield chunk


def request_options(
    send: Send, deadline: Deadline, chunks: Callable[[bytes, Deadline], Iterator[bytes] | AsyncIterator[bytes]]
) -> dict[str, Any]:
    """The arguments of httpx's `build_request`."""
    request = send.request
    headers = dict(request.headers)
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    return {
        "method": request.method,
        "url": request.path,
        "params": request.params or None,
        "headers": headers,
        "content": None if request.body is None else chunks(request.body, deadline),
        "extensions": {"timeout": deadline},
    }


def reply_of(response: httpx.Response, body: bytearray) -> Reply:
    """A response whose body was read."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(str(response.url), response.status_code, headers, body)


def lost(base_url: str, request: Request, error: httpx.HTTPError) -> Lost:
    """A request without a whole response."""
    is_late = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
    return Lost(f"{base_url}{request.path}", error, is_late)
