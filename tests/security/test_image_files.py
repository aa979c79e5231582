"""Image files that nobody vouches for: each kind of bad or odd file, and what is made of it."""

import contextlib
import io
import random
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from pliant.errors import InputError
from pliant.images import load_image, read_metadata


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(size=(60, 40), mode="RGB"):
    shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
    return Image.fromarray(
        np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8),
        mode="CMYK" if mode == "CMYK" else None,
    )


def png_claiming(width, height):
    """A PNG of a few bytes whose header claims a size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\x89PNG\r\n\x1a\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"\x80\x04K\x01.",
        bytes(1000),
    ],
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises(InputError, match="is not an image Pliant reads"):
        load_image(data)
    with pytest.raises(InputError, match="is not an image Pliant reads"):
        read_metadata(data)


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "PCX"])
def test_formats_that_pillow_knows_but_we_do_not_take(kind):
    with pytest.raises(InputError, match="give a PNG, JPEG, WebP, BMP or GIF"):
        load_image(encoded(Image.new("RGB", (32, 32)), kind))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_truncated_files_are_refused(kind, share):
    data = encoded(noise(), kind)
    with pytest.raises(InputError, match=r"damaged or incomplete|is not an image"):
        load_image(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    "size", [(9000, 9000), (13000, 13000), (30000, 30000), (12001, 8), (8, 12001), (2**31 - 1, 1)]
)
def test_bombs_are_refused_by_their_header(size):
    began = time.perf_counter()
    with pytest.raises(InputError, match=r"is too large|is not an image"):
        load_image(png_claiming(*size))
    assert time.perf_counter() - began < 1


def test_a_real_bomb_stays_small():
    data = encoded(Image.new("L", (9000, 9000)), "PNG")
    assert len(data) < 100_000
    with pytest.raises(
        InputError, match=r"is too large \(9000x9000\): at most 40 megapixels and 12,000 pixels a side"
    ):
        load_image(data)


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(encoded(noise(), "PNG"))
    assert load_image(path).tobytes() == noise().tobytes()
    assert load_image(str(path)).tobytes() == noise().tobytes()
    with path.open("rb") as file:
        assert load_image(file).tobytes() == noise().tobytes()


def test_places_without_a_file(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.png", "", "/dev/null", "\0", "x" * 5000):
        with pytest.raises(InputError, match="There is no file"):
            load_image(path)


def test_cmyk_becomes_rgb():
    image = load_image(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG"))
    assert image.mode == "RGB"
    red, green, blue = image.getpixel((8, 8))
    assert red > 240
    assert max(green, blue) < 15


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, 0)
    image = load_image(encoded(Image.fromarray(ramp), "PNG"))
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image)[0, :, 0], np.arange(256))


def test_grey_palette_and_one_bit_become_rgb():
    grey = noise(mode="L")
    assert np.array_equal(np.asarray(load_image(encoded(grey, "PNG")))[..., 1], np.asarray(grey))
    palette = noise().quantize(16)
    assert load_image(encoded(palette, "PNG")).tobytes() == palette.convert("RGB").tobytes()
    assert load_image(encoded(Image.new("1", (8, 8), 1), "PNG")).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparent_parts_become_white(mode):
    image = Image.new("RGBA", (16, 16), (200, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 8, 16))
    image = image.quantize(4) if mode == "PA" else image.convert(mode)
    decoded = load_image(encoded(image, "PNG"))
    assert decoded.mode == "RGB"
    assert decoded.getpixel((12, 4)) == (255, 255, 255)
    assert max(decoded.getpixel((2, 4))) < 8


def test_transparent_colour_key_and_other_backgrounds():
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    data = encoded(image, "PNG", transparency=(1, 2, 3))
    assert load_image(data).getpixel((0, 0)) == (255, 255, 255)
    assert load_image(data, background=(0, 0, 0)).getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_camera_rotation_is_applied(kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: what is stored as the left edge is the top of the scene
    stored = Image.new("RGB", (60, 40), "blue")
    stored.paste("red", (0, 0, 20, 40))
    upright = load_image(encoded(stored, kind, exif=exif))
    assert upright.size == (40, 60)
    red, _, blue = upright.getpixel((20, 5))
    assert red > 200 > blue
    assert not upright.info


def test_damaged_exif_does_not_cost_the_picture():
    data = encoded(noise(), "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\xff\xff\xff\xff")
    assert load_image(data).size == (60, 40)
    assert read_metadata(data) is None


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken(kind):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    image = load_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    red, green, blue = image.getpixel((8, 8))
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize("text", ["not json", "[1, 2]", "[" * 100_000, "1e999", '"x"', "{", ""])
def test_foreign_metadata_is_no_metadata(text):
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("pliant", text)
    data = encoded(noise(), "PNG", pnginfo=chunks)
    assert read_metadata(data) is None
    assert load_image(data).size == (60, 40)


def test_a_text_chunk_bomb_is_refused():
    chunks = PngImagePlugin.PngInfo()
    chunks.add_text("pliant", "x" * 50_000_000, zip=True)
    with pytest.raises(InputError):
        read_metadata(encoded(Image.new("L", (4, 4)), "PNG", pnginfo=chunks))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_random_damage_gives_an_image_or_a_sentence(kind):
    chance = random.Random(kind)
    whole = encoded(noise((24, 16)), kind)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with contextlib.suppress(InputError):
            assert load_image(bytes(data)).mode == "RGB"
