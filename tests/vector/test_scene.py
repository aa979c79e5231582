"""Scenes: what is stored, what is derived from it, how parts of it are taken, and what is refused."""

from dataclasses import replace

import pytest
import torch

from pliant.errors import InputError
from pliant.vector.outline import Path, Subpath, assemble, polygon
from pliant.vector.scene import Group, VectorPicture, stacked

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
TRIANGLE = polygon([(1, 1), (7, 1), (4, 6)])
SQUARE = polygon([(2, 2), (6, 2), (6, 6), (2, 6)])
LINE = polygon([(0, 0), (3, 0), (3, 3)], closed=False)


def drawing():
    """A red triangle with a square hole, a blue line, a red square with a blue rim."""
    layers = (Group("below", "Below"), Group("inner", "Inner", 0))
    return assemble(
        [
            Path([TRIANGLE, SQUARE], RED, even_odd=True, name="holed"),
            Path([LINE], stroke=BLUE, stroke_width=2, group=1),
            Path([SQUARE], RED, opacity=0.5, stroke=BLUE, stroke_width=1, group=0),
        ],
        (8, 8),
        groups=layers,
        background=(1, 1, 1),
    )


def test_neighbouring_segments_share_their_joint():
    scene = drawing()
    assert scene.segments.tolist()[:3] == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 0]]
    assert scene.segments[6].tolist() == [18, 19, 20, 9]
    assert scene.segments.tolist()[7:9] == [[21, 22, 23, 24], [24, 25, 26, 27]]
    assert len(scene.points) == 9 + 12 + 7 + 12


def test_every_segment_and_point_knows_its_path():
    scene = drawing()
    assert scene.path_of.tolist() == [0] * 7 + [1] * 2 + [2] * 4
    assert scene.path_of_point.tolist() == [0] * 21 + [1] * 7 + [2] * 12
    assert scene.subpath_of.tolist() == [0] * 3 + [1] * 4 + [2] * 2 + [3] * 4


def test_a_segment_that_ends_where_it_began_is_closed_with_three_points():
    scene = assemble([Path([Subpath(SQUARE.points[:3])], RED)], (8, 8))
    assert scene.segments.tolist() == [[0, 1, 2, 0]]


def test_new_numbers_keep_the_rest_and_the_old_drawing():
    scene = drawing()
    moved = scene.with_(points=scene.points + 1)
    assert moved.points[0].tolist() == [2, 2]
    assert scene.points[0].tolist() == [1, 1]
    assert moved.segments.equal(scene.segments)
    assert moved.colours is scene.colours


def test_some_of_the_paths_in_another_order():
    scene = drawing()
    part = scene.subset(torch.tensor([2, 0])).check()
    assert part.points.equal(torch.cat([scene.points[28:], scene.points[:21]]))
    assert part.names == ("", "holed")
    fills = part.colours[part.colour_of]
    assert fills.tolist() == [list(RED), list(RED)]
    assert part.colours[part.stroke_of[0]].tolist() == list(BLUE)
    assert part.stroke_of[1] == -1


def test_a_subset_drops_colours_that_nothing_uses():
    only_line = drawing().subset(torch.tensor([False, True, False])).check()
    assert only_line.colours.tolist() == [list(BLUE)]
    assert only_line.colour_of.tolist() == [-1]


def test_a_palette_ties_equal_colours_and_own_colours_untie_them():
    scene = drawing()
    tied = scene.with_palette().check()
    assert len(scene.colours) == 4
    assert len(tied.colours) == 2
    assert tied.colour_of[0] == tied.colour_of[2] != tied.stroke_of[2]
    assert tied.stroke_of[1] == tied.stroke_of[2]
    own = tied.with_own_colours().check()
    assert len(own.colours) == 4
    assert own.colour_of[0] != own.colour_of[2]
    for again in (tied, own):
        assert again.colours[again.colour_of[2]].equal(scene.colours[scene.colour_of[2]])
        assert again.colours[again.stroke_of[1]].equal(scene.colours[scene.stroke_of[1]])


def test_paths_get_colours_apart_from_those_of_others():
    tied = drawing().with_palette()
    fills = tied.colour_of.tolist()
    assert fills[0] == fills[2] >= 0
    apart = tied.with_colours_apart(torch.tensor([True, False, False])).check()
    assert len(apart.colours) == len(tied.colours) + 1
    assert apart.colour_of.tolist() == [len(tied.colours), *fills[1:]]
    assert apart.stroke_of.equal(tied.stroke_of)
    assert apart.colours[-1].equal(tied.colours[fills[0]])
    lock = torch.tensor([False, False, True])
    held = replace(tied, locked_colour=lock).with_colours_apart(torch.tensor([True, False, False]))
    assert held.colour_of.tolist() == fills
    assert len(held.colours) == len(tied.colours)


def test_drawings_on_top_of_one_another():
    scene = drawing()
    both = stacked([scene, scene]).check()
    assert len(both) == 6
    assert both.groups[3].parent == 2
    assert both.group_of.tolist() == [-1, 1, 0, -1, 3, 2]
    assert both.subset(torch.arange(3, 6)).points.equal(scene.points)
    with pytest.raises(InputError, match="one size"):
        stacked([scene, replace(scene, size=(9, 8))])


def test_a_picture_is_the_same_after_its_state():
    picture = VectorPicture(drawing(), 2.0, {"file": "a.svg"})
    tensors, facts = picture.state()
    again = VectorPicture.restore(tensors, facts)
    assert again.size == (16, 16)
    assert again.scene.names == picture.scene.names
    assert again.scene.groups == picture.scene.groups
    assert again.scene.background == (1, 1, 1)
    assert again.origin == {"file": "a.svg"}
    assert all(again.state()[0][name].equal(tensors[name]) for name in tensors)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"points": torch.zeros(3, 2)}, "do not belong together"),
        ({"points": torch.full((40, 2), float("nan"))}, "NaN"),
        ({"points": torch.zeros(40, 3)}, r"\[N, 2\]"),
        ({"colour_of": torch.tensor([9, 0, 0])}, "not there"),
        ({"colour_of": torch.tensor([0, 0])}, "one value for each of its 3 paths"),
        ({"group_of": torch.tensor([2, 0, 0])}, "not there"),
        ({"lengths": torch.tensor([0, 7, 2, 4])}, "every subpath a segment"),
        ({"lengths": torch.tensor([2**62, 2**62, 2, 4])}, "do not belong together"),
        ({"even_odd": torch.zeros(3)}, "type"),
        ({"size": (0.0, 8.0)}, "positive width"),
        ({"groups": (Group("a", "A", 1), Group("b", "B"))}, "must come after"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, sentence):
    with pytest.raises(InputError, match=sentence):
        replace(drawing(), **change).check()


@pytest.mark.parametrize("missing", ["points", "parts"])
def test_a_damaged_state_is_refused(missing):
    tensors, facts = VectorPicture(drawing()).state()
    with pytest.raises(InputError, match="damaged"):
        VectorPicture.restore({name: value for name, value in tensors.items() if name != missing}, facts)
    with pytest.raises(InputError, match="damaged"):
        VectorPicture.restore(tensors, facts | {"size": "x"})


def test_a_drawing_that_is_too_large_is_refused():
    with pytest.raises(InputError, match="too large"):
        VectorPicture(drawing(), 1e4)
    with pytest.raises(InputError, match="positive"):
        VectorPicture(drawing(), 0)
