"""Retries, without a network: a call is a generator, which a test drives with its own clock."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from image_service_client import DeadlineError, ImageError, ImageServiceError, UnavailableError, UnexpectedResponseError
from image_service_client.exchange import Lost, Patience, Reply, Request, Send, Wait, exchange, retry_after


def problem(status: int, reason: str, retryable: bool, headers: dict[str, str] | None = None) -> Reply:
    body = {"reason": reason, "detail": "why", "retryable": retryable, "metadata": {"limit": 3}}
    return Reply(
        "http://api/v1/images",
        status,
        {"content-type": "application/problem+json", **(headers or {})},
        bytearray(json.dumps(body).encode()),
    )


OK = Reply("http://api/v1/images", 200, {}, bytearray())
REFUSED = Lost("http://api/v1/images", httpx.ConnectError("refused"), is_late=False)


def run(*outcomes: Reply | Lost, timeout: float = 60, attempts: int = 6) -> tuple[Any, list[float]]:
    """The reply or failure of a call with these outcomes, and the waits between its attempts."""
    now = 0.0
    waits: list[float] = []
    remaining = list(outcomes)
    call = exchange(Request("POST", "/v1/images"), Patience(timeout, attempts, clock=lambda: now))
    result: object = None
    try:
        while True:
            effect = call.send(result)
            if isinstance(effect, Wait):
                waits.append(effect.seconds)
                now += effect.seconds
                result = None
            else:
                assert isinstance(effect, Send)
                assert 0 < effect.timeout <= timeout - now
                result = remaining.pop(0)
    except StopIteration as end:
        assert remaining == []
        return end.value, waits
    except ImageServiceError as error:
        assert remaining == []
        return error, waits


def test_a_success_is_sent_once() -> None:
    assert run(OK) == (OK, [])


def test_it_waits_as_long_as_the_service_asks() -> None:
    busy = problem(503, "OVERLOADED", True, {"retry-after": "3"})
    assert run(busy, busy, OK) == (OK, [3, 3])


def test_without_retry_after_each_wait_is_about_twice_the_last() -> None:
    reply, waits = run(REFUSED, REFUSED, REFUSED, OK)
    assert reply is OK
    for wait, longest in zip(waits, (0.25, 0.5, 1), strict=True):
        assert longest / 2 <= wait <= longest


def test_what_cannot_be_retried_is_sent_once() -> None:
    for status, reason in ((422, "IMAGE_CORRUPT"), (500, "INTERNAL"), (413, "SOURCE_BYTES_OVER_LIMIT")):
        error, waits = run(problem(status, reason, False))
        assert (error.reason, error.status, error.metadata, waits) == (reason, status, {"limit": 3}, [])
        assert not error.retryable


def test_attempts_are_bounded() -> None:
    error, waits = run(*[REFUSED] * 3, attempts=3)
    assert isinstance(error, UnavailableError)
    assert (error.reason, error.retryable, len(waits)) == ("UNREACHABLE", True, 2)


def test_no_wait_goes_beyond_the_deadline() -> None:
    error, waits = run(problem(429, "RATE_LIMITED", True, {"retry-after": "30"}), timeout=30)
    assert (error.reason, error.retry_after, waits) == ("RATE_LIMITED", 30, [])
    assert isinstance(error, UnavailableError)


def test_a_late_response_is_a_deadline_error_and_a_timeout_error() -> None:
    error, _ = run(Lost("http://api", httpx.ReadTimeout("timed out"), is_late=True), attempts=1)
    assert isinstance(error, DeadlineError)
    assert isinstance(error, TimeoutError)
    assert error.reason == "DEADLINE_EXCEEDED"
    assert isinstance(error.__cause__, httpx.ReadTimeout)


def test_a_proxys_503_is_retried_and_its_404_is_not() -> None:
    page = {"content-type": "text/html; charset=utf-8"}
    busy = Reply("http://api/v1/images", 503, {**page, "retry-after": "1"}, bytearray(b"<p>"))
    assert run(busy, OK) == (OK, [1])
    error, waits = run(Reply("http://api/v1/images", 404, page, bytearray(b"<p>")))
    assert isinstance(error, UnexpectedResponseError)
    assert (error.status, waits) == (404, [])
    assert str(error) == (
        "UNEXPECTED_RESPONSE: http://api/v1/images responded 404 with text/html, which the image service does not. "
        "Check the client's URL."
    )


def test_a_failure_in_the_connect_protocol_has_what_a_problem_has() -> None:
    # google.rpc.ErrorInfo: reason IMAGE_CORRUPT, domain image.v1, metadata index 1 and retryable false.
    info = b"\x0a\x0dIMAGE_CORRUPT\x12\x08image.v1\x1a\x0a\x0a\x05index\x12\x011\x1a\x12\x0a\x09retryable\x12\x05false"
    import base64

    value = base64.b64encode(info).decode().rstrip("=")
    details = [{"type": "google.rpc.ErrorInfo", "value": value}]
    body = json.dumps({"code": "invalid_argument", "message": "why", "details": details}).encode()
    error, _ = run(Reply("http://api/x", 400, {"content-type": "application/json"}, bytearray(body)))
    assert isinstance(error, ImageError)
    assert (error.reason, error.metadata, error.retryable) == ("IMAGE_CORRUPT", {"index": "1"}, False)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 2), ("0.5", 0.5), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("soon", None), ("-1", 0)]
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after(Reply("", 503, {"retry-after": text}, bytearray())) == seconds
