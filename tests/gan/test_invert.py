"""Inversion finds codes again, stops, goes on, repeats itself; tuned generators are small differences."""

import math

import pytest
import torch

from pliant.errors import InputError
from pliant.gan.invert import InvertSettings, invert, psnr, ramp, structure
from pliant.gan.latent import sample
from pliant.gan.painter import Painter
from pliant.gan.region import KnownRegion
from pliant.gan.tuned import TunedGenerator
from pliant.steps import Run

import tiny

QUICK = InvertSettings(candidates=8, w_steps=6, wplus_steps=8, tune_steps=12, precision="float32")


@pytest.fixture(scope="module")
def generator():
    return tiny.generator()


@pytest.fixture(scope="module")
def photo(generator):
    return sample(generator, 5, 0.9).pixels()


@pytest.fixture(scope="module")
def steps(generator, photo):
    return list(invert(generator, photo, settings=QUICK, origin={"file": "me.png"}))


def test_every_stage_makes_it_more_alike(steps):
    last = {step.stage: step for step in steps}
    assert list(last) == ["start", "w", "w+", "tune"]
    assert last["start"].psnr < last["w"].psnr < last["w+"].psnr < last["tune"].psnr
    assert [step.index for step in steps] == list(range(len(steps)))
    assert [step.arrived for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[-1].picture.origin == {"file": "me.png"}
    assert len(steps) == QUICK.max_steps


def test_a_step_says_what_its_picture_is(steps, photo):
    for step in (steps[0], steps[3], steps[-1]):
        assert psnr(step.picture.pixels()[None], photo) == pytest.approx(step.psnr, abs=0.02)


def test_the_same_seed_gives_the_same_code(generator, photo, steps):
    again = list(invert(generator, photo, settings=QUICK))
    assert torch.equal(again[-1].picture.ws, steps[-1].picture.ws)
    assert again[-1].picture.generator.delta.digest == steps[-1].picture.generator.delta.digest


@pytest.mark.parametrize("index", [0, 3, 6, 9, 14])
def test_going_on_is_as_if_it_had_not_stopped(generator, photo, steps, index):
    rest = list(invert(generator, photo, settings=QUICK, after=steps[index]))
    assert [step.index for step in rest] == [step.index for step in steps[index + 1 :]]
    assert torch.allclose(rest[-1].picture.ws, steps[-1].picture.ws, atol=1e-5)
    assert rest[-1].psnr == pytest.approx(steps[-1].psnr, abs=0.02)


def test_going_on_within_tuning_keeps_the_weights(generator, photo, steps):
    rest = list(invert(generator, photo, settings=QUICK, after=steps[15]))
    assert steps[15].stage == "tune"
    assert [step.stage for step in rest] == ["tune"]
    assert rest[-1].psnr > steps[15].psnr


def test_stages_without_steps_are_left_out(generator, photo):
    settings = InvertSettings(candidates=4, w_steps=0, wplus_steps=2, tune_steps=0)
    found = list(invert(generator, photo, settings=settings))
    assert [step.stage for step in found] == ["start", "w+", "w+"]
    assert found[-1].arrived
    only = list(
        invert(
            generator, photo, settings=InvertSettings(start="mean", w_steps=0, wplus_steps=0, tune_steps=0)
        )
    )
    assert len(only) == 1
    assert only[0].arrived
    region = KnownRegion.of(generator)
    assert torch.allclose(
        region.to_code(only[0].picture.ws), region.to_code(generator.mapping.w_avg), atol=1e-3
    )


def test_tuning_stops_when_it_is_like_enough(generator, photo, steps):
    target = steps[-2].psnr - 0.5
    settings = InvertSettings(candidates=8, w_steps=6, wplus_steps=8, tune_steps=500, target_psnr=target)
    found = list(invert(generator, photo, settings=settings))
    assert found[-1].arrived
    assert found[-1].psnr == pytest.approx(target, abs=1)
    assert len(found) < 20


def test_closing_stops_and_keeps_what_is_there(generator, photo):
    run = Run(invert(generator, photo, settings=QUICK), max_steps=QUICK.max_steps)
    for step in run:
        if step.index == 4:
            run.stop()
    assert run.stopped == "interrupted"
    assert run.trace[-1].index == 4
    assert run.trace[-1].picture.kind == "latent"


def test_the_original_generator_is_not_changed(steps):
    fresh = tiny.generator()
    tuned = steps[-1].picture.generator
    assert isinstance(tuned, TunedGenerator)
    for name, value in fresh.state_dict().items():
        assert torch.equal(value, tuned.base[0].state_dict()[name])
    assert all(not p.requires_grad for p in tuned.base[0].parameters())


def test_affine_maps_and_noise_are_not_tuned_unless_asked_for(generator, photo, steps):
    names = steps[-1].picture.generator.delta.tensors
    assert not any(".affine." in name or name.endswith("noise_const") for name in names)
    settings = InvertSettings(candidates=4, w_steps=0, wplus_steps=1, tune_steps=3, tune_noise=True)
    found = list(invert(generator, photo, settings=settings))
    assert any(name.endswith("noise_const") for name in found[-1].picture.generator.delta.tensors)


def test_the_locality_weight_keeps_other_pictures(generator, photo):
    other = sample(generator, 11)
    moved = []
    for weight in (0.0, 1.0):
        settings = InvertSettings(
            candidates=4, w_steps=0, wplus_steps=2, tune_steps=10, locality_weight=weight, precision="float32"
        )
        *_, last = invert(generator, photo, settings=settings)
        moved.append(
            (last.picture.generator.synthesis(other.ws[None]) - generator.synthesis(other.ws[None]))
            .square()
            .mean()
        )
    assert moved[1] < 0.8 * moved[0]


def test_gradients_of_painters_are_those_of_the_plain_network(generator):
    ws = sample(generator, 1).ws[None].clone().requires_grad_()
    grains = torch.randn(1, 3, 32, 32)
    plain = torch.autograd.grad((generator.synthesis(ws) * grains).sum(), ws)[0]
    lean = torch.autograd.grad((Painter(generator, torch.float32).paint(ws) * grains).sum(), ws)[0]
    assert torch.allclose(plain, lean, atol=1e-3 * plain.abs().max().item())
    trained = tiny.generator().requires_grad_(True)
    code = ws.detach()
    (trained.synthesis(code) * grains).sum().backward()
    wanted = {name: p.grad.clone() for name, p in trained.synthesis.named_parameters()}
    trained.zero_grad()
    (Painter(trained, torch.float32, code).paint(code) * grains).sum().backward()
    for name, p in trained.synthesis.named_parameters():
        assert torch.allclose(p.grad, wanted[name], atol=2e-3 * wanted[name].abs().max().item() + 1e-4), name


def test_whitened_coordinates_lead_there_and_back(generator):
    region = KnownRegion.of(generator)
    w = generator.mapping.w(torch.randn(4096, 16, generator=torch.Generator().manual_seed(0)))
    assert torch.allclose(region.to_w(region.to_code(w)), w, atol=1e-4)
    assert region.to_code(w).square().mean() == pytest.approx(1, abs=0.01)


def test_the_rate_goes_up_and_down():
    assert ramp(0.025) == pytest.approx(0.5)
    assert ramp(0.5) == 1
    assert ramp(0.875) == pytest.approx(0.5)
    assert ramp(1) == pytest.approx(0.02)


def test_structure_in_noise_is_told_from_noise():
    noise = torch.randn(64, 64)
    waves = torch.sin(torch.arange(64) / 4).expand(64, 64) * math.sqrt(2)
    assert structure(noise) < 0.1
    assert structure(waves) > 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"step_size": 0}, "greater than 0"),
        ({"w_steps": -1}, "0 or more"),
        ({"pixel_weight": 0.0, "look_weight": 0.0}, "both 0"),
    ],
)
def test_bad_settings_get_a_sentence(change, sentence):
    with pytest.raises(InputError, match=sentence):
        InvertSettings(**change)


def test_bad_photos_get_a_sentence(generator, photo):
    with pytest.raises(InputError, match="crop it first"):
        invert(generator, torch.zeros(3, 16, 16))
    with pytest.raises(InputError, match="NaN"):
        invert(generator, photo * float("nan"))
    with pytest.raises(InputError, match="no encoder"):
        next(invert(generator, photo, settings=InvertSettings(start="encoder")))
