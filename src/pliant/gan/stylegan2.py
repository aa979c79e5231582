"""StyleGAN2's generator in plain PyTorch (Karras et al., arXiv 1912.04958 and, for mixed precision, 2006.06676).

A *mapping* network turns z into w; every layer of the *synthesis* network is modulated by one w. Written from the papers'
formulas; tensor names are those of the published checkpoints, so that their weights load unchanged. What is done differently
from the published code, without changing the result:

* Convolutions are modulated by scaling input and output channels (eq. 1-3 rearranged), never by one kernel per sample.
* On a GPU the low-pass filter after a stride-2 transposed convolution is folded into its kernel: 3x3 then 4x4 is one 6x6.
* The activation gain sqrt(2) is folded into what the leaky ReLU adds up, since that function is positively homogeneous.
* Synthesis can stop after any block (`run(until=...)`) and resume from there, so that a loop pays only for features.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from collections.abc import Mapping as MappingABC
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pliant.errors import InputError, ModelMismatchError

NoiseMode = Literal["const", "random", "none"]
Architecture = Literal["skip", "resnet", "orig"]
Styles = dict[str, Tensor]
"""Style vectors by layer name ("b8.conv0", "b8.torgb", ...), each [N, channels into that layer]: the S space."""

LEAK = 0.2
EPSILON = 1e-8


def channel_table(resolution: int, channel_base: int = 32768, channel_max: int = 512) -> tuple[int, ...]:
    """Channels of each block from 4 to `resolution`: min(channel_base / r, channel_max)."""
    return tuple(min(channel_base // (4 << k), channel_max) for k in range(int(math.log2(resolution)) - 1))


@dataclass(frozen=True)
class StyleGAN2Config:
    """Shape of a generator; what `config.json` holds."""

    resolution: int
    """Height of the picture in pixels, a power of two."""
    channels: tuple[int, ...]
    """Feature channels of each block, from height 4 up to `resolution`."""
    z_dim: int = 512
    w_dim: int = 512
    c_dim: int = 0
    """Length of the label vector; 0 for an unconditional network."""
    mapping_layers: int = 8
    lr_multiplier: float = 0.01
    base: tuple[int, int] = (4, 4)
    """Height and width of the learned constant; (4, 2) for a 1024 x 512 network."""
    img_channels: int = 3
    architecture: Architecture = "skip"
    conv_clamp: float | None = None
    """Layer outputs are clamped to plus or minus this; needed by networks trained in fp16."""
    half_resolution: int | None = None
    """Blocks of this height and above may run in half precision; none of them when null."""

    def __post_init__(self) -> None:
        """Check what the rest of the file relies on."""
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "base", tuple(self.base))
        if self.base[0] != 4 or self.resolution != 4 << (len(self.channels) - 1):
            raise ModelMismatchError(
                f"A StyleGAN2 of height {self.resolution} needs one channel count for each block from 4 up by powers of "
                f"two; the configuration lists {len(self.channels)}. Convert the checkpoint again."
            )

    @property
    def num_ws(self) -> int:
        """Number of w vectors that synthesis takes."""
        return 2 * len(self.channels)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self.resolution * self.base[1] // self.base[0], self.resolution

    @property
    def block_names(self) -> tuple[str, ...]:
        """Names of the blocks by height: b4, b8, ..."""
        return tuple(f"b{4 << k}" for k in range(len(self.channels)))

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form, as in `config.json`."""
        return asdict(self)

    @staticmethod
    def from_json(config: MappingABC[str, Any]) -> StyleGAN2Config:
        """Inverse of `to_json`; keys that say what the file is (format, version, ...) are ignored."""
        known = StyleGAN2Config.__dataclass_fields__
        return StyleGAN2Config(**{key: value for key, value in config.items() if key in known})


def fir_kernel(device: torch.device | None = None) -> Tensor:
    """The [4, 4] low-pass filter, outer product of [1, 3, 3, 1], sum 1."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], device=device) / 8
    return taps[:, None] * taps[None, :]


def fold_matrix(kernel: int, gain: float) -> Tensor:
    """[k*k, (k+3)*(k+3)] matrix that turns a k x k kernel into its full convolution with the low-pass filter."""
    basis = torch.eye(kernel * kernel).view(-1, 1, kernel, kernel)
    return F.conv2d(basis, fir_kernel()[None, None] * gain, padding=3).flatten(1)


def fold(weight: Tensor, matrix: Tensor) -> Tensor:
    """Apply `fold_matrix` to weights [O, I, k, k]."""
    side = math.isqrt(matrix.shape[1])
    return (weight.flatten(2) @ matrix.to(weight.dtype)).unflatten(2, (side, side))


def upsample_image(image: Tensor) -> Tensor:
    """Double the size of [N, C, H, W] with the low-pass filter (gain 4 makes up for the inserted zeros)."""
    channels = image.shape[1]
    kernel = (fir_kernel(image.device) * 4).to(image.dtype).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(image, kernel, stride=2, padding=1, groups=channels)


class Dense(nn.Module):
    """Fully connected layer with equalised learning rate: weights are stored at unit variance and scaled here."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias_init: float = 0.0,
        lr_multiplier: float = 1.0,
        activate: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((n_out,), bias_init / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(n_in)
        self.bias_gain = lr_multiplier
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """[N, n_in] to [N, n_out]."""
        y = F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)
        return F.leaky_relu(y, LEAK) * math.sqrt(2) if self.activate else y


def normalize(x: Tensor) -> Tensor:
    """Scale each row to root mean square 1."""
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


class MappingNetwork(nn.Module):
    """z (and a label) to w, with the running mean of w for truncation."""

    w_avg: Tensor

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.z_dim, self.c_dim = config.z_dim, config.c_dim
        self.num_ws, self.num_layers = config.num_ws, config.mapping_layers
        if config.c_dim:
            self.embed = Dense(config.c_dim, config.w_dim)
        n_in = config.z_dim + (config.w_dim if config.c_dim else 0)
        for k in range(config.mapping_layers):
            layer = Dense(
                n_in if k == 0 else config.w_dim,
                config.w_dim,
                lr_multiplier=config.lr_multiplier,
                activate=True,
            )
            self.add_module(f"fc{k}", layer)
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def w(self, z: Tensor, c: Tensor | None = None) -> Tensor:
        """[N, z_dim] to [N, w_dim], no truncation."""
        if z.ndim != 2 or z.shape[1] != self.z_dim:
            raise InputError(
                f"z must have the shape [N, {self.z_dim}] for this model; this one is {list(z.shape)}."
            )
        x = normalize(z.float()) if self.z_dim else z.float()
        if self.c_dim:
            if c is None or c.shape != (len(z), self.c_dim):
                raise InputError(
                    f"This model is conditional: give labels c of the shape [{len(z)}, {self.c_dim}]."
                )
            x = torch.cat([x, normalize(self.embed(c.float()))], dim=1)
        for k in range(self.num_layers):
            x = self.get_submodule(f"fc{k}")(x)
        return x

    def forward(
        self,
        z: Tensor,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
    ) -> Tensor:
        """Codes for synthesis.

        Args:
            z: [N, z_dim], normally distributed.
            c: [N, c_dim] labels of a conditional model.
            truncation_psi: 1 leaves w alone, 0 gives the mean picture.
            truncation_cutoff: truncate only this many first layers; all when None.

        Returns:
            ws [N, num_ws, w_dim].
        """
        ws = self.w(z, c)[:, None].repeat(1, self.num_ws, 1)
        if truncation_psi != 1:
            ws[:, :truncation_cutoff] = self.w_avg.lerp(ws[:, :truncation_cutoff], truncation_psi)
        return ws


class ModulatedConv(nn.Module):
    """What synthesis layers share: an affine map from w to a style, and a kernel that the style scales."""

    def __init__(self, n_in: int, n_out: int, w_dim: int, kernel: int, clamp: float | None) -> None:
        super().__init__()
        self.affine = Dense(w_dim, n_in, bias_init=1.0)
        self.weight = nn.Parameter(torch.randn(n_out, n_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.clamp = clamp

    def clamped(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """Limit what this layer gives out, where its network was trained that way."""
        return x if self.clamp is None else x.clamp(-self.clamp * gain, self.clamp * gain)


class SynthesisLayer(ModulatedConv):
    """Modulated, demodulated 3x3 convolution, doubled in size if `up`; noise, bias, leaky ReLU."""

    noise_const: Tensor
    resample: Tensor

    def __init__(
        self, n_in: int, n_out: int, w_dim: int, size: tuple[int, int], *, up: bool, clamp: float | None
    ) -> None:
        super().__init__(n_in, n_out, w_dim, 3, clamp)
        self.up = up
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", torch.randn(size))
        self.register_buffer("resample", fold_matrix(3, 4.0), persistent=False)

    def demodulation(self, style: Tensor, weight: Tensor) -> Tensor:
        """[N, O] factors that give each output channel unit variance (eq. 3)."""
        return (style.square() @ weight.square().sum((2, 3)).T + EPSILON).rsqrt()

    def doubled(self, x: Tensor, weight: Tensor) -> Tensor:
        """[N, I, H, W] to [N, O, 2H, 2W]: transposed convolution, then the low-pass filter; one kernel where that is faster."""
        if x.device.type != "cpu":
            kernel = fold(weight, self.resample).transpose(0, 1).to(x.dtype)
            return F.conv_transpose2d(x, kernel, stride=2, padding=2)
        x = F.conv_transpose2d(x, weight.transpose(0, 1).to(x.dtype), stride=2)
        smooth = (fir_kernel() * 4).to(x.dtype).expand(len(weight), 1, 4, 4)
        return F.conv2d(x, smooth, padding=1, groups=len(weight))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None, gain: float = 1.0) -> Tensor:
        """[N, I, H, W], style [N, I], noise [H, W] or [N, 1, H, W] to [N, O, H, W] (2H, 2W if `up`)."""
        weight = self.weight.float()
        if x.dtype == torch.float16:  # keeps products inside fp16's range; demodulation cancels both factors
            weight = weight / weight.abs().amax((1, 2, 3), keepdim=True) / math.sqrt(weight[0].numel())
            style = style / style.abs().amax(1, keepdim=True)
        factor = self.demodulation(style, weight) * (math.sqrt(2) * gain)
        x = (x * style.to(x.dtype)[:, :, None, None]).contiguous(memory_format=torch.channels_last)
        x = self.doubled(x, weight) if self.up else F.conv2d(x, weight.to(x.dtype), padding=1)
        added = self.bias.float()[:, None, None] * (math.sqrt(2) * gain)
        if noise is not None:
            added = added + noise * (self.noise_strength * (math.sqrt(2) * gain))
        x = x * factor.to(x.dtype)[:, :, None, None] + added.to(x.dtype)
        return self.clamped(F.leaky_relu(x, LEAK), gain)


class ToRGB(ModulatedConv):
    """Modulated 1x1 convolution to picture channels, without demodulation."""

    def __init__(self, n_in: int, n_out: int, w_dim: int, clamp: float | None) -> None:
        super().__init__(n_in, n_out, w_dim, 1, clamp)
        self.style_gain = 1 / math.sqrt(n_in)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """[N, I, H, W] to float32 [N, img_channels, H, W]."""
        x = x * (style * self.style_gain).to(x.dtype)[:, :, None, None]
        x = F.conv2d(x, self.weight.to(x.dtype), self.bias.to(x.dtype))
        return self.clamped(x).float()


class SkipConv(nn.Module):
    """1x1 convolution and upsampling that carries features past a block of a 'resnet' generator."""

    resample: Tensor

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in, 1, 1))
        self.register_buffer("resample", fold_matrix(1, 4.0), persistent=False)

    def kernel(self) -> Tensor:
        """[O, I, 4, 4]: weights, filter, equalised gain and the residual sum's sqrt(1/2) in one."""
        return fold(self.weight * math.sqrt(0.5 / self.weight.shape[1]), self.resample)

    def forward(self, x: Tensor) -> Tensor:
        """[N, I, H, W] to [N, O, 2H, 2W]."""
        return F.conv_transpose2d(x, self.kernel().transpose(0, 1).to(x.dtype), stride=2, padding=1)


class SynthesisBlock(nn.Module):
    """One resolution: two layers (one at 4x4) and what turns features into picture."""

    def __init__(self, config: StyleGAN2Config, index: int) -> None:
        super().__init__()
        self.index, self.name = index, config.block_names[index]
        self.architecture = config.architecture
        height = 4 << index
        size = height, height * config.base[1] // config.base[0]
        n_out, clamp, w_dim = config.channels[index], config.conv_clamp, config.w_dim
        self.allows_half = config.half_resolution is not None and height >= config.half_resolution
        if index == 0:
            self.const = nn.Parameter(torch.randn(n_out, *size))
        else:
            n_in = config.channels[index - 1]
            self.conv0 = SynthesisLayer(n_in, n_out, w_dim, size, up=True, clamp=clamp)
            if config.architecture == "resnet":
                self.skip = SkipConv(n_in, n_out)
        self.conv1 = SynthesisLayer(n_out, n_out, w_dim, size, up=False, clamp=clamp)
        self.has_rgb = config.architecture == "skip" or index == len(config.channels) - 1
        if self.has_rgb:
            self.torgb = ToRGB(n_out, config.img_channels, w_dim, clamp)

    def layers(self) -> dict[str, ModulatedConv]:
        """This block's modulated layers by name, in the order in which they take ws."""
        found: dict[str, ModulatedConv] = {}
        for part in ("conv0", "conv1", "torgb"):
            layer = getattr(self, part, None)
            if isinstance(layer, ModulatedConv):
                found[f"{self.name}.{part}"] = layer
        return found

    def convolve(
        self, x: Tensor, styles: Styles, noise: dict[str, Tensor | None], taps: dict[str, Tensor]
    ) -> Tensor:
        """The block's features [N, C, H, W]; layer outputs named in `taps` are left there."""
        residual = self.architecture == "resnet" and self.index > 0
        carried = self.skip(x) if residual else None
        for part in ("conv0", "conv1") if self.index else ("conv1",):
            key = f"{self.name}.{part}"
            gain = math.sqrt(0.5) if residual and part == "conv1" else 1.0
            x = self.get_submodule(part)(x, styles[key], noise[key], gain)
            if key in taps:
                taps[key] = x
        return x if carried is None else carried + x

    def paint(self, x: Tensor, image: Tensor | None, styles: Styles) -> Tensor | None:
        """The picture so far, [N, img_channels, H, W] float32, with this block's part added."""
        image = None if image is None else upsample_image(image)
        if not self.has_rgb:
            return image
        part = self.torgb(x, styles[f"{self.name}.torgb"])
        return part if image is None else image + part


@dataclass(frozen=True)
class Partial:
    """Synthesis stopped after a block: everything needed to go on from there."""

    block: str
    """The last block that ran."""
    features: Tensor
    """[N, C, H, W], that block's output."""
    image: Tensor | None
    """The picture so far at that size (architecture 'skip'), else None."""


class SynthesisNetwork(nn.Module):
    """ws to picture, stoppable after every block."""

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.half_dtype: torch.dtype | None = None
        for index, name in enumerate(config.block_names):
            self.add_module(name, SynthesisBlock(config, index))

    def blocks(self) -> list[SynthesisBlock]:
        """All blocks from 4 up."""
        return [block for block in self.children() if isinstance(block, SynthesisBlock)]

    def layers(self) -> dict[str, ModulatedConv]:
        """All modulated layers by name."""
        return {name: layer for block in self.blocks() for name, layer in block.layers().items()}

    def w_index(self) -> dict[str, int]:
        """Which of the num_ws vectors each layer takes (a block's ToRGB shares the next block's first)."""
        order = {"conv0": -1, "conv1": 0, "torgb": 1}
        return {
            name: 2 * block.index + order[name.split(".")[1]]
            for block in self.blocks()
            for name in block.layers()
        }

    def styles(self, ws: Tensor) -> Styles:
        """W+ to S: ws [N, num_ws, w_dim] to the style vector of every layer."""
        index = self.w_index()
        return {name: layer.affine(ws[:, index[name]]) for name, layer in self.layers().items()}

    def noise(
        self, mode: NoiseMode, batch: int, rng: torch.Generator | None = None
    ) -> dict[str, Tensor | None]:
        """Noise for every layer: learned constants, fresh draws [N, 1, H, W], or none."""
        found: dict[str, Tensor | None] = {}
        for name, layer in self.layers().items():
            if isinstance(layer, SynthesisLayer):
                const = layer.noise_const
                if mode == "random":
                    found[name] = torch.randn(batch, 1, *const.shape, device=const.device, generator=rng)
                else:
                    found[name] = const if mode == "const" else None
        return found

    def run(
        self,
        styles: Styles,
        *,
        start: Partial | None = None,
        until: str | None = None,
        noise: NoiseMode = "const",
        taps: dict[str, Tensor] | None = None,
        rng: torch.Generator | None = None,
        paint: bool = True,
    ) -> Partial:
        """Run blocks and return where synthesis stands.

        Args:
            styles: one style vector per layer, from `styles`.
            start: go on after this point instead of from the constant.
            until: last block to run ("b128"); the last of the network when None.
            noise: learned constants, fresh draws from `rng`, or none.
            taps: layer or block names whose outputs are wanted; their values are filled in.
            rng: source of random noise.
            paint: False leaves the picture out (an edit's inner loop reads only features).
        """
        taps = {} if taps is None else taps
        blocks = self.blocks()
        names = [block.name for block in blocks]
        first = names.index(start.block) + 1 if start else 0
        last = names.index(until or names[-1])
        batch = len(next(iter(styles.values())))
        noises = self.noise(noise, batch, rng)
        x, image = (
            (start.features, start.image) if start else (blocks[0].const.expand(batch, -1, -1, -1), None)
        )
        for block in blocks[first : last + 1]:
            x = x.to(self.half_dtype) if self.half_dtype and block.allows_half else x.float()
            x = block.convolve(x, styles, noises, taps)
            if block.name in taps:
                taps[block.name] = x
            image = block.paint(x, image, styles) if paint else None
        return Partial(names[last], x, image)

    def forward(self, ws: Tensor, noise: NoiseMode = "const", rng: torch.Generator | None = None) -> Tensor:
        """Picture [N, img_channels, H, W], about [-1, 1], from ws [N, num_ws, w_dim]."""
        expected = (self.config.num_ws, self.config.w_dim)
        if ws.ndim != 3 or ws.shape[1:] != expected:
            raise ModelMismatchError(
                f"This model takes ws of the shape [N, {expected[0]}, {expected[1]}]; this code is {list(ws.shape)} and "
                "belongs to another model."
            )
        image = self.run(self.styles(ws), noise=noise, rng=rng).image
        if image is None:
            raise AssertionError("the last block always paints")
        return image


class Generator(nn.Module):
    """A StyleGAN2 generator: `mapping`, `synthesis` and reads of their features.

    Args:
        config: its shape.
        name: what to call it in files and messages.
    """

    def __init__(self, config: StyleGAN2Config, name: str = "unnamed") -> None:
        super().__init__()
        self.config, self.name = config, name
        self.memo: dict[Any, Any] = {}
        """What others have worked out about these weights and would not do twice (its known region, its painter, captured
        graphs); whoever changes the weights empties it."""
        self.mapping = MappingNetwork(config)
        self.synthesis = SynthesisNetwork(config)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.mapping.w_avg.device

    def mixed_precision(self, dtype: torch.dtype | None = torch.float16) -> Generator:
        """Run the blocks that allow it (`config.half_resolution`) in `dtype`; None goes back to float32.

        Weights stay float32: each layer casts what it needs, with the pre-normalisation of arXiv 2006.06676 for fp16.
        """
        self.synthesis.half_dtype = dtype
        return self

    def features(self, ws: Tensor, names: Collection[str], noise: NoiseMode = "const") -> dict[str, Tensor]:
        """Outputs of named blocks ("b32") or layers ("b32.conv0"), each [N, C, H, W]; nothing after them is computed.

        Raises:
            InputError: a name that this network does not have.
        """
        known = self.feature_names()
        unknown = [name for name in names if name not in known]
        if unknown or not names:
            raise InputError(f"Unknown features {unknown}; this model has {', '.join(known)}.")
        blocks = self.config.block_names
        until = max((name.split(".")[0] for name in names), key=blocks.index)
        taps: dict[str, Tensor] = {name: torch.empty(0) for name in names}
        self.synthesis.run(self.synthesis.styles(ws), until=until, noise=noise, taps=taps, paint=False)
        return taps

    def feature_names(self) -> tuple[str, ...]:
        """Every name that `features` takes."""
        layers = [name for name in self.synthesis.layers() if not name.endswith("torgb")]
        return (*self.config.block_names, *layers)
