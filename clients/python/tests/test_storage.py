"""Responses that the service keeps in object storage, from their headers."""

from __future__ import annotations

from image_service_client.options import option_texts
from image_service_client.outputs import info_of


def test_info_has_the_object_and_its_link() -> None:
    headers = {
        "image-stored": '"s3://kept/v1/ab/abc.npy"',
        "image-stored-link": '"https://s3.example/abc?X-Amz-Expires=5"',
    }
    info = info_of(headers)
    assert info.stored_uri == "s3://kept/v1/ab/abc.npy"
    assert info.stored_link == "https://s3.example/abc?X-Amz-Expires=5"


def test_info_of_a_response_that_is_not_kept_has_neither() -> None:
    info = info_of({})
    assert (info.stored_uri, info.stored_link) == (None, None)


def test_options_of_storage_are_texts() -> None:
    assert option_texts({"store": True, "store_link": 60}) == {"store": "true", "store_link": "60"}
    assert option_texts({"store": "wait"}) == {"store": "wait"}
