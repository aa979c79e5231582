"""A whole run at tiny size: stages, resuming, stopping, determinism, what is left on disk."""

import dataclasses
import math

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pliant.errors import CheckpointError, InputError
from pliant.gan.latent import load_generator
from pliant.train.gan import GanTrainSettings, Stage, plan, train
from pliant.train.snapshots import restore
from pliant.train.state import read_state


def final(folder):
    """Tensors of a run on disk."""
    return load_file(folder / "state.safetensors")


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_a_run_grows_and_leaves_a_model(settings):
    steps = list(train(settings))
    assert [step.resolution for step in steps] == [8, 8, 8, 16, 16, 16]
    assert [step.images for step in steps] == [8, 16, 24, 32, 40, 48]
    assert {"generator", "discriminator", "r1", "path_length"} <= steps[0].losses.keys()
    assert all(math.isfinite(value) for step in steps for value in step.losses.values())
    assert [round(step.stats["fade"], 2) for step in steps[3:]] == [0.33, 1.0, 1.0]
    assert steps[-1].seconds_left == 0
    generator = load_generator(str(settings.out / "model"))
    assert generator.synthesis(generator.mapping(torch.zeros(1, 8) + 1)).shape == (1, 3, 16, 16)
    assert generator.mapping.w_avg.abs().max() > 0
    assert "48 pictures shown" in (settings.out / "model/README.md").read_text()
    with Image.open(settings.out / "sheet-000000048.png") as sheet:
        assert sheet.size[0] > 8 * 16
    assert not list(settings.out.glob("*.part"))


def test_training_moves_the_weights(settings):
    next(steps := train(settings))
    steps.close()
    before = final(settings.out)
    list(train(settings))
    after = final(settings.out)
    for name in (
        "generator.synthesis.b8.conv1.weight",
        "discriminator.b8.conv0.weight",
        "averaged.synthesis.b4.const",
    ):
        assert not torch.equal(before[name], after[name])
    # Blocks that have not been reached stay as they were.
    assert before["generator.synthesis.b16.torgb.weight"].abs().max() == 0
    assert after["generator.synthesis.b16.torgb.weight"].abs().max() > 0


def test_same_seed_same_run(settings, tmp_path):
    other = dataclasses.replace(settings, out=tmp_path / "other")
    third = dataclasses.replace(settings, out=tmp_path / "third", seed=1)
    for each in (settings, other, third):
        list(train(each))
    assert_same(final(settings.out), final(other.out))
    name = "generator.synthesis.b8.conv1.weight"
    assert not torch.equal(final(settings.out)[name], final(third.out)[name])


@pytest.mark.parametrize("reports", [1, 2, 4])
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(settings, tmp_path, reports):
    whole = dataclasses.replace(settings, out=tmp_path / "whole")
    list(train(whole))
    steps = train(settings)
    for _ in range(reports):
        step = next(steps)
    steps.close()
    _, numbers = read_state(settings.out)
    assert numbers["images"] == step.images
    rest = list(train(settings))
    assert rest[0].images == step.images + 8
    assert_same(final(whole.out), final(settings.out))


def test_a_finished_run_has_nothing_left_to_do(settings):
    list(train(settings))
    before = final(settings.out)
    assert list(train(settings)) == []
    assert_same(before, final(settings.out))


def test_an_error_in_the_consumer_keeps_the_state(settings):
    def watch():
        for _ in train(settings):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch()
    tensors, numbers = read_state(settings.out)
    assert numbers["images"] == 8
    assert all(value.isfinite().all() for value in tensors.values() if value.is_floating_point())


def test_time_budget(settings):
    assert list(train(dataclasses.replace(settings, seconds=0.0))) == []
    stages = (Stage(8, 10**6, 4, 1.0, seconds=0.0), Stage(16, 8, 4, 1.0))
    assert [step.resolution for step in train(settings, stages=stages)] == [16]


def test_small_sets_are_augmented(settings):
    step = next(steps := train(dataclasses.replace(settings, augment=None, augment_target=-1.0)))
    steps.close()
    assert 0 < step.stats["augment"] < 1
    assert final(settings.out)["augment.p"] > 0


def test_another_shape_or_a_damaged_state_is_refused(settings):
    next(steps := train(settings))
    steps.close()
    with pytest.raises(CheckpointError, match="other settings"):
        next(train(dataclasses.replace(settings, channel_max=4)))
    state = settings.out / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="not the state of a training run"):
        next(train(settings))


def test_tensorboard(settings):
    pytest.importorskip("tensorboard")
    next(steps := train(dataclasses.replace(settings, tensorboard=True)))
    steps.close()
    assert list(settings.out.glob("events.out.*"))


def test_plan():
    stages = plan(GanTrainSettings(images=1000, batch=10))
    assert [(stage.resolution, stage.images) for stage in stages] == [(64, 250), (128, 250), (256, 500)]
    assert stages[2].r1_gamma == pytest.approx(0.0002 * 256**2 / 10)
    assert [stage.resolution for stage in plan(GanTrainSettings(grow_from=512, r1_gamma=0.0))] == [256]
    assert plan(GanTrainSettings(r1_gamma=0.0))[0].r1_gamma == 0


@pytest.mark.parametrize("wrong", [{"resolution": 100}, {"resolution": 4}, {"batch": 0}, {"images": 0}])
def test_unusable_settings(wrong):
    with pytest.raises(InputError, match="must be"):
        GanTrainSettings(**wrong)


def test_restore_needs_no_moments(settings):
    """The state that a recipe packs: fp16 networks, no optimiser moments."""
    from pliant.train.data import load_pictures
    from pliant.train.run import TrainingRun
    from pliant.train.state import write_state
    from pliant.train.world import join_world

    next(steps := train(settings))
    steps.close()
    tensors, numbers = read_state(settings.out)
    small = {name: value.half() for name, value in tensors.items() if "adam" not in name and name != "rng"}
    write_state(settings.out, small, numbers)
    run = TrainingRun(settings, load_pictures(settings.data, 16, torch.device("cpu")), join_world("cpu"))
    restore(run)
    assert run.images == 8
    assert run.generator_adam.steps == 0
    torch.testing.assert_close(
        run.generator.synthesis.b4.const, tensors["generator.synthesis.b4.const"], atol=1e-2, rtol=1e-2
    )


def test_the_learning_rate_falls_at_the_end(settings):
    """With a cooldown of one half: full until half the budget is left, half of it at a quarter, none after the end."""
    from pliant.train.data import load_pictures
    from pliant.train.run import TrainingRun
    from pliant.train.world import join_world

    settings = dataclasses.replace(settings, cooldown=0.5, warmup=0)
    run = TrainingRun(settings, load_pictures(settings.data, 16, torch.device("cpu")), join_world("cpu"))
    adam, rates = run.generator_adam, []
    for left in (1.0, 0.5, 0.25, -0.1):
        run.cool(left)
        adam.step()
        rates.append(adam.adam.param_groups[0]["lr"] / adam.lr)
    assert rates == [1.0, 1.0, 0.5, 0.0]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("augment", [False, True])
def test_replayed_phases_train(settings, augment):
    steps = list(train(dataclasses.replace(settings, device="cuda", augment=augment)))
    assert all(math.isfinite(value) for step in steps for value in step.losses.values())
    assert steps[-1].losses["r1"] >= 0
