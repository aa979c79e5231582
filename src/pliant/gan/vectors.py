"""Edits that were learnt once and are applied to other pictures: EditGAN's editing vectors (arXiv 2111.03186, section 3.4).

A vector is what an edit added to the code. Adding it to another picture's code makes the same edit there: at once, or followed
by a few steps of refinement. Vectors can be scaled and added up. They are kept as safetensors with JSON beside the numbers:
which parts they concern, which network they are for, how far they can be turned up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pliant.errors import InputError, ModelMismatchError
from pliant.files import write_whole
from pliant.gan.head import PartHead
from pliant.gan.latent import LatentPicture, fingerprint
from pliant.gan.part_edit import SHORT, RepaintSettings, RepaintStep, refine
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import original
from pliant.settings import Slider
from pliant.steps import Step
from pliant.zoo import WEIGHTS_FOLDER, user_folder

FORMAT = "pliant-vector"
SUFFIX = ".safetensors"
MAX_STRENGTH = 10.0
MAX_PARTS = 256
Strengths = Mapping[str, float] | Mapping[str | Path, float]
"""How much of each vector, by its name or its file."""


@dataclass(frozen=True, eq=False)
class EditVector:
    """An edit as a difference of codes.

    Args:
        name: one or a few words.
        offset: [num_ws, w_dim].
        parts: names of the parts that it concerns; refinement lets the picture differ there.
        fingerprint: of the generator that it is for.
        safe: strengths between which it was found to work; 1 is the edit as it was learnt.
        facts: JSON-ready: how it was made.
    """

    name: str
    offset: Tensor = field(repr=False)
    parts: tuple[str, ...]
    fingerprint: str
    safe: tuple[float, float] = (0.0, 1.0)
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse what can be no vector."""
        if self.offset.ndim != 2 or not torch.isfinite(self.offset).all():
            raise InputError("A vector has one row of finite numbers for each layer, [num_ws, w_dim].")
        if not self.name.strip() or len(self.name) > 100:
            raise InputError("A vector needs a name of at most 100 characters.")
        low, high = self.safe
        if not -MAX_STRENGTH <= low <= 0 <= high <= MAX_STRENGTH:
            raise InputError(
                f"The safe range of a vector contains 0 and lies within {-MAX_STRENGTH:g} to {MAX_STRENGTH:g}; "
                f"it is {low:g} to {high:g}."
            )

    @staticmethod
    def between(
        before: LatentPicture,
        after: LatentPicture,
        name: str,
        parts: Sequence[str],
        *,
        safe: tuple[float, float] = (0.0, 1.0),
        facts: Mapping[str, Any] | None = None,
    ) -> EditVector:
        """What turned one picture into another of the same generator.

        Raises:
            InputError: two generators, or no difference.
        """
        if before.generator is not after.generator:
            raise InputError("A vector lies between two pictures of one generator; these have two.")
        offset = (after.ws - before.ws).detach().cpu()
        if not offset.any():
            raise InputError("The two pictures have the same code, so there is no edit to keep.")
        return EditVector(
            name, offset, tuple(parts), fingerprint(original(before.generator)), safe, dict(facts or {})
        )

    def check(self, generator: Generator) -> None:
        """Refuse another generator than the one it is for.

        Raises:
            ModelMismatchError: it is another one.
        """
        expected = (generator.config.num_ws, generator.config.w_dim)
        if self.fingerprint != fingerprint(original(generator)) or tuple(self.offset.shape) != expected:
            raise ModelMismatchError(
                f"The vector '{self.name}' was learnt on another network than '{generator.name}'; "
                "open the model that it was learnt on."
            )

    def apply(self, picture: LatentPicture, strength: float = 1.0) -> LatentPicture:
        """The picture with the edit, directly: nothing is computed but the sum of two codes.

        Args:
            picture: of the generator that the vector is for.
            strength: 0 leaves the picture as it is, 1 is the edit as it was learnt, negative values reverse it.

        Raises:
            ModelMismatchError: a picture of another generator.
            InputError: a strength beyond 10.
        """
        self.check(picture.generator)
        if not (math.isfinite(strength) and abs(strength) <= MAX_STRENGTH):
            raise InputError(
                f"A strength lies within {-MAX_STRENGTH:g} and {MAX_STRENGTH:g}; this one is {strength}."
            )
        return picture.with_ws(picture.ws + strength * self.offset.to(picture.ws))

    def refined(
        self,
        picture: LatentPicture,
        strength: float = 1.0,
        *,
        head: PartHead | None = None,
        settings: RepaintSettings = SHORT,
    ) -> Iterator[RepaintStep]:
        """The edit applied directly, then refined: what it did to its parts stays, the rest returns to the old picture.

        Raises:
            ModelMismatchError: a picture or head of another generator.
            InputError: a strength beyond 10, or none of the vector's parts in the picture.
        """
        return refine(self.apply(picture, strength), picture, self.parts, head=head, settings=settings)

    def save(self, path: str | Path) -> None:
        """Write a .safetensors file.

        Raises:
            InputError: another suffix, or a place that cannot be written to.
        """
        if Path(path).suffix != SUFFIX:
            raise InputError(f"'{path}' should end in {SUFFIX}, the kind of file that vectors are kept in.")
        about = {
            "format": FORMAT,
            "name": self.name,
            "parts": list(self.parts),
            "fingerprint": self.fingerprint,
            "safe": list(self.safe),
            "facts": dict(self.facts),
        }
        with write_whole(path) as part:
            save_file(
                {"offset": self.offset.detach().float().cpu().contiguous()},
                str(part),
                {"vector": json.dumps(about)},
            )

    @staticmethod
    def open(path: str | Path) -> EditVector:
        """Read what `save` wrote.

        Raises:
            InputError: not such a file.
        """
        try:
            with safe_open(str(path), "pt") as file:
                offset = cast("Tensor", file.get_tensor("offset")).float()
                about: Any = json.loads((file.metadata() or {}).get("vector", "null"))
            return _vector(offset, about)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"'{path}' is no editing vector ({error}); expected a file that pliant vector save wrote."
            ) from error


def _vector(offset: Tensor, about: Any) -> EditVector:
    """A vector from what was stored of it.

    Raises:
        ValueError, KeyError, TypeError: it is not as `EditVector.save` writes it.
    """
    if about["format"] != FORMAT or len(about["parts"]) > MAX_PARTS:
        raise ValueError("it is of another format")
    low, high = (float(value) for value in about["safe"])
    return EditVector(
        name=str(about["name"]),
        offset=offset,
        parts=tuple(str(each) for each in about["parts"]),
        fingerprint=str(about["fingerprint"]),
        safe=(low, high),
        facts=dict(about.get("facts", {})),
    )


def compose(vectors: Sequence[EditVector], strengths: Sequence[float], name: str = "composed") -> EditVector:
    """Several edits as one: the sum of the vectors times their strengths, concerning all their parts.

    Raises:
        InputError: no vectors, or not one strength for each.
        ModelMismatchError: vectors of different generators.
    """
    if not vectors or len(vectors) != len(strengths):
        raise InputError("Give as many strengths as vectors, at least one of each.")
    if len({(each.fingerprint, tuple(each.offset.shape)) for each in vectors}) > 1:
        raise ModelMismatchError("These vectors are for different networks; compose those of one.")
    pairs = list(zip(vectors, strengths, strict=True))
    offset = torch.stack([strength * each.offset for each, strength in pairs]).sum(0)
    parts = tuple(dict.fromkeys(part for each in vectors for part in each.parts))
    facts = {"composed": [[each.name, strength] for each, strength in pairs]}
    return replace(vectors[0], name=name, offset=offset, parts=parts, safe=(0.0, 1.0), facts=facts)


@dataclass(frozen=True)
class VectorSettings:
    """How learnt edits are applied."""

    refine_steps: Annotated[int, Slider(0, 60)] = 0
    """Steps of refinement, which bring back what the edits changed elsewhere; 10 to 30 are enough."""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.refine_steps < 0:
            raise InputError(f"refine_steps must be 0 or more; it is {self.refine_steps}.")

    @property
    def max_steps(self) -> int:
        """Most steps that a run yields: the start, the sum, and what refines it."""
        return 2 + self.refine_steps


def apply_vectors(
    picture: LatentPicture,
    vectors: Strengths,
    *,
    head: PartHead | None = None,
    settings: VectorSettings = VectorSettings(),
) -> Iterator[Step]:
    """Yield the picture as it is, with the vectors added, and then each step of refinement.

    Args:
        picture: where to start.
        vectors: names, or files as `Path`, with the strength of each.
        head: for refinement; the generator's own if not given.
        settings: how many steps of refinement.

    Raises:
        InputError: no vectors, unknown names, a strength beyond 10.
        ModelMismatchError: a vector of another generator.
    """
    if not vectors:
        raise InputError("Choose at least one learnt edit.")
    chosen = [
        each if isinstance(each, EditVector) else find_vector(picture.generator, each) for each in vectors
    ]
    strengths = list(vectors.values())
    if not all(math.isfinite(each) and abs(each) <= MAX_STRENGTH for each in strengths):
        raise InputError(f"A strength lies within {-MAX_STRENGTH:g} and {MAX_STRENGTH:g}.")
    edit = compose(chosen, strengths)
    return _added(picture, edit, head, settings)


def _added(
    picture: LatentPicture, edit: EditVector, head: PartHead | None, settings: VectorSettings
) -> Iterator[Step]:
    yield Step(0, picture)
    if not settings.refine_steps:
        yield Step(1, edit.apply(picture))
        return
    refinement = RepaintSettings(max_steps=settings.refine_steps)
    for step in edit.refined(picture, head=head, settings=refinement):
        yield replace(step, index=step.index + 1)


def vectors_folder() -> Path:
    """Where the user's own vectors lie: `$PLIANT_HOME/vectors`, or `~/.pliant/vectors`."""
    return user_folder().parent / "vectors"


def vectors_for(generator: Generator) -> dict[str, EditVector]:
    """The vectors that fit a generator by name: those that come with Pliant (`_weights/*/vectors`), then the user's."""
    found: dict[str, EditVector] = {}
    places = [*sorted(WEIGHTS_FOLDER.glob("*/vectors")), vectors_folder()]
    for path in (path for place in places for path in sorted(place.glob(f"*{SUFFIX}"))):
        try:
            vector = EditVector.open(path)
            vector.check(generator)
        except (InputError, ModelMismatchError):  # someone else's file, or another model's
            continue
        found.setdefault(vector.name, vector)
    return found


def find_vector(generator: Generator, source: str | Path) -> EditVector:
    """A vector for a generator: a text is its name, a `Path` its file.

    Raises:
        InputError: there is none.
        ModelMismatchError: the file is for another generator.
    """
    if isinstance(source, Path):
        vector = EditVector.open(source)
        vector.check(generator)
        return vector
    known = vectors_for(generator)
    if source not in known:
        names = ", ".join(known) or "none yet"
        raise InputError(f"There is no vector '{source[:100]}' for '{generator.name}'; there are: {names}.")
    return known[source]
