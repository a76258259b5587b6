"""One call of the service, without input or output.

A call is a generator of effects. The client performs each (reads a source, sends a request, waits) and sends the result
back, so that the sync and the async client share everything else.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from .errors import DeadlineError, ImageServiceError, UnavailableError, UnexpectedResponseError, error_class
from .messages import error_info
from .sources import Content, Source, read_source

T = TypeVar("T")


@dataclass(frozen=True)
class Read:
    """Read a source; the result is what its reader returns."""

    source: Any
    reader: Callable[[Any], Any] = read_source


@dataclass(frozen=True)
class Request:
    """An HTTP request."""

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Send:
    """Send a request; the result is a `Reply`, or a `Lost` where none arrived."""

    request: Request
    timeout: float
    """Seconds for the whole attempt."""


@dataclass(frozen=True)
class Reply:
    """A whole HTTP response. The names of its headers are in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytearray


@dataclass(frozen=True)
class Lost:
    """A request without a whole response."""

    url: str
    error: Exception
    is_late: bool
    """Whether the time of the attempt was over."""


@dataclass(frozen=True)
class Wait:
    """Wait some seconds."""

    seconds: float


Effect = Read | Send | Wait
Call = Generator[Effect, Any, T]


@dataclass(frozen=True)
class Patience:
    """How long a call may take and how often its request may be sent."""

    timeout: float
    """Seconds for a call, all attempts and waits together."""
    attempts: int
    """Requests of a call, at most."""
    clock: Callable[[], float] = time.monotonic


FIRST_WAIT = 0.25
LONGEST_WAIT = 8.0


def read(source: Source) -> Generator[Effect, Any, Content]:
    """The content of a source."""
    content: Content = yield Read(source)
    return content


def exchange(request: Request, patience: Patience) -> Generator[Effect, Any, Reply]:
    """Sends a request until it succeeds, cannot succeed, or its time is over.

    Equal requests give equal bytes, so every request may be sent again. Only failures that the service calls retryable
    and lost connections are: after the time that `Retry-After` states, otherwise after a wait that doubles each time.

    Raises:
        ImageServiceError: the last failure.
    """
    ends = patience.clock() + patience.timeout
    # Chosen here, so that it is known even if no response arrives.
    request_id = str(uuid.uuid4())
    request = replace(request, headers={**request.headers, "X-Request-Id": request_id})
    attempt = 0
    while True:
        attempt += 1
        outcome: Reply | Lost = yield Send(request, max(0.001, ends - patience.clock()))
        if isinstance(outcome, Reply) and outcome.status < 300:
            return outcome
        error = failure_of(outcome)
        error.request_id = request_id
        left = ends - patience.clock()
        seconds = error.retry_after if error.retry_after is not None else backoff(attempt)
        # A wait beyond the deadline would only delay the same failure.
        if not error.retryable or attempt >= patience.attempts or seconds >= left:
            raise error
        yield Wait(seconds)


def backoff(attempt: int) -> float:
    """Seconds to wait after an attempt, counted from 1: doubled each time, and spread so that callers do not meet."""
    longest: float = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1)


def failure_of(outcome: Reply | Lost) -> ImageServiceError:
    """The exception for an outcome that is not a success."""
    if isinstance(outcome, Lost):
        return _lost(outcome)
    kind = outcome.headers.get("content-type", "").partition(";")[0]
    try:
        value = json.loads(outcome.body)
        if kind == "application/problem+json" and "reason" in value:
            return _problem(outcome, value)
        if kind == "application/json" and "code" in value:
            return _connect_error(outcome, value)
    except (ValueError, TypeError, KeyError):
        pass
    return _foreign(outcome, kind)


def _lost(lost: Lost) -> ImageServiceError:
    about = str(lost.error) or type(lost.error).__name__
    if lost.is_late:
        error: ImageServiceError = DeadlineError(
            f"{lost.url} did not respond in time ({about}). Raise the client's timeout, or send a smaller image.",
            reason="DEADLINE_EXCEEDED",
            retryable=True,
        )
    else:
        error = UnavailableError(
            f"{lost.url} gave no whole response: {about}. Check the address and whether the service runs.",
            reason="UNREACHABLE",
            retryable=True,
        )
    error.__cause__ = lost.error
    return error


def _problem(reply: Reply, value: Mapping[str, Any]) -> ImageServiceError:
    reason, retryable = str(value["reason"]), bool(value.get("retryable"))
    return error_class(reason, retryable)(
        str(value.get("detail", reason)),
        reason=reason,
        metadata=value.get("metadata"),
        status=reply.status,
        retryable=retryable,
        retry_after=retry_after(reply),
    )


def _connect_error(reply: Reply, value: Mapping[str, Any]) -> ImageServiceError:
    """A failure in the Connect protocol, whose ErrorInfo carries what a problem has."""
    details = value.get("details", ())
    infos = [error_info(one["value"]) for one in details if one["type"].endswith("google.rpc.ErrorInfo")]
    reason, metadata = infos[0] if infos else (str(value["code"]).upper(), {})
    retryable = metadata.pop("retryable", "false") == "true"
    return error_class(reason, retryable)(
        str(value.get("message", reason)),
        reason=reason,
        metadata=metadata,
        status=reply.status,
        retryable=retryable,
        retry_after=retry_after(reply),
    )


def _foreign(reply: Reply, kind: str) -> ImageServiceError:
    """A failure that the service did not write: a proxy's, or that of another server."""
    detail = f"{reply.url} responded {reply.status} with {kind or 'no content type'}, which the image service does not"
    if reply.status in (429, 502, 503, 504):
        return UnavailableError(
            f"{detail}. A proxy in front of it may be overloaded, or the service may be starting.",
            reason="UNEXPECTED_RESPONSE",
            status=reply.status,
            retryable=True,
            retry_after=retry_after(reply),
        )
    return UnexpectedResponseError(
        f"{detail}. Check the client's URL.", reason="UNEXPECTED_RESPONSE", status=reply.status
    )


def retry_after(reply: Reply) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3): a number, or the time until a date."""
    text = reply.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None
