"""Editing vectors: what they add, what they are kept with, and who may use them."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from part_heads import channel_head
from pliant.errors import InputError, ModelMismatchError
from pliant.gan.latent import fingerprint, sample
from pliant.gan.part_edit import RepaintSettings, refine
from pliant.gan.vectors import EditVector, VectorSettings, apply_vectors, compose, find_vector, vectors_for

import tiny


@pytest.fixture(scope="module")
def generator():
    return tiny.generator(32)


def vector(generator, name="wider sea", scale=0.3, parts=("sea",), seed=0):
    rng = torch.Generator().manual_seed(seed)
    offset = scale * torch.randn(generator.config.num_ws, generator.config.w_dim, generator=rng)
    return EditVector(name, offset, parts, fingerprint(generator), (-1.0, 1.5), {"learnt on": 7})


def test_a_vector_is_what_an_edit_added(generator):
    before = sample(generator, 0)
    after = before.with_ws(before.ws + torch.arange(16.0))
    learnt = EditVector.between(before, after, "more", ["sea", "ice"])
    assert torch.allclose(learnt.offset, torch.arange(16.0).expand(8, -1), atol=1e-5)
    other = sample(generator, 1)
    assert torch.equal(learnt.apply(other, 0).ws, other.ws)
    assert torch.allclose(learnt.apply(other, -0.5).ws, other.ws - 0.5 * torch.arange(16.0))
    assert torch.allclose(learnt.apply(before).ws, after.ws, atol=1e-5)
    with pytest.raises(InputError, match="same code"):
        EditVector.between(before, before, "none", [])
    with pytest.raises(InputError, match="two pictures of one generator"):
        EditVector.between(before, sample(tiny.generator(32, seed=1), 0), "none", [])


def test_vectors_add_up(generator):
    first, second = vector(generator, seed=1), vector(generator, "ice", parts=("ice", "sea"), seed=2)
    both = compose([first, second], [1.0, -2.0], "both")
    picture = sample(generator, 2)
    one_by_one = second.apply(first.apply(picture), -2.0)
    assert torch.allclose(both.apply(picture).ws, one_by_one.ws, atol=1e-5)
    assert both.parts == ("sea", "ice")
    assert both.facts["composed"] == [["wider sea", 1.0], ["ice", -2.0]]
    with pytest.raises(InputError, match="as many strengths as vectors"):
        compose([first], [1.0, 2.0])
    with pytest.raises(ModelMismatchError, match="different networks"):
        compose([first, replace(second, fingerprint="0" * 16)], [1, 1])


def test_a_vector_comes_back_from_its_file(generator, tmp_path):
    learnt = vector(generator)
    learnt.save(tmp_path / "sea.safetensors")
    again = EditVector.open(tmp_path / "sea.safetensors")
    assert torch.equal(again.offset, learnt.offset)
    for name in ("name", "parts", "fingerprint", "safe", "facts"):
        assert getattr(again, name) == getattr(learnt, name)
    with pytest.raises(InputError, match=r"should end in \.safetensors"):
        learnt.save(tmp_path / "sea.npy")


def about(**changes):
    whole = {
        "format": "pliant-vector",
        "name": "a",
        "parts": ["sea"],
        "fingerprint": "0",
        "safe": [0, 1],
        "facts": {},
    }
    return json.dumps(whole | changes)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{",
        about(format="other"),
        about(safe=[0]),
        about(safe=[1, 2]),
        about(safe=[0, 1e9]),
        about(parts=None),
        about(parts=["x"] * 1000),
        about(name=" "),
        about(facts=3),
    ],
)
def test_a_file_that_is_no_vector_gets_a_sentence(tmp_path, text):
    path = tmp_path / "a.safetensors"
    save_file({"offset": torch.zeros(8, 16)}, path, {"vector": text})
    with pytest.raises(InputError, match="is no editing vector"):
        EditVector.open(path)


@pytest.mark.parametrize("offset", [torch.zeros(4), torch.full((8, 16), torch.nan)])
def test_numbers_that_are_no_vector_get_a_sentence(tmp_path, offset):
    path = tmp_path / "a.safetensors"
    save_file({"offset": offset}, path, {"vector": about()})
    with pytest.raises(InputError, match="is no editing vector"):
        EditVector.open(path)
    path.write_bytes(b"no safetensors")
    with pytest.raises(InputError, match="is no editing vector"):
        EditVector.open(path)


def test_a_vector_of_another_generator_is_refused(generator):
    other = tiny.generator(32, seed=1)
    with pytest.raises(ModelMismatchError, match="learnt on another network than 'tiny'"):
        vector(generator).apply(sample(other, 0))
    with pytest.raises(ModelMismatchError):
        vector(generator).apply(sample(tiny.generator(16), 0))
    for strength in (11, float("nan")):
        with pytest.raises(InputError, match="A strength lies within"):
            vector(generator).apply(sample(generator, 0), strength)


def test_vectors_are_found_by_name_for_their_generator(generator, tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    folder = tmp_path / "vectors"
    folder.mkdir()
    vector(generator).save(folder / "one.safetensors")
    vector(tiny.generator(32, seed=1), "foreign").save(folder / "two.safetensors")
    (folder / "three.safetensors").write_bytes(b"broken")
    assert list(vectors_for(generator)) == ["wider sea"]
    assert find_vector(generator, "wider sea").parts == ("sea",)
    assert find_vector(generator, folder / "one.safetensors").name == "wider sea"
    with pytest.raises(InputError, match="no vector 'narrow' for 'tiny'; there are: wider sea"):
        find_vector(generator, "narrow")
    with pytest.raises(ModelMismatchError):
        find_vector(generator, folder / "two.safetensors")


def test_refinement_keeps_the_edit_and_brings_the_rest_back(generator):
    head, picture = channel_head(generator), sample(generator, 7)
    edit = vector(generator, scale=0.15)
    settings = RepaintSettings(max_steps=15, margin=0)
    steps = list(edit.refined(picture, head=head, settings=settings))
    assert torch.equal(steps[0].picture.ws, edit.apply(picture).ws)
    assert steps[0].change > 0
    assert steps[-1].change < steps[0].change
    assert steps[-1].loss < steps[0].loss


def test_refinement_needs_parts_that_are_there(generator):
    head, picture = channel_head(generator), sample(generator, 7)
    with pytest.raises(InputError, match="no part 'sky'; this model's are: sea, land, ice"):
        refine(picture, picture, ("sky",), head=head)
    with pytest.raises(InputError, match=r"None of the parts \(none given\) is in the picture"):
        refine(picture, picture, (), head=head)
    with pytest.raises(InputError, match="must come from one generator"):
        refine(sample(tiny.generator(32), 0), picture, ("sea",), head=head)


@pytest.fixture
def kept(generator, tmp_path, monkeypatch):
    """Two vectors among the user's own; folder of their files."""
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    folder = tmp_path / "vectors"
    folder.mkdir()
    vector(generator, seed=1).save(folder / "a.safetensors")
    vector(generator, "ice", parts=("ice", "sea"), seed=2).save(folder / "b.safetensors")
    return folder


def test_several_are_applied_by_name_or_file(generator, kept):
    picture = sample(generator, 2)
    start, end = apply_vectors(picture, {"wider sea": 1.0, "ice": -0.5})
    assert torch.equal(start.picture.ws, picture.ws)
    known = vectors_for(generator)
    one_by_one = known["ice"].apply(known["wider sea"].apply(picture), -0.5)
    assert torch.allclose(end.picture.ws, one_by_one.ws, atol=1e-5)
    (_, by_file) = apply_vectors(picture, {kept / "b.safetensors": 0.4})
    assert torch.allclose(by_file.picture.ws, known["ice"].apply(picture, 0.4).ws)


def test_refinement_follows_the_sum(generator, kept):
    head = channel_head(generator)
    settings = VectorSettings(refine_steps=3)
    steps = list(apply_vectors(sample(generator, 2), {"ice": 0.5}, head=head, settings=settings))
    assert [step.index for step in steps] == [0, 1, 2, 3, 4]
    assert len(steps) == settings.max_steps
    direct = list(apply_vectors(sample(generator, 2), {"ice": 0.5}))[-1]
    assert torch.allclose(steps[1].picture.ws, direct.picture.ws, atol=1e-5)


def test_a_name_is_never_taken_for_a_file(generator, kept):
    for name in (str(kept / "a.safetensors"), "../vectors/a.safetensors", "a"):
        with pytest.raises(InputError, match="There is no vector"):
            apply_vectors(sample(generator, 2), {name: 1.0})


@pytest.mark.parametrize("vectors", [{}, {"ice": float("nan")}, {"ice": 11.0}])
def test_what_cannot_be_applied_gets_a_sentence(generator, kept, vectors):
    with pytest.raises(InputError):
        apply_vectors(sample(generator, 2), vectors)
    with pytest.raises(InputError, match="0 or more"):
        VectorSettings(refine_steps=-1)
