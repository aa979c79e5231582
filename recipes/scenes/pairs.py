"""Edits with a known right answer: a scene drawn twice, with one thing moved, resized, turned, removed, swapped or pasted.

    sprites = read_sprites(folder)
    planner, composer = Planner(sprites), Composer(sprites)
    for pair in draw_pairs(composer, [plan_pair(planner, task, seed) for seed in range(30) for task in TASKS]):
        ...

Nothing here needs a GPU; a pair takes about 0.1 s on one core.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from compose import Composer
from planning import Placed, Planner, Scene
from sprites import HUES, Thing
from torch import Tensor
from wording import caption, name_of

BATCH = 16


@dataclass(frozen=True)
class PairPlan:
    """An edit before it is drawn."""

    task: str
    source: Scene
    target: Scene
    """What the right edit makes of it."""
    index: int
    """Of the thing in the source; of the pasted one in the target."""
    other: Scene | None = None
    """A second picture: where what is pasted comes from, or whose looks are taken; the thing is its first."""
    scale: float = 1.0
    turn: float = 0.0
    """Radians, clockwise as seen."""


@dataclass(frozen=True)
class Pair:
    """An edit with its right answer; pictures [3, S, S] in [-1, 1], masks [S, S] in [0, 1], all in pixels of the picture."""

    task: str
    source: Tensor
    target: Tensor
    source_mask: Tensor
    """What is visible of the thing before the edit; 0 if it is pasted."""
    target_mask: Tensor
    """And after it; 0 if it is removed."""
    touched: Tensor
    """1 where source and target are not the same: the thing, where it was, and its shadows."""
    arrow: tuple[float, float]
    """From the middle of the thing to where its middle shall be (x, y)."""
    pivot: tuple[float, float]
    """The middle of the thing (x, y), which scale and turn leave where it is."""
    scale: float
    turn: float
    source_caption: str
    target_caption: str
    thing: str
    """The thing with its article: what is moved, removed, swapped or pasted."""
    other: Tensor | None = None
    """The second picture [3, S, S]."""
    other_mask: Tensor | None = None
    """Where in it the thing is."""
    other_caption: str = ""


Change = Callable[[Planner, Random, Scene, int], PairPlan | None]


def _rest(scene: Scene, index: int) -> list[Placed]:
    return [thing for number, thing in enumerate(scene.things) if number != index]


def _fits(planner: Planner, scene: Scene, index: int, thing: Placed) -> bool:
    """Whether a thing is in the picture and hardly over others."""
    left, top, right, bottom = planner.box(thing)
    inside = min(left, top) >= -0.02 and max(right, bottom) <= 1.02
    return inside and all(planner.overlap(thing, other) < 0.12 for other in _rest(scene, index))


def moved(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:
    """Elsewhere, as large as before; what stands stays on the ground."""
    thing = scene.things[index]
    high = 0.5 * thing.size * planner.extents[thing.item][1]
    x, y = random.uniform(0.1, 0.9), random.uniform(0.1, 0.95)
    foot = min(0.97, max(y, scene.horizon + 0.08)) if thing.stands else y
    there = replace(thing, x=round(x, 4), y=round(foot - high, 4))
    if math.hypot(there.x - thing.x, there.y - thing.y) < 0.15 or not _fits(planner, scene, index, there):
        return None
    return PairPlan("move", scene, scene.with_thing(index, x=there.x, y=there.y), index)


def resized(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:
    """Smaller or larger; what stands keeps its foot where it is."""
    thing = scene.things[index]
    scale = random.choice((random.uniform(0.55, 0.78), random.uniform(1.25, 1.6)))
    lift = 0.5 * thing.size * planner.extents[thing.item][1] * (scale - 1) * thing.stands
    there = replace(thing, size=round(thing.size * scale, 4), y=round(thing.y - lift, 4))
    if not 0.14 < there.size < 0.75 or not _fits(planner, scene, index, there):
        return None
    target = scene.with_thing(index, size=there.size, y=there.y)
    return PairPlan("resize", scene, target, index, scale=there.size / thing.size)


def turned(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:
    """About its middle, by 15 to 45 degrees."""
    turn = random.choice((-1, 1)) * random.uniform(math.pi / 12, math.pi / 4)
    thing = scene.things[index]
    if not _fits(planner, scene, index, replace(thing, size=1.1 * thing.size)):
        return None
    return PairPlan("turn", scene, scene.with_thing(index, turn=thing.turn + turn), index, turn=turn)


def removed(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:  # noqa: ARG001 - a Change
    """Gone, with its shadow."""
    return PairPlan("remove", scene, scene.without(index), index)


def swapped(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:
    """Another thing, from a second picture, stands where it stood, as large."""
    thing = scene.things[index]
    other = planner.scene(random.randrange(2**31), 1)
    if not other.things or other.things[0].item == thing.item or other.things[0].stands != thing.stands:
        return None
    new = other.things[0]
    foot = thing.y + 0.5 * thing.size * planner.extents[thing.item][1]
    y = round(foot - 0.5 * thing.size * planner.extents[new.item][1], 4) if thing.stands else thing.y
    there = replace(new, x=thing.x, y=y, size=thing.size)
    if not _fits(planner, scene, index, there):
        return None
    things = (*scene.things[:index], there, *scene.things[index + 1 :])
    return PairPlan(
        "swap",
        scene,
        replace(scene, things=things),
        index,
        other,
        there.size / new.size,
        there.turn - new.turn,
    )


def pasted(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:  # noqa: ARG001 - a Change
    """A thing of a second picture is put beside what is there, under the light of this one."""
    other = planner.scene(random.randrange(2**31), 1)
    if not other.things:
        return None
    new = other.things[0]
    there = planner.place(random, scene, new.item, list(scene.things), 0.9)
    if there is None or there.stands != new.stands or not 0.35 < there.size / new.size < 1.6:
        return None
    there = replace(there, turn=new.turn, flip=new.flip, hue=new.hue, colour=new.colour)
    target = replace(scene, things=(*scene.things, there))
    return PairPlan("paste", scene, target, len(scene.things), other, there.size / new.size)


def recoloured(planner: Planner, random: Random, scene: Scene, index: int) -> PairPlan | None:
    """It takes the colours that the same thing has in a second picture."""
    thing = scene.things[index]
    hue = planner.hues[thing.item]
    colour = random.choice(list(HUES))
    if hue < 0 or colour == thing.colour:
        return None
    turns = (HUES[colour] - hue) % 1
    backdrop = planner.scene(random.randrange(2**31), 1)
    shown = planner.place(random, replace(backdrop, things=()), thing.item, [], 1.2)
    if shown is None:
        return None
    other = replace(backdrop, things=(replace(shown, hue=turns, colour=colour),))
    return PairPlan("looks", scene, scene.with_thing(index, hue=turns, colour=colour), index, other)


TASKS: dict[str, Change] = {
    "move": moved,
    "resize": resized,
    "turn": turned,
    "remove": removed,
    "swap": swapped,
    "paste": pasted,
    "looks": recoloured,
}


def plan_pair(planner: Planner, task: str, seed: int) -> PairPlan:
    """The pair of a seed: a scene of one to three things, and one edit of it that fits."""
    random = Random(f"{task} {seed}")  # noqa: S311 - no secrets
    while True:
        scene = planner.scene(random.randrange(2**31), random.choice((1, 2, 2, 3)))
        if scene.things:
            plan = TASKS[task](planner, random, scene, random.randrange(len(scene.things)))
            if plan:
                return plan


def draw_pairs(composer: Composer, plans: Sequence[PairPlan]) -> Iterator[Pair]:
    """Pairs in the order of their plans."""
    things = composer.sprites.things
    for start in range(0, len(plans), BATCH):
        some = plans[start : start + BATCH]
        second = [plan.other for plan in some if plan.other]
        scenes = [plan.source for plan in some] + [plan.target for plan in some] + second
        drawn = composer.draw(scenes)
        others = iter(range(2 * len(some), len(scenes)))
        for row, plan in enumerate(some):
            other = next(others) if plan.other else None
            yield _pair(plan, things, drawn.pictures, drawn.masks, (row, row + len(some), other))


def _pair(
    plan: PairPlan,
    things: Sequence[Thing],
    pictures: Tensor,
    masks: Tensor,
    rows: tuple[int, int, int | None],
) -> Pair:
    source, target, other = rows
    side, nothing = pictures.shape[-1], masks.new_zeros(masks.shape[2:])
    first = plan.other.things[0] if plan.other and plan.task == "paste" else None
    before = first or plan.source.things[plan.index]
    after = before if plan.task == "remove" else plan.target.things[plan.index]
    named = before if plan.task in {"remove", "looks"} else after
    return Pair(
        plan.task,
        pictures[source],
        pictures[target],
        nothing if plan.task == "paste" else masks[source, plan.index],
        nothing if plan.task == "remove" else masks[target, plan.index],
        ((pictures[source] - pictures[target]).abs().amax(0) > 0.016).float(),
        (side * (after.x - before.x), side * (after.y - before.y)),
        (side * before.x - 0.5, side * before.y - 0.5),
        plan.scale,
        plan.turn,
        caption(plan.source, things),
        caption(plan.target, things),
        name_of(named, things),
        None if other is None else pictures[other],
        None if other is None else masks[other, 0],
        caption(plan.other, things) if plan.other else "",
    )
