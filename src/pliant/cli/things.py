"""The verbs of things in photos: move, resize, remove, paste, swap, dragcontent, dragdiffusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pliant import catalogue
from pliant.catalogue import Edit, Inputs
from pliant.cli.edit import Points
from pliant.cli.options import parse, pick_device
from pliant.cli.runs import Given, carry_out, check_places, project_for
from pliant.cli.things_options import Looks, Other, Selection, ThingOutput, Turns, Ways, options_class
from pliant.errors import InputError
from pliant.restoring import loader

if TYPE_CHECKING:
    from pliant.diffusion.pipeline import DiffusionModel
    from pliant.diffusion.things import Thing
    from pliant.picture import Picture
    from pliant.project import Project
    from pliant.steps import Run

__all__ = ["check_candidates", "load_model", "make_candidates", "run", "run_resize"]

EXACT = 99.0
"""Decibels that are told where not one pixel differs."""


def run_resize(arguments: list[str]) -> int:
    """`pliant resize`: a move that stays where it is."""
    return run(catalogue.get("move"), "resize", arguments)


def run(edit: Edit, words: str, arguments: list[str]) -> int:
    """Do the edit: read everything, run it until it ends or is stopped, write everything.

    Args:
        edit: what to do.
        words: what was typed after `pliant`.
        arguments: what was typed after that.
    """
    options: Any = parse(options_class(edit, words), words, edit.summary, arguments)
    writing: ThingOutput = options.output
    check_candidates(writing)
    check_places(writing)
    settings = edit.make_settings(vars(options.settings))
    if writing.candidates > 1 and not getattr(settings, "draws", True):
        raise InputError(
            "With these settings no noise is drawn, so all candidates would be the same; leave out --candidates."
        )
    device = pick_device(options.device)
    picture, opened = _opened(options.start, device, options.words.model)
    inputs = _inputs(options, picture, device)
    if getattr(settings, "preset", "") != "copy":
        inputs = replace(inputs, diffuser=load_model(options.words.model, device))
    project = project_for(writing.project, options.start if opened else None, opened, picture)
    return make_candidates(
        edit,
        picture,
        inputs,
        settings,
        writing=writing,
        project=project,
        device=device,
        measure=lambda run: _measured(run, picture),
    )


def check_candidates(writing: ThingOutput) -> None:
    """Refuse a number of answers that nobody wants.

    Raises:
        InputError: none, or more than a hundred.
    """
    if not 1 <= writing.candidates <= 100:
        raise InputError(f"--candidates must be from 1 to 100; it is {writing.candidates}.")


def make_candidates(
    edit: Edit,
    picture: Picture,
    inputs: Inputs,
    settings: Any,
    *,
    writing: ThingOutput,
    project: Project | None,
    device: str,
    measure: Callable[[Run[Any]], dict[str, Any]] | None = None,
) -> int:
    """Make as many answers as are wanted, each from the next seed, and write each beside the first.

    Args:
        edit: what to do.
        picture: what it begins at.
        inputs: what it is given.
        settings: with the first seed.
        writing: what to write.
        project: of `project_for`; they become branches from its current node.
        device: where it is computed.
        measure: what else to report, of a run when it is over.
    """
    code, root = 0, None if project is None else project.current
    for number in range(writing.candidates):
        chosen = replace(settings, seed=settings.seed + number)
        there = (
            writing if number == 0 else replace(writing, out=_numbered(writing.out, number + 1), video=None)
        )
        running = edit.run(picture, inputs, chosen)
        given = Given(edit.name, inputs.named(picture.size), chosen)
        if project is not None and root is not None:
            project.select(root)
        facts = {"device": device, "out": str(there.out)}
        code = carry_out(running, given, there, project, facts=facts, measure=measure)
        if code:
            break
    return code


def _opened(path: Path, device: str, model: str | None) -> tuple[Picture, Project | None]:
    """A photo, or the current picture of a project.

    Raises:
        InputError: neither, or a drawing.
    """
    from pliant.images import load_image
    from pliant.picture import PixelPicture
    from pliant.project import Project

    if path.suffix != ".pliant":
        return PixelPicture.of(load_image(path), {"file": path.name[:200]}), None
    project = Project.open(path, loader(model=model, device=device))
    return project.picture(), project


def _inputs(options: Any, picture: Picture, device: str) -> Inputs:
    """What was given, of what the verb takes."""
    prompt = options.words.prompt
    other: Other | Looks | None = getattr(options, "other", None) or getattr(options, "looks", None)
    second = None if other is None else _opened(other.other, device, options.words.model)[0]
    if hasattr(options, "area"):
        from pliant.images import load_image

        points: Points = options.points
        path = options.area.mask
        mask = None if path is None else load_image(path, background=(0, 0, 0))
        if points.lock or len(points.handle) != len(points.target):
            raise InputError(
                "Give as many --target as --handle, in the same order; --lock is for pliant drag."
            )
        return Inputs(handles=points.handle, targets=points.target, mask=mask, prompt=prompt)
    shown = second if isinstance(other, Other) and second is not None else picture
    masks = _masks(options.selection, shown, device)
    if hasattr(options, "ways"):
        from pliant.diffusion.things import as_things

        things = _things(options.ways, masks)
        as_things(things, picture.size, shown.size)  # what is wrong with them is told before a model is read
        return Inputs(things=things, other=second, prompt=prompt)
    import torch

    mask = torch.stack(masks).amax(0)
    if not isinstance(other, Looks) or second is None:
        return Inputs(mask=mask, prompt=prompt)
    looks = Selection(
        (other.other_mask,) if other.other_mask else (), (other.other_box,) if other.other_box else ()
    )
    (there,) = _masks(looks, second, device, "--other-mask or --other-box")
    return Inputs(mask=mask, other=second, other_mask=there, prompt=prompt)


def _masks(
    given: Selection, picture: Picture, device: str, options: str = "--mask, --box or --click"
) -> list[Any]:
    """Masks [H, W] of the things that were selected.

    Raises:
        InputError: none, or a mask of another size.
    """
    import numpy as np
    import torch

    from pliant.images import load_image
    from pliant.points import as_mask

    pixels = np.array(picture.render().convert("RGB"))
    found: list[Any] = [load_image(path, background=(0, 0, 0)) for path in given.mask]
    if given.sam is not None:
        from pliant.selecting.sam import SamSelector

        selector = SamSelector(given.sam, device)
        found += [selector.in_box(pixels, box) for box in given.box]
        found += [selector.at(pixels, [place]) for place in given.click]
    elif given.box or given.click:
        from pliant.selecting import grow, in_box

        found += [in_box(pixels, box) for box in given.box]
        found += [grow(pixels, place) for place in given.click]
    if not found:
        raise InputError(f"Select at least one thing with {options}.")
    masks = [as_mask(each, picture.size) for each in found]
    full = torch.ones(picture.size[1], picture.size[0])
    return [full if mask is None else mask for mask in masks]


def _things(ways: Ways | Turns, masks: Sequence[Any]) -> list[Thing]:
    """The things with where they go.

    Raises:
        InputError: another number of ways than of things, or none at all.
    """
    from pliant.diffusion.things import Thing

    by, to = (ways.by, ways.to) if isinstance(ways, Ways) else ((), ())
    if by and to:
        raise InputError("Give --by or --to, not both.")
    if not (by or to or ways.scale or ways.turn):
        raise InputError("Say where the things go, with --by, --to, --scale or --turn.")
    columns: dict[str, list[Any]] = {}
    for name, given, default in (
        ("by", by, (0.0, 0.0)),
        ("to", to, None),
        ("scale", ways.scale, 1.0),
        ("turn", ways.turn, 0.0),
    ):
        if len(given) not in {0, 1, len(masks)}:
            raise InputError(
                f"There are {len(masks)} things but {len(given)} --{name}; give one, or one for each."
            )
        columns[name] = [*given] if len(given) > 1 else [*(given or (default,))] * len(masks)
    rows = zip(masks, columns["by"], columns["to"], columns["scale"], columns["turn"], strict=True)
    return [Thing(mask, _shift(mask, by, to), scale, turn) for mask, by, to, scale, turn in rows]


def _shift(mask: Any, by: tuple[float, float], to: tuple[float, float] | None) -> tuple[float, float]:
    from pliant.diffusion.things import middle_of

    if to is None:
        return by
    middle = middle_of(mask)
    return to[0] - middle[0], to[1] - middle[1]


def load_model(model: str | None, device: str) -> DiffusionModel:
    """The diffusion model that was named, or the one that comes with Pliant.

    Raises:
        InputError: there is none.
    """
    from pliant.diffusion.loading import EMBEDDED, load_diffusion

    return load_diffusion(model or EMBEDDED, device)


def _measured(running: Run[Any], picture: Picture) -> dict[str, Any]:
    """Whether the photo had to be looked at, after the first step, which shows it; and how like itself it stayed outside."""
    import numpy as np

    last = running.trace[-1]
    looks = sum(step.phase in {"tune", "invert"} for step in running.trace)
    before, after = (np.asarray(each.render().convert("RGB"), np.float64) for each in (picture, last.picture))
    outside = last.reach.mask.numpy() == 0
    error = float(((before - after)[outside] ** 2).mean()) if outside.any() else 0.0
    psnr = EXACT if error == 0 else min(EXACT, 10 * float(np.log10(255**2 / error)))
    return {"inverted": looks > 1, "psnr_outside": psnr}


def _numbered(path: Path, number: int) -> Path:
    return path.with_stem(f"{path.stem}-{number}")
