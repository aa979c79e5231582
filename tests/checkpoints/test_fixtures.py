"""The fixtures that the published implementation wrote."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pliant.checkpoints import inspect, read
from pliant.gan.latent import load_generator

from paths import FIXTURES


class _Stub:
    def __init__(self, meta: dict[str, Any]) -> None:
        self.state = meta["state"]


class _TrustingUnpickler(pickle.Unpickler):
    """Python's own unpickler, as an independent account of files that we made ourselves."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "_reconstruct_persistent_obj":
            return _Stub
        if name == "EasyDict":
            return type("EasyDict", (dict,), {})
        if name == "_load_from_bytes":
            return lambda data: torch.load(io.BytesIO(data), weights_only=True)
        return super().find_class(module, name)


def _state_dict(module: _Stub, prefix: str = "") -> dict[str, torch.Tensor]:
    tensors = module.state["_parameters"] | module.state["_buffers"]
    found = {prefix + name: tensor for name, tensor in tensors.items()}
    for name, child in module.state["_modules"].items():
        found |= _state_dict(child, f"{prefix}{name}.")
    return found


def _trusting_load(path: Path) -> dict[str, torch.Tensor]:
    with path.open("rb") as file:
        return _state_dict(_TrustingUnpickler(file).load()["G_ema"])


@pytest.mark.parametrize(("name", "count"), [("nvidia-64", 106), ("drag-256", 132)])
def test_every_tensor_of_a_published_pickle(name: str, count: int) -> None:
    expected = _trusting_load(FIXTURES / f"{name}.pkl")
    filters = {key for key in expected if key.endswith("resample_filter")}

    tensors = read(FIXTURES / f"{name}.pkl").tensors

    assert len(expected) == count
    assert set(tensors) == set(expected) - filters
    for key, tensor in tensors.items():
        assert torch.equal(tensor, expected[key].float()), key


def test_what_inspect_says_of_a_published_pickle() -> None:
    facts = inspect(FIXTURES / "nvidia-64.pkl")

    assert facts["channels"] == [64, 64, 64, 64, 32]
    assert (facts["resolution"], facts["z_dim"], facts["w_dim"], facts["mapping_layers"]) == (64, 64, 64, 8)
    assert (facts["conv_clamp"], facts["half_resolution"], facts["architecture"]) == (256, 8, "skip")
    assert facts["keys"] == ["D", "G", "G_ema", "augment_pipe", "training_set_kwargs"]
    assert inspect(FIXTURES / "drag-256.pkl")["half_resolution"] is None


def test_the_network_draws_the_published_picture() -> None:
    expected = np.load(FIXTURES / "nvidia-64.npz")

    generator = load_generator(FIXTURES / "nvidia-64.pkl")
    with torch.no_grad():
        ws = generator.mapping(torch.from_numpy(expected["z"]).float(), truncation_psi=0.7)
        image = generator.synthesis(ws, noise="const")

    torch.testing.assert_close(ws, torch.from_numpy(expected["ws"]), rtol=0, atol=1e-4)
    torch.testing.assert_close(image, torch.from_numpy(expected["image"]), rtol=0, atol=1e-4)
