import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pliant import images
from pliant.errors import InputError


def gradient(width=40, height=30):
    """An image whose every pixel differs from its neighbours."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 6, y * 8, (x + y) * 3], -1).astype(np.uint8))


def test_every_byte_value_survives_the_way_in_and_out():
    image = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)).convert("RGB")
    tensor = images.to_tensor(image)
    assert tensor.dtype == torch.float32
    assert (tensor.min(), tensor.max()) == (-1, 1)
    assert images.to_pil(tensor).tobytes() == image.tobytes()


def test_the_axes_are_channel_row_column():
    tensor = images.to_tensor(gradient())
    assert tensor.shape == (3, 30, 40)
    assert ((tensor[:, 2, 5] + 1) * 127.5).round().tolist() == [30, 16, 21]
    assert images.to_uint8(tensor[None])[0, 2, 5].tolist() == [30, 16, 21]


@given(st.floats(-1e6, 1e6))
def test_values_beyond_the_range_are_clipped(value):
    shown = int(images.to_uint8(torch.full((3, 1, 1), value))[0, 0, 0])
    assert shown == min(max(round((np.float32(value) + 1) * np.float32(127.5)), 0), 255)


def test_resize_keeps_flat_colour_and_filters_what_it_cannot_show():
    flat = torch.full((2, 3, 33, 47), 0.25)
    assert torch.allclose(images.resize(flat, (10, 90)), torch.tensor(0.25), atol=1e-6)
    checkers = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1).expand(3, 64, 64)
    assert (
        images.resize(checkers, (16, 16)).abs().max() < 0.1
    )  # without the filter it would be all 1 or all -1
    assert images.resize(checkers, (128, 100)).abs().max() <= 1


def test_center_crop_takes_the_middle():
    wide = Image.new("RGB", (90, 30), "black")
    wide.paste("white", (21, 0, 69, 30))  # wider than the crop by what Lanczos' filter sees beyond it
    assert images.center_crop_resize(wide, (10, 10)).getextrema() == ((255, 255),) * 3
    tall = wide.rotate(90, expand=True)
    assert images.center_crop_resize(tall, (20, 20)).getextrema() == ((255, 255),) * 3
    assert images.center_crop_resize(wide, (20, 10)).size == (20, 10)


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "jpeg", "webp"])
def test_metadata_comes_back(tmp_path, suffix):
    path, facts = tmp_path / f"a.{suffix}", {"edit": "drag", "handles": [[1, 2.5]], "text": "ü → 字"}
    images.save_image(gradient(), path, facts)
    assert images.read_metadata(path) == facts
    assert images.read_metadata(path.read_bytes()) == facts
    assert images.load_image(path).size == (40, 30)


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_metadata_that_exif_has_no_room_for_is_left_out(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    images.save_image(Image.new("RGB", (8, 8)), path, {"names": "x" * 70_000})
    assert images.read_metadata(path) is None
    assert images.load_image(path).size == (8, 8)


def test_a_png_keeps_every_pixel_and_needs_no_metadata(tmp_path):
    images.save_png(gradient(), tmp_path / "a.png")
    assert images.load_image(tmp_path / "a.png").tobytes() == gradient().tobytes()
    assert images.read_metadata(tmp_path / "a.png") is None


@pytest.mark.parametrize("name", ["a.tiff", "a", "a.png.exe"])
def test_unknown_suffixes_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"should end in \.png, \.jpg or \.webp"):
        images.save_image(gradient(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_contact_sheet_shows_every_image_in_reading_order():
    colours = ["red", "lime", "blue", "yellow", "cyan"]
    sheet = images.contact_sheet([Image.new("RGB", (64, 48), colour) for colour in colours], 3)
    assert sheet.size == (3 * 66 + 2, 2 * 50 + 2)
    centres = [(2 + 66 * (i % 3) + 32, 2 + 50 * (i // 3) + 24) for i in range(5)]
    expected = [Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in colours]
    assert [sheet.getpixel(centre) for centre in centres] == expected


def test_labels_stand_below_their_images():
    plain = images.contact_sheet([Image.new("RGB", (64, 64), "red")] * 2, 2)
    labelled = images.contact_sheet([Image.new("RGB", (64, 64), "red")] * 2, 2, ["seed 1", "seed 2"])
    assert labelled.height > plain.height
    below = np.asarray(labelled)[68:]
    assert (below < 128).any()
    assert not (below[:, :2] < 255).any()  # and the text keeps clear of the border


def test_a_contact_sheet_of_nothing_is_refused():
    with pytest.raises(InputError, match="at least one image"):
        images.contact_sheet([], 3)
    with pytest.raises(InputError, match="1 images but 2 labels"):
        images.contact_sheet([gradient()], 3, ["a", "b"])
