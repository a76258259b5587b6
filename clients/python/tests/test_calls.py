from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest
from PIL import Image

from image_service_client import Client, ImageError, Options, RequestError, Url
from image_service_client.options import option_texts

CLIP = "openai/clip-vit-base-patch32"
# Two tensors, and a batch that is padded; small, so that it is quick.
DETR = {"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 64, "longest_edge": 128}}


def goldens() -> list[tuple[str, dict[str, str]]]:
    """Tensors that the models' own libraries made, from the parity tests of the service."""
    folder = os.environ.get("GOLDENS")
    return [] if folder is None else list(json.loads(Path(folder, "goldens.json").read_text()).items())


@pytest.mark.parametrize(("name", "golden"), goldens())
def test_a_tensor_has_the_bytes_of_the_models_own_library(client: Client, name: str, golden: dict[str, str]) -> None:
    options = Options(numerics=golden["numerics"])  # type: ignore[typeddict-item]
    if "config" in golden:
        options["preprocessor_config"] = golden["config"]
    else:
        options["preset"] = golden["preset"]
    tensor = client.tensor(Path(golden["file"]), name=golden["tensor"], **options)
    assert hashlib.sha256(tensor.tobytes()).hexdigest()[:16] == golden["sha256"], name


def test_a_tensor_is_a_writable_array_in_c_order(client: Client, photo: Path) -> None:
    tensor = client.tensor(photo, preset=CLIP)
    assert (tensor.shape, tensor.dtype.name) == ((1, 3, 224, 224), "float32")
    assert tensor.flags.writeable
    assert tensor.flags.c_contiguous
    assert tensor.flags.aligned


def test_all_kinds_of_sources_give_the_same_tensor(client: Client, photo: Path, photo_url: str) -> None:
    content = photo.read_bytes()
    expected = client.tensor(photo, preset=CLIP)
    with photo.open("rb") as file, Image.open(photo) as image:
        sources = [str(photo), content, bytearray(content), memoryview(content), file, io.BytesIO(content), image]
        sources += [photo_url, Url(photo_url), {"bytes": content, "path": None}, {"bytes": None, "path": str(photo)}]
        for source in sources:
            assert np.array_equal(client.tensor(source, preset=CLIP), expected), type(source)


def test_a_pil_image_keeps_its_pixels_and_is_not_turned(client: Client) -> None:
    image = Image.fromarray(np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info["exif"] = exif.tobytes()
    pixels = client.tensor(image, scale=False, grayscale=False, datatype="uint8", layout="nhwc")
    assert np.array_equal(pixels[0], np.asarray(image))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (np.zeros((4, 4, 3), np.uint8), "array of pixels without a channel order"),
        (Image.new("CMYK", (4, 4)), r"mode 'CMYK'.*convert\(\"RGB\"\)"),
        (io.StringIO("text"), "text mode"),
        ({"path": None}, '"bytes", or "path"'),
        (7, "int is not an image"),
    ],
)
def test_other_sources_are_refused_with_what_to_do(client: Client, source: object, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        client.tensor(source, preset=CLIP)


def test_tensor_refuses_to_drop_one_of_several_tensors(client: Client, photo: Path) -> None:
    with pytest.raises(ValueError, match=r"2 tensors: .*pixel_mask"):
        client.tensor(photo, preprocessor_config=DETR)
    tensors = client.tensors(photo, preprocessor_config=DETR)
    assert sorted(tensors) == ["pixel_mask", "pixel_values"]
    one = client.tensor(photo, preprocessor_config=DETR, name="pixel_values")
    assert np.array_equal(one, tensors["pixel_values"])
    with pytest.raises(KeyError, match=r"no tensor image; .*pixel_values"):
        client.tensor(photo, preprocessor_config=DETR, name="image")


def test_tensors_know_how_they_were_made(client: Client, photo: Path) -> None:
    info = client.tensors(photo, preset=CLIP).info
    assert info is not None
    assert info.source is not None
    assert info.source.sha256 == hashlib.sha256(photo.read_bytes()).hexdigest()
    assert (info.source.format, info.source.width, info.source.height) == ("jpeg", 640, 480)
    assert info.key == client.describe(photo, preset=CLIP, format="safetensors").key
    assert "torch" in (info.numerics or "")
    assert "sharp" in info.libraries
    assert "total" in info.timings
    assert info.request_id
    assert info.cache
    assert pickle.loads(pickle.dumps(client.tensors(photo, preset=CLIP))).info.key == info.key


@pytest.mark.parametrize("container", ["raw", "npy", "npz", "safetensors", "auto"])
def test_every_container_gives_the_same_values(client: Client, photo: Path, container: str) -> None:
    expected = client.tensor(photo, preset=CLIP)
    made = client.process(photo, preset=CLIP, format=container)  # type: ignore[arg-type]
    assert np.array_equal(made.tensor(), expected)


@pytest.mark.parametrize(("datatype", "dtype"), [("fp16", "float16"), ("fp32", "float32"), ("bf16", "bfloat16")])
def test_datatypes_are_those_of_numpy(client: Client, photo: Path, datatype: str, dtype: str) -> None:
    if datatype == "bf16":
        pytest.importorskip("ml_dtypes")
    tensor = client.tensor(photo, preset=CLIP, datatype=datatype)  # type: ignore[arg-type]
    assert tensor.dtype.name == dtype
    assert np.allclose(tensor.astype(np.float32), client.tensor(photo, preset=CLIP), atol=0.01)


def test_an_image_has_its_size_and_type(client: Client, photo: Path, tmp_path: Path) -> None:
    image = client.image(photo, width=64, height=48, grayscale=True, format="png")
    assert (image.content_type, image.info.width, image.info.height) == ("image/png", 64, 48)
    assert (image.pillow().size, image.pillow().mode) == ((64, 48), "L")
    image.save(tmp_path / "small.png")
    assert (tmp_path / "small.png").read_bytes() == image.content
    assert image._repr_mimebundle_()["image/png"]


def test_the_image_of_a_preset_has_the_pixels_before_they_are_rescaled(client: Client, photo: Path) -> None:
    image = client.image(photo, preset=CLIP)
    pixels = client.tensor(photo, preset=CLIP, pixels="uint8", layout="nhwc")
    assert np.array_equal(np.asarray(image.pillow()), pixels[0])
    with pytest.raises(ValueError, match="format='npy' is a tensor's"):
        client.image(photo, format="npy")


def test_variants_come_in_their_order(client: Client, photo: Path) -> None:
    tensor, icon = client.variants(photo, [{"preset": CLIP}, {"width": 32, "height": 32, "format": "png"}])
    assert np.array_equal(tensor.tensor(), client.tensor(photo, preset=CLIP))
    assert (icon.pillow().size, icon.content_type) == ((32, 32), "image/png")
    with pytest.raises(RequestError) as failure:
        client.variants(photo, [{"width": 1}, {"preset": "nothing"}])
    assert (failure.value.reason, failure.value.metadata["index"]) == ("PRESET_UNKNOWN", "1")


def test_describe_knows_shapes_and_tokens_without_decoding(client: Client, photo: Path) -> None:
    description = client.describe(photo, preprocessor_config={"image_processor_type": "Qwen2VLImageProcessor"})
    made = client.tensors(photo, preprocessor_config={"image_processor_type": "Qwen2VLImageProcessor"})
    assert {one.name: one.shape for one in description.outputs} == {name: a.shape for name, a in made.items()}
    assert description.tokens
    assert len(description.grid) == 3
    assert description.source is not None
    assert description.source.orientation == 1


def test_presets_are_listed_over_all_pages(client: Client) -> None:
    names = [preset.name for preset in client.presets()]
    assert len(names) > 1000
    assert len(set(names)) == len(names)
    (found,) = client.presets("openai patch32 transformers")
    assert found.name == CLIP
    detail = client.preset(CLIP)
    assert detail.steps
    assert "transformers" in (detail.python or "")
    with pytest.raises(RequestError) as failure:
        client.preset("resnet5")
    assert "resnet" in failure.value.metadata["nearest"].lower()


def test_a_batch_is_what_the_library_makes_of_several_images(client: Client, photo: Path) -> None:
    tall = client.image(photo, width=150, height=500, format="png", grayscale=False).content
    batch = client.batch([photo, tall], preprocessor_config=DETR)
    one = client.tensors(tall, preprocessor_config=DETR)
    height, width = one["pixel_values"].shape[2:]
    assert batch["pixel_values"].shape[0] == 2
    assert np.array_equal(batch["pixel_values"][1, :, :height, :width], one["pixel_values"][0])
    assert batch["pixel_mask"][1].sum() == height * width


@pytest.mark.parametrize(
    "options",
    [
        {"datatype": "fp16", "layout": "nhwc", "numerics": "pillow", "orientation": "ignore", "alpha": "white"},
        {"pixels": "uint8"},
        {"preset": "ultralytics/yolo", "imgsz": [320, 480], "stride": 64, "rect": True},
        {"preset": "ultralytics/yolo", "imgsz": 320},
        {"preset": None, "preprocessor_config": {"image_processor_type": "ViTImageProcessor"}},
    ],
)
def test_a_batch_of_one_is_the_tensor_with_the_same_options(
    client: Client, photo: Path, options: dict[str, object]
) -> None:
    given = {"preset": CLIP, **options}
    batch, one = client.batch([photo], **given), client.tensors(photo, **given)  # type: ignore[arg-type]
    assert {name: (a.dtype, a.tobytes()) for name, a in batch.items()} == {
        name: (a.dtype, a.tobytes()) for name, a in one.items()
    }


def test_a_batch_without_a_preset_has_the_defaults_of_the_service(client: Client, photo: Path) -> None:
    batch = client.batch([photo, photo.read_bytes()], width=20, height=10)
    assert batch["image"].shape == (2, 1, 10, 20)
    assert np.array_equal(batch["image"][1:], client.tensor(photo, width=20, height=10))


def test_a_batch_fails_with_the_index_of_the_image(client: Client, photo: Path) -> None:
    for options in ({"preset": CLIP}, {"width": 4, "height": 4}):
        with pytest.raises(ImageError) as failure:
            client.batch([photo, b"no image"], **options)
        assert (failure.value.reason, failure.value.metadata["index"]) == ("FORMAT_UNSUPPORTED", "1")
    with pytest.raises(RequestError, match="BATCH_SHAPES_UNEQUAL"):
        client.batch([photo, client.image(photo, width=9, height=90).content], width=8)
    with pytest.raises(ValueError, match="width does not go with a preset in a batch"):
        client.batch([photo], preset=CLIP, width=3)
    with pytest.raises(ValueError, match="numerics is 'exakt'; allowed: exact"):
        client.batch([photo], preset=CLIP, numerics="exakt")  # type: ignore[arg-type]


def test_long_options_travel_in_the_body(client: Client, photo: Path, photo_url: str) -> None:
    config = {"image_processor_type": "ViTImageProcessor", "size": 8, "comment": "x" * 20_000}
    for source in (photo, photo_url):
        assert client.tensor(source, preprocessor_config=config).shape == (1, 3, 8, 8)


def test_the_options_are_those_of_the_service(url: str) -> None:
    document = httpx.get(f"{url}/openapi.json").json()

    def resolved(one: dict[str, Any]) -> dict[str, Any]:
        value: Any = document
        for name in one.get("$ref", "").split("/")[1:]:
            value = value[name]
        return one if "$ref" not in one else cast("dict[str, Any]", value)

    parameters = map(resolved, document["paths"]["/v1/images"]["get"]["parameters"])
    service = {one["name"] for one in parameters if one["in"] == "query"}
    # A password is never in a query.
    own = {"password"}
    assert set(Options.__annotations__) - own == service - {"url", "variants", "expires", "signature"}


def test_options_are_written_as_the_service_reads_them() -> None:
    options = {"mean": (0.5, np.float32(0.25)), "rect": True, "width": np.int64(7), "fit": None, "std": 1e-7}
    assert option_texts(options) == {"mean": "0.5,0.25", "rect": "true", "width": "7", "std": "1e-07"}


def test_a_config_may_be_a_file(client: Client, photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "preprocessor_config.json"
    path.write_text('{"image_processor_type": "ViTImageProcessor", "size": 8}')
    assert client.tensor(photo, preprocessor_config=path).shape == (1, 3, 8, 8)
