"""Selecting with a Segment Anything model: a tiny random one, so only that what goes in and comes out is right."""

import numpy as np
import pytest

from pliant.errors import CheckpointError, InputError
from pliant.selecting.sam import SamSelector, is_sam
from tiny_sam import save_tiny_sam


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_sam(tmp_path_factory.mktemp("sam"))


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)


def test_masks_are_of_the_picture_and_of_what_was_asked(folder, picture):
    selector = SamSelector(folder)
    clicked = selector.at(picture, [(20, 30)])
    assert clicked.shape == (60, 100)
    assert clicked.dtype == bool
    asked = []
    forward = selector._model.forward

    def listening(**given):
        asked.append(given)
        return forward(**given)

    selector._model.forward = listening
    selector.in_box(picture, (10, 20, 30, 25))
    assert asked[0]["input_boxes"].tolist() == [[[12.8, 25.6, 51.2, 57.6]]] or np.allclose(
        asked[0]["input_boxes"].tolist(), [[[12.8, 25.6, 51.2, 57.6]]]
    )
    selector.at(picture, [(0, 0), (99, 59)], [True, False])
    assert np.allclose(asked[1]["input_points"].tolist(), [[[[0.64, 0.64], [127.36, 76.16]]]])
    assert asked[1]["input_labels"].tolist() == [[[1, 0]]]


def test_a_picture_is_looked_at_once(folder, picture):
    selector = SamSelector(folder)
    looked = []
    look = selector._model.get_image_embeddings
    selector._model.get_image_embeddings = lambda pixels: looked.append(pixels.shape) or look(pixels)
    first = selector.at(picture, [(20, 30)])
    again = selector.at(picture, [(20, 30)])
    selector.in_box(picture, (10, 20, 30, 25))
    assert looked == [(1, 3, 128, 128)]
    assert (first == again).all()
    selector.at(255 - picture, [(20, 30)])
    assert len(looked) == 2


def test_a_model_is_known_by_its_config(folder, tmp_path):
    assert is_sam(folder)
    assert not is_sam(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    assert not is_sam(tmp_path)


def test_what_cannot_be_is_told(folder, picture, tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no .safetensors"):
        SamSelector(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="could not be read"):
        SamSelector(tmp_path)
    with pytest.raises(InputError, match="at least once"):
        SamSelector(folder).at(picture, [])
