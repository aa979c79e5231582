"""Whether the tensors of a scene fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from pliant.errors import InputError

if TYPE_CHECKING:
    from pliant.vector.scene import Scene

__all__ = ["FLAGS", "FLOATS", "INDICES", "PER_PATH", "check_scene"]

FLOATS = ("points", "colours", "opacity", "stroke_width")
INDICES = ("lengths", "parts", "colour_of", "stroke_of", "group_of")
FLAGS = ("closed", "even_odd", "locked_shape", "locked_colour", "hidden")
PER_PATH = (
    *("parts", "even_odd", "colour_of", "opacity", "stroke_of", "stroke_width", "group_of"),
    *("locked_shape", "locked_colour", "hidden"),
)


def check_scene(scene: Scene) -> None:
    """Refuse a scene that cannot be drawn.

    Raises:
        InputError: tensors of the wrong shape or type, numbers that are not finite or name what is not there.
    """
    _check_shapes(scene)
    _check_values(scene)


def _check_shapes(scene: Scene) -> None:
    counts = {"points": (scene.points, 2), "colours": (scene.colours, 3)}
    for name, (tensor, width) in counts.items():
        if tensor.ndim != 2 or tensor.shape[1] != width:
            raise InputError(f"The {name} of a drawing are [N, {width}], these are {list(tensor.shape)}.")
    for name in PER_PATH:
        if tuple(getattr(scene, name).shape) != (len(scene.names),):
            raise InputError(
                f"'{name}' of a drawing needs one value for each of its {len(scene.names)} paths."
            )
    if scene.lengths.ndim != 1 or scene.lengths.shape != scene.closed.shape:
        raise InputError("'lengths' and 'closed' of a drawing need one value for each subpath.")
    wrong = [name for name in FLOATS if not getattr(scene, name).is_floating_point()]
    wrong += [name for name in INDICES if getattr(scene, name).dtype != torch.int64]
    wrong += [name for name in FLAGS if getattr(scene, name).dtype != torch.bool]
    if wrong:
        raise InputError(f"'{wrong[0]}' of a drawing has the type {getattr(scene, wrong[0]).dtype}.")
    if not all(0 < side < float("inf") for side in scene.size):
        raise InputError(
            f"A drawing has a positive width and height, not {scene.size[0]:g} x {scene.size[1]:g}."
        )


def _check_values(scene: Scene) -> None:
    for name in FLOATS:
        if not torch.isfinite(getattr(scene, name)).all():
            raise InputError(f"The {name} of the drawing hold NaN or infinite values.")
    if (scene.lengths < 1).any() or (scene.parts < 1).any():
        raise InputError("Every path of a drawing has a subpath, and every subpath a segment.")
    if (scene.lengths > len(scene.points)).any() or (scene.parts > len(scene.lengths)).any():
        raise InputError("The points, subpaths and paths of the drawing do not belong together.")
    if int(scene.parts.sum()) != len(scene.lengths) or int(scene.points_of_subpath.sum()) != len(
        scene.points
    ):
        raise InputError("The points, subpaths and paths of the drawing do not belong together.")
    limits = {"colour_of": len(scene.colours), "stroke_of": len(scene.colours), "group_of": len(scene.groups)}
    for name, limit in limits.items():
        numbers: Tensor = getattr(scene, name)
        if ((numbers < -1) | (numbers >= limit)).any():
            raise InputError(f"'{name}' of the drawing names something that is not there.")
    if any(not -1 <= group.parent < index for index, group in enumerate(scene.groups)):
        raise InputError("A group of the drawing must come after the group that holds it.")
