"""A network that looks at a photo and says which code makes it, roughly: where an inversion starts.

A small residual encoder with a top-down path (in the manner of the feature pyramids of EditGAN and pSp). Each layer's w is
read from one of three scales, coarse layers from the coarsest, by attention: a few learned maps say where to look, and one
matrix turns what was seen there into the code before the mapping network's last leaky ReLU, where codes are close to normally
distributed.
Trained by `recipes/portraits/encoder.py`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor, nn

from pliant import zoo
from pliant.errors import CheckpointError
from pliant.gan.latent import fingerprint
from pliant.gan.region import bend
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import original
from pliant.perception.landmarks import resize_for

FORMAT, VERSION = "pliant-encoder", 2


@dataclass(frozen=True)
class EncoderConfig:
    """Shape of an encoder."""

    num_ws: int
    w_dim: int
    fingerprint: str = ""
    """Of the generator whose codes it gives."""
    input_size: int = 256
    """Side in pixels at which it sees the photo."""
    widths: tuple[int, ...] = (32, 64, 128, 192, 192)
    """Channels at 1/4, 1/8, 1/16, 1/32 and 1/64 of the input size."""
    depths: tuple[int, ...] = (1, 2, 2, 2, 1)
    """Residual blocks at each of these."""
    looks: int = 3
    """Attention maps of each layer's code."""


class _Block(nn.Module):
    """Two normalised 3x3 convolutions around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv0, self.conv1 = _conv(channels, channels), _conv(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x + self.conv1(F.silu(self.conv0(x))))


def _conv(n_in: int, n_out: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(n_out))


class Encoder(nn.Module):
    """Photo to codes before the mapping network's last leaky ReLU.

    Args:
        config: its shape.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.stem = nn.Sequential(
            _conv(3, widths[0], 7, 2), nn.SiLU(), _conv(widths[0], widths[0], 3, 2), nn.SiLU()
        )
        stages: list[nn.Module] = []
        for k, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            down = [_conv(widths[k - 1], width, 3, 2), nn.SiLU()] if k else []
            stages.append(nn.Sequential(*down, *(_Block(width) for _ in range(depth))))
        self.stages = nn.ModuleList(stages)
        self.seen = widths[2]
        self.lateral = nn.ModuleList([nn.Conv2d(width, self.seen, 1) for width in widths[2:]])
        self.merge = nn.ModuleList([_Block(self.seen) for _ in widths[2:]])
        self.scale_of = [_scale(k, config.num_ws) for k in range(config.num_ws)]
        counts = [self.scale_of.count(scale) for scale in range(3)]
        self.attend = nn.ModuleList([nn.Conv2d(self.seen, config.looks * n, 1) for n in counts])
        self.weight = nn.Parameter(
            torch.randn(config.num_ws, self.seen * config.looks, config.w_dim)
            * (self.seen * config.looks) ** -0.5
        )
        self.bias = nn.Parameter(torch.zeros(config.num_ws, config.w_dim))

    def forward(self, images: Tensor) -> Tensor:
        """Codes [N, num_ws, w_dim], to be bent, of pictures [N, 3, H, W] in [-1, 1]."""
        x = self.stem(resize_for(images, self.config.input_size))
        maps: list[Tensor] = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        codes: list[Tensor] = []
        above = x.new_zeros(1, self.seen, 1, 1)
        for scale, (lateral, merge, seen) in enumerate(
            zip(reversed(self.lateral), reversed(self.merge), reversed(maps[2:]), strict=True)
        ):
            here = lateral(seen)
            above = merge(here + F.interpolate(above, here.shape[2:], mode="nearest"))
            codes.append(self._read(above, self.attend[scale]))
        pooled = torch.cat(codes, 1)  # coarse layers come first, as they do in ws
        return torch.einsum("nlc,lcd->nld", pooled, self.weight) + self.bias

    def _read(self, features: Tensor, attend: nn.Module) -> Tensor:
        """[N, C, h, w] to what each of the scale's layers sees, [N, layers, looks * C]."""
        where = attend(features).flatten(2).softmax(2)
        found = where @ features.flatten(2).transpose(1, 2)
        return found.unflatten(1, (-1, self.config.looks)).flatten(2)


def _scale(layer: int, num_ws: int) -> int:
    """Which map a layer's code is read from: 0 the coarsest; 3 of 14 layers, 4 of 14, the rest."""
    return 0 if layer < round(num_ws * 3 / 14) else 1 if layer < round(num_ws / 2) else 2


class CodeEncoder:
    """An encoder as inversions use it: photo to ws."""

    def __init__(self, net: Encoder) -> None:
        self.net = net

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Codes ws [N, num_ws, w_dim] of pictures [N, 3, H, W] in [-1, 1]."""
        return bend(self.net(images).float())


def encoder_of(generator: Generator) -> CodeEncoder | None:
    """The encoder that belongs to a generator, embedded or the user's own; None if there is none.

    It lies in `pliant/_weights/NAME-encoder`, or in `$PLIANT_HOME/encoders/NAME`.

    Raises:
        CheckpointError: it is damaged.
    """
    generator = original(generator)
    if "encoder" not in generator.memo:
        name = generator.name
        places = (zoo.WEIGHTS_FOLDER / f"{name}-encoder", zoo.user_folder().parent / "encoders" / name)
        found = next((place for place in places if (place / "config.json").is_file()), None)
        net = None if found is None else load_encoder(found, generator.device)
        fits = net is not None and net.config.fingerprint == fingerprint(generator)
        generator.memo["encoder"] = CodeEncoder(net) if net and fits else None
    return generator.memo["encoder"]


def load_encoder(folder: Path, device: str | torch.device = "cpu") -> Encoder:
    """Read what `save_encoder` wrote.

    Raises:
        CheckpointError: the folder does not hold a readable encoder.
    """
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        net = Encoder(_config_from(stored))
        net.load_state_dict({k: v.float() for k, v in load_file(folder / "model.safetensors").items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} does not hold a Pliant encoder: {error}") from error
    return net.eval().requires_grad_(requires_grad=False).to(device)


def _config_from(stored: dict[str, Any]) -> EncoderConfig:
    if (stored.pop("format"), stored.pop("version")) != (FORMAT, VERSION):
        raise ValueError("it is of another format")
    values: dict[str, Any] = stored | {name: tuple(stored[name]) for name in ("widths", "depths")}
    return EncoderConfig(**values)


def save_encoder(net: Encoder, folder: Path) -> None:
    """Write config.json and model.safetensors (fp16)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"format": FORMAT, "version": VERSION, **asdict(net.config)}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    tensors = {
        name: value.detach().cpu() for name, value in net.state_dict().items() if value.is_floating_point()
    }
    counters = {name: value for name, value in net.state_dict().items() if not value.is_floating_point()}
    halves = {name: value.half().contiguous() for name, value in tensors.items()}
    save_file(
        halves | {name: value.cpu().clone() for name, value in counters.items()}, folder / "model.safetensors"
    )
