"""Edits of things on a GPU, in half precision, beside those on the CPU."""

import pytest
import torch

from pliant.diffusion.edits import ThingSettings, drag_content, move, remove
from pliant.diffusion.energy import Grid, energies
from pliant.diffusion.loading import load_diffusion
from pliant.diffusion.plans import Moving
from pliant.diffusion.things import Thing, as_things

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_noise_and_features_are_those_of_the_cpu(tiny_model, tiny_folder):
    here, there = tiny_model(), load_diffusion(tiny_folder("sd1"), "cuda")
    latents = torch.randn(1, 4, 8, 8)
    told = here.condition("a cat", (64, 64)), there.condition("a cat", (64, 64))
    assert there.dtype == torch.float16
    mine, other = here.noise(latents, 300, told[0]), there.noise(latents.cuda(), 300, told[1])
    assert torch.allclose(mine, other.cpu(), atol=0.02)
    for one, two in zip(
        here.features(latents, 300, told[0]), there.features(latents.cuda(), 300, told[1]), strict=True
    ):
        assert torch.allclose(one, two.cpu(), atol=0.05)


def test_the_gradient_of_an_energy_points_the_same_way(tiny_model, tiny_folder, disc):
    (thing,) = as_things(Thing(disc[:, :64], (10, 5)), (64, 64))
    gradients = []
    for model in (tiny_model(), load_diffusion(tiny_folder("sd1"), "cuda")):
        latents = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)).to(model.device)
        told, grid = model.condition("", (64, 64)), Grid(16, 16)
        known = model.features(latents[1:], 300, told)
        leaf = latents[:1].requires_grad_()
        energy = energies(Moving((thing,)).terms([grid]), [grid], model.features(leaf, 300, told), [known])[
            "edit"
        ]
        gradients.append(torch.autograd.grad(energy * 1000, leaf)[0].cpu().flatten())
    assert torch.nn.functional.cosine_similarity(*gradients, dim=0) > 0.98


@pytest.mark.parametrize("kind", ["sd1", "sd2", "lcm", "sdxl"])
@pytest.mark.parametrize("preset", ["warp", "fast", "diffeditor"])
def test_every_preset_runs(tiny_folder, photo, disc, kind, preset):
    model, settings = load_diffusion(tiny_folder(kind), "cuda"), ThingSettings(preset=preset)
    common = {"model": model, "settings": settings}
    for steps in (
        move(photo, Thing(disc, (30, 5)), **common),
        remove(photo, disc, **common),
        drag_content(photo, [(30, 30)], [(38, 30)], disc, **common),
    ):
        *_, last = steps
        made = last.picture.rgb_image()
        assert torch.isfinite(last.picture.latents).all()
        assert torch.equal(made[last.reach.mask == 0], photo.rgb[last.reach.mask == 0])


def test_keys_and_values_may_lie_on_the_cpu(tiny_folder, photo, disc):
    model = load_diffusion(tiny_folder("sd1"), "cuda")
    *_, plain = remove(photo, disc, model=model)
    model.banks.clear()
    model.banks.device = "cpu"
    *_, moved = remove(photo, disc, model=model)
    (bank,) = model.banks._kept.values()
    assert {key.device.type for each in bank.keys_values.values() for key, _ in each.values()} == {"cpu"}
    assert torch.allclose(plain.picture.latents, moved.picture.latents, atol=1e-3)
