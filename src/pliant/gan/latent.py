"""Pictures that a StyleGAN2 generator makes, held as their latent code; and how to get a generator."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pliant import checkpoints, zoo
from pliant.errors import CheckpointError, InputError, ModelMismatchError
from pliant.gan.lean import fast_dtype
from pliant.gan.painter import painter_of
from pliant.gan.stylegan2 import Generator, StyleGAN2Config, Styles
from pliant.gan.tuned import Delta, TunedGenerator, original, tuned
from pliant.images import to_pil
from pliant.picture import Picture


@dataclass(frozen=True)
class Z:
    """A code before the mapping network: z [z_dim], normally distributed; c [c_dim] for conditional models."""

    z: Tensor
    c: Tensor | None = None


@dataclass(frozen=True)
class W:
    """One w [w_dim] for all layers."""

    w: Tensor


@dataclass(frozen=True)
class WPlus:
    """One w for each layer: ws [num_ws, w_dim]."""

    ws: Tensor


@dataclass(frozen=True)
class S:
    """Style vectors after each layer's affine map, by layer name, each [channels]."""

    styles: Mapping[str, Tensor]


Code = Z | W | WPlus | S


def to_styles(generator: Generator, code: Code) -> Styles:
    """Any code as batched style vectors, ready for `generator.synthesis.run`.

    Raises:
        ModelMismatchError: an S code whose layers are not this model's.
    """
    if isinstance(code, S):
        layers = generator.synthesis.layers()
        if {k: v.shape[0] for k, v in code.styles.items()} != {
            k: v.affine.weight.shape[0] for k, v in layers.items()
        }:
            raise ModelMismatchError("This S code does not fit the model: its layers or their widths differ.")
        return {name: style[None].to(generator.device) for name, style in code.styles.items()}
    return generator.synthesis.styles(to_ws(generator, code)[None])


def to_ws(generator: Generator, code: Z | W | WPlus) -> Tensor:
    """A code as ws [num_ws, w_dim] (no truncation)."""
    if isinstance(code, Z):
        c = None if code.c is None else code.c[None].to(generator.device)
        return generator.mapping(code.z[None].to(generator.device), c)[0]
    if isinstance(code, W):
        return code.w.to(generator.device).expand(generator.config.num_ws, -1).clone()
    return code.ws.to(generator.device)


def fingerprint(generator: Generator) -> str:
    """16 hexadecimal digits that tell networks of one shape apart; the same for a network and its fp16 copy.

    A tuned generator has the digits of the one that it was made from.
    """
    generator = original(generator)
    if "fingerprint" not in generator.memo:
        parts = (generator.mapping.w_avg, generator.synthesis.blocks()[0].const)
        rounded = [part.detach().half().cpu().contiguous().numpy().tobytes() for part in parts]
        generator.memo["fingerprint"] = hashlib.sha256(b"".join(rounded)).hexdigest()[:16]
    return generator.memo["fingerprint"]


def check_fingerprint(generator: Generator, facts: Mapping[str, Any]) -> None:
    """Refuse a saved code that another network made.

    Raises:
        ModelMismatchError: `facts`, as `LatentPicture.state` gave them, name another fingerprint.
    """
    made_by = facts.get("fingerprint")
    if made_by is not None and made_by != fingerprint(generator):
        raise ModelMismatchError(
            f"The saved picture was made by another network than '{generator.name}', though of the same shape: "
            "open it with the model that made it."
        )


@dataclass(frozen=True, eq=False)
class LatentPicture(Picture):
    """A picture as the generator and the W+ code that make it.

    Args:
        generator: the network.
        ws: [num_ws, w_dim].
        origin: JSON-ready facts on where the code comes from (seed, truncation, file), kept in saved files.
    """

    kind: ClassVar[str] = "latent"

    generator: Generator = field(repr=False)
    ws: Tensor = field(repr=False)
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse a code of another model here, not somewhere inside the network."""
        config = self.generator.config
        expected = (config.num_ws, config.w_dim)
        if tuple(self.ws.shape) != expected:
            raise ModelMismatchError(
                f"The code has the shape {list(self.ws.shape)}, the model '{self.generator.name}' takes {list(expected)}: "
                "open the code with the model that made it."
            )
        if not torch.isfinite(self.ws).all():
            raise InputError("The latent code holds NaN or infinite values; start again from a sound one.")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.generator.config.size

    def pixels(self) -> Tensor:
        """Render: float32 [3, H, W] on the model's device, clamped to [-1, 1]."""
        return self._painted(torch.float32)

    def preview(self) -> Image.Image:
        """The picture for a moment: convolutions in bfloat16 where the machine has it."""
        return to_pil(self._painted(fast_dtype(self.ws.device)))

    @torch.no_grad()
    def _painted(self, dtype: torch.dtype) -> Tensor:
        ws = self.ws[None]
        plain = self.ws.device.type != "cpu" or self.generator.synthesis.half_dtype is not None
        paint = self.generator.synthesis if plain else painter_of(self.generator, dtype)
        return paint(ws)[0].clamp(-1, 1)

    def with_ws(self, ws: Tensor) -> LatentPicture:
        """The same model's picture of another code."""
        return replace(self, ws=ws)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """What a project file keeps: the code, which model reads it, and how that was tuned if it was."""
        tensors = {"ws": self.ws.detach().cpu()}
        facts: dict[str, Any] = {
            "model": self.generator.name,
            "fingerprint": fingerprint(self.generator),
            "origin": dict(self.origin),
        }
        if isinstance(self.generator, TunedGenerator):
            delta = self.generator.delta
            facts["tuned"] = delta.digest
            tensors |= {f"shared/{name}": value for name, value in delta.tensors.items()}
        return tensors, facts

    @staticmethod
    def restore(
        generator: Generator, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
    ) -> LatentPicture:
        """Inverse of `state`, given the model that it names, tuned or not.

        Raises:
            InputError: there is no code, or the tuning is not the one that the facts name.
            ModelMismatchError: another network, or a code or tuning that does not fit it.
            CheckpointError: a tuning that is damaged.
        """
        if "ws" not in tensors:
            raise InputError("The saved latent picture has lost its code 'ws'.")
        base = original(generator)
        check_fingerprint(base, facts)
        if facts.get("tuned") is not None:
            base = _tuned(base, tensors, facts["tuned"])
        origin = facts.get("origin")
        known = cast("dict[str, Any]", origin) if isinstance(origin, dict) else {}
        return LatentPicture(base, tensors["ws"].float().to(base.device), known)

    def save_latent(self, path: str | Path) -> None:
        """Write the code as safetensors (`ws`, and `shared/…` for a tuned model), with model and origin in the metadata."""
        tensors, facts = self.state()
        save_file(tensors, str(path), {key: json.dumps(value) for key, value in facts.items()})

    @staticmethod
    def open_latent(path: str | Path, generator: Generator) -> LatentPicture:
        """Read what `save_latent` wrote.

        Raises:
            InputError: not a safetensors file, or one without `ws`.
            ModelMismatchError: a code of another model.
        """
        try:
            with safe_open(str(path), "pt") as file:
                names: list[str] = file.keys()
                wanted = ["ws", *(name for name in names if name.startswith("shared/"))]
                tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in wanted}
                stored: dict[str, str] = file.metadata() or {}
            known = ("fingerprint", "tuned", "origin")
            facts = {name: json.loads(stored[name]) for name in known if name in stored}
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(
                f"'{path}' is not a latent file (safetensors with a tensor 'ws'): {error}."
            ) from error
        return LatentPicture.restore(generator, tensors, facts)


def _tuned(base: Generator, tensors: Mapping[str, Tensor], digest: object) -> TunedGenerator:
    """The tuned generator that a saved picture names."""
    kept: dict[str, TunedGenerator] = base.memo.get("tuned", {})
    if isinstance(digest, str) and digest in kept:
        return tuned(base, kept[digest].delta)
    prefix = "shared/"
    delta = Delta(
        {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
    )
    if delta.digest != digest:
        raise InputError("The saved picture has lost the tuning of its model, or it is damaged.")
    delta.check(base)
    return tuned(base, delta)


def load_generator(source: str | Path, device: str | torch.device = "cpu") -> Generator:
    """Load a generator from a name, a native folder or a file in any format that `pliant.checkpoints` reads.

    Args:
        source: "portraits-256", a folder with config.json and model.safetensors, or a foreign .pkl / .pt file.
        device: where to put it.

    Raises:
        CheckpointError: nothing there, damaged, unsafe, or not a StyleGAN2 generator.
    """
    path = zoo.resolve(source)
    checkpoint = checkpoints.read(path)
    with torch.random.fork_rng(
        devices=[]
    ):  # the initial weights are overwritten; the caller's random state is not
        generator = Generator(
            StyleGAN2Config.from_json(checkpoint.config), path.name if path.is_dir() else path.stem
        )
    try:
        generator.load_state_dict(dict(checkpoint.tensors))
    except RuntimeError as error:
        raise CheckpointError(f"The weights do not fit their configuration: {error}") from error
    return generator.eval().requires_grad_(requires_grad=False).to(device)


def sample(model: str | Path | Generator, seed: int, truncation_psi: float = 0.7) -> LatentPicture:
    """The picture of a seed; z is drawn as in NVIDIA's tools, so that seeds mean the same picture there.

    Args:
        model: a generator, or what `load_generator` takes.
        seed: 0 to 2**32 - 1.
        truncation_psi: 1 for the model's full variety, less for more typical pictures.
    """
    if not 0 <= seed < 2**32:
        raise InputError(f"A seed is a whole number from 0 to 4294967295; this one is {seed}.")
    generator = model if isinstance(model, Generator) else load_generator(model)
    z = np.random.RandomState(seed).randn(1, generator.config.z_dim)
    c = torch.zeros(1, generator.config.c_dim, device=generator.device) if generator.config.c_dim else None
    with torch.no_grad():
        ws = generator.mapping(torch.from_numpy(z).to(generator.device), c, truncation_psi)[0]
    return LatentPicture(generator, ws, {"seed": seed, "truncation_psi": truncation_psi})
