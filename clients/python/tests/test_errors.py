from __future__ import annotations

import pickle
import re
from pathlib import Path

from image_service_client import (
    AuthenticationError,
    DeadlineError,
    ImageError,
    ImageServiceError,
    RequestError,
    TensorError,
    UnavailableError,
)
from image_service_client.errors import error_class


def test_every_reason_has_its_exception(checkout: Path) -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` .*\| (yes|no) +\|$", (checkout / "docs/errors.md").read_text(), re.MULTILINE)
    assert len(rows) > 40
    classes: dict[type, set[str]] = {}
    for reason, retryable in rows:
        classes.setdefault(error_class(reason, retryable == "yes"), set()).add(reason)
    assert classes.pop(ImageServiceError) == {"INTERNAL"}
    assert classes.pop(AuthenticationError) == {"UNAUTHENTICATED", "SIGNATURE_INVALID", "LINK_EXPIRED"}
    assert classes.pop(DeadlineError) == {"DEADLINE_EXCEEDED", "REQUEST_TIMEOUT"}
    assert {"OVERLOADED", "RATE_LIMITED", "ORIGIN_BUSY", "WORKER_CRASHED"} <= classes.pop(UnavailableError)
    assert {"IMAGE_CORRUPT", "FORMAT_UNSUPPORTED", "ORIGIN_STATUS", "SOURCE_EMPTY"} <= classes.pop(ImageError)
    assert {"OPTION_UNKNOWN", "PRESET_UNKNOWN", "SOURCE_MISSING", "ROUTE_UNKNOWN", "PAIRS_INVALID"} <= classes.pop(
        RequestError
    )
    assert {"TENSOR_INVALID", "TENSOR_NOT_FINITE", "TENSOR_UNRELATED"} <= classes.pop(TensorError)
    assert classes == {}


def test_an_error_survives_the_way_between_processes() -> None:
    error = ImageError("why", reason="IMAGE_CORRUPT", metadata={"limit": 1}, status=422, request_id="id")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.__dict__) == (ImageError, "IMAGE_CORRUPT: why", error.__dict__)
    # torch's workers make the exception again from its text alone.
    assert isinstance(ImageError("a traceback"), ImageServiceError)
