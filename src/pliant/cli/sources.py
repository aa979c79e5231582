"""Where a verb's picture comes from: a seed, a project, a latent file, or a picture that says what made it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from pliant.cli.options import DEFAULT_MODEL, File
from pliant.errors import InputError
from pliant.restoring import loader

if TYPE_CHECKING:
    from pliant.gan.latent import LatentPicture
    from pliant.picture import Picture
    from pliant.project import Project

__all__ = ["LatentSource", "Start", "latent_picture", "project_of"]

Start = Annotated[
    Path | None,
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="[PICTURE]",
        help="Project (.pliant), latent code (.safetensors), or picture that Pliant wrote; a seed otherwise.",
        help_behavior_hint="",
    ),
]


@dataclass(frozen=True)
class LatentSource:
    """The picture to start from: that of a seed, of a project, or of a latent file."""

    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name, folder or file of the model; portraits-256 if not given, or the one that the project names."""
    seed: Annotated[int | None, tyro.conf.arg(metavar="INT", help_behavior_hint="")] = None
    """Seed of the picture; 0 if nothing else is given."""
    psi: float = 0.7
    """Truncation of the seed's picture: 1 for the model's full variety, less for more typical pictures."""
    picture: File = None
    """Project (.pliant) to go on from, at its current place."""
    latent: File = None
    """Latent code (.safetensors) to start from, as --save-latent writes it."""

    def open(self, device: str) -> tuple[Picture, Project | None]:
        """The picture, and the project that it came from if any.

        Raises:
            InputError: more than one source, or one that cannot be used.
            CheckpointError: no such model.
        """
        if sum(each is not None for each in (self.seed, self.picture, self.latent)) > 1:
            raise InputError(
                "Give only one of --seed, --picture and --latent; each is a picture to start from."
            )
        from pliant.gan.latent import LatentPicture, load_generator, sample
        from pliant.project import Project

        if self.picture is not None:
            project = Project.open(self.picture, loader(model=self.model, device=device))
            return project.picture(), project
        generator = load_generator(self.model or DEFAULT_MODEL, device)
        if self.latent is not None:
            return LatentPicture.open_latent(self.latent, generator), None
        return sample(generator, self.seed or 0, self.psi), None


def latent_picture(
    start: Path | None, source: LatentSource, device: str
) -> tuple[LatentPicture, Project | None]:
    """The picture to work on: of a file, or as the options say.

    Raises:
        InputError: several sources, a file that holds no code, or a picture without a generator.
    """
    from pliant.gan.latent import LatentPicture

    if start is not None:
        if any(each is not None for each in (source.picture, source.latent, source.seed)):
            raise InputError("Give either a file or one of --seed, --picture and --latent.")
        source = _as_source(start, source)
    picture, project = source.open(device)
    if not isinstance(picture, LatentPicture):
        raise InputError("This picture has no code of a generator; find one first with pliant invert.")
    return picture, project


def _as_source(start: Path, source: LatentSource) -> LatentSource:
    """What a file says of where its picture comes from."""
    if start.suffix == ".pliant":
        return replace(source, picture=start)
    if start.suffix == ".safetensors":
        return replace(source, latent=start)
    from pliant.images import read_metadata

    made = (read_metadata(start) or {}).get("picture", {})
    origin = made.get("origin", {}) if isinstance(made, dict) else {}
    seed, psi = origin.get("seed"), origin.get("truncation_psi", source.psi)
    if (
        not isinstance(seed, int)
        or not isinstance(psi, int | float)
        or "edit" in (read_metadata(start) or {})
    ):
        raise InputError(
            f"'{start}' does not say which code makes it; give its project (.pliant) or latent code (.safetensors), "
            "or find a code for a photo with pliant invert."
        )
    return replace(source, seed=seed, psi=float(psi), model=source.model or _named(made.get("model")))


def _named(model: Any) -> str | None:
    """A model that a file names, if it is a name: a foreign file must not have a path opened."""
    from pliant import zoo

    return model if model in [entry.name for entry in zoo.entries()] else None


def project_of(start: Path | None, source: LatentSource) -> Path | None:
    """The project file that the picture was read from, if it was."""
    return start if start is not None and start.suffix == ".pliant" else source.picture
