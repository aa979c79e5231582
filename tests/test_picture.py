import io

from PIL import Image

from flat import flat
from pliant import __version__, images


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
