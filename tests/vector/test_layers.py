"""Parts of a drawing hidden, locked and recoloured."""

import pytest
import torch

from pliant.errors import InputError
from pliant.vector.layers import LayerChanges, LayerSettings, change_layers, changed_layers
from pliant.vector.outline import Path, assemble, polygon
from pliant.vector.scene import Group, VectorPicture

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def bar(row, colour, **more):
    """A rectangle over the row of ten pixels with that number."""
    return Path([polygon([(0, row), (10, row), (10, row + 1), (0, row + 1)])], colour, **more)


@pytest.fixture
def picture():
    """Four bars: a red and a blue one in a layer inside a layer, a red one beside them, a named blue one in none."""
    paths = [bar(0, RED, group=1), bar(1, BLUE, group=1), bar(2, RED, group=2), bar(3, BLUE, name="hat")]
    groups = (Group("round", "Round"), Group("inner", "Inner", 0), Group("other", "Other"))
    return VectorPicture(assemble(paths, (10, 4), groups=groups).with_palette())


def rows(picture):
    """The colour of each row of pixels."""
    return [tuple(round(value) for value in each) for each in picture.pixels()[:, :, 5].T.tolist()]


WHITE, R, B = (1, 1, 1), (1, -1, -1), (-1, -1, 1)


def test_a_layer_stands_for_all_that_is_in_it(picture):
    assert rows(picture) == [R, B, R, B]
    assert rows(change_layers(picture, LayerChanges(hidden=["round"]))) == [WHITE, WHITE, R, B]
    assert rows(change_layers(picture, LayerChanges(hidden=["inner"]))) == [WHITE, WHITE, R, B]
    assert rows(change_layers(picture, LayerChanges(hidden=["other", "hat", 0]))) == [WHITE, B, WHITE, WHITE]


def test_what_was_hidden_can_be_shown_again(picture):
    hidden = change_layers(picture, LayerChanges(hidden=["round", 3]))
    assert rows(change_layers(hidden, LayerChanges(shown=[1, "hat"]))) == [WHITE, B, R, B]
    assert rows(change_layers(picture, LayerChanges(hidden=["round"], shown=[0]))) == [R, WHITE, R, B]


def test_locks_are_for_shape_and_colour(picture):
    locked = change_layers(picture, LayerChanges(locked=["round", 3]))
    assert (
        locked.scene.locked_shape.tolist() == locked.scene.locked_colour.tolist() == [True, True, False, True]
    )
    freed = change_layers(locked, LayerChanges(unlocked=["inner"]))
    assert (
        freed.scene.locked_shape.tolist() == freed.scene.locked_colour.tolist() == [False, False, False, True]
    )


def test_a_swatch_recolours_all_its_paths(picture):
    red = int(picture.scene.colour_of[0])
    made = change_layers(picture, LayerChanges(swatches={red: "#00fF00"}))
    assert rows(made) == [(-1, 1, -1), B, (-1, 1, -1), B]
    assert rows(picture) == [R, B, R, B], "the picture itself never changes"


def test_colours_can_be_shared_and_parted(picture):
    *_, own = changed_layers(picture, LayerChanges(), LayerSettings("own"))
    assert own.picture.scene.colours.shape == (4, 3)
    *_, shared = changed_layers(own.picture, LayerChanges(), LayerSettings("shared"))
    assert shared.picture.scene.colours.shape == (2, 3)
    assert rows(own.picture) == rows(shared.picture) == [R, B, R, B]


def test_as_an_edit_it_begins_with_the_picture_as_it_is(picture):
    first, second = changed_layers(picture, LayerChanges(hidden=[0]))
    assert (first.index, second.index) == (0, 1)
    assert first.picture is picture
    assert rows(second.picture)[0] == WHITE


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (LayerChanges(hidden=["sky"]), "no layer or path 'sky'; the layers are: round, inner, other"),
        (LayerChanges(locked=[""]), "no layer or path ''"),
        (LayerChanges(locked=[4]), "no path 4; the drawing has 0 to 3"),
        (LayerChanges(unlocked=[-1]), "no path -1"),
        (LayerChanges(swatches={2: "#000000"}), "no swatch 2; the drawing has 0 to 1"),
        (LayerChanges(swatches={0: "red"}), "written as #rrggbb"),
        (LayerChanges(swatches={0: "#0000001"}), "written as #rrggbb"),
    ],
)
def test_what_is_not_there_gets_a_sentence(picture, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        change_layers(picture, changes)


def test_facts_are_ready_for_a_project():
    assert LayerChanges().facts() == {}
    changes = LayerChanges(hidden=("sky", 3), swatches={1: "#ff0000"})
    assert changes.facts() == {"hidden": ["sky", 3], "swatches": {"1": "#ff0000"}}


def test_a_drawing_without_paths_has_nothing_to_choose():
    empty = VectorPicture(assemble([], (4, 4)))
    assert torch.equal(change_layers(empty, LayerChanges()).pixels(), empty.pixels())
    with pytest.raises(InputError, match="no path 0"):
        change_layers(empty, LayerChanges(hidden=[0]))
