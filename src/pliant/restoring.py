"""Saved pictures made again, whatever made them; each model is loaded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pliant.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from pliant.picture import Picture, Restore

__all__ = ["loader"]


def loader(
    *,
    model: str | Path | None = None,
    device: str = "cpu",
    find: Mapping[str, Callable[[str], Any]] | None = None,
) -> Restore:
    """A function that makes saved pictures again; each model is loaded once.

    Args:
        model: read latent and diffusion pictures with this model instead of the one they name: for models known by a
            path only. A saved picture never names a path, or a foreign file could have any other one opened.
        device: where the pictures will be computed.
        find: by kind of picture, gives the model of a name, for whoever keeps models already; such a one stays where it is.
    """
    from pliant.picture import PixelPicture

    loaded: dict[tuple[str, str], Any] = {}

    def load(kind: str, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Picture:
        if kind == PixelPicture.kind:
            return PixelPicture.restore(tensors, facts)
        if kind == "vector":
            from pliant.vector.scene import VectorPicture

            drawing = VectorPicture.restore(tensors, facts)
            # MPS has no double precision, which the rasteriser needs
            return drawing.with_scene(drawing.scene.to("cpu" if device == "mps" else device))
        if kind == "diffusion":
            from pliant.diffusion.picture import DiffusionPicture

            made_by = None if facts.get("model") is None else named(kind, facts["model"])
            return DiffusionPicture.restore(made_by, tensors, facts)
        if kind != "latent":
            raise InputError(f"This version of Pliant does not know pictures of the kind '{kind}'.")
        from pliant.gan.latent import LatentPicture

        return LatentPicture.restore(named(kind, facts.get("model")), tensors, facts)

    def named(kind: str, name: Any) -> Any:
        from pliant import zoo

        if find is not None:
            return find[kind](str(name))
        if model is None and name not in [entry.name for entry in zoo.entries()]:
            raise InputError(
                f"The saved picture was made with the model {str(name)[:100]!r}, which is none of Pliant's or yours; "
                "say where it is (--model)."
            )
        key = kind, str(model or name)
        if key not in loaded:
            loaded[key] = _read(*key, device)
        return loaded[key]

    return load


def _read(kind: str, source: str, device: str) -> Any:
    """The model that makes pictures of a kind."""
    if kind == "diffusion":
        from pliant.diffusion.loading import load_diffusion

        return load_diffusion(source, device)
    from pliant.gan.latent import load_generator

    return load_generator(source, device)
