"""Failures as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ImageServiceError(Exception):
    """A request failed.

    Match on `reason`, show `detail` to people, and read limits from `metadata`. The page "Errors" of the service's
    documentation lists all reasons. The subclasses name who has to do something about it.

    Attributes:
        reason: stable name of the failure, such as `IMAGE_CORRUPT`.
        detail: one or two sentences for people.
        metadata: the limit and the actual value, where there is a limit.
        status: HTTP status, or None if no response arrived.
        retryable: whether the same request can succeed later. The client has already repeated it as often as it may.
        request_id: the request's id in the service's log.
        retry_after: seconds that the service asks to wait, or None.
    """

    def __init__(
        self,
        detail: str,
        *,
        reason: str = "UNKNOWN",
        metadata: Mapping[str, Any] | None = None,
        status: int | None = None,
        retryable: bool = False,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.status = status
        self.retryable = retryable
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Worker processes send exceptions to their parent.
        return (_restore, (type(self), self.detail, self.__dict__.copy()))


def _restore(kind: type[ImageServiceError], detail: str, state: dict[str, Any]) -> ImageServiceError:
    error = kind(detail)
    error.__dict__.update(state)
    return error


class ImageError(ImageServiceError):
    """This image cannot be used: damaged, too large, of another format, not to be had at its URL. Others may be."""


class RequestError(ImageServiceError):
    """The call is wrong, whatever the image: an unknown option or preset, a value that is not allowed."""


class TensorError(ImageServiceError):
    """The tensor to compare cannot be used: cut off, with NaN, or of another image."""


class AuthenticationError(ImageServiceError):
    """The API key is missing or unknown."""


class UnavailableError(ImageServiceError):
    """The service cannot do it now: overloaded, rate limited, not reachable. The same request can succeed later."""


class DeadlineError(UnavailableError, TimeoutError):
    """The time of the call is over."""


class UnexpectedResponseError(ImageServiceError):
    """The response is not one of the image service. Often the URL leads to another server."""


_REQUEST_PREFIXES = ("OPTION_", "PRESET_", "NUMERICS_", "ROUTE_", "METHOD_", "JSON_", "MULTIPART_")
_REQUEST_REASONS = {
    "BATCH_SHAPES_UNEQUAL",
    "CHUNK_EXTENSIONS_TOO_LARGE",
    "COMPRESSION_UNSUPPORTED",
    "CONTENT_TYPE_UNSUPPORTED",
    "EXPECTATION_UNSUPPORTED",
    "HEADERS_TOO_LARGE",
    "MESSAGE_INVALID",
    "PAIRS_INVALID",
    "REQUEST_INVALID",
    "SOURCE_AMBIGUOUS",
    "SOURCE_MISSING",
}
_AUTHENTICATION_REASONS = {"UNAUTHENTICATED", "SIGNATURE_INVALID", "LINK_EXPIRED"}
_IMAGE_PREFIXES = (
    "DOCUMENT_",
    "PAGE_",
    "SOURCE_",
    "OUTPUT_",
    "IMAGE_",
    "FORMAT_",
    "ASPECT_",
    "PADDED_",
    "URL_",
    "ORIGIN_",
    "BUCKET_",
)
_DEADLINE_REASONS = {"DEADLINE_EXCEEDED", "REQUEST_TIMEOUT"}


def error_class(reason: str, retryable: bool) -> type[ImageServiceError]:
    """The exception of a reason. Reasons of later versions of the service get a fitting or the general one."""
    if reason in _DEADLINE_REASONS:
        return DeadlineError
    if retryable:
        return UnavailableError
    if reason in _AUTHENTICATION_REASONS:
        return AuthenticationError
    if reason in _REQUEST_REASONS or reason.startswith(_REQUEST_PREFIXES):
        return RequestError
    if reason.startswith(_IMAGE_PREFIXES):
        return ImageError
    if reason.startswith("TENSOR_"):
        return TensorError
    return ImageServiceError
