"""Find the code that makes a photo, so that it can be edited like a generated picture.

Stages, each of which starts where the one before it ended:

* *start*: the best of a few random codes at low resolution, or what an encoder says, or the mean code.
* *w*: one w for all layers is optimised. It stays close to what the model knows, and edits well.
* *w+*: each layer gets its own w, held near the model's known region.
* *tune*: the code stays (the *pivot*) and the generator's weights are fitted to the photo ("PTI": Roich et al., arXiv
  2106.05744).

What differs from the published programs: codes move in the whitened coordinates of `KnownRegion` (the P-norm space of Zhu et
al., arXiv 2012.09036), where one length means the same in all directions; the perceptual distance is Pliant's own
(`perception/likeness`); the tuned generator is a small difference (`tuned.py`), never a copy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.encoder import encoder_of
from pliant.gan.latent import LatentPicture
from pliant.gan.lean import fast_dtype
from pliant.gan.painter import Painter, painter_of
from pliant.gan.region import KnownRegion
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import Delta, TunedGenerator, copied, named_tensors, original
from pliant.perception.likeness import Likeness, landmark_features
from pliant.settings import Slider
from pliant.steps import Step

Stage = Literal["start", "w", "w+", "tune"]
STAGES: tuple[Stage, ...] = ("start", "w", "w+", "tune")


@dataclass(frozen=True)
class InvertSettings:
    """How a photo is inverted. A stage with 0 steps is left out."""

    start: Literal["auto", "encoder", "best", "mean"] = "auto"
    """Where to begin: auto takes the encoder if the model has one, else the best of some random codes."""
    candidates: Annotated[int, Slider(8, 512)] = 64
    """Random codes to choose from."""
    w_steps: Annotated[int, Slider(0, 500)] = 30
    """Steps with one w for all layers."""
    wplus_steps: Annotated[int, Slider(0, 1000)] = 120
    """Steps with a w for each layer."""
    tune_steps: Annotated[int, Slider(0, 500)] = 120
    """Most steps that fit the generator's weights."""
    step_size: Annotated[float, Slider(0.005, 0.5, log=True)] = 0.1
    """Adam's peak learning rate on the code, in standard deviations of the model's codes."""
    tune_rate: Annotated[float, Slider(1e-4, 1e-2, log=True)] = 2e-3
    """Adam's peak learning rate on the weights."""
    pixel_weight: Annotated[float, Slider(0, 10)] = 1.0
    """Weight of the mean squared difference of pixels."""
    look_weight: Annotated[float, Slider(0, 1)] = 0.03
    """Weight of the perceptual distance, on features of the landmark network."""
    known_weight: Annotated[float, Slider(0, 0.1)] = 0.01
    """Weight of the pull toward codes that the model knows: more edits better, less reconstructs better."""
    together_weight: Annotated[float, Slider(0, 0.1)] = 0.03
    """Weight of the pull of the layers' codes toward one another, in the W+ stage."""
    locality_weight: Annotated[float, Slider(0, 1)] = 0.0
    """Weight of keeping the tuned generator's other pictures as they were; more than 0 takes twice the time."""
    tune_noise: bool = False
    """Fit the generator's noise maps too: finer detail, which stays in place when the picture is dragged."""
    noise_weight: Annotated[float, Slider(0, 1)] = 0.1
    """Weight of keeping fitted noise maps free of structure."""
    target_psnr: Annotated[float, Slider(20, 50)] = 34.0
    """Tuning ends when the picture is this like the photo, in decibels."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the convolutions; auto takes bfloat16 where the machine has it."""
    seed: int = 0
    """Of the random codes."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        for name in ("candidates", "step_size", "tune_rate", "target_psnr"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be greater than 0; it is {getattr(self, name)}.")
        least_zero = [name for name in self.__dataclass_fields__ if name.endswith(("_steps", "_weight"))]
        for name in (*least_zero, "seed"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} must be 0 or more; it is {getattr(self, name)}.")
        if self.pixel_weight + self.look_weight == 0:
            raise InputError(
                "pixel_weight and look_weight are both 0; nothing says what the photo looks like."
            )

    @property
    def max_steps(self) -> int:
        """Most steps that a run yields."""
        return 1 + self.w_steps + self.wplus_steps + math.ceil(self.tune_steps / TUNE_EVERY)


TUNE_EVERY = 10
"""Updates of the weights between two steps of the tuning stage: each step keeps its weights."""
TRUNCATION = 0.7
"""Spread of the random codes that a start is chosen from, in standard deviations."""


@dataclass(frozen=True, eq=False)
class Memory:
    """What is needed to go on."""

    done: int
    """Steps, or updates, of the stage that were taken."""
    code: Tensor
    """[1 or num_ws, w_dim] in whitened coordinates."""
    moments: tuple[Tensor, Tensor] | None = None
    """First and second moment of Adam on the code."""


@dataclass(frozen=True, eq=False)
class InvertStep(Step):
    """One step of an inversion: what the model makes of the photo so far."""

    picture: LatentPicture
    stage: Stage
    psnr: float
    """Likeness of the pixels to the photo's, in decibels."""
    look: float
    """Perceptual distance to the photo on features of the landmark network."""
    strain: float
    """How far the code is from what the model knows; beyond 1 it leaves the model's world."""
    arrived: bool
    """The last step of an inversion that was not interrupted."""
    memory: Memory = field(repr=False, compare=False)


def invert(
    generator: Generator,
    photo: Tensor,
    *,
    settings: InvertSettings = InvertSettings(),
    after: InvertStep | None = None,
    origin: dict[str, Any] | None = None,
) -> Iterator[InvertStep]:
    """Yield one step per update of the code and one per ten updates of the weights. Closing the iterator stops.

    Args:
        generator: the model; of a tuned one, the one it was made from.
        photo: [3, H, W] in [-1, 1], of the model's size and framed as its pictures are (see `align`).
        settings: the method's parameters.
        after: a step to go on from, of the same photo.
        origin: JSON-ready facts on the photo, kept in saved pictures.

    Raises:
        InputError: a photo of another size or with values that are not finite.
    """
    width, height = generator.config.size
    if tuple(photo.shape) != (3, height, width) or generator.config.img_channels != 3:
        raise InputError(
            f"A photo for '{generator.name}' is [3, {height}, {width}]; this one is {list(photo.shape)}: crop it first."
        )
    if not bool(torch.isfinite(photo).all()):
        raise InputError("The photo holds NaN or infinite values; read it from a file again.")
    return _Inversion(original(generator), photo, settings, origin or {}).steps(after)


def shown(picture: LatentPicture, photo: Tensor) -> InvertStep:
    """A finished inversion as a step: how like the photo [3, H, W] it is."""
    inversion = _Inversion(original(picture.generator), photo, InvertSettings(), dict(picture.origin))
    code = inversion.region.to_code(picture.ws)
    with torch.no_grad():
        seen = inversion.seen(painter_of(picture.generator, inversion.dtype)(picture.ws[None]))
    is_tuned = isinstance(picture.generator, TunedGenerator)
    memory = Memory(0, code)
    step = inversion.step("tune" if is_tuned else "w+", memory, seen, picture.generator, ended=True)
    return replace(step, picture=picture)


class _Inversion:
    """What all stages of one inversion share."""

    def __init__(
        self, generator: Generator, photo: Tensor, settings: InvertSettings, origin: dict[str, Any]
    ) -> None:
        self.generator, self.settings, self.origin = generator, settings, origin
        self.photo = photo.detach().to(generator.device, torch.float32)[None].clamp(-1, 1)
        self.region = KnownRegion.of(generator)
        self.likeness = Likeness(self.photo, landmark_features())
        chosen = {"float32": torch.float32, "bfloat16": torch.bfloat16}
        self.dtype = chosen.get(settings.precision) or fast_dtype(generator.device)
        self.index = 0

    def steps(self, after: InvertStep | None) -> Iterator[InvertStep]:
        """All stages, or what is left of them after a step."""
        settings = self.settings
        stage = after.stage if after else "start"
        self.index = after.index + 1 if after else 0
        memory = after.memory if after else None
        code = memory.code.to(self.photo) if memory else self._start()
        if after is None:
            with torch.no_grad():
                seen = self.seen(painter_of(self.generator, self.dtype)(self._ws(code)))
            yield self.step("start", Memory(0, code), seen, ended=not self._later("start"))
        plan: tuple[tuple[Stage, int], ...] = (("w", settings.w_steps), ("w+", settings.wplus_steps))
        for name, count in plan:
            if name == "w" and stage == "start" and len(code) > 1:
                continue  # an encoder's code is better than one w for all
            if STAGES.index(name) >= STAGES.index(stage) and count:
                for step in self._optimise(name, code, count, memory if stage == name else None):
                    code = step.memory.code
                    yield step
        if settings.tune_steps:
            yield from self._tune(code, after if stage == "tune" else None)

    # ---- codes

    def _ws(self, code: Tensor) -> Tensor:
        """Whitened coordinates [1 or num_ws, w_dim] to ws [1, num_ws, w_dim]."""
        return self.region.to_w(code).expand(self.generator.config.num_ws, -1)[None]

    @torch.no_grad()
    def _start(self) -> Tensor:
        """The first code, [1, w_dim] or, from an encoder, [num_ws, w_dim], whitened."""
        how, generator = self.settings.start, self.generator
        encoder = encoder_of(generator) if how in {"auto", "encoder"} else None
        if how == "encoder" and encoder is None:
            raise InputError(f"The model '{generator.name}' has no encoder; choose another start.")
        if encoder is not None:
            return self.region.to_code(encoder(self.photo)[0])
        if how == "mean":
            return self.region.to_code(generator.mapping.w_avg[None])
        return self._best()

    def _best(self) -> Tensor:
        """Of random codes and the mean, [1, w_dim] of the one that looks most like the photo at low resolution."""
        generator, config = self.generator, self.generator.config
        rng = torch.Generator().manual_seed(self.settings.seed)
        codes = torch.randn(self.settings.candidates, config.w_dim, generator=rng) * TRUNCATION
        codes[0] = 0
        codes = codes.to(self.photo)
        small = "b32" if config.architecture == "skip" and "b32" in config.block_names else None
        scores: list[Tensor] = []
        for part in codes.split(16):
            styles = generator.synthesis.styles(self.region.to_w(part)[:, None].expand(-1, config.num_ws, -1))
            image = generator.synthesis.run(styles, until=small).image
            if image is None:
                raise AssertionError("the last block always paints")
            wanted = F.interpolate(self.photo, image.shape[2:], mode="area")
            scores.append((image - wanted).square().mean((1, 2, 3)))
        return codes[[int(torch.cat(scores).argmin())]]

    def _optimise(
        self, stage: Stage, code: Tensor, count: int, memory: Memory | None
    ) -> Iterator[InvertStep]:
        """Adam on one w or on all of them."""
        rows = self.generator.config.num_ws if stage == "w+" else 1
        fresh = code.mean(0, keepdim=True) if rows == 1 else code.expand(rows, -1)
        moving = (memory.code if memory else fresh).to(self.photo).clone().requires_grad_()
        adam = torch.optim.Adam([moving], betas=(0.9, 0.99))
        done = memory.done if memory else 0
        if memory is not None and memory.moments is not None:
            mean, square = memory.moments
            adam.state[moving] = {
                "step": torch.tensor(float(done)),
                "exp_avg": mean.clone(),
                "exp_avg_sq": square.clone(),
            }
        paint = painter_of(self.generator, self.dtype).paint
        seen = self.seen(paint(self._ws(moving))) if done < count else None
        for k in range(done, count):
            if seen is None:
                raise AssertionError("there is a picture before every update")
            adam.param_groups[0]["lr"] = self.settings.step_size * ramp((k + 1) / count)
            adam.zero_grad()
            (self._loss(seen) + self._pulls(moving)).backward()
            adam.step()
            seen = self.seen(paint(self._ws(moving)))  # what this step shows is what the next one improves
            state = adam.state[moving]
            moments = state["exp_avg"].clone(), state["exp_avg_sq"].clone()
            ended = k + 1 == count and not self._later(stage)
            yield self.step(stage, Memory(k + 1, moving.detach().clone(), moments), seen, ended=ended)

    def _later(self, stage: Stage) -> bool:
        """Whether stages with steps follow."""
        counts = (0, self.settings.w_steps, self.settings.wplus_steps, self.settings.tune_steps)
        return any(counts[STAGES.index(stage) + 1 :])

    def seen(self, image: Tensor) -> _Seen:
        """A picture and its distance to the photo."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.settings.look_weight > 0):
            return _Seen(image, self.likeness(image).sum())

    def _loss(self, seen: _Seen) -> Tensor:
        """How unlike the photo a picture is."""
        pixels = (seen.image - self.photo).square().mean()
        return self.settings.pixel_weight * pixels + self.settings.look_weight * seen.look

    def _pulls(self, code: Tensor) -> Tensor:
        """Toward the known region's centre, and of the layers toward one another."""
        known = self.settings.known_weight * code.square().mean()
        apart = (code - code.mean(0)).square().mean()
        return known + self.settings.together_weight * apart

    # ---- weights

    def _tune(self, code: Tensor, after: InvertStep | None) -> Iterator[InvertStep]:
        """Fit the weights to the photo while the code stays. Adam begins anew when it goes on after a step."""
        settings, ws = self.settings, self._ws(code)
        start = (
            after.picture.generator.delta
            if after and isinstance(after.picture.generator, TunedGenerator)
            else Delta({})
        )
        trained = TunedGenerator(self.generator, start)
        names = tunable(self.generator, noise=settings.tune_noise)
        trained.synthesis = copied(trained.synthesis, names)
        values = {name: value for name, value in named_tensors(trained.synthesis).items() if name in names}
        before = {
            name: value for name, value in named_tensors(self.generator.synthesis).items() if name in names
        }
        adam = torch.optim.Adam([value.requires_grad_() for value in values.values()], betas=(0.9, 0.99))
        noises = [
            value for name, value in values.items() if name.endswith("noise_const") and min(value.shape) > 8
        ]
        for k in range(after.memory.done if after else 0, settings.tune_steps):
            seen = self.seen(Painter(trained, self.dtype, ws).paint(ws))
            enough = psnr(seen.image, self.photo) >= settings.target_psnr
            if not enough:
                adam.param_groups[0]["lr"] = settings.tune_rate * ramp((k + 1) / settings.tune_steps)
                adam.zero_grad()
                loss = self._loss(seen)
                for noise in noises if settings.noise_weight else ():
                    loss = loss + settings.noise_weight * structure(noise)
                loss.backward()
                if settings.locality_weight:
                    (settings.locality_weight * self._moved(trained, ws, k)).backward()
                adam.step()
            last = enough or k + 1 == settings.tune_steps
            if last or (k + 1) % TUNE_EVERY == 0:
                generator = TunedGenerator(self.generator, Delta.between(before, values))
                with torch.no_grad():
                    shown = self.seen(Painter(generator, self.dtype)(ws))
                yield self.step("tune", Memory(k + 1, code), shown, generator, ended=last)
            if last:
                return

    def _moved(self, trained: Generator, pivot: Tensor, k: int) -> Tensor:
        """How far tuning has moved another picture, halfway between the pivot and a random code (PTI, section 3.3)."""
        rng = torch.Generator().manual_seed(self.settings.seed + k)
        w = self.region.to_w(torch.randn(1, self.generator.config.w_dim, generator=rng).to(pivot))
        ws = pivot.lerp(w[:, None].expand_as(pivot), 0.5)
        now = Painter(trained, self.dtype, ws).paint(ws)
        return (now - painter_of(self.generator, self.dtype)(ws)).square().mean()

    def step(
        self, stage: Stage, memory: Memory, seen: _Seen, generator: Generator | None = None, *, ended: bool
    ) -> InvertStep:
        """What is shown of a step."""
        ws = self._ws(memory.code.detach())[0]
        step = InvertStep(
            index=self.index,
            picture=LatentPicture(generator or self.generator, ws.clone(), self.origin),
            stage=stage,
            psnr=psnr(seen.image, self.photo),
            look=float(seen.look.detach()),
            strain=float(self.region.strain(ws)),
            arrived=ended,
            memory=memory,
        )
        self.index += 1
        return step


@dataclass(frozen=True)
class _Seen:
    """A picture and how it looks beside the photo."""

    image: Tensor
    """[1, 3, H, W], about [-1, 1]."""
    look: Tensor
    """Perceptual distance, a scalar."""


def psnr(image: Tensor, photo: Tensor) -> float:
    """Peak signal-to-noise ratio in decibels of two pictures in [-1, 1] (values beyond are clipped)."""
    error = float((image.detach().clamp(-1, 1) - photo).square().mean())
    return 10 * math.log10(4 / max(error, 1e-10))


def ramp(done: float) -> float:
    """The learning rate's share of its peak: 5 % of the steps up, the last 25 % down along a cosine (arXiv 1912.04958)."""
    down = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - done) / 0.25))
    return max(0.02, down) * min(1.0, done / 0.05)


def structure(noise: Tensor) -> Tensor:
    """How far a noise map [H, W] is from being noise: its correlation with itself one pixel on, at every scale (ibid.)."""
    found, scale = noise.new_zeros(()), noise[None, None]
    while True:
        found = (
            found + (scale * scale.roll(1, 3)).mean().square() + (scale * scale.roll(1, 2)).mean().square()
        )
        if min(scale.shape[2:]) <= 8:
            return found
        scale = F.avg_pool2d(scale, 2) * 2  # white noise keeps its variance


def tunable(generator: Generator, *, noise: bool) -> set[str]:
    """Names of the tensors of `generator.synthesis` that are tuned: all but the affine maps, which say how other codes act."""
    every = named_tensors(generator.synthesis)
    return {name for name in every if ".affine." not in name and (noise or not name.endswith("noise_const"))}
