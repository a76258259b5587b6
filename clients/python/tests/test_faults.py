"""Failures of the service and of the way to it: real services, and a proxy that loses what it carries."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import multiprocessing
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest

from image_service_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    DeadlineError,
    ImageServiceError,
    RequestError,
    UnavailableError,
    UnexpectedResponseError,
)

PRESET = "google/vit-base-patch16-224"
OPEN_KEY, SLOW_KEY = "open-key-of-a-team", "slow-key-of-a-team"


class Proxy:
    """Passes connections on to the service, but cuts off the responses of the first ones."""

    def __init__(self, target: str, cuts: int, after_bytes: int | None) -> None:
        """With `after_bytes` None it passes nothing on and keeps the connection open."""
        host, port = urlsplit(target).netloc.split(":")
        self._target = (host, int(port))
        self._cuts = cuts
        self._after_bytes = after_bytes
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                self.connections += 1
                self._open.append(near)
                threading.Thread(target=self._serve, args=(near, self.connections <= self._cuts), daemon=True).start()

    def _serve(self, near: socket.socket, is_cut: bool) -> None:
        far = socket.create_connection(self._target)
        self._open.append(far)
        threading.Thread(target=self._pass, args=(near, far, None), daemon=True).start()
        if is_cut and self._after_bytes is None:
            return
        self._pass(far, near, self._after_bytes if is_cut else None)

    @staticmethod
    def _pass(source: socket.socket, target: socket.socket, most: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536 if most is None else min(65536, most - passed)):
                target.sendall(chunk)
                passed += len(chunk)
                if passed == most:
                    break
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        # A thread that accepts wakes up only by this.
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        for one in (self._server, *self._open):
            one.close()


@contextlib.contextmanager
def proxy(target: str, *, cuts: int, after_bytes: int | None) -> Iterator[Proxy]:
    made = Proxy(target, cuts, after_bytes)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def counted(url: str, key: str | None = None, **options: object) -> Iterator[tuple[Client, list[int]]]:
    """A client, and the status of each of its responses."""
    seen: list[int] = []
    hooks = {"response": [lambda response: seen.append(response.status_code)]}
    with Client(url, key, http_options={"event_hooks": hooks}, **options) as client:  # type: ignore[arg-type]
        yield client, seen


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_server_that_is_down_is_unreachable(photo: Path) -> None:
    with Client(f"http://127.0.0.1:{free_port()}", attempts=2) as client, pytest.raises(UnavailableError) as failure:
        client.tensor(photo, preset=PRESET)
    assert failure.value.reason == "UNREACHABLE"
    assert failure.value.retryable
    assert "Connection refused" in failure.value.detail
    assert failure.value.request_id
    assert isinstance(failure.value.__cause__, httpx.ConnectError)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_opens_its_own_connection(url: str, photo: Path) -> None:
    with proxy(url, cuts=0, after_bytes=None) as through, Client(through.url) as client:
        expected = client.tensor(photo, preset=PRESET).tobytes()
        assert through.connections == 1
        context = multiprocessing.get_context("fork")
        results = context.Queue()

        def run() -> None:
            results.put(client.tensor(photo, preset=PRESET).tobytes())

        child = context.Process(target=run)
        child.start()
        assert results.get(timeout=60) == expected
        child.join()
        assert through.connections == 2
        assert client.tensor(photo, preset=PRESET).tobytes() == expected
        assert through.connections == 2


def test_a_response_that_is_cut_off_is_asked_for_again(url: str, client: Client, photo: Path) -> None:
    expected = client.tensor(photo, preset=PRESET)
    with proxy(url, cuts=2, after_bytes=100_000) as cut, Client(cut.url) as other:
        assert np.array_equal(other.tensor(photo, preset=PRESET), expected)
        assert cut.connections == 3


def test_a_response_that_is_always_cut_off_is_no_tensor(url: str, photo: Path) -> None:
    for after_bytes in (20, 100_000):
        with proxy(url, cuts=9, after_bytes=after_bytes) as cut, Client(cut.url, attempts=2) as client:
            with pytest.raises(UnavailableError, match="no whole response"):
                client.tensor(photo, preset=PRESET)
            assert cut.connections == 2


def test_a_server_that_says_nothing_ends_with_the_deadline(url: str, photo: Path) -> None:
    async def run(address: str) -> None:
        async with AsyncClient(address, timeout=0.5) as client:
            await client.tensor(photo, preset=PRESET)

    with proxy(url, cuts=9, after_bytes=None) as silent:
        with (
            Client(silent.url, timeout=0.5) as client,
            pytest.raises(DeadlineError, match="Raise the client's timeout"),
        ):
            client.tensor(photo, preset=PRESET)
        with pytest.raises(TimeoutError):
            asyncio.run(run(silent.url))
        assert silent.connections == 2


def test_a_full_queue_is_tried_again_when_the_service_says(narrow_url: str, photo: Path) -> None:
    def work(width: int, attempts: int) -> ImageServiceError | None:
        with Client(narrow_url, OPEN_KEY, attempts=attempts, timeout=120) as client:
            try:
                client.tensor(photo, width=1000 + width, height=1000, filter="lanczos")
            except ImageServiceError as error:
                return error
            return None

    def at_once(first: int, attempts: int) -> list[ImageServiceError]:
        barrier, outcomes = threading.Barrier(12), list[ImageServiceError | None]()

        def run(width: int) -> None:
            barrier.wait()
            outcomes.append(work(width, attempts))

        threads = [threading.Thread(target=run, args=(first + index,)) for index in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [error for error in outcomes if error is not None]

    refused: list[ImageServiceError] = []
    for rounds in range(5):
        refused = at_once(20 * rounds, attempts=1)
        if refused:
            break
    assert refused
    for error in refused:
        assert isinstance(error, UnavailableError)
        assert (error.reason, error.status) == ("OVERLOADED", 503)
        assert (error.retry_after or 0) > 0
    assert at_once(500, attempts=100) == []


def test_a_rate_limit_is_waited_for(narrow_url: str, photo: Path) -> None:
    def describe_often(client: Client) -> None:
        for _ in range(50):
            client.describe(photo, preset=PRESET)

    with counted(narrow_url, SLOW_KEY, attempts=1) as (client, _), pytest.raises(UnavailableError) as failure:
        describe_often(client)
    assert (failure.value.reason, failure.value.status) == ("RATE_LIMITED", 429)
    assert (failure.value.retry_after or 0) > 0
    with counted(narrow_url, SLOW_KEY, attempts=50) as (client, seen):
        while 429 not in seen:
            client.describe(photo, preset=PRESET)
        assert seen[-1] == 200


def test_an_unknown_key_is_refused_once(narrow_url: str, photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("wrong", None):
        with counted(narrow_url, key) as (client, seen):
            for call in (client.tensor, lambda one, **options: client.batch([one], **options)):
                with pytest.raises(AuthenticationError, match="UNAUTHENTICATED"):
                    call(photo, preset=PRESET)
            assert seen == [401, 401]
    monkeypatch.setenv("IMAGE_API_KEY", OPEN_KEY)
    monkeypatch.setenv("IMAGE_API_URL", narrow_url)
    with Client() as client:
        assert client.tensor(photo, preset=PRESET).shape == (1, 3, 224, 224)


def test_a_path_that_is_not_the_services_is_refused(url: str, photo: Path) -> None:
    with counted(f"{url}/elsewhere/") as (client, seen), pytest.raises(RequestError, match="ROUTE_UNKNOWN"):
        client.tensor(photo, preset=PRESET)
    assert seen == [404]


def test_another_server_is_recognised(photo: Path) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"hi")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{server.server_port}") as client:
            for call in (client.tensors, client.image, client.describe, client.process):
                with pytest.raises(UnexpectedResponseError, match=r"text/html.* Check the client's URL"):
                    call(photo, preset=PRESET)
            with pytest.raises(UnexpectedResponseError, match="text/html"):
                client.batch([photo], preset=PRESET)
        server.shutdown()


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="The URL is 'localhost:8080'; allowed: http://"):
        Client("localhost:8080")
    with pytest.raises(ValueError, match="timeout is 0; allowed"):
        Client(timeout=0)
