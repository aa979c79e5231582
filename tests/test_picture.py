import io

import numpy as np
import pytest
import torch
from PIL import Image

from flat import flat
from pliant import __version__, images
from pliant.errors import InputError
from pliant.picture import PixelPicture


def test_a_picture_is_rendered_once_and_cannot_be_drawn_on():
    picture = flat(200)
    first = picture.image()
    first.paste("black", (0, 0, 48, 32))
    assert picture.image().getpixel((3, 3)) == (200, 200, 200)
    assert len(picture.looks) == 1
    picture.render()
    assert len(picture.looks) == 2


def test_a_picture_shows_itself_in_a_notebook():
    with Image.open(io.BytesIO(flat(200)._repr_png_())) as shown:
        assert (shown.format, shown.size, shown.getpixel((0, 0))) == ("PNG", (48, 32), (200, 200, 200))


def test_a_saved_picture_says_what_made_it(tmp_path):
    flat(200, note="seed 3").save(tmp_path / "a.png", {"edit": "drag"})
    assert images.load_image(tmp_path / "a.png").getpixel((0, 0)) == (200, 200, 200)
    assert images.read_metadata(tmp_path / "a.png") == {
        "software": f"pliant {__version__}",
        "picture": {"kind": "flat", "width": 48, "height": 32, "note": "seed 3"},
        "edit": "drag",
    }


NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def test_a_photo_is_kept_to_the_bit():
    picture = PixelPicture.of(Image.fromarray(NOISE), {"file": "a.jpg"})
    assert (picture.kind, picture.size) == ("pixels", (40, 24))
    assert np.array_equal(np.asarray(picture.image()), NOISE)
    assert np.array_equal(np.asarray(picture.render()), NOISE)
    tensors, facts = picture.state()
    again = PixelPicture.restore(tensors, facts)
    assert np.array_equal(np.asarray(again.render()), NOISE)
    assert again.origin == facts["origin"] == {"file": "a.jpg"}


def test_pixels_are_floats_between_minus_one_and_one():
    pixels = PixelPicture.of(Image.fromarray(NOISE)).pixels()
    assert (pixels.dtype, tuple(pixels.shape)) == (torch.float32, (3, 24, 40))
    assert torch.equal(pixels, torch.from_numpy(NOISE).permute(2, 0, 1).float() / 127.5 - 1)
    assert np.array_equal(images.to_uint8(pixels).numpy(), NOISE)


def test_a_photo_does_not_change_with_the_image_that_it_was_made_of():
    image = Image.fromarray(NOISE.copy())
    picture = PixelPicture.of(image)
    image.paste("black", (0, 0, 40, 24))
    assert np.array_equal(np.asarray(picture.render()), NOISE)


def test_a_grey_photo_becomes_rgb():
    assert PixelPicture.of(Image.new("L", (3, 2), 7)).render().getpixel((0, 0)) == (7, 7, 7)


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (torch.zeros(2, 3, 3), "uint8"),
        (torch.zeros(2, 3, dtype=torch.uint8), "uint8"),
        (torch.zeros(2, 3, 4, dtype=torch.uint8), "uint8"),
        (torch.zeros(0, 3, 3, dtype=torch.uint8), "uint8"),
        (torch.zeros(1, dtype=torch.uint8).expand(7000, 7000, 3), "too large: at most 40 megapixels"),
    ],
)
def test_what_is_no_photo_is_refused(pixels, sentence):
    with pytest.raises(InputError, match=sentence):
        PixelPicture.restore({"rgb": pixels}, {})


def test_a_photo_without_pixels_is_refused_and_one_of_odd_origin_is_not():
    with pytest.raises(InputError, match="lost its pixels"):
        PixelPicture.restore({}, {})
    assert PixelPicture.restore({"rgb": torch.zeros(1, 1, 3, dtype=torch.uint8)}, {"origin": 5}).origin == {}
