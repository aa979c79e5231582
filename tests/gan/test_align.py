"""Faces are found and framed; crops go out of a photo and back into it."""

import time

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from pliant.errors import InputError
from pliant.gan.align import Crop, crop_box, crop_face, cut, find_faces
from pliant.gan.blend import membrane, paste
from pliant.gan.latent import load_generator, sample
from pliant.images import to_tensor
from pliant.perception.landmarks import load_landmarks

SIZE = (256, 256)


@pytest.fixture(scope="module")
def portrait():
    return sample(load_generator("portraits-256"), 24, 0.7).image()


@pytest.fixture(scope="module")
def points(portrait):
    return load_landmarks().detect(to_tensor(portrait)[None]).points[0].numpy()


def in_room(portrait, side=150, place=(80, 40), size=(280, 210), angle=0.0):
    """A photo with a portrait hanging somewhere."""
    rng = np.random.RandomState(0)
    noise = Image.fromarray(rng.randint(60, 200, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8))
    photo = noise.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
    picture = portrait.resize((side, side), Image.Resampling.LANCZOS)
    if angle:
        mask = Image.new("L", picture.size, 255).rotate(angle, Image.Resampling.BICUBIC, expand=True)
        picture = picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)
        photo.paste(picture, place, mask)
    else:
        photo.paste(picture, place)
    return photo


def test_a_face_is_framed_as_the_models_pictures_are(portrait, points):
    photo = in_room(portrait)
    face = find_faces(photo, SIZE)[0]
    wanted = (points + 0.5) * 150 / 256 - 0.5 + np.array([80, 40])
    assert np.abs(face.points - wanted).mean() < 3
    seen = load_landmarks().detect(to_tensor(cut(photo, face.crop))[None]).points[0].numpy()
    eyes = (seen[36:42].mean(0) + seen[42:48].mean(0)) / 2
    assert np.abs(eyes - (127.6, 117)).max() < 10


@pytest.mark.parametrize("size", [(3, 400), (20_000, 40), (1, 1), (4000, 12)])
def test_a_strip_is_looked_through_quickly(size):
    noise = Image.effect_noise(size, 60).convert("RGB")
    began = time.perf_counter()
    assert find_faces(noise, SIZE) == []
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize("angle", [-25, 90])
def test_a_turned_face_is_set_upright(portrait, angle):
    photo = in_room(portrait, 140, (50, 20), angle=angle)
    crop = crop_face(photo, SIZE)
    roll = crop_face(in_room(portrait, 140, (50, 20)), SIZE).angle
    assert (crop.angle - roll + angle + 180) % 360 - 180 == pytest.approx(0, abs=5)


@pytest.mark.parametrize("photo", [Image.new("RGB", (300, 200)), Image.new("RGB", (40, 30), "white")])
def test_no_face_gets_a_sentence(photo):
    with pytest.raises(InputError, match="No face was found"):
        crop_face(photo, SIZE)


def test_several_faces_get_a_sentence_with_their_crops(portrait):
    photo = Image.new("RGB", (440, 220), (120, 130, 140))
    for x in (10, 230):
        photo.paste(portrait.resize((200, 200)), (x, 10))
    with pytest.raises(InputError, match=r"2 faces .*: -?\d+,-?\d+,\d+,\d+ or "):
        crop_face(photo, SIZE)


def test_a_tiny_face_gets_a_sentence(portrait):
    with pytest.raises(InputError, match="too small"):
        crop_face(portrait.resize((48, 48), Image.Resampling.LANCZOS), SIZE)


@pytest.mark.parametrize(
    ("box", "sentence"),
    [((0, 0, 0, 5), "at least one pixel"), ((400, 0, 100, 100), "outside"), ((1, 2, 3), "four numbers")],
)
def test_bad_boxes_get_a_sentence(box, sentence):
    with pytest.raises(InputError, match=sentence):
        crop_box(box, (300, 200), SIZE)


def test_a_box_is_cut_as_it_is(portrait):
    crop = crop_box((0, 0, 256, 256), portrait.size, SIZE)
    assert np.array_equal(np.asarray(cut(portrait, crop)), np.asarray(portrait))
    assert crop.box == (0, 0, 256, 256)
    half = crop_box((64, 32, 128, 64), portrait.size, (128, 128))
    assert half.box == (64, 0, 128, 128)
    assert Crop.from_facts(half.facts()) == half


@pytest.mark.parametrize(
    "change",
    [
        {"scale": float("nan")},
        {"scale": 0},
        {"centre": [1]},
        {"size": [0, 5]},
        {"angle": "x"},
        {"angle": 1e300},
    ],
)
def test_a_damaged_crop_gets_a_sentence(change):
    facts = Crop((1.0, 2.0), 1.0, 0.0, (8, 8)).facts() | change
    with pytest.raises(InputError, match="damaged"):
        Crop.from_facts(facts)


def test_shrinking_averages():
    lines = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    small = np.asarray(cut(lines, crop_box((0, 0, 64, 64), (64, 64), (16, 16))))
    assert np.abs(small[2:-2, 2:-2].astype(int) - 128).max() < 12


def test_beyond_the_edge_it_is_mirrored(portrait):
    made = np.asarray(cut(portrait, crop_box((-32, 0, 256, 256), portrait.size, SIZE)))
    assert np.array_equal(made[:, :32], np.asarray(portrait)[:, 31::-1])


@pytest.mark.parametrize("how", ["feather", "gradient"])
@pytest.mark.parametrize("crop", [Crop((120, 90), 0.8, 20.0, (64, 64)), Crop((60, 60), 1.7, 0.0, (64, 64))])
def test_what_was_not_edited_stays_to_the_bit(portrait, how, crop):
    photo = portrait.resize((230, 180))
    before = to_tensor(cut(photo, crop))
    edited = before.clone()
    edited[:, 24:40, 20:44] = -before[:, 24:40, 20:44]
    pasted = np.asarray(paste(photo, crop, edited, before=before, how=how))
    differs = (pasted != np.asarray(photo)).any(2)
    assert differs.any()
    rows, columns = np.nonzero(differs)
    inverse = np.linalg.inv(crop.to_photo()[:, :2])
    places = (np.stack([columns, rows], 1) + 0.5 - crop.to_photo()[:, 2]) @ inverse.T
    assert places[:, 0].min() > 8
    assert places[:, 0].max() < 56
    assert np.array_equal(np.asarray(paste(photo, crop, before, before=before, how=how)), np.asarray(photo))


def test_a_whole_crop_is_pasted_inside_its_border(portrait):
    photo = Image.new("RGB", (100, 100), (10, 200, 30))
    crop = crop_box((20, 20, 64, 64), photo.size, (64, 64))
    edited = to_tensor(portrait.resize((64, 64)))
    pasted = np.asarray(paste(photo, crop, edited, how="feather"))
    assert np.array_equal(pasted[28:76, 28:76], np.asarray(portrait.resize((64, 64)))[8:56, 8:56])
    assert (pasted[:20] == (10, 200, 30)).all()


def test_a_mask_keeps_the_rest(portrait):
    crop = crop_box((0, 0, 256, 256), portrait.size, SIZE)
    mask = torch.zeros(256, 256)
    mask[:, 128:] = 1
    pasted = np.asarray(paste(portrait, crop, -to_tensor(portrait), mask=mask, how="feather"))
    assert np.array_equal(pasted[:, :110], np.asarray(portrait)[:, :110])
    assert not np.array_equal(pasted[:, 150:], np.asarray(portrait)[:, 150:])


def test_the_gradient_way_leaves_no_step(portrait):
    photo = Image.new("RGB", (96, 96), (100, 100, 100))
    crop = crop_box((16, 16, 64, 64), photo.size, (64, 64))
    edited = torch.full((3, 64, 64), 0.4)  # brighter all over, so nothing but brightness differs
    assert np.abs(np.asarray(paste(photo, crop, edited, how="gradient")).astype(int) - 100).max() <= 2


def test_a_membrane_carries_a_plane_on():
    x = torch.arange(40).float().expand(40, 40) / 20
    region = torch.zeros(40, 40, dtype=torch.bool)
    region[8:33, 10:30] = True
    found = membrane(torch.where(region, 99.0, x)[None], region)[0]
    assert torch.allclose(found, x, atol=0.02)
    whole = membrane(x[None], torch.ones(40, 40, dtype=torch.bool))
    assert (whole == 0).all()


def test_pictures_of_another_size_get_a_sentence(portrait):
    crop = crop_box((0, 0, 256, 256), portrait.size, SIZE)
    with pytest.raises(InputError, match="to paste is"):
        paste(portrait, crop, torch.zeros(3, 10, 10))
    with pytest.raises(InputError, match="the mask is"):
        paste(portrait, crop, torch.zeros(3, 256, 256), mask=torch.zeros(3, 3))
