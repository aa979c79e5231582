"""Latent pictures, codes, seeds and files."""

import numpy as np
import pytest
import torch

from pliant.errors import InputError, ModelMismatchError
from pliant.gan import latent
from pliant.gan.latent import LatentPicture, sample
from pliant.gan.region import KnownRegion, unbend

import tiny


def test_a_seed_is_numpys_published_draw():
    generator = tiny.generator()
    z = np.random.RandomState(3).randn(1, 16)
    expected = generator.mapping(torch.from_numpy(z), truncation_psi=0.5)[0]
    picture = sample(generator, 3, truncation_psi=0.5)
    assert torch.equal(picture.ws, expected)
    assert picture.origin == {"seed": 3, "truncation_psi": 0.5}
    assert picture.size == (32, 32)
    assert picture.pixels().shape == (3, 32, 32)
    assert picture.image().size == (32, 32)


def test_codes_of_every_space_make_the_same_picture():
    generator = tiny.generator()
    z = torch.randn(16)
    w = generator.mapping.w(z[None])[0]
    ws = w.expand(8, -1)
    styles = {name: style[0] for name, style in generator.synthesis.styles(ws[None]).items()}
    codes = [latent.Z(z), latent.W(w), latent.WPlus(ws), latent.S(styles)]
    pictures = [generator.synthesis.run(latent.to_styles(generator, code)).image for code in codes]
    assert all(torch.allclose(each, pictures[0], atol=1e-5) for each in pictures)
    with pytest.raises(ModelMismatchError, match="S code"):
        latent.to_styles(generator, latent.S({"b4.conv1": torch.zeros(16)}))


def test_latents_survive_a_file(tmp_path):
    generator = tiny.generator()
    picture = sample(generator, 1)
    picture.save_latent(tmp_path / "code.safetensors")
    again = LatentPicture.open_latent(tmp_path / "code.safetensors", generator)
    assert torch.equal(again.ws, picture.ws)
    assert again.origin == picture.origin


def test_a_latent_of_a_twin_network_is_refused(tmp_path):
    sample(tiny.generator(), 1).save_latent(tmp_path / "code.safetensors")
    with pytest.raises(ModelMismatchError, match="another network"):
        LatentPicture.open_latent(tmp_path / "code.safetensors", tiny.generator(seed=1))


def test_the_fingerprint_survives_fp16():
    generator, copy = tiny.generator(), tiny.generator()
    copy.load_state_dict({name: value.half().float() for name, value in generator.state_dict().items()})
    assert latent.fingerprint(copy) == latent.fingerprint(generator)


def test_bad_latents_get_a_sentence(tmp_path):
    generator = tiny.generator()
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    for name in ("bad.safetensors", "missing.safetensors"):
        with pytest.raises(InputError, match="not a latent file"):
            LatentPicture.open_latent(tmp_path / name, generator)
    with pytest.raises(ModelMismatchError, match="tiny"):
        LatentPicture(generator, torch.zeros(9, 16))
    with pytest.raises(InputError, match="NaN"):
        LatentPicture(generator, torch.full((8, 16), float("nan")))
    with pytest.raises(InputError, match="seed"):
        sample(generator, -1)


def test_strain_is_one_at_the_edge_of_the_models_samples():
    generator = tiny.generator()
    region = KnownRegion.of(generator)
    z = torch.randn(4096, 16, generator=torch.Generator().manual_seed(5))
    strains = region.strain(generator.mapping.w(z)[:, None])
    assert 0.005 < (strains > 1).float().mean() < 0.02
    assert (
        region.strain(region.mean.new_zeros(1, 16) + torch.nn.functional.leaky_relu(region.mean, 0.2)) < 0.01
    )


def test_unbend_undoes_the_leaky_relu():
    x = torch.randn(100)
    assert torch.allclose(unbend(torch.nn.functional.leaky_relu(x, 0.2)), x, atol=1e-6)
