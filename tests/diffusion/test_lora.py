"""A correction fitted to one picture: formulas, PEFT as its twin, and that nothing of it stays behind."""

import math

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.lora import LESSON, Lora, LoraKey, LoraSettings, LossScale, lesson, noise_loss, tuned
from pliant.diffusion.schedule import NoiseSchedule
from tiny_sd import save_tiny

SHORT = LoraSettings(steps=4, rank=3, batch=2)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Tiny models by kind, made when first asked for."""
    made = {}

    def folder(kind):
        if kind not in made:
            made[kind] = save_tiny(tmp_path_factory.mktemp(kind), kind)
        return made[kind]

    return folder


@pytest.fixture
def model(folders):
    return load_diffusion(folders("sd1"))


def picture(model):
    random = torch.Generator().manual_seed(7)
    return torch.randn(1, 4, 8, 8, generator=random), model.condition("a car", (64, 64))


def fitted(model, settings=SHORT, prompt="a car"):
    """The losses, and the correction."""
    latents, condition = picture(model)
    tuning, losses = tuned(model, latents, condition, LoraKey("a picture", prompt, settings)), []
    while True:
        try:
            losses.append(next(tuning))
        except StopIteration as ended:
            return losses, ended.value


def filled(model, rank=4):
    """A correction that changes something."""
    lora = Lora.new(model.unet, rank, 0)
    random = torch.Generator().manual_seed(3)
    return Lora(
        {name: 0.3 * torch.randn(each.shape, generator=random) for name, each in lora.weights.items()}
    )


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.unet.modules())


# ---- formulas


def test_the_lesson_is_the_noise_or_the_velocity():
    schedule = NoiseSchedule((0.64, 0.25), 0.64, "epsilon", few_steps=False, config={})
    latents, noise = torch.full((1, 1, 1, 1), 2.0), torch.tensor([3.0, -1.0]).view(2, 1, 1, 1)
    noisy, wanted = lesson(schedule, latents, noise, torch.tensor([0, 1]))
    root = math.sqrt(0.75)
    assert noisy.flatten().tolist() == pytest.approx([0.8 * 2 + 0.6 * 3, 0.5 * 2 - root])
    assert wanted.flatten().tolist() == [3, -1]
    schedule = NoiseSchedule((0.64, 0.25), 0.64, "v_prediction", few_steps=False, config={})
    again, wanted = lesson(schedule, latents, noise, torch.tensor([0, 1]))
    assert torch.equal(again, noisy)
    assert wanted.flatten().tolist() == pytest.approx([0.8 * 3 - 0.6 * 2, -0.5 - root * 2])


@pytest.mark.parametrize("kind", ["sd1", "sd2", "lcm", "sdxl"])
def test_the_loss_is_that_of_its_rows(folders, kind):
    model = load_diffusion(folders(kind))
    latents, condition = picture(model)
    noise, timesteps = torch.randn(3, 4, 8, 8), torch.tensor([10, 500, 990])
    rows = []
    for each, timestep in zip(noise, timesteps.tolist(), strict=True):
        noisy = model.schedule.noised(latents, each[None], timestep)
        with torch.no_grad():
            error = model.noise(noisy, timestep, condition) - each
        # The error of a velocity is that of its noise over the root of what is kept of the picture.
        rows.append(error.square().mean() / (model.schedule.kept[timestep] if kind == "sd2" else 1))
    loss = noise_loss(model, latents, noise, timesteps, condition)
    assert float(loss) == pytest.approx(float(sum(rows)) / 3, rel=1e-4)


def test_all_attentions_are_corrected_and_nothing_else(model):
    layers = {name.rsplit(".lora_", 1)[0] for name in Lora.new(model.unet, 2, 0).weights}
    attentions = [name for name, _ in model.unet.named_modules() if name.endswith((".attn1", ".attn2"))]
    assert layers == {f"{name}.{end}" for name in attentions for end in ("to_q", "to_k", "to_v", "to_out.0")}
    assert {name.split(".")[0] for name in layers} == {"down_blocks", "mid_block", "up_blocks"}


def test_a_new_correction_changes_nothing(model):
    latents, condition = picture(model)
    plain = model.noise(latents, 300, condition)
    with Lora.new(model.unet, 4, 0).on(model.unet):
        assert torch.equal(model.noise(latents, 300, condition), plain)


def test_a_corrected_layer_by_hand(model):
    lora = filled(model)
    layer = next(iter(lora.weights)).removesuffix(".lora_A.weight")
    module = model.unet.get_submodule(layer)
    x = torch.randn(2, 5, module.in_features)
    down, up = lora.weights[f"{layer}.lora_A.weight"], lora.weights[f"{layer}.lora_B.weight"]
    merged = nn.functional.linear(x, module.weight + up @ down, module.bias)
    with lora.on(model.unet):
        assert torch.allclose(module(x), merged, atol=1e-5)


def test_it_computes_as_peft_does(folders, model):
    peft = pytest.importorskip("peft")
    lora, (latents, condition) = filled(model), picture(model)
    with lora.on(model.unet):
        ours = model.noise(latents, 300, condition)
    other = load_diffusion(folders("sd1"))
    ends = ["to_q", "to_k", "to_v", "to_out.0"]
    other.unet.add_adapter(peft.LoraConfig(r=4, lora_alpha=4, target_modules=ends))
    found = peft.set_peft_model_state_dict(other.unet, lora.weights)
    assert not found.unexpected_keys
    assert torch.allclose(other.noise(latents, 300, condition), ours, atol=1e-5)
    assert (ours - model.noise(latents, 300, condition)).abs().max() > 0.01


def test_gradients_that_overflow_are_left_out_and_scaled_less():
    leaf = torch.tensor([2.0], requires_grad=True)
    scale = LossScale()
    assert scale.gradients((leaf**2).sum(), [leaf])[0].tolist() == [4]
    before = scale.scale
    assert scale.gradients((leaf * torch.inf).sum(), [leaf]) == []
    assert scale.scale == before / 2


# ---- the fit


def test_the_loss_on_the_picture_falls(model):
    latents, condition = picture(model)
    random = torch.Generator().manual_seed(99)
    noise = torch.randn(32, 4, 8, 8, generator=random)
    timesteps = torch.randint(1000, (32,), generator=random)
    with torch.no_grad():
        before = noise_loss(model, latents, noise, timesteps, condition)
        losses, lora = fitted(model, LoraSettings(steps=60, learning_rate=2e-3))
        with lora.on(model.unet):
            after = noise_loss(model, latents, noise, timesteps, condition)
        other = noise_loss(model, latents, noise, timesteps, condition)
    assert after < 0.95 * before
    assert other == before
    assert len(losses) == 60


def test_the_defaults_are_published():
    assert LoraSettings() == LoraSettings(80, 16, 5e-4, 4, 1e-2, 0)


def test_nothing_stays_behind(model):
    latents, condition = picture(model)
    before = {name: value.clone() for name, value in model.unet.state_dict().items()}
    plain = model.noise(latents, 300, condition)
    tuning = tuned(model, latents, condition, LoraKey("a picture", "", LoraSettings(steps=5, batch=1)))
    for _ in range(3):  # paused, and then stopped in the middle
        next(tuning)
        assert hooks(model) == 0
        assert torch.equal(model.noise(latents, 300, condition), plain)
    tuning.close()
    fitted(model)
    after = model.unet.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert not any(each.requires_grad or each.grad is not None for each in model.unet.parameters())
    assert torch.equal(model.noise(latents, 300, condition), plain)


def test_an_error_in_a_pass_leaves_no_hooks(model):
    latents, condition = picture(model)
    with pytest.raises(RuntimeError), filled(model).on(model.unet):
        model.noise(latents[:, :3], 300, condition)  # one channel is missing
    assert hooks(model) == 0


def test_one_that_was_stopped_is_not_kept(model):
    latents, condition = picture(model)
    key = LoraKey("a picture", "a car", LoraSettings(steps=5, batch=1))
    tuning = tuned(model, latents, condition, key)
    next(tuning)
    tuning.close()
    assert key not in model.banks


def test_the_same_seed_gives_the_same_correction(folders, model):
    losses, lora = fitted(model)
    other_losses, other = fitted(load_diffusion(folders("sd1")))
    assert losses == other_losses
    assert all(torch.equal(each, other.weights[name]) for name, each in lora.weights.items())
    _, another = fitted(model, LoraSettings(steps=4, rank=3, batch=2, seed=1))
    assert not torch.equal(next(iter(another.weights.values())), next(iter(lora.weights.values())))


def test_a_picture_is_fitted_once(model):
    _, lora = fitted(model)
    calls = model.account.forwards
    assert calls == pytest.approx(4 * 2 * LESSON)
    losses, again = fitted(model)
    assert again is lora
    assert losses == []
    assert model.account.forwards == calls
    assert len(fitted(model, prompt="a bus")[0]) == 4
    assert lora.bytes == sum(4 * each.numel() for each in lora.weights.values())


def test_a_step_costs_what_is_counted_in_stable_diffusion():
    """Multiply-adds of Stable Diffusion 1.5 on a device that computes nothing: there and back, as a share of there."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        unet.requires_grad_(False).eval()
        shapes = Lora.new(unet, 16, 0).weights
        lora = Lora({name: each.requires_grad_() for name, each in shapes.items()})
        seen = torch.zeros(1, 4, 64, 64), torch.zeros(1), torch.zeros(1, 77, 768)
        with FlopCounterMode(display=False) as there, torch.no_grad():
            unet(*seen)
        with FlopCounterMode(display=False) as both, lora.on(unet):
            torch.autograd.grad(unet(*seen).sample.square().mean(), list(lora.weights.values()))
    assert both.get_total_flops() / there.get_total_flops() == pytest.approx(LESSON, abs=0.01)


def test_it_can_be_kept_in_a_file(model, tmp_path):
    _, lora = fitted(model)
    save_file(lora.weights, tmp_path / "lora.safetensors")
    again = Lora(load_file(tmp_path / "lora.safetensors"))
    latents, condition = picture(model)
    with lora.on(model.unet):
        expected = model.noise(latents, 300, condition)
    with again.on(model.unet):
        assert torch.equal(model.noise(latents, 300, condition), expected)


def test_it_learns_in_half_precision(model):
    model.unet.half()
    _, lora = fitted(model)
    assert all(each.isfinite().all() and each.any() for each in lora.weights.values())
    assert all(each.dtype == torch.float32 for each in lora.weights.values())
