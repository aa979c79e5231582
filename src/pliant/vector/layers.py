"""Hide, lock and recolour parts of a drawing: by layer, by path, by swatch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pliant.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from pliant.steps import Step
    from pliant.vector.scene import Scene, VectorPicture

__all__ = ["LayerChanges", "LayerSettings", "change_layers", "changed_layers"]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

Which = str | int
"""A layer by its id or a path by its name, or a path by its number in painter's order, from 0."""


@dataclass(frozen=True)
class LayerChanges:
    """What becomes of which parts of a drawing; a layer stands for all paths in it and in the layers inside it."""

    hidden: Sequence[Which] = ()
    """These are no longer painted."""
    shown: Sequence[Which] = ()
    """These are painted again."""
    locked: Sequence[Which] = ()
    """No edit moves or recolours these."""
    unlocked: Sequence[Which] = ()
    """Edits may move and recolour these."""
    swatches: Mapping[int, str] = field(default_factory=dict[int, str])
    """New colours "#rrggbb" by row of `Scene.colours`; every path of a swatch takes its colour, locked or not."""

    def facts(self) -> dict[str, Any]:
        """What was given, JSON-ready, without what is empty."""
        lists = {name: list(getattr(self, name)) for name in ("hidden", "shown", "locked", "unlocked")}
        swatches = {str(row): colour for row, colour in self.swatches.items()}
        return {name: value for name, value in {**lists, "swatches": swatches}.items() if value}


@dataclass(frozen=True)
class LayerSettings:
    """What else happens to the drawing when its layers change."""

    colours: Literal["keep", "shared", "own"] = "keep"
    """Which paths change colour together from now on: as before, those of the same colour, or none."""


def change_layers(picture: VectorPicture, changes: LayerChanges) -> VectorPicture:
    """The picture with some parts hidden, shown, locked, unlocked or recoloured, in this order.

    Raises:
        InputError: no such layer, path or swatch, or a colour that is none.
    """
    scene = picture.scene
    hidden = scene.hidden | _chosen(scene, changes.hidden)
    hidden = hidden & ~_chosen(scene, changes.shown)
    locked, unlocked = _chosen(scene, changes.locked), _chosen(scene, changes.unlocked)
    colours = scene.colours.clone()
    for row, colour in changes.swatches.items():
        if not 0 <= row < len(colours):
            raise InputError(f"There is no swatch {row}; the drawing has 0 to {len(colours) - 1}.")
        if not _COLOUR.fullmatch(colour):
            raise InputError(f"A colour is written as #rrggbb, such as #c0392b, not '{colour[:40]}'.")
        rgb = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        colours[row] = colours.new_tensor(rgb)
    return picture.with_scene(
        replace(
            scene,
            colours=colours,
            hidden=hidden,
            locked_shape=(scene.locked_shape | locked) & ~unlocked,
            locked_colour=(scene.locked_colour | locked) & ~unlocked,
        )
    )


def changed_layers(
    picture: VectorPicture, changes: LayerChanges, settings: LayerSettings = LayerSettings()
) -> Iterator[Step]:
    """The same as an edit: yields the picture as it is, then as it becomes.

    Raises:
        InputError: as `change_layers`.
    """
    from pliant.steps import Step

    made = change_layers(picture, changes)
    if settings.colours != "keep":
        scene = made.scene
        made = made.with_scene(
            scene.with_palette() if settings.colours == "shared" else scene.with_own_colours()
        )
    return iter((Step(0, picture), Step(1, made)))


def _chosen(scene: Scene, which: Sequence[Which]) -> Tensor:
    """The paths that are meant, bool [N]."""
    import torch

    chosen = torch.zeros(len(scene), dtype=torch.bool, device=scene.hidden.device)
    for each in which:
        chosen |= _paths(scene, each)
    return chosen


def _paths(scene: Scene, which: Which) -> Tensor:
    """The paths of a layer, or one path, bool [N]."""
    import torch

    numbers = torch.arange(len(scene), device=scene.hidden.device)
    if isinstance(which, int):
        if not 0 <= which < len(scene):
            raise InputError(f"There is no path {which}; the drawing has 0 to {len(scene) - 1}.")
        return numbers == which
    inside: set[int] = set()
    for number, group in enumerate(scene.groups):
        if group.id == which or group.parent in inside:
            inside.add(number)
    if inside:
        return torch.isin(scene.group_of, scene.group_of.new_tensor(sorted(inside)))
    if which and which in scene.names:
        return numbers == scene.names.index(which)
    known = ", ".join(group.id for group in scene.groups[:8]) or "none"
    raise InputError(f"There is no layer or path '{which[:60]}'; the layers are: {known}.")
