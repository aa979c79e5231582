"""The verb of an edit, made from its entry in the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from pliant.catalogue import Edit, Inputs
from pliant.cli.options import XY, Device, File, LatentSource, Part, Switch, parse, pick_device, print_json
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import InputError
from pliant.settings import Setting, settings_facts

if TYPE_CHECKING:
    from pliant.picture import Picture
    from pliant.project import Project
    from pliant.steps import Run

__all__ = [
    "Given",
    "Mask",
    "Writing",
    "carry_out",
    "check_places",
    "options_class",
    "project_for",
    "run",
    "settings_class",
]

XYs = Annotated[tuple[XY, ...], tyro.conf.UseAppendAction, tyro.conf.arg(help_behavior_hint="(repeatable)")]


@dataclass(frozen=True)
class Points:
    """The points; give --handle and --target as often as there are points, in the same order."""

    handle: XYs = ()
    """Where a point is, in pixels of the picture from its top-left one (0,0)."""
    target: XYs = ()
    """Where it should go."""
    lock: XYs = ()
    """A point that should stay where it is."""


@dataclass(frozen=True)
class Mask:
    """What may change."""

    mask: File = None
    """Picture of the same size: white may change, black must stay."""


@dataclass(frozen=True)
class Writing:
    """What to write."""

    out: Path
    """Picture to write (.png, .jpg or .webp); its metadata says what made it."""
    video: File = None
    """Video of every step (.mp4, .webm, .gif or .webp)."""
    fps: float = 24
    """Frames a second of the video."""
    marks: Switch = False
    """Draw handles, targets and trails into the video."""
    boomerang: Switch = False
    """Let the video run forth and back."""
    project: File = None
    """Project (.pliant) with every step, to go on from later; an existing one grows a branch."""
    save_latent: File = None
    """File (.safetensors) for the resulting code."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""
    quiet: Switch = False
    """Show no progress."""


_INPUTS = {"points": Points, "mask": Mask}
_SOURCES = {"latent": LatentSource}


def settings_class(settings: Sequence[Setting], title: str) -> type:
    """A dataclass with the same fields that a settings class has, which takes no torch to make."""

    def default(setting: Setting) -> Field[Any]:
        return field() if setting.default is MISSING else field(default=setting.default)

    made = make_dataclass(
        "Settings",
        [
            (each.name, Annotated[each.type, tyro.conf.arg(help=each.help)], default(each))
            for each in settings
        ],
        frozen=True,
    )
    made.__doc__ = title
    return made


def options_class(edit: Edit) -> type:
    """The options of an edit's verb: what to write, the source, the inputs, the settings."""
    settings = settings_class(edit.settings, "How the edit behaves.")
    parts: list[tuple[str, Any, Any]] = [("output", Annotated[Writing, Part], field())]
    source = _SOURCES[edit.picture]
    parts.append(("source", Annotated[source, Part], field(default_factory=source)))
    for name in edit.inputs:
        part = _INPUTS[name]
        parts.append((name, Annotated[part, Part], field(default_factory=part)))
    parts.append(("settings", Annotated[settings, Part], field(default_factory=settings)))
    device = Annotated[Device, tyro.conf.arg(help="Where to compute.")]
    return make_dataclass("Options", [*parts, ("device", device, field(default="auto"))], frozen=True)


def run(edit: Edit, arguments: list[str]) -> int:
    """Do the edit: read everything, run it until it ends or is stopped, write everything."""
    options: Any = parse(options_class(edit), edit.name, edit.summary, arguments)
    writing: Writing = options.output
    check_places(writing)
    inputs = _read_inputs(options)
    settings = edit.make_settings(vars(options.settings))
    device = pick_device(options.device)
    picture, opened = options.source.open(device)
    project = project_for(writing.project, options.source.picture, opened, picture)
    running = edit.run(picture, inputs, settings)
    warnings = [note.sentence for note in edit.warn(picture, inputs, settings)]
    for sentence in () if writing.json or writing.quiet else warnings:
        print(f"pliant: {sentence}", file=sys.stderr)
    given = Given(edit.name, inputs.named(picture.size), settings)
    return carry_out(running, given, writing, project, facts={"device": device, "warnings": warnings})


@dataclass(frozen=True)
class Given:
    """What a run was asked to do."""

    edit: str
    inputs: dict[str, Any]
    """By name, ready for a project: JSON-ready values, and tensors of masks and maps."""
    settings: Any


def carry_out(
    running: Run[Any],
    given: Given,
    writing: Writing,
    project: Project | None,
    *,
    facts: dict[str, Any],
    measure: Callable[[Any], dict[str, Any]] | None = None,
) -> int:
    """Run an edit until it ends or is stopped, write everything, and say so.

    Args:
        running: the edit.
        given: what it was asked to do.
        writing: what to write.
        project: of `project_for`.
        facts: to be reported with the result.
        measure: what else to report of the last step.
    """
    silent = writing.json or writing.quiet
    with Progress(given.edit, running.max_steps, quiet=silent) as progress, stop_on_signal(running.stop):
        for step in running:
            progress.show(len(running.trace), running.eta, _note(step), at_most=True)
    if not running.trace:
        raise KeyboardInterrupt
    result = _result(running) | facts | (measure(running.trace[-1]) if measure else {})
    settings = settings_facts(given.settings)
    pictured = [name for name, value in given.inputs.items() if not isinstance(value, list)]
    said = {name: name in pictured or value for name, value in ({"mask": False} | given.inputs).items()}
    about = {"edit": given.edit, "settings": settings, "steps": len(running.trace)}
    about |= {"stopped": running.stopped, "inputs": said}
    running.trace[-1].picture.save(writing.out, about)
    if project is not None and writing.project is not None:
        project.add_run(running.trace, given.edit, given.inputs, settings)
        project.save(writing.project)
    _write(writing, running, about, silent=silent)
    _report(writing, result)
    return 130 if running.stopped == "interrupted" else 0


def check_places(writing: Writing) -> None:
    """Refuse what could not be written before anything is computed for it."""
    from pliant.animation import check_video_path
    from pliant.files import check_place
    from pliant.images import check_image_path

    check_image_path(writing.out)
    if writing.video is not None:
        check_video_path(writing.video, writing.fps)
    for path in (writing.project, writing.save_latent):
        if path is not None:
            check_place(path)
    paths = [path.resolve() for path in _outputs(writing)]
    if len(set(paths)) < len(paths):
        raise InputError("Two of the files to write have the same name; one would overwrite the other.")


def _outputs(writing: Writing) -> list[Path]:
    return [path for path in (writing.out, writing.video, writing.project, writing.save_latent) if path]


def _read_inputs(options: Any) -> Inputs:
    from pliant.images import load_image

    points: Points = getattr(options, "points", Points())
    mask: Mask = getattr(options, "mask", Mask())
    if len(points.handle) != len(points.target):
        raise InputError(
            f"There are {len(points.handle)} --handle but {len(points.target)} --target; every handle needs one."
        )
    return Inputs(
        handles=[*points.handle, *points.lock],
        targets=[*points.target, *points.lock],
        locked=[False] * len(points.handle) + [True] * len(points.lock) if points.lock else None,
        mask=None if mask.mask is None else load_image(mask.mask, background=(0, 0, 0)),
    )


def project_for(
    path: Path | None, source: Path | None, opened: Project | None, picture: Picture
) -> Project | None:
    """The project that the run is added to, at a node that holds the picture; None if no project was asked for."""
    from pliant.files import is_file
    from pliant.project import Project

    if path is None:
        return None
    if opened is not None:
        if is_file(path) and source is not None and not path.samefile(source):
            raise InputError(
                f"'{path}' holds another project than the one of --picture; name that one, or a new file."
            )
        return opened
    project = Project.open(path) if is_file(path) else Project()
    project.add(picture)
    return project


def _note(step: Any) -> str:
    from pliant.steps import PointStep

    return f"{step.distances.mean():.1f} px to go" if isinstance(step, PointStep) else ""


def _result(running: Run[Any]) -> dict[str, Any]:
    """What a script wants to know; for edits that move points, where they ended."""
    from pliant.steps import PointStep

    result: dict[str, Any] = {"steps": len(running.trace), "stopped": running.stopped}
    last = running.trace[-1]
    if isinstance(last, PointStep):
        result |= {"handles": last.handles.tolist(), "targets": last.targets.tolist()}
        result |= {"distance": float(last.distances.mean())}
    return result | {"seconds": running.seconds, "seconds_per_step": running.seconds_per_step}


def _write(writing: Writing, running: Run[Any], facts: dict[str, Any], *, silent: bool) -> None:
    """The code and, last because it takes longest, the video."""
    if writing.save_latent is not None:
        latent: Any = running.trace[-1].picture
        latent.save_latent(writing.save_latent)
    if writing.video is not None:
        with Progress("video", len(running.trace), quiet=silent) as progress:
            running.trace.save_video(
                writing.video,
                writing.fps,
                marks=writing.marks,
                boomerang=writing.boomerang,
                metadata=facts,
                on_frame=progress.show,
            )


def _report(writing: Writing, result: dict[str, Any]) -> None:
    written = [
        str(path) for path in (writing.out, writing.video, writing.project, writing.save_latent) if path
    ]
    if writing.json:
        print_json(result | {"written": written})
        return
    ends = {"arrived": "arrived", "max_steps": "used all its steps", "interrupted": "was interrupted"}
    distance = f", {result['distance']:.1f} px from the targets" if "distance" in result else ""
    pace = f"{result['seconds']:.1f} s ({result['seconds_per_step']:.2f} s a step)"
    print(
        f"It {ends[result['stopped']]} after {result['steps']} steps in {pace}{distance}: {', '.join(written)}"
    )
