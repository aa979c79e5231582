"""Tuned generators: differences by name, saved with pictures, dragged like any other."""

import pytest
import torch

from pliant.errors import CheckpointError, InputError, ModelMismatchError
from pliant.gan.drag import DragSettings, drag
from pliant.gan.latent import LatentPicture, fingerprint, sample
from pliant.gan.tuned import Delta, TunedGenerator, original, tuned
from pliant.project import Project
from pliant.restoring import loader
from pliant.steps import Run, Step, Trace

import tiny

NAME = "b16.conv1.weight"


@pytest.fixture
def base():
    return tiny.generator()


@pytest.fixture
def picture(base):
    change = torch.randn_like(base.synthesis.get_parameter(NAME)) * 0.3
    return LatentPicture(
        tuned(base, Delta({NAME: change, "b4.const": torch.zeros(16, 4, 4)})), sample(base, 3).ws
    )


def test_a_delta_keeps_what_differs(picture, base):
    delta = picture.generator.delta
    assert list(delta.tensors) == [NAME]
    assert delta.bytes == 2 * 16 * 16 * 9
    found = picture.generator.synthesis.get_parameter(NAME)
    assert torch.equal(found, base.synthesis.get_parameter(NAME) + delta.tensors[NAME].float())
    assert torch.equal(base.synthesis.get_parameter(NAME), tiny.generator().synthesis.get_parameter(NAME))
    assert (
        picture.generator.synthesis.get_submodule("b8.conv1").weight
        is base.synthesis.get_submodule("b8.conv1").weight
    )
    assert picture.generator.mapping is base.mapping


def test_between_is_the_difference(base):
    before = {NAME: base.synthesis.get_parameter(NAME)}
    after = {NAME: before[NAME] + 0.25}
    assert torch.allclose(Delta.between(before, after).tensors[NAME].float(), torch.tensor(0.25), atol=1e-3)


def test_digests_tell_deltas_apart():
    one, other = Delta({"a": torch.ones(3)}), Delta({"b": torch.ones(3)})
    assert one.digest != other.digest
    assert one.digest == Delta({"a": torch.ones(3), "b": torch.zeros(3)}).digest


def test_asked_again_the_same_generator_comes_back(base):
    deltas = [Delta({NAME: torch.full((16, 16, 3, 3), 0.1 * (k + 1))}) for k in range(6)]
    made = [tuned(base, delta) for delta in deltas]
    assert tuned(base, deltas[5]) is made[5]
    assert tuned(base, deltas[0]) is not made[0]
    assert original(made[0]) is base
    assert original(base) is base
    assert fingerprint(made[0]) == fingerprint(base)
    with pytest.raises(InputError, match="tuned again"):
        TunedGenerator(made[0], deltas[1])


def test_a_latent_file_carries_the_tuning(picture, tmp_path):
    picture.save_latent(tmp_path / "me.safetensors")
    again = LatentPicture.open_latent(tmp_path / "me.safetensors", tiny.generator())
    assert torch.equal(again.pixels(), picture.pixels())
    assert not torch.equal(again.pixels(), LatentPicture(tiny.generator(), picture.ws).pixels())


def test_a_project_keeps_the_tuning_once(picture, tmp_path):
    restore = loader(find={"latent": lambda _: tiny.generator()})
    project = Project(restore)
    root = project.add(picture)
    settings = DragSettings(max_steps=4, moving_layers=4)
    run = Run(drag(picture, [(10, 10)], [(20, 20)], settings=settings))
    frames = [step.picture.pixels() for step in run]
    node = project.add_run(run.trace, "drag", {"handles": [[10, 10]], "targets": [[20, 20]]})
    project.save(tmp_path / "p.pliant")
    size = picture.generator.delta.bytes
    assert size < (tmp_path / "p.pliant").stat().st_size < size + 12_000
    opened = Project.open(tmp_path / "p.pliant", loader(find={"latent": lambda _: tiny.generator()}))
    assert torch.equal(opened.picture(root.id).pixels(), picture.pixels())
    for step, frame in zip(opened.trace(node.id), frames, strict=True):
        assert torch.equal(step.picture.pixels(), frame)


def test_of_a_run_that_tunes_its_model_the_last_tuning_is_kept(base):
    pictures = [
        LatentPicture(tuned(base, Delta({NAME: torch.full((16, 16, 3, 3), value)})), sample(base, 1).ws)
        for value in (0.1, 0.3)
    ]
    plain = LatentPicture(base, pictures[0].ws)
    project = Project(loader(find={"latent": lambda _: tiny.generator()}))
    project.add(plain)
    node = project.add_run(Trace([Step(0, plain), Step(1, pictures[0])]), "invert")
    assert torch.equal(project.picture().pixels(), pictures[0].pixels())
    project.extend_run(node.id, Trace([Step(0, plain), *(Step(k + 1, p) for k, p in enumerate(pictures))]))
    assert torch.equal(project.picture(step=2).pixels(), pictures[1].pixels())
    for step in (0, 1):
        assert torch.equal(project.picture(step=step).pixels(), plain.pixels())


def test_a_drag_moves_a_tuned_picture(picture):
    steps = list(drag(picture, [(10, 10)], [(24, 24)], settings=DragSettings(max_steps=3, moving_layers=4)))
    assert steps[-1].picture.generator is picture.generator
    assert not torch.equal(steps[-1].picture.ws, picture.ws)


def test_foreign_tunings_are_checked(picture, base):
    tensors, facts = picture.state()
    with pytest.raises(InputError, match="lost the tuning"):
        LatentPicture.restore(tiny.generator(), {"ws": tensors["ws"]}, facts)
    with pytest.raises(InputError, match="lost the tuning"):
        LatentPicture.restore(tiny.generator(), tensors, facts | {"tuned": "0" * 16})
    for name, value, error in (
        ("b16.nothing", torch.ones(3), ModelMismatchError),
        (NAME, torch.ones(3), ModelMismatchError),
        (NAME, torch.full((16, 16, 3, 3), float("inf")), CheckpointError),
    ):
        digest = Delta({name: value}).digest
        with pytest.raises(error, match="tuning"):
            LatentPicture.restore(
                tiny.generator(), {"ws": tensors["ws"], f"shared/{name}": value}, facts | {"tuned": digest}
            )
