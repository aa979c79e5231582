"""Parts of a picture read off its generator's features: the classifiers of DatasetGAN (Zhang et al., arXiv 2104.06490).

A pixel's features are the learned constant and the output of every styled convolution, each resized to the picture. A small
network (two hidden layers) names its part; an ensemble of them says how sure that is. The published programs stack all features
at full size first, thousands of channels for each pixel. Resizing and the first layer are both linear, one over places and one
over channels, so they may change places: here each map is projected at its own size and only the result is resized, in bands.
The values are the same up to rounding, in a small share of the memory.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pliant.errors import CheckpointError, InputError, ModelMismatchError
from pliant.files import write_whole
from pliant.gan.latent import fingerprint
from pliant.gan.painter import painter_of
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import original

FORMAT, VERSION = "pliant-parts", 1
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
CONSTANT = "const"
"""Name of the learned constant among the features."""
MAX_CLASSES = 256
BAND = 32
"""Rows of the picture that are worked out at a time."""
_MAX_CONFIG_BYTES = 2**18

Features = dict[str, Tensor]
"""Maps [N or 1, C, h, w] by name, in the order of `feature_channels`."""


@dataclass(frozen=True)
class PartClass:
    """One kind of part."""

    name: str
    colour: tuple[int, int, int]
    """In part maps that people see and paint."""


def feature_channels(generator: Generator) -> dict[str, int]:
    """The maps that a head reads, by name, with their channels: the constant, then every styled convolution."""
    blocks = generator.synthesis.blocks()
    found = {CONSTANT: blocks[0].const.shape[0]}
    layers = generator.synthesis.layers().items()
    return found | {name: layer.weight.shape[0] for name, layer in layers if not name.endswith("torgb")}


def look(generator: Generator, ws: Tensor, dtype: torch.dtype | None = None) -> tuple[Tensor, Features]:
    """Paint codes and keep every map that a head reads, in one pass, differentiable in `ws`.

    Args:
        generator: the network.
        ws: [N, num_ws, w_dim].
        dtype: of the convolutions of the faster pass (`painter.py`), for one picture; the plain pass if not given.

    Returns:
        Pictures [N, 3, H, W], about [-1, 1], and the features in float32.
    """
    names = [name for name in feature_channels(generator) if name != CONSTANT]
    constant = generator.synthesis.blocks()[0].const[None]
    if dtype is not None and generator.config.architecture == "skip":
        image, maps = painter_of(generator, dtype).look(ws)
        return image, {CONSTANT: constant, **{name: x.float() for name, x in zip(names, maps, strict=True)}}
    taps = {name: torch.empty(0) for name in names}
    image = generator.synthesis.run(generator.synthesis.styles(ws), taps=taps).image
    if image is None:
        raise AssertionError("the last block always paints")
    return image, {CONSTANT: constant, **{name: taps[name].float() for name in names}}


@dataclass(frozen=True, eq=False)
class Classifiers:
    """M pixel classifiers of one shape: D features, A and B hidden, C classes. Normalisations are folded into the weights."""

    first: Tensor
    """[M, A, D]."""
    first_bias: Tensor
    """[M, A]."""
    second: Tensor
    """[M, B, A]."""
    second_bias: Tensor
    """[M, B]."""
    third: Tensor
    """[M, C, B]."""
    third_bias: Tensor
    """[M, C]."""

    def __len__(self) -> int:
        return self.first.shape[0]

    def __getitem__(self, rows: slice) -> Classifiers:
        """Some of the classifiers."""
        return Classifiers(**{name: value[rows] for name, value in self.tensors().items()})

    def tensors(self) -> dict[str, Tensor]:
        """The weights by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def to(self, device: torch.device) -> Classifiers:
        """The same on another device."""
        return Classifiers(**{name: value.to(device) for name, value in self.tensors().items()})

    def from_hidden(self, member: int, hidden: Tensor) -> Tensor:
        """What follows the first layer's sum (without bias): [A, ...] to logits [C, ...]."""
        flat = F.relu(hidden.flatten(1) + self.first_bias[member][:, None])
        flat = F.relu(torch.addmm(self.second_bias[member][:, None], self.second[member], flat))
        flat = torch.addmm(self.third_bias[member][:, None], self.third[member], flat)
        return flat.unflatten(1, hidden.shape[1:])

    def of_stack(self, stack: Tensor) -> Tensor:
        """The plain twin: features [D, ...] of pixels to logits [M, C, ...]."""
        rows = [
            self.from_hidden(m, (self.first[m] @ stack.flatten(1)).unflatten(1, stack.shape[1:]))
            for m in range(len(self))
        ]
        return torch.stack(rows)


def sample_map(values: Tensor, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """A map read at pixels as if it had been resized bilinearly to the picture: [N, C, h, w] to [N, C, K].

    Args:
        values: the map.
        pixels: [K, 2] (x, y) of the picture.
        size: width and height of the picture.
    """
    grid = ((pixels.to(values) + 0.5) * 2 / values.new_tensor(size) - 1).expand(len(values), 1, -1, -1)
    return F.grid_sample(values, grid, mode="bilinear", padding_mode="border", align_corners=False)[:, :, 0]


def sample_stack(features: Features, pixels: Tensor, size: tuple[int, int]) -> Tensor:
    """All features of some pixels of one picture: [K, D] float32."""
    return torch.cat([sample_map(values, pixels, size)[0] for values in features.values()]).T.float()


@dataclass(frozen=True, eq=False)
class PartHead:
    """Names the parts of a generator's pictures.

    Args:
        classes: the parts by id.
        channels: which features it reads, in order, and their channels.
        size: width and height of the pictures.
        fingerprint: of the generator that it was trained on.
        fast: one classifier that stands for the ensemble.
        ensemble: those whose disagreement is the uncertainty; may be empty.
        facts: JSON-ready: how it was made, what it scores.
    """

    classes: tuple[PartClass, ...]
    channels: Mapping[str, int]
    size: tuple[int, int]
    fingerprint: str
    fast: Classifiers = field(repr=False)
    ensemble: Classifiers = field(repr=False)
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes by id."""
        return tuple(each.name for each in self.classes)

    def id_of(self, name: str) -> int:
        """Class id of a name.

        Raises:
            InputError: there is no such part.
        """
        if name not in self.names:
            raise InputError(f"There is no part '{name}'; this model's are: {', '.join(self.names)}.")
        return self.names.index(name)

    def check(self, generator: Generator) -> None:
        """Refuse another generator than the one it was trained on.

        Raises:
            ModelMismatchError: it is another one.
        """
        if self.fingerprint != fingerprint(original(generator)):
            raise ModelMismatchError(
                f"This part head was trained on another network than '{generator.name}'; train one for it "
                "(pliant train head) or open the model that the head belongs to."
            )

    def logits(self, features: Features, classifiers: Classifiers | None = None, row: int = 0) -> Tensor:
        """Scores of every pixel: [M, C, H, W].

        Args:
            features: of `look`.
            classifiers: the fast one if not given.
            row: which of the pictures.
        """
        classifiers = classifiers or self.fast
        found: list[Tensor] = []
        for member in range(len(classifiers)):
            maps = [each[min(row, len(each) - 1)] for each in features.values()]
            weights = self._split(classifiers.first[member])
            rows = range(0, self.size[1], BAND)
            bands = [classifiers.from_hidden(member, self._band(maps, weights, first)) for first in rows]
            found.append(torch.cat(bands, 1))
        return torch.stack(found)

    def logits_at(self, features: Features, pixels: Tensor, classifiers: Classifiers | None = None) -> Tensor:
        """Scores of some pixels of one picture, differentiable in the features: [M, C, K].

        Args:
            features: of `look`, of one picture.
            pixels: [K, 2] (x, y).
            classifiers: the fast one if not given.
        """
        classifiers = classifiers or self.fast
        found: list[Tensor] = []
        for member in range(len(classifiers)):
            hidden = classifiers.first.new_zeros(classifiers.first.shape[1], len(pixels))
            for values, weight in zip(features.values(), self._split(classifiers.first[member]), strict=True):
                if values.shape[2] * values.shape[3] < len(
                    pixels
                ):  # fewer cells than pixels: project, then read
                    small = torch.einsum("ac,chw->ahw", weight, values.squeeze(0))
                    hidden = hidden + sample_map(small[None], pixels, self.size)[0]
                else:
                    hidden = hidden + weight @ sample_map(values, pixels, self.size).squeeze(0)
            found.append(classifiers.from_hidden(member, hidden))
        return torch.stack(found)

    def _split(self, weight: Tensor) -> Sequence[Tensor]:
        """First-layer weights [A, D] by map, each [A, C]."""
        return weight.split(list(self.channels.values()), 1)

    def _band(self, maps: Sequence[Tensor], weights: Sequence[Tensor], first: int) -> Tensor:
        """The first layer's sum on some of the picture's rows: [A, BAND or less, W].

        Args:
            maps: [C, h, w] each.
            weights: [A, C] each.
            first: row that the band begins with.
        """
        width, height = self.size
        count = min(BAND, height - first)
        levels: dict[int, Tensor] = {}
        for values, weight in zip(maps, weights, strict=True):
            rows = values.shape[1]
            low, high = _reach(first, first + count, height // rows, rows)
            added = torch.einsum("ac,chw->ahw", weight, values[:, low:high])
            levels[rows] = levels[rows] + added if rows in levels else added
        total = next(iter(levels.values())).new_zeros(len(weights[0]), count, width)
        for rows, added in levels.items():
            scale = height // rows
            size = (added.shape[1] * scale, width)
            whole = (
                F.interpolate(added[None], size, mode="bilinear", align_corners=False)
                if scale > 1
                else added[None]
            )
            top = first - _reach(first, first + count, scale, rows)[0] * scale
            total += whole[0, :, top : top + count]
        return total

    def save(self, folder: str | Path, card: str | None = None) -> Path:
        """Write `config.json`, `model.safetensors` (fp16) and `README.md` to a folder, which is made.

        Raises:
            InputError: the place cannot be written to.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise InputError(f"'{folder}' is a file; give the name of a folder for the part head.")
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "format": FORMAT,
            "version": VERSION,
            "fingerprint": self.fingerprint,
            "size": list(self.size),
            "channels": dict(self.channels),
            "classes": [asdict(each) for each in self.classes],
            "ensemble": len(self.ensemble),
            "facts": dict(self.facts),
        }
        tensors = {f"fast.{name}": value for name, value in self.fast.tensors().items()}
        tensors |= {f"ensemble.{name}": value for name, value in self.ensemble.tensors().items()}
        with write_whole(folder / WEIGHTS) as part:
            save_file({name: value.half().cpu().contiguous() for name, value in tensors.items()}, str(part))
        for name, text in ((CONFIG, json.dumps(config, indent=2) + "\n"), (CARD, card or self._card())):
            with write_whole(folder / name) as part:
                part.write_text(text, encoding="utf-8")
        return folder

    def _card(self) -> str:
        facts = "\n".join(f"- {name}: {value}" for name, value in self.facts.items())
        return f"# Parts\n\nNames {len(self.classes)} parts: {', '.join(self.names)}.\n\n{facts}\n"

    @staticmethod
    def open(folder: str | Path, device: str | torch.device = "cpu") -> PartHead:
        """Read what `save` wrote.

        Raises:
            CheckpointError: nothing there, or not a sound part head.
        """
        folder = Path(folder)
        try:
            config = _read_config(folder / CONFIG)
            with safe_open(str(folder / WEIGHTS), "pt") as file:
                stored = {name: cast("Tensor", file.get_tensor(name)).float() for name in file.keys()}  # noqa: SIM118
            head = PartHead(
                classes=tuple(_part_class(each) for each in config["classes"]),
                channels={str(name): int(count) for name, count in config["channels"].items()},
                size=(int(config["size"][0]), int(config["size"][1])),
                fingerprint=str(config["fingerprint"]),
                fast=_classifiers("fast", stored).to(torch.device(device)),
                ensemble=_classifiers("ensemble", stored).to(torch.device(device)),
                facts=dict(config.get("facts", {})),
            )
        except (
            OSError,
            SafetensorError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
        ) as error:
            raise CheckpointError(
                f"'{folder}' holds no part head that can be read ({error}); expected what pliant train head writes."
            ) from error
        _check_shapes(head, folder)
        return head


def js_divergence(probabilities: Tensor) -> Tensor:
    """Jensen-Shannon divergence of an ensemble in nats: entropy of the mean minus mean entropy, [M, C, ...] to [...]."""
    return (entropy(probabilities.mean(0), 0) - entropy(probabilities, 1).mean(0)).clamp_min(0)


def entropy(probabilities: Tensor, dim: int) -> Tensor:
    """Entropy in nats along a dimension."""
    return torch.special.entr(probabilities).sum(dim)


def _reach(first: int, end: int, scale: int, rows: int) -> tuple[int, int]:
    """First and last (exclusive) row of a map that rows of the picture need to be resized: one more on either side."""
    return max(0, first // scale - 1), min(rows, -(-end // scale) + 1)


def _read_config(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MAX_CONFIG_BYTES:
        raise ValueError(f"{CONFIG} is larger than {_MAX_CONFIG_BYTES} bytes")
    config: Any = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(config, dict) or (config.get("format"), config.get("version")) != (FORMAT, VERSION):
        raise ValueError(f"{CONFIG} is not of the format {FORMAT}, version {VERSION}")
    return cast("dict[str, Any]", config)


def _part_class(entry: Mapping[str, Any]) -> PartClass:
    red, green, blue = (int(value) for value in entry["colour"])
    if not all(0 <= value <= 255 for value in (red, green, blue)):
        raise ValueError("a colour has three values from 0 to 255")
    return PartClass(str(entry["name"]), (red, green, blue))


def _classifiers(prefix: str, stored: Mapping[str, Tensor]) -> Classifiers:
    return Classifiers(**{name: stored[f"{prefix}.{name}"] for name in Classifiers.__dataclass_fields__})


def _check_shapes(head: PartHead, folder: Path) -> None:
    """Refuse weights that do not fit their configuration, or are not finite."""
    inputs, count = sum(head.channels.values()), len(head.classes)
    sound = 2 <= count <= MAX_CLASSES and len(head.fast) == 1 and math.prod(head.size) > 0
    for each in (head.fast, head.ensemble):
        tensors = each.tensors()
        sound = sound and each.first.ndim == each.second.ndim == each.third.ndim == 3
        if sound:
            members, hidden, narrow = len(each), each.first.shape[1], each.second.shape[1]
            expected = {
                "first": (members, hidden, inputs),
                "first_bias": (members, hidden),
                "second": (members, narrow, hidden),
                "second_bias": (members, narrow),
                "third": (members, count, narrow),
                "third_bias": (members, count),
            }
            sound = {name: tuple(value.shape) for name, value in tensors.items()} == expected
            sound = sound and all(bool(torch.isfinite(value).all()) for value in tensors.values())
    if not sound:
        raise CheckpointError(
            f"The weights of the part head '{folder}' do not fit its {CONFIG}; it is damaged: train it again."
        )
