"""Fixtures: the services that `test/end-to-end/python-client.test.ts` starts, by the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_service_client import Client


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.skip(f"{name} is not set; test/end-to-end/python-client.test.ts sets it")
    return value


@pytest.fixture(scope="session")
def url() -> str:
    """Of image-api, as a client's default."""
    return _from_environment("IMAGE_API_URL")


@pytest.fixture(scope="session")
def narrow_url() -> str:
    """Of an image-api with keys, whose processor has one worker and one place to wait."""
    return _from_environment("NARROW_API_URL")


@pytest.fixture(scope="session")
def photo_url() -> str:
    """Of the photo, at an origin that the service may download from."""
    return _from_environment("PHOTO_URL")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The repository."""
    return Path(_from_environment("CHECKOUT"))


@pytest.fixture(scope="session")
def photo(checkout: Path) -> Path:
    """A JPEG of 640 by 480."""
    return checkout / "test/fixtures/sample.jpg"


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as made:
        yield made
