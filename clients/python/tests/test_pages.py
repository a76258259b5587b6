from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from image_service_client import AsyncClient, Client, ImageError, RequestError


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """A PDF of 10 pages, which are 10, 11, … points wide and 8 high."""
    pages = [Image.new("RGB", (10 + index, 8), (20 * index, 0, 0)) for index in range(10)]
    path = tmp_path / "document.pdf"
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=72)
    return path


def test_a_page_is_drawn_at_its_resolution(client: Client, document: Path) -> None:
    output = client.image(document, page=3, dpi=144, scale=False)
    assert (output.pillow().width, output.pillow().height, output.content_type) == (24, 16, "image/png")


def test_pages_come_one_after_another_in_any_number(client: Client, document: Path) -> None:
    outputs = client.pages(document, dpi=72, scale=False)
    assert [output.pillow().width for output in outputs] == list(range(10, 20))
    chosen = client.pages(document, [7, 2], dpi=72, scale=False)
    assert [output.pillow().width for output in chosen] == [16, 11]


def test_the_async_client_has_the_same_pages(url: str, document: Path) -> None:
    async def widths() -> list[int]:
        async with AsyncClient(url) as client:
            return [output.pillow().width async for output in client.pages(document, dpi=72, scale=False)]

    assert asyncio.run(widths()) == list(range(10, 20))


def test_a_tensor_of_a_page_is_that_of_its_picture(client: Client, document: Path) -> None:
    drawn = client.image(document, page=2, dpi=72, scale=False, grayscale=False, format="png")
    preset = "openai/clip-vit-base-patch32"
    assert client.tensor(document, page=2, dpi=72, preset=preset).tobytes() == (
        client.tensor(io.BytesIO(drawn.content), preset=preset).tobytes()
    )
    batch = client.batch([document, document], page=2, dpi=72.0, preset=preset)
    assert batch.one().shape[0] == 2


def test_a_description_has_the_pages(client: Client, document: Path) -> None:
    description = client.describe(document, dpi=72)
    assert description.source is not None
    assert description.source.pages == 10
    assert description.pages[:2] == ((10, 8), (11, 8))


def test_several_pages_have_a_method_of_their_own(client: Client, document: Path) -> None:
    with pytest.raises(ValueError, match="pages"):
        client.image(document, page="1-3")


def test_a_page_that_is_not_there_fails(client: Client, document: Path) -> None:
    with pytest.raises(ImageError) as caught:
        client.image(document, page=11)
    assert caught.value.reason == "PAGE_OUT_OF_RANGE"


def test_a_password_is_in_no_query_and_in_no_message(client: Client, photo: Path) -> None:
    # A picture has no password: the refusal shows that one arrived.
    for call in (
        lambda: client.image(photo, password="abc"),
        lambda: client.variants(photo, [{}], password="abc"),
    ):
        with pytest.raises(RequestError) as caught:
            call()
        assert caught.value.metadata["option"] == "source_options.password"
        assert "abc" not in str(caught.value)
