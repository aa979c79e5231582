"""An edit's run on the command line: it is carried out, and what it made is written and told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pliant.cli.options import File, Switch, print_json
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import InputError
from pliant.settings import settings_facts

if TYPE_CHECKING:
    from pliant.picture import Picture
    from pliant.project import Project
    from pliant.steps import Run

__all__ = ["Given", "Writing", "carry_out", "check_places", "project_for"]


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
) -> int:
    """Run an edit until it ends or is stopped, write everything, and say so.

    Args:
        running: the edit.
        given: what it was asked to do.
        writing: what to write.
        project: of `project_for`.
        facts: to be reported with the result.
    """
    silent = writing.json or writing.quiet
    with Progress(given.edit, running.max_steps, quiet=silent) as progress, stop_on_signal(running.stop):
        for step in running:
            progress.show(len(running.trace), running.eta, _note(step), at_most=True)
    if not running.trace:
        raise KeyboardInterrupt
    result = _result(running) | facts
    settings = settings_facts(given.settings)
    pictured = [name for name, value in given.inputs.items() if not isinstance(value, list | dict)]
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
    measured = ("loss", "agreement", "change", "strain")
    result |= {name: float(getattr(last, name)) for name in measured if hasattr(last, name)}
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
