import numpy as np
import pytest
from PIL import Image

from pliant.marks import HANDLE, TARGET, draw_marks


@pytest.mark.parametrize("size", [(64, 64), (256, 128), (1024, 1024)])
def test_handle_and_target_show_where_they_are(size):
    handle, target = (size[0] // 4, size[1] // 4), (size[0] * 3 // 4, size[1] * 3 // 4)
    grey = Image.new("RGB", size, (128, 128, 128))
    marked = draw_marks(grey, [handle], [target])
    assert marked.size == size
    assert marked.getpixel(handle) == HANDLE
    assert marked.getpixel(target) == TARGET
    middle = marked.getpixel(((handle[0] + target[0]) // 2, (handle[1] + target[1]) // 2))
    assert min(middle) > 150  # the arrow's white line
    assert marked.getpixel((size[0] - 1, 0)) == (128, 128, 128)
    assert grey.getextrema() == ((128, 128),) * 3  # the frame itself is not drawn on


def test_marks_are_centred_and_smooth():
    marked = np.asarray(draw_marks(Image.new("RGB", (41, 41)), [(20, 20)], [(20, 20)])).astype(int)
    assert np.array_equal(marked, marked[::-1])
    assert np.array_equal(marked, marked[:, ::-1])
    rim = marked[20, :, 2]
    assert ((rim > 20) & (rim < TARGET[2] - 20)).any() or len(
        np.unique(rim)
    ) > 3  # neither in nor out: smoothed


def test_the_trail_shows_the_way_so_far():
    trail = [(8, 40), (20, 8), (40, 8)]
    frame = Image.new("RGB", (64, 64))
    plain = np.asarray(draw_marks(frame, [(40, 8)], [(56, 8)])).astype(int)
    drawn = np.asarray(draw_marks(frame, [(40, 8)], [(56, 8)], [trail])).astype(int)
    assert (drawn != plain).any(-1)[24, 10:18].any()  # halfway between the first two places
    assert not (drawn != plain).any(-1)[48:].any()


def test_points_at_the_border_and_no_points_at_all():
    frame = Image.new("RGB", (32, 32))
    assert draw_marks(frame, [], []).tobytes() == frame.tobytes()
    assert draw_marks(frame, [(0, 0)], [(31, 31)]).getpixel((0, 0)) == HANDLE
