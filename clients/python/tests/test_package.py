from __future__ import annotations

import re
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import image_service_client


def test_the_package_is_installed_from_its_wheel(checkout: Path) -> None:
    project = (checkout / "clients/python/pyproject.toml").read_text()
    (expected,) = re.findall(r'^version = "(.+)"$', project, re.MULTILINE)
    installed = distribution("image-service-client")
    assert image_service_client.__version__ == installed.version == expected
    assert not Path(image_service_client.__file__).is_relative_to(checkout)
    assert files(image_service_client).joinpath("py.typed").is_file()
    names = {str(file) for file in installed.files or ()}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert (checkout / "clients/python/LICENSE").read_bytes() == (checkout / "LICENSE").read_bytes()


def test_the_package_needs_only_httpx_and_numpy() -> None:
    needed = [one for one in distribution("image-service-client").requires or () if "extra ==" not in one]
    assert sorted(one.split("<")[0].split(">")[0] for one in needed) == ["httpx", "numpy"]


def test_every_public_name_is_documented() -> None:
    for name in image_service_client.__all__:
        value = getattr(image_service_client, name)
        assert name in ("Source", "TensorSource") or value.__doc__, name
