"""Drawings in the studio: what people open, what they consist of, and how they look as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.picture import Picture
from pliant.project import Project
from pliant.studio import messages as m
from pliant.vector.layers import LayerChanges, change_layers
from pliant.vector.raster import rasterise
from pliant.vector.scene import Scene, VectorPicture
from pliant.vector.svg import read_svg
from pliant.vector.svg_writer import svg_text

LISTED_GROUPS = 500
"""Groups that are told, those that hold others first."""
_SMALL = 160
"""Pixels of the longer side at which it is looked up how much of a colour is seen."""
LOOSE = -1
"""In place of a group's number: the paths that are in none."""


def read_drawing(data: bytes) -> tuple[VectorPicture, tuple[str, ...]]:
    """An SVG that may come from anyone, and what of it is left out.

    Raises:
        InputError: it is not an SVG that can be drawn.
        MissingExtraError: lxml is not installed.
    """
    drawing = read_svg(data)
    return VectorPicture(drawing.scene), drawing.left_out


def drawing_at(project: Project, node: str, step: int) -> VectorPicture:
    """The drawing of a frame.

    Raises:
        InputError: there is no such frame, or it is no drawing.
    """
    return as_drawing(project.picture(node, step))


def as_drawing(picture: Picture) -> VectorPicture:
    """The picture, if it is a drawing.

    Raises:
        InputError: it is of another kind.
    """
    if not isinstance(picture, VectorPicture):
        raise InputError("This picture is not a drawing; trace it to one first.")
    return picture


def layer_changes(changes: m.LayerChanges) -> LayerChanges:
    """Changes of layers as edits take them."""
    return LayerChanges(
        hidden=changes.hidden,
        shown=changes.shown,
        locked=changes.locked,
        unlocked=changes.unlocked,
        swatches=changes.swatches,
    )


def with_layers(picture: Picture, changes: m.LayerChanges) -> VectorPicture:
    """A drawing with its layers changed.

    Raises:
        InputError: it is no drawing, or has no such group, path or colour.
    """
    return change_layers(as_drawing(picture), layer_changes(changes))


def at_most(picture: Picture, side: int) -> Picture:
    """A drawing, to be painted at most `side` pixels wide and high, which is quicker; other pictures as they are."""
    if not isinstance(picture, VectorPicture) or max(picture.size) <= side:
        return picture
    return replace(picture, scale=picture.scale * side / max(picture.size))


def svg_of(picture: VectorPicture, facts: Mapping[str, Any] | None = None) -> str:
    """A drawing as the text of an SVG file, with what made it in its metadata."""
    return svg_text(picture.scene, facts)


def described(picture: VectorPicture) -> m.Drawing:
    """The groups and colours of a drawing, for the list of layers."""
    scene = picture.scene
    groups = [
        m.LayerGroup(id=group.id[:200], label=group.label[:200], parent=group.parent, paths=paths)
        for group, paths in zip(scene.groups, _in_groups(scene), strict=True)
    ]
    return m.Drawing(
        groups=tuple(groups[:LISTED_GROUPS]),
        runs=_runs(scene),
        loose=int((scene.group_of < 0).sum()),
        swatches=_swatches(scene),
        colours=len(scene.colours),
    )


def paths_of(picture: VectorPicture, group: int, start: int) -> m.DrawingPaths:
    """The paths directly in a group, the topmost first.

    Args:
        picture: the drawing.
        group: its number, `LOOSE` for those in none.
        start: how many to skip.
    """
    scene, locked = picture.scene, _locked(picture.scene)
    numbers = (scene.group_of == group).nonzero()[:, 0].flip(0).tolist()
    listed = [
        m.LayerPath(
            number=number,
            name=scene.names[number][:200],
            fill=int(scene.colour_of[number]),
            stroke=int(scene.stroke_of[number]),
            hidden=bool(scene.hidden[number]),
            locked=bool(locked[number]),
        )
        for number in numbers[start : start + m.LISTED_PATHS]
    ]
    return m.DrawingPaths(paths=tuple(listed), total=len(numbers))


def _locked(scene: Scene) -> Tensor:
    """The paths [N] of which nothing may change."""
    return scene.locked_shape & scene.locked_colour


def _runs(scene: Scene) -> tuple[m.LayerRun, ...]:
    """The paths in groups; those of a group that is not told are its holder's."""
    told = list(range(min(len(scene.groups), LISTED_GROUPS)))
    for group in scene.groups[LISTED_GROUPS:]:
        told.append(told[group.parent] if group.parent >= 0 else LOOSE)
    group_of = scene.group_of.new_tensor([*told, LOOSE])[scene.group_of]
    each = torch.stack([group_of, scene.hidden.long(), _locked(scene).long()], 1)
    alike, counts = torch.unique_consecutive(each, dim=0, return_counts=True)
    first = (counts.cumsum(0) - counts).tolist()
    return tuple(
        m.LayerRun(group=group, first=start, count=count, hidden=bool(hidden), locked=bool(locked))
        for start, count, (group, hidden, locked) in zip(first, counts.tolist(), alike.tolist(), strict=True)
        if group >= 0
    )


def _in_groups(scene: Scene) -> list[int]:
    """How many paths each group holds, those of the groups in it included."""
    inside = scene.group_of[scene.group_of >= 0]
    counts: list[int] = torch.bincount(inside, minlength=len(scene.groups)).tolist()
    for number in reversed(range(len(scene.groups))):  # a group comes after the one that holds it
        if scene.groups[number].parent >= 0:
            counts[scene.groups[number].parent] += counts[number]
    return counts


def _seen(scene: Scene) -> Tensor:
    """How much of each colour [C] is seen: pixels of a small picture, those along edges aside.

    The drawing is painted in colours that tell its own apart, of which those of half of the light or less are left out.
    """
    shrink = _SMALL / max(scene.size)
    size = tuple(max(1, round(side * shrink)) for side in scene.size)
    codes = torch.randint(256, (len(scene.colours), 3), generator=torch.Generator().manual_seed(0))
    coded = scene.with_(
        colours=(codes / 255).to(scene.colours), opacity=(scene.opacity > 0.5).to(scene.opacity)
    )
    levels = ((rasterise(coded.detach(), (size[0], size[1])) + 1) * 127.5).round().long().flatten(1).cpu()
    place = torch.tensor([1, 256, 65536])
    known, inverse = torch.unique(codes @ place, return_inverse=True)
    found = (levels * place[:, None]).sum(0)
    at = torch.searchsorted(known, found).clamp_max(max(len(known) - 1, 0))
    hits = at[known[at] == found] if len(known) else at[:0]
    return torch.bincount(hits, minlength=len(known))[inverse]


def _swatches(scene: Scene) -> tuple[m.Swatch, ...]:
    rows = torch.cat([scene.colour_of, scene.stroke_of[scene.stroke_of != scene.colour_of]])
    counts = torch.bincount(rows[rows >= 0], minlength=len(scene.colours)).cpu()
    order = _seen(scene) * (1 + int(counts.sum())) + counts
    used = order.argsort(descending=True, stable=True)[: m.LISTED_SWATCHES].tolist()
    levels: list[list[int]] = (scene.colours.clamp(0, 1) * 255).round().int().tolist()
    return tuple(
        m.Swatch(number=row, colour="#{:02x}{:02x}{:02x}".format(*levels[row]), paths=int(counts[row]))
        for row in used
        if counts[row] > 0
    )
