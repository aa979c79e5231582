"""The encoder's recipe leaves an encoder that inversion starts from."""

import copy
import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from pliant.checkpoints import Checkpoint, write_native
from pliant.errors import CheckpointError
from pliant.gan.encoder import Encoder, EncoderConfig, encoder_of, load_encoder, save_encoder
from pliant.gan.invert import InvertSettings, invert
from pliant.gan.latent import fingerprint, load_generator, sample
from pliant.gan.region import KnownRegion

import tiny
from paths import REPOSITORY


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLIANT_HOME", str(tmp_path))
    generator = tiny.generator(32)
    write_native(
        Checkpoint(generator.config.to_json(), generator.state_dict(), "native", {}),
        tmp_path / "models" / "tiny",
    )
    return tmp_path


def test_a_short_training_gives_an_encoder_that_is_found(home):
    np.save(home / "renders.npy", np.random.RandomState(0).randint(0, 255, (6, 3, 32, 32), dtype=np.uint8))
    out = home / "encoders" / "tiny"
    command = [sys.executable, str(REPOSITORY / "recipes/portraits/encoder.py"), "--model", "tiny", "--small"]
    command += ["--pictures", str(home / "renders.npy"), "--out", str(out), "--steps", "4", "--batch", "4"]
    run = subprocess.run(
        [*command, "--report-every", "2", "--device", "cpu"], check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1])["steps"] == 4
    assert {path.name for path in out.iterdir()} == {
        "config.json", "model.safetensors", "README.md", "report.json", "sheet.jpg",
    }  # fmt: skip
    generator = load_generator("tiny")
    encoder = encoder_of(generator)
    photo = sample(generator, 1).pixels()
    ws = encoder(photo[None])
    assert ws.shape == (1, 8, 16)
    step = next(invert(generator, photo, settings=InvertSettings(w_steps=0, wplus_steps=1, tune_steps=0)))
    assert torch.allclose(step.picture.ws, ws[0], atol=1e-4)
    other = tiny.generator(32, seed=1)
    assert encoder_of(other) is None  # of the same name, but it makes other pictures


@pytest.fixture
def recipe():
    path = REPOSITORY / "recipes" / "portraits" / "encoder.py"
    spec = importlib.util.spec_from_file_location("encoder_train", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.usefixtures("home")
def test_an_encoder_goes_on_in_whitened_axes_and_leaves_them_the_same(recipe):
    region = KnownRegion.of(load_generator("tiny"))
    config = EncoderConfig(8, 16, "abc", 64, (8, 8, 8, 8, 8), (1, 1, 1, 1, 1), 2)
    net = Encoder(config).eval()
    x = torch.randn(2, 3, 64, 64)
    before = net(x)
    inside = recipe.in_region(copy.deepcopy(net), region)
    assert torch.allclose(inside(x) @ region.colour + region.mean, before, atol=1e-3)
    assert torch.allclose(recipe.out_of_region(inside, region)(x), before, atol=1e-3)


def test_the_encoder_of_portraits_is_small():
    net = Encoder(EncoderConfig(14, 256))
    assert sum(p.numel() for p in net.parameters()) < 6e6
    assert net(torch.zeros(2, 3, 256, 256)).shape == (2, 14, 256)


def test_an_encoder_survives_a_file(tmp_path):
    net = Encoder(EncoderConfig(8, 16, "abc", 64, (8, 8, 8, 8, 8), (1, 1, 1, 1, 1), 2)).eval()
    net.load_state_dict(
        {k: v.half().float() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    )
    save_encoder(net, tmp_path / "e")
    again = load_encoder(tmp_path / "e")
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(again(x), net(x))
    assert again.config == net.config
    (tmp_path / "e" / "config.json").write_text('{"format": "other", "version": 1}')
    with pytest.raises(CheckpointError, match="not hold a Pliant encoder"):
        load_encoder(tmp_path / "e")


def test_an_encoder_belongs_to_its_generator(home):
    generator = tiny.generator(32)
    config = EncoderConfig(8, 16, fingerprint(generator), 64, (8, 8, 8, 8, 8), (1, 1, 1, 1, 1), 2)
    save_encoder(Encoder(config).eval(), home / "encoders" / "tiny")
    assert encoder_of(generator).net.config == config
