"""Models of the family as edits use them: noise, features, words, levels, refusals."""

import json
import shutil

import numpy as np
import pytest
import torch
from diffusers import DDIMInverseScheduler, DDIMScheduler
from safetensors.torch import load_file, save_file

import pliant.zoo
from pliant.diffusion.colours import LatentColours
from pliant.diffusion.edits import remove
from pliant.diffusion.loading import is_diffusion_model, load_diffusion
from pliant.diffusion.schedule import NoiseSchedule
from pliant.errors import CheckpointError, InputError, UnsafeCheckpointError
from pliant.images import resize, to_uint8
from tiny_sd import NOISE, set_config

KINDS = ("sd1", "sd2", "lcm", "sdxl")


@pytest.mark.parametrize("kind", KINDS)
def test_noise_is_what_the_unet_of_diffusers_says(tiny_model, kind):
    model = tiny_model(kind)
    latents, told = torch.randn(2, 4, 8, 8), model.condition("a red car", (64, 64))
    more = {"added_cond_kwargs": told.repeated(2).added} if told.added else {}
    if kind == "lcm":
        more["timestep_cond"] = torch.zeros(2, 16)
        more["timestep_cond"][:, 8:] = 1  # a guidance scale of 1 is no wave at all
    said = model.unet(
        latents, torch.tensor(500), encoder_hidden_states=told.repeated(2).hidden, **more
    ).sample
    kept = model.schedule.at(500)
    expected = said if kind != "sd2" else kept**0.5 * said + (1 - kept) ** 0.5 * latents
    assert torch.allclose(model.noise(latents, 500, told), expected, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_features_lie_at_a_sixteenth_and_an_eighth(tiny_model, kind):
    model = tiny_model(kind)
    latents = torch.randn(1, 4, 8, 16)
    coarse, fine = model.features(latents, 300, model.condition("", (128, 64)))
    assert coarse.shape[2:] == (4, 8)
    assert fine.shape[2:] == (8, 16)


def test_features_on_the_way_are_those_of_leaving_early_and_cost_less(tiny_model):
    model = tiny_model()
    latents, told, kept = torch.randn(1, 4, 8, 8), model.condition("", (64, 64)), []
    before = model.account.forwards
    model.noise(latents, 300, told, kept=kept)
    assert model.account.forwards == before + 1
    for mine, other in zip(kept[0], model.features(latents, 300, told), strict=True):
        assert torch.equal(mine, other)
    assert before + 1.3 < model.account.forwards < before + 1.95
    assert not any(block._forward_hooks for block in model.unet.up_blocks)


def test_gradients_reach_latents_and_no_weight(tiny_model):
    model = tiny_model()
    latents = torch.randn(1, 4, 8, 8, requires_grad=True)
    sum(each.sum() for each in model.features(latents, 300, model.condition("", (64, 64)))).backward()
    assert latents.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in model.unet.parameters())


def test_pictures_go_to_latents_and_back(tiny_model):
    model = tiny_model()
    pixels = torch.rand(3, 50, 120) * 2 - 1
    latents = model.encode(pixels)
    assert model.working_size((120, 50)) == (128, 64)
    assert latents.shape == (1, 4, 8, 16)
    assert model.decode(latents[0]).shape == (3, 64, 128)
    again = (
        model.vae.encode(model.decode(latents[0])[None]).latent_dist.mean * model.vae.config.scaling_factor
    )
    assert torch.isfinite(again).all()


@pytest.mark.parametrize(
    ("size", "expected"), [((64, 64), (64, 64)), ((4000, 3000), (64, 64)), ((1000, 100), (192, 64))]
)
def test_sides_are_multiples_of_64(tiny_model, size, expected):
    assert tiny_model().working_size(size) == expected


def test_sdxl_is_told_size_and_zeros_for_no_words(tiny_model):
    model = tiny_model("sdxl")
    told = model.condition("", (128, 64))
    assert not told.hidden.any()
    assert told.added["time_ids"].tolist() == [[64, 128, 0, 0, 64, 128]]
    assert model.condition("cat", (64, 64)).hidden.any()


def test_a_prompt_that_is_too_long_is_told_in_tokens(tiny_model):
    with pytest.raises(InputError, match="has 90 tokens, but sd1 reads at most 75"):
        tiny_model().condition("a" * 90, (64, 64))


# ---- the schedule, against diffusers


@pytest.mark.parametrize("steps", [1, 16, 50])
def test_steps_are_those_of_ddim(steps):
    theirs = DDIMScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False)
    mine = NoiseSchedule.of(dict(theirs.config))
    theirs.set_timesteps(steps)
    assert mine.timesteps(steps) == theirs.timesteps.tolist()
    latents, noise = torch.randn(1, 4, 8, 8), torch.randn(1, 4, 8, 8)
    for number, timestep in enumerate(mine.timesteps(steps)):
        following = mine.timesteps(steps)[number + 1] if number + 1 < steps else None
        fresh = torch.randn(1, 4, 8, 8)
        expected = theirs.step(noise, timestep, latents, eta=0.4, variance_noise=fresh).prev_sample
        clean = mine.clean(latents, noise, timestep)
        moved = mine.step(clean, noise, timestep, following, eta=0.4, fresh=fresh)
        assert torch.allclose(moved, expected, atol=1e-4)


def test_a_map_of_eta_draws_anew_in_its_region_only():
    schedule = NoiseSchedule.of(dict(DDIMScheduler(**NOISE, clip_sample=False).config))
    clean, noise, fresh = (torch.randn(1, 4, 8, 8) for _ in range(3))
    region = torch.zeros(1, 1, 8, 8)
    region[..., :4] = 1
    plain = schedule.step(clean, noise, 501, 481)
    partly = schedule.step(clean, noise, 501, 481, eta=0.4 * region, fresh=fresh)
    assert torch.allclose(plain[..., 4:], partly[..., 4:], atol=1e-6)
    assert (plain[..., :4] - partly[..., :4]).abs().max() > 0.05


def test_inversion_walks_as_the_inverse_scheduler_of_diffusers(tiny_model):
    from pliant.diffusion.inversion import BankKey, bank_of

    model = tiny_model()
    told, latents = model.condition("a car", (64, 64)), torch.randn(1, 4, 8, 8)
    making = bank_of(model, latents, told, BankKey("p", "a car", "inverted", 10))
    counts = []
    while True:
        try:
            counts.append(next(making))
        except StopIteration as ended:
            bank = ended.value
            break
    assert counts == list(range(1, 11))
    theirs = DDIMInverseScheduler(**NOISE, clip_sample=False, set_alpha_to_one=False)
    theirs.set_timesteps(10)
    now = latents
    with torch.no_grad():
        for number, timestep in enumerate(theirs.timesteps):
            said = model.unet(now, timestep, encoder_hidden_states=told.hidden).sample
            now = theirs.step(said, timestep, now).prev_sample
            assert torch.allclose(bank.latents[9 - number], now, atol=2e-4)


def test_what_a_schedule_cannot_be_is_told():
    with pytest.raises(CheckpointError, match="predicts 'sample'"):
        NoiseSchedule.of({**NOISE, "prediction_type": "sample"})
    with pytest.raises(CheckpointError, match="schedule is unknown"):
        NoiseSchedule.of({**NOISE, "beta_schedule": "spiral"})


# ---- reading


def copied(tiny_folder, tmp_path, kind="sd1"):
    return shutil.copytree(tiny_folder(kind), tmp_path / "model")


def test_a_model_is_found_by_name_and_says_its_resolution(tiny_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    shutil.copytree(tiny_folder("sd1"), tmp_path / "models" / "mine")
    entry = next(entry for entry in pliant.zoo.entries() if entry.name == "mine")
    assert entry.resolution == 64
    assert is_diffusion_model(entry.path)
    assert load_diffusion("mine").name == "mine"


def test_half_precision_files_are_read_too(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    for path in list(folder.glob("*/*.safetensors")):
        tensors = {name: tensor.half() for name, tensor in load_file(path).items()}
        save_file(
            tensors, path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")), {"format": "pt"}
        )
        path.unlink()
    model, whole = load_diffusion(folder), load_diffusion(tiny_folder("sd1"))
    latents, told = torch.randn(1, 4, 8, 8), whole.condition("", (64, 64))
    assert torch.allclose(model.noise(latents, 9, told), whole.noise(latents, 9, told), atol=5e-3)


def test_pickles_are_refused(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    (folder / "unet" / "diffusion_pytorch_model.safetensors").rename(
        folder / "unet" / "diffusion_pytorch_model.bin"
    )
    with pytest.raises(UnsafeCheckpointError, match=r"model/unet are pickles"):
        load_diffusion(folder)
    file = tmp_path / "model.ckpt"
    file.write_bytes(b"\x80\x04")
    with pytest.raises(UnsafeCheckpointError, match=r"model.ckpt may be a pickle"):
        load_diffusion(file)


@pytest.mark.parametrize(
    ("part", "damage", "sentence"),
    [
        ("unet", "missing", "unet has no weights"),
        ("vae", "cut", "could not be read"),
        ("text_encoder", "cut", "could not be read"),
        ("unet", "cut", "could not be read"),
        ("scheduler/scheduler_config.json", "missing", "scheduler_config.json is missing or damaged"),
        ("model_index.json", "cut", "model_index.json is missing or damaged"),
        ("model_index.json", "other", "is no pipeline of the Stable Diffusion family"),
    ],
)
def test_a_broken_folder_is_told(tiny_folder, tmp_path, part, damage, sentence):
    folder = copied(tiny_folder, tmp_path)
    path = folder / part
    path = next(path.glob("*.safetensors")) if path.is_dir() else path
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.write_text(json.dumps({"_class_name": "Other"}))
    with pytest.raises(CheckpointError, match=sentence):
        load_diffusion(folder)


def test_too_few_levels_are_told(tiny_folder):
    with pytest.raises(CheckpointError, match="three or more levels over latents at 1/8"):
        load_diffusion(tiny_folder("flat"))


def test_an_unknown_prediction_is_told(tiny_folder, tmp_path):
    folder = copied(tiny_folder, tmp_path)
    set_config(folder, "scheduler/scheduler_config.json", prediction_type="sample")
    with pytest.raises(CheckpointError, match="predicts 'sample'"):
        load_diffusion(folder)


def test_there_is_no_such_model():
    with pytest.raises(CheckpointError, match="There is no model 'nothing-of-that-name'"):
        load_diffusion("nothing-of-that-name")


def test_a_glimpse_of_latents_has_their_colours():
    torch.manual_seed(0)
    mixed, shift = torch.randn(4, 3), torch.randn(4, 1, 1)
    pixels = resize(torch.rand(3, 6, 8) * 2 - 1, (48, 64))
    cells = torch.nn.functional.adaptive_avg_pool2d(pixels, (6, 8))
    latents = torch.einsum("cd,dhw->chw", mixed, cells) + shift
    colours = LatentColours(4)
    assert not colours.of(latents).any()
    colours.learn(latents, pixels)
    assert torch.allclose(colours.of(latents), cells, atol=0.02)


def test_a_frame_that_is_shown_for_a_moment_is_not_decoded(tiny_model, photo, disc):
    model = tiny_model()
    *_, last = remove(photo, disc, model=model)
    decode, model.decode = model.decode, None
    shown = np.asarray(last.picture.preview())
    model.decode = decode
    outside = last.reach.mask.numpy() == 0
    assert (shown[outside] == photo.rgb.numpy()[outside]).all()
    assert shown.shape == (64, 96, 3)


def test_pixels_survive_latents_only_roughly_but_bytes_exactly(photo):
    pixels = photo.pixels()
    assert torch.equal(to_uint8(pixels), photo.rgb)
