"""Tensors with the pixels that a model was trained on, from the image service.

from image_service_client import Client

client = Client("http://localhost:8080")
tensor = client.tensor("photo.jpg", preset="openai/clip-vit-base-patch32")
"""

from importlib.metadata import version

from .async_client import AsyncClient
from .client import Client
from .errors import (
    AuthenticationError,
    DeadlineError,
    ImageError,
    ImageServiceError,
    RequestError,
    TensorError,
    UnavailableError,
    UnexpectedResponseError,
)
from .mapping import TensorMap
from .options import Options
from .outputs import Description, Info, Output, OutputDescription, Preset, SourceInfo, Tensors
from .skew import (
    Skew,
    SkewBatch,
    SkewCause,
    SkewOverall,
    SkewStep,
    TensorInfo,
    TensorSource,
    assert_no_skew,
)
from .sources import Source, Url
from .streams import Item

__version__ = version("image-service-client")
__all__ = [
    "AsyncClient",
    "AuthenticationError",
    "Client",
    "DeadlineError",
    "Description",
    "ImageError",
    "ImageServiceError",
    "Info",
    "Item",
    "Options",
    "Output",
    "OutputDescription",
    "Preset",
    "RequestError",
    "Skew",
    "SkewBatch",
    "SkewCause",
    "SkewOverall",
    "SkewStep",
    "Source",
    "SourceInfo",
    "TensorError",
    "TensorInfo",
    "TensorMap",
    "TensorSource",
    "Tensors",
    "UnavailableError",
    "UnexpectedResponseError",
    "Url",
    "assert_no_skew",
]
