import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from pliant.errors import InputError
from pliant.selecting import grow, in_box

HEIGHT, WIDTH = 120, 160


def places(height=HEIGHT, width=WIDTH):
    return np.mgrid[:height, :width][::-1]


def disc(x, y, radius, height=HEIGHT, width=WIDTH):
    columns, rows = places(height, width)
    return np.hypot(columns - x, rows - y) <= radius


def scene(*things, height=HEIGHT, width=WIDTH, seed=0):
    """Sky over ground with a little noise, and things as (mask, colour)."""
    _, rows = places(height, width)
    sky, ground = np.array([120, 170, 235.0]), np.array([95, 140, 60.0])
    picture = np.where(
        (rows < 0.45 * height)[..., None], sky + 0.2 * rows[..., None], ground - 0.1 * rows[..., None]
    )
    for mask, colour in things:
        picture = np.where(mask[..., None], colour, picture)
    picture = picture + np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.asarray(
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
    )


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


RED, WHITE, BLUE, BLACK = (200, 40, 40), (240, 240, 240), (30, 50, 160), (20, 20, 20)
BALL = disc(80, 70, 28)
FACE = [(BALL, RED), (disc(70, 62, 6), WHITE), (disc(90, 62, 6), WHITE), (disc(80, 82, 7), BLACK)]


def test_a_click_selects_the_thing():
    assert overlap(grow(scene((BALL, RED)), (80, 70)), BALL) > 0.93


def test_eyes_and_mouth_belong_to_the_face():
    found = grow(scene(*FACE), (80, 72))
    assert overlap(found, BALL) > 0.9
    assert found[62, 70]
    assert found[82, 80]


def test_a_click_on_the_sky_selects_the_sky():
    picture = scene((BALL, RED))
    _, rows = places()
    sky = (rows < 0.45 * HEIGHT) & ~BALL
    assert overlap(grow(picture, (20, 10)), sky) > 0.9
    assert not grow(picture, (20, 10), 0.3)[100:].any()


def test_the_other_thing_is_left_alone():
    other = disc(30, 80, 16)
    found = grow(scene((BALL, RED), (other, BLUE)), (80, 70))
    assert not found[other].any()


def test_more_tolerance_selects_more():
    half = BALL & (places()[0] < 80)
    picture = scene((BALL, RED), (half, (60, 60, 180)))
    sizes = [grow(picture, (70, 72), tolerance).sum() for tolerance in (0, 0.25, 0.5, 0.75, 1)]
    assert sizes == sorted(sizes)
    assert overlap(grow(picture, (70, 72), 0), half) > 0.9
    assert overlap(grow(picture, (70, 72), 0.5), BALL) > 0.9
    assert sizes[-1] > 2 * BALL.sum()


def test_the_point_itself_is_always_selected():
    noise = np.random.default_rng(0).integers(0, 256, (50, 70, 3)).astype(np.uint8)
    for point in ((0, 0), (69, 49), (30.4, 20.6)):
        for tolerance in (0, 1):
            assert grow(noise, point, tolerance)[round(point[1]), round(point[0])]


def test_a_box_selects_the_thing_in_it():
    found = in_box(scene(*FACE), (48, 38, 65, 65))
    assert overlap(found, BALL) > 0.93


def test_a_box_selects_a_thing_of_two_parts_across_the_horizon():
    columns, rows = places()
    body = (abs(columns - 80) < 16) & (abs(rows - 75) < 30)
    head = disc(80, 35, 14)
    found = in_box(scene((body, BLUE), (head, WHITE)), (60, 17, 40, 92))
    assert overlap(found, body | head) > 0.9


def test_nothing_outside_the_box_is_selected():
    picture = scene(*FACE)
    found = in_box(picture, (60, 50, 30, 40))
    outside = np.ones_like(found)
    outside[50:90, 60:90] = False
    assert not found[outside].any()


def test_a_hole_that_is_much_of_the_thing_stays_one():
    ring = disc(80, 60, 40) & ~disc(80, 60, 30)
    found = in_box(scene((ring, RED)), (36, 16, 88, 88))
    assert not found[60, 80]
    assert overlap(found, ring) > 0.8


def test_where_nothing_stands_out_the_box_is_selected():
    plain = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    found = in_box(plain, (40, 30, 60, 60))
    box = np.zeros((HEIGHT, WIDTH), bool)
    box[30:90, 40:100] = True
    assert found.any()
    assert not found[~box].any()
    assert overlap(found, box) > 0.4


def test_a_box_of_the_whole_picture():
    picture = scene(*FACE)
    found = in_box(picture, (0, 0, WIDTH, HEIGHT))
    assert found.shape == (HEIGHT, WIDTH)
    assert found.any()


def test_a_large_picture_keeps_its_edges():
    """The small copy has cells of 7 to 17 pixels; the edge is right to two or three."""
    height, width = 1200, 1600
    ball = disc(800, 650, 300, height, width)
    picture = scene((ball, RED), height=height, width=width)
    for found in (grow(picture, (800, 650)), in_box(picture, (490, 340, 620, 620))):
        assert overlap(found, ball) > 0.97


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (7, 300)])
def test_tiny_and_thin_pictures(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert grow(picture, (0, 0)).shape == shape
    if min(shape) > 1:
        assert in_box(picture, (0, 0, shape[1], shape[0])).shape == shape


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(0, 90), st.integers(0, 60))
def test_whatever_the_picture_the_same_mask_again(seed, x, y):
    random = np.random.default_rng(seed)
    picture = random.integers(0, 256, (70, 100, 3)).astype(np.uint8)
    assert np.array_equal(grow(picture, (x, y)), grow(picture.copy(), (x, y)))
    box = (x, y, 9, 9)
    assert np.array_equal(in_box(picture, box), in_box(picture.copy(), box))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: grow(p, (WIDTH, 3)), "outside the picture"),
        (lambda p: grow(p, (float("nan"), 3)), "outside the picture"),
        (lambda p: grow(p, (3, 3), 1.5), "tolerance"),
        (lambda p: grow(p, (3, 3), float("nan")), "tolerance"),
        (lambda p: grow(p[..., 0], (3, 3)), "uint8"),
        (lambda p: grow(p / 255, (3, 3)), "uint8"),
        (lambda p: in_box(p, (5, 5, 0, 15)), "draw it around"),
        (lambda p: in_box(p, (20, 20, -15, -15)), "draw it around"),
        (lambda p: in_box(p, (WIDTH + 5, 0, WIDTH + 50, 40)), "draw it around"),
        (lambda p: in_box(p, (1, 2, 3)), "four numbers"),
        (lambda p: in_box(p, (1, 2, 3, float("inf"))), "four numbers"),
    ],
)
def test_what_cannot_be_used_is_said(call, words):
    with pytest.raises(InputError, match=words):
        call(scene())


def test_selecting_is_fast():
    """In computing time, beside a plain blur of the same picture, which takes 30 ms where a click takes 45 and a box 35."""
    picture = scene(
        *[(np.kron(mask, np.ones((4, 4), bool))[:480, :512], colour) for mask, colour in FACE],
        height=480,
        width=512,
    )
    blurred = Image.fromarray(picture)

    def seconds(work):
        taken = []
        for _ in range(4):
            begun = time.process_time()
            work()
            taken.append(time.process_time() - begun)
        return min(taken)

    plain = seconds(lambda: blurred.filter(ImageFilter.GaussianBlur(9)))
    assert seconds(lambda: grow(picture, (320, 280))) < 8 * plain + 0.2
    assert seconds(lambda: in_box(picture, (190, 150, 262, 262))) < 8 * plain + 0.2
