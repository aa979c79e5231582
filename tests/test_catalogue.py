import subprocess
import sys

import pytest
import torch

from flat import flat
from pliant import catalogue
from pliant.catalogue import EDITS, Inputs, Note, get
from pliant.errors import InputError, ModelMismatchError
from pliant.gan.hints import Hint
from pliant.gan.latent import LatentPicture, sample
from pliant.project import Project
from pliant.restoring import loader

import tiny


@pytest.fixture(scope="module")
def picture():
    """A picture of the tiny generator, 64 pixels."""
    return sample(tiny.generator(64), 3)


POINTS = Inputs(handles=[(10, 10)], targets=[(20, 16)])


def test_the_catalogue_is_there_without_torch():
    program = """
import sys
from pliant import catalogue
assert all(edit.settings for edit in catalogue.EDITS)
assert "torch" not in sys.modules"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_entry_is_complete():
    assert len({edit.name for edit in EDITS}) == len(EDITS)
    for edit in EDITS:
        assert get(edit.name) is edit
        assert edit.summary.endswith(".")
        assert set(edit.optional) <= set(edit.inputs)
        assert edit.make_settings() == edit.make_settings({each.name: each.default for each in edit.settings})
        assert all(setting.help.endswith(".") for setting in edit.settings)


def test_an_unknown_edit_gets_a_sentence():
    with pytest.raises(InputError, match=r"There is no edit 'erase'; there are: .*drag"):
        get("erase")


def test_an_edit_runs_with_its_limit(picture):
    edit = get("drag")
    run = edit.run(picture, POINTS, edit.make_settings({"max_steps": 3}))
    assert run.max_steps == 3
    assert [step.index for step in run] == [0, 1, 2]
    assert run.stopped == "max_steps"
    assert edit.run(picture, POINTS).max_steps == 300


def test_everything_a_person_gives_reaches_the_method(picture, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "pliant.gan.drag.drag", lambda *given, **named: calls.append((given, named)) or iter(())
    )
    edit, after = get("drag"), object()
    settings = edit.make_settings({"max_steps": 7})
    list(edit.run(picture, Inputs([(1, 2)], [(3, 4)], [True], "mask"), settings, after=after))
    named = {"movable": "mask", "locked": [True], "settings": settings, "after": after}
    assert calls == [((picture, [(1, 2)], [(3, 4)]), named)]


def test_a_picture_of_another_kind_is_refused():
    with pytest.raises(InputError, match="'drag' edits latent pictures; this is a flat picture"):
        get("drag").run(flat(100), POINTS)


def test_weak_handles_are_named_before_the_drag(picture):
    edit = get("drag")
    settings = edit.make_settings()
    for note in edit.warn(picture, POINTS, settings):
        assert note.sentence.startswith("Handle 1 looks like its surroundings")
    blank = LatentPicture(tiny.generator(64), torch.zeros(10, 16))
    for noise in (
        name for name in blank.generator.state_dict() if name.endswith(("noise_strength", "const"))
    ):
        blank.generator.state_dict()[noise].zero_()  # nothing in the picture differs from anything else
    assert len(edit.warn(blank, Inputs(handles=[(10, 10), (40, 40)]), settings)) == 2


def test_inputs_by_name_are_ready_for_a_project():
    mask = torch.zeros(64, 64)
    mask[:32] = 1
    given = Inputs(handles=((1, 2),), targets=torch.tensor([[3.0, 4.5]]), locked=(0,), mask=mask).named(
        (64, 64)
    )
    assert torch.equal(given.pop("mask"), mask)
    assert given == {"handles": [[1, 2]], "targets": [[3, 4.5]], "locked": [False]}
    assert Inputs(mask=torch.ones(64, 64)).named((64, 64)) == {}


def test_a_saved_picture_comes_back_from_its_project(picture, tmp_path, monkeypatch):
    from pliant.checkpoints import Checkpoint, write_native

    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    project = Project()
    project.add(picture)
    project.save(tmp_path / "a.pliant")
    with pytest.raises(InputError, match=r"made with the model 'tiny', which is none of Pliant's or yours"):
        Project.open(tmp_path / "a.pliant").picture()
    generator = picture.generator
    weights = Checkpoint(generator.config.to_json(), generator.state_dict(), "native", {})
    write_native(weights, tmp_path / "models" / "tiny", dtype=torch.float32)
    opened = Project.open(tmp_path / "a.pliant").picture()
    assert torch.equal(opened.ws, picture.ws)
    assert opened.image().tobytes() == picture.image().tobytes()
    assert opened.origin == {"seed": 3, "truncation_psi": 0.7}
    moved = (tmp_path / "models" / "tiny").rename(tmp_path / "elsewhere")
    assert torch.equal(Project.open(tmp_path / "a.pliant", loader(model=moved)).picture().ws, picture.ws)


def test_a_model_is_loaded_once(picture, tmp_path, monkeypatch):
    loads = []

    def load_generator(source, device):
        loads.append((source, device))
        return picture.generator

    monkeypatch.setattr("pliant.gan.latent.load_generator", load_generator)
    load = loader(model="x", device="cpu")
    one, other = (load("latent", {"ws": picture.ws}, {"model": "y"}) for _ in range(2))
    assert one.generator is other.generator
    assert loads == [("x", "cpu")]


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "portraits-256/../../x", "", None, 3, ["tiny"], "C:\\x", "a\0b"]
)
def test_a_saved_picture_cannot_name_a_path(picture, name, monkeypatch):
    monkeypatch.setattr(
        "pliant.gan.latent.load_generator", lambda *_: pytest.fail("a path from a file was opened")
    )
    with pytest.raises(InputError, match="none of Pliant's or yours"):
        loader()("latent", {"ws": picture.ws}, {"model": name})


def test_states_that_do_not_fit_get_a_sentence(picture, monkeypatch):
    monkeypatch.setattr("pliant.gan.latent.load_generator", lambda *_: picture.generator)
    load = loader(model="x")
    with pytest.raises(InputError, match="does not know pictures of the kind 'scent'"):
        load("scent", {}, {})
    with pytest.raises(InputError, match="saved drawing is damaged"):
        load("vector", {}, {})
    with pytest.raises(InputError, match="has lost its code"):
        load("latent", {}, {})
    with pytest.raises(ModelMismatchError, match="The code has the shape"):
        load("latent", {"ws": torch.zeros(3, 16)}, {})
    with pytest.raises(InputError, match="NaN"):
        load("latent", {"ws": picture.ws * float("nan")}, {})
    assert load("latent", {"ws": picture.ws}, {"origin": "odd"}).origin == {}


def test_nothing_in_the_catalogue_knows_of_a_door():
    assert not {"tyro", "rich", "cli"} & vars(catalogue).keys()


def test_notes_say_which_handle_is_weak_and_where_would_be_better(picture, monkeypatch):
    found = [Hint(1.2, False, None), Hint(0.1, True, (12, 9)), Hint(0.2, True, None)]
    monkeypatch.setattr("pliant.gan.hints.hints", lambda *_: found)  # no tiny picture has all three kinds
    notes = get("drag").warn(picture, Inputs(handles=[(1, 1), (2, 2), (3, 3)]), get("drag").make_settings())
    assert notes == [
        Note("Handle 2 looks like its surroundings and may drift; (12, 9) is distinct.", 1, (12, 9)),
        Note("Handle 3 looks like its surroundings and may drift.", 2, None),
    ]
