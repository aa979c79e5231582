"""A vector drawing as a few flat tensors, and the picture that it makes.

A drawing is paths in painter's order; a path is one or more subpaths that are filled together, so that inner ones
can be holes; a subpath is a chain of cubic Bézier segments (a line is a cubic, too). Neighbouring segments share
the joint between them, in a closed subpath also the last and the first: there is one point to move, never two
copies that could drift apart. Coordinates are SVG user units: x to the right, y down, (0, 0) the outer corner of
the top-left pixel, whose centre is (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from pliant.errors import InputError
from pliant.images import MAX_PIXELS
from pliant.picture import Picture
from pliant.vector.scene_check import FLAGS, FLOATS, INDICES, PER_PATH, check_scene

__all__ = ["Group", "Scene", "VectorPicture", "stacked"]

MAX_POINTS = 3_000_000
"""Of a drawing that is read from a file; rasterising more would take all memory of a small machine."""


@dataclass(frozen=True)
class Group:
    """A named layer of a drawing, such as a round of tracing or a region."""

    id: str
    """Its id in an SVG; a valid XML name, unique in the drawing."""
    label: str
    """As people read it."""
    parent: int = -1
    """Number of the group that holds it; -1 for a layer at the top."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A drawing: P points, B subpaths, N paths, C colours. `assemble` in `outline.py` builds one path by path.

    The points of a subpath follow one another: joint, two handles, joint, two handles, … A closed subpath of n
    segments has 3n points (the last segment ends in the first point), an open one 3n + 1; an open subpath is
    filled as if a line closed it, and stroked without that line.
    """

    size: tuple[float, float]
    """Width and height in user units."""
    points: Tensor = field(repr=False)
    """Floats [P, 2], (x, y)."""
    lengths: Tensor = field(repr=False)
    """int64 [B]: number of segments of each subpath, at least one."""
    closed: Tensor = field(repr=False)
    """bool [B]."""
    parts: Tensor = field(repr=False)
    """int64 [N]: number of subpaths of each path, at least one."""
    even_odd: Tensor = field(repr=False)
    """bool [N]: the fill rule, even-odd or non-zero."""
    colours: Tensor = field(repr=False)
    """Floats [C, 3], RGB as displayed, 0 to 1. Paths that name the same row change colour together."""
    colour_of: Tensor = field(repr=False)
    """int64 [N]: row of `colours` that fills the path; -1 for a path that is not filled."""
    opacity: Tensor = field(repr=False)
    """Floats [N], 0 to 1, of fill and stroke."""
    stroke_of: Tensor = field(repr=False)
    """int64 [N]: row of `colours` of the stroke, painted after the fill; -1 for none."""
    stroke_width: Tensor = field(repr=False)
    """Floats [N], user units; caps and joins are round."""
    group_of: Tensor = field(repr=False)
    """int64 [N]: number of the group that holds the path; -1 for none."""
    locked_shape: Tensor = field(repr=False)
    """bool [N]: points and width must stay."""
    locked_colour: Tensor = field(repr=False)
    """bool [N]: colour and opacity must stay."""
    hidden: Tensor = field(repr=False)
    """bool [N]: the path is not painted."""
    names: tuple[str, ...] = field(repr=False)
    """What each path is called; "" for no name."""
    groups: tuple[Group, ...] = ()
    background: tuple[float, float, float] | None = None
    """RGB, 0 to 1, behind all paths; None for a transparent drawing, which is shown on white."""

    def __len__(self) -> int:
        """Number of paths."""
        return len(self.names)

    @cached_property
    def subpath_of(self) -> Tensor:
        """int64 [S]: the subpath of each segment."""
        return _repeated(self.lengths)

    @cached_property
    def path_of_subpath(self) -> Tensor:
        """int64 [B]: the path of each subpath."""
        return _repeated(self.parts)

    @cached_property
    def path_of(self) -> Tensor:
        """int64 [S]: the path of each segment."""
        return self.path_of_subpath[self.subpath_of]

    @cached_property
    def path_of_point(self) -> Tensor:
        """int64 [P]: the path of each point."""
        return self.path_of_subpath[_repeated(self.points_of_subpath)]

    @property
    def points_of_subpath(self) -> Tensor:
        """int64 [B]: number of points of each subpath."""
        return 3 * self.lengths + (~self.closed).long()

    @cached_property
    def segments(self) -> Tensor:
        """int64 [S, 4]: rows of `points` that are the control points of each cubic."""
        counts = self.points_of_subpath
        first = counts.cumsum(0) - counts
        before = self.lengths.cumsum(0) - self.lengths
        within = torch.arange(len(self.subpath_of), device=self.points.device) - before[self.subpath_of]
        offsets = 3 * within[:, None] + torch.arange(4, device=self.points.device)
        around = torch.where(self.closed, counts, counts + 1)[self.subpath_of, None]
        return first[self.subpath_of, None] + offsets % around

    @cached_property
    def places(self) -> Tensor:
        """int64 [B + 1]: where the segments of each subpath begin, and where the last ones end."""
        return torch.cat([self.lengths.new_zeros(1), self.lengths.cumsum(0)])

    @cached_property
    def gaps(self) -> Tensor:
        """int64 [S]: 1 for the last segment of an open subpath, else 0."""
        return torch.zeros_like(self.subpath_of).index_copy(0, self.places[1:] - 1, (~self.closed).long())

    @cached_property
    def filled(self) -> Tensor:
        """Which paths are painted with a fill: bool [N]."""
        return (self.colour_of >= 0) & ~self.hidden

    @cached_property
    def stroked(self) -> Tensor:
        """Which paths are painted with a stroke, if that has a width: bool [N]."""
        return (self.stroke_of >= 0) & ~self.hidden

    @cached_property
    def strokes(self) -> bool:
        """Whether any path is stroked."""
        return bool(self.stroked.any())

    @cached_property
    def folds(self) -> bool:
        """Whether any path is filled by the even-odd rule."""
        return bool(self.even_odd.any())

    def with_(
        self,
        *,
        points: Tensor | None = None,
        colours: Tensor | None = None,
        opacity: Tensor | None = None,
        stroke_width: Tensor | None = None,
    ) -> Scene:
        """The same drawing with other numbers, which gradients may go through.

        What follows from its structure is worked out here once, so that none of many steps waits for a GPU to do it.
        """
        changes = {"points": points, "colours": colours, "opacity": opacity, "stroke_width": stroke_width}
        changed = replace(self, **{name: value for name, value in changes.items() if value is not None})
        changed.__dict__.update({name: getattr(self, name) for name in _DERIVED})
        return changed

    def to(self, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Scene:
        """The drawing on another device, its floats as another type."""
        moved = {name: getattr(self, name).to(device=device) for name in (*INDICES, *FLAGS)}
        return replace(
            self, **moved, **{name: getattr(self, name).to(device=device, dtype=dtype) for name in FLOATS}
        )

    def detach(self) -> Scene:
        """The same numbers without a gradient."""
        return self.with_(
            points=self.points.detach(),
            colours=self.colours.detach(),
            opacity=self.opacity.detach(),
            stroke_width=self.stroke_width.detach(),
        )

    def subset(self, paths: Tensor) -> Scene:
        """Some of the paths, in the order given; colours that none of them uses go.

        Args:
            paths: int64 [M] numbers of paths, or bool [N] with those to keep.
        """
        paths = paths.nonzero()[:, 0] if paths.dtype == torch.bool else paths
        subpaths = _ranges(self.parts, paths)
        points = _ranges(self.points_of_subpath, subpaths)
        used, renumbered = torch.unique(
            torch.cat([self.colour_of[paths], self.stroke_of[paths]]), return_inverse=True
        )
        renumbered = renumbered - (used < 0).sum()
        chosen = {name: getattr(self, name)[paths] for name in PER_PATH}
        return replace(
            self,
            **chosen
            | {
                "points": self.points[points],
                "lengths": self.lengths[subpaths],
                "closed": self.closed[subpaths],
                "colours": self.colours[used[used >= 0]],
                "colour_of": renumbered[: len(paths)],
                "stroke_of": renumbered[len(paths) :],
                "names": tuple(self.names[index] for index in paths.tolist()),
            },
        )

    def with_palette(self) -> Scene:
        """The same drawing where paths of exactly the same colour share one, so that they change together."""
        colours, row = torch.unique(self.colours, dim=0, return_inverse=True)
        return replace(
            self,
            colours=colours,
            colour_of=_looked_up(row, self.colour_of),
            stroke_of=_looked_up(row, self.stroke_of),
        )

    def with_own_colours(self) -> Scene:
        """The same drawing where every fill and every stroke has a colour of its own."""
        filled, stroked = self.colour_of >= 0, self.stroke_of >= 0
        own = torch.cat([self.colour_of[filled], self.stroke_of[stroked]])
        fills = torch.where(filled, filled.cumsum(0) - 1, -1)
        strokes = torch.where(stroked, stroked.cumsum(0) - 1 + filled.sum(), -1)
        return replace(self, colours=self.colours[own], colour_of=fills, stroke_of=strokes)

    def with_colours_apart(self, paths: Tensor) -> Scene:
        """The same drawing where some paths share no colour with the others; those of locked paths are still shared.

        Args:
            paths: bool [N]; the colours that they no longer share come last.
        """
        rows = torch.cat([self.colour_of, self.stroke_of])

        def used(by: Tensor) -> Tensor:
            found = torch.zeros(len(self.colours), dtype=torch.bool, device=rows.device)
            found[rows[by.repeat(2) & (rows >= 0)]] = True
            return found

        split = used(paths) & used(~paths) & ~used(self.locked_colour)
        new = torch.where(
            split, len(self.colours) + split.cumsum(0) - 1, torch.arange(len(split), device=rows.device)
        )
        fills, strokes = (
            torch.where(paths, _looked_up(new, of), of) for of in (self.colour_of, self.stroke_of)
        )
        colours = torch.cat([self.colours, self.colours[split]])
        return replace(self, colours=colours, colour_of=fills, stroke_of=strokes)

    def check(self) -> Scene:
        """The drawing itself, when all of it fits together.

        Raises:
            InputError: tensors of the wrong shape or type, numbers that are not finite or name what is not there.
        """
        check_scene(self)
        return self


_DERIVED = tuple(name for name, value in vars(Scene).items() if isinstance(value, cached_property))


def stacked(scenes: Sequence[Scene]) -> Scene:
    """Drawings of one size on top of one another, the first at the bottom, whose background it keeps.

    Raises:
        InputError: no drawings, or drawings of different sizes.
    """
    if not scenes or any(scene.size != scenes[0].size for scene in scenes):
        raise InputError("Only drawings of one size can be laid on top of one another.")
    joined = {
        name: torch.cat([getattr(scene, name) for scene in scenes])
        for name in (*FLOATS, *FLAGS, "lengths", "parts")
    }
    colours, groups = 0, 0
    rows: dict[str, list[Tensor]] = {"colour_of": [], "stroke_of": [], "group_of": []}
    layers: list[Group] = []
    for scene in scenes:
        for name, offset in (("colour_of", colours), ("stroke_of", colours), ("group_of", groups)):
            numbers: Tensor = getattr(scene, name)
            rows[name].append(torch.where(numbers < 0, numbers, numbers + offset))
        layers += [replace(g, parent=g.parent + groups if g.parent >= 0 else -1) for g in scene.groups]
        colours, groups = colours + len(scene.colours), groups + len(scene.groups)
    return replace(
        scenes[0],
        **joined,
        **{name: torch.cat(parts) for name, parts in rows.items()},
        names=tuple(name for scene in scenes for name in scene.names),
        groups=tuple(layers),
    )


@dataclass(frozen=True, eq=False)
class VectorPicture(Picture):
    """A picture as a drawing that is rasterised when someone looks.

    Args:
        scene: the drawing.
        scale: pixels for each user unit.
        origin: JSON-ready facts on where it comes from, kept in saved files.
    """

    kind: ClassVar[str] = "vector"

    scene: Scene = field(repr=False)
    scale: float = 1.0
    origin: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn here, not somewhere inside the rasteriser."""
        self.scene.check()
        if not 0 < self.scale < float("inf"):
            raise InputError(f"The scale of a drawing is a positive number, not {self.scale}.")
        width, height = self.size
        if width * height > MAX_PIXELS:
            raise InputError(f"The drawing would be too large: at most {MAX_PIXELS // 10**6} megapixels.")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, at least one."""
        width, height = self.scene.size
        return max(1, round(width * self.scale)), max(1, round(height * self.scale))

    @torch.no_grad()
    def pixels(self) -> Tensor:
        """Render: float32 [3, H, W] in [-1, 1], on the drawing's device."""
        from pliant.vector.raster import rasterise

        return rasterise(self.scene, self.size).float()

    def about(self) -> dict[str, Any]:
        """Size and origin; the names of all paths would be too much for the metadata of an image."""
        return {"size": list(self.scene.size), "paths": len(self.scene), "origin": dict(self.origin)}

    def with_scene(self, scene: Scene) -> VectorPicture:
        """The same picture with another drawing in it."""
        return replace(self, scene=scene)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The drawing: its tensors, and names, groups and size as facts."""
        tensors = {name: getattr(self.scene, name).detach().cpu() for name in (*FLOATS, *INDICES, *FLAGS)}
        facts = {
            "size": list(self.scene.size),
            "background": None if self.scene.background is None else list(self.scene.background),
            "groups": [asdict(group) for group in self.scene.groups],
            "names": {str(index): name for index, name in enumerate(self.scene.names) if name},
            "scale": self.scale,
            "origin": dict(self.origin),
        }
        return tensors, facts

    @staticmethod
    def restore(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> VectorPicture:
        """Inverse of `state`.

        Raises:
            InputError: something is missing or does not fit together, or there are more than 3 million points.
        """
        try:
            if len(tensors["points"]) > MAX_POINTS:
                raise InputError(f"The saved drawing is too large: at most {MAX_POINTS:,} points.")
            size, background, names = facts["size"], facts["background"], facts["names"]
            scene = Scene(
                size=(float(size[0]), float(size[1])),
                **{name: _real(tensors[name]) for name in FLOATS},
                **{name: tensors[name] for name in (*INDICES, *FLAGS)},
                names=tuple(str(names.get(str(index), "")) for index in range(len(tensors["parts"]))),
                groups=tuple(Group(str(g["id"]), str(g["label"]), int(g["parent"])) for g in facts["groups"]),
                background=None if background is None else tuple(float(background[i]) for i in range(3)),  # type: ignore[arg-type]
            )
            origin = facts.get("origin")
            known = cast("dict[str, Any]", origin) if isinstance(origin, dict) else {}
            return VectorPicture(scene, float(facts["scale"]), known)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise InputError(f"The saved drawing is damaged: {type(error).__name__} {error}.") from error


def _real(values: Tensor) -> Tensor:
    if values.is_complex():
        raise TypeError("complex numbers")
    return values.float()


def _repeated(counts: Tensor) -> Tensor:
    """0 as often as counts[0] says, then 1 as often as counts[1] says, and so on."""
    return torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)


def _ranges(counts: Tensor, chosen: Tensor) -> Tensor:
    """Numbers of the items of the chosen runs, where run i holds counts[i] items."""
    ends = counts.cumsum(0)
    lengths = counts[chosen]
    owner = _repeated(lengths)
    within = torch.arange(len(owner), device=counts.device) - (lengths.cumsum(0) - lengths)[owner]
    return (ends - counts)[chosen][owner] + within


def _looked_up(table: Tensor, numbers: Tensor) -> Tensor:
    """table[numbers] where -1 stays -1."""
    return torch.where(numbers < 0, numbers, table[numbers]) if len(table) else numbers
