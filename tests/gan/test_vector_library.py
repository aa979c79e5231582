"""The learnt edits that come with portraits-256 do what they are called, on pictures that they were not learnt on."""

import importlib.util
import sys

import pytest
import torch

from pliant.gan.latent import load_generator, sample
from pliant.gan.parts import load_head
from pliant.gan.region import KnownRegion
from pliant.gan.vectors import EditVector, find_vector
from pliant.zoo import WEIGHTS_FOLDER

from paths import REPOSITORY

FOLDER = WEIGHTS_FOLDER / "portraits-256" / "vectors"
FILES = sorted(FOLDER.glob("*.safetensors"))
UNSEEN = (2003, 2017)


@pytest.fixture(scope="module")
def recipe():
    path = REPOSITORY / "recipes" / "portraits" / "vectors.py"
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location("vectors_recipe", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look
    spec.loader.exec_module(module)
    sys.path.remove(str(path.parent))
    yield module
    del sys.modules[spec.name], sys.modules["lessons"]


@pytest.fixture(scope="module")
def generator():
    return load_generator("portraits-256")


@pytest.fixture(scope="module")
def faces(recipe, generator):
    head = load_head(generator)
    return [recipe.Face(sample(generator, seed), head) for seed in UNSEEN]


def test_there_are_a_dozen_and_the_recipe_makes_them_all(recipe):
    names = [EditVector.open(path).name for path in FILES]
    assert len(names) >= 12
    assert sorted(names) == sorted(lesson.name for lesson in recipe.LESSONS)
    assert [path.stem for path in FILES] == [name.replace(" ", "-") for name in names]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_edit_does_what_it_is_called(path, recipe, generator, faces):
    vector = find_vector(generator, EditVector.open(path).name)
    lesson = next(each for each in recipe.LESSONS if each.name == vector.name)
    edited = [recipe.Face(vector.apply(face.picture), face.head) for face in faces]
    before, after = (sum(lesson.measure(face) for face in some) for some in (faces, edited))
    assert after > before
    assert set(vector.parts) <= set(faces[0].head.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_safe_range_keeps_to_what_the_model_knows(path, recipe, generator):
    vector = EditVector.open(path)
    codes = torch.stack([sample(generator, seed).ws for seed in recipe.TRIED_ON])
    strain = KnownRegion.of(generator).strain
    assert vector.safe[1] >= 1
    for strength in vector.safe:
        assert strain(codes + strength * vector.offset).mean() <= 1.51


def test_the_page_and_the_card_tell_the_figures_of_the_files(recipe):
    table = recipe.table(FOLDER)
    assert table in (FOLDER / "README.md").read_text()
    page = (REPOSITORY / "docs" / "vectors.md").read_text()
    assert table in page
    for path in FILES:
        assert f"images/vectors/{path.stem}.jpg" in page
        assert (REPOSITORY / "docs" / "images" / "vectors" / f"{path.stem}.jpg").is_file()
