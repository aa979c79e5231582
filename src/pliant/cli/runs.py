"""An edit's run on the command line: it is carried out, and what it made is written and told."""

from __future__ import annotations

from collections.abc import Callable
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
    from pliant.steps import Run, Trace

__all__ = ["Given", "Output", "Writing", "carry_out", "check_places", "project_for"]


@dataclass(frozen=True)
class Output:
    """What to write."""

    out: Path
    """Picture to write (.png, .jpg or .webp); its metadata says what made it."""
    video: File = None
    """Video of every step (.mp4, .webm, .gif or .webp)."""
    fps: float = 24
    """Frames a second of the video."""
    boomerang: Switch = False
    """Let the video run forth and back."""
    project: File = None
    """Project (.pliant) with every step, to go on from later; an existing one grows a branch."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""
    quiet: Switch = False
    """Show no progress."""


@dataclass(frozen=True)
class Writing(Output):
    """What to write."""

    marks: Switch = False
    """Draw handles, targets and trails into the video."""
    save_latent: File = None
    """File (.safetensors) for the resulting code."""


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
    writing: Output,
    project: Project | None,
    *,
    facts: dict[str, Any],
    measure: Callable[[Run[Any]], dict[str, Any]] | None = None,
) -> int:
    """Run an edit until it ends or is stopped, write everything, and say so.

    Args:
        running: the edit.
        given: what it was asked to do.
        writing: what to write.
        project: of `project_for`.
        facts: to be reported with the result.
        measure: what else to report, of the run when it is over.
    """
    silent = writing.json or writing.quiet
    with Progress(given.edit, running.max_steps, quiet=silent) as progress, stop_on_signal(running.stop):
        for step in running:
            progress.show(len(running.trace), running.eta, _note(step), at_most=True)
    if not running.trace:
        raise KeyboardInterrupt
    result = _result(running) | facts | (measure(running) if measure else {})
    settings = settings_facts(given.settings)
    pictured = [name for name, value in given.inputs.items() if not isinstance(value, list | dict | str)]
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


def check_places(writing: Output) -> None:
    """Refuse what could not be written before anything is computed for it."""
    from pliant.animation import check_video_path
    from pliant.files import check_place
    from pliant.images import check_image_path

    check_image_path(writing.out)
    if writing.video is not None:
        check_video_path(writing.video, writing.fps)
    for path in (writing.project, _latent(writing)):
        if path is not None:
            check_place(path)
    paths = [path.resolve() for path in _outputs(writing)]
    if len(set(paths)) < len(paths):
        raise InputError("Two of the files to write have the same name; one would overwrite the other.")


def _outputs(writing: Output) -> list[Path]:
    return [path for path in (writing.out, writing.video, writing.project, _latent(writing)) if path]


def _latent(writing: Output) -> Path | None:
    """Where the code goes, of edits that have one."""
    return writing.save_latent if isinstance(writing, Writing) else None


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
    measured = ("loss", "agreement", "change", "strain", "network_calls")
    result |= {name: float(getattr(last, name)) for name in measured if hasattr(last, name)}
    return result | {"seconds": running.seconds, "seconds_per_step": running.seconds_per_step}


def _write(writing: Output, running: Run[Any], facts: dict[str, Any], *, silent: bool) -> None:
    """The code and, last because it takes longest, the video."""
    code = _latent(writing)
    if code is not None:
        latent: Any = running.trace[-1].picture
        latent.save_latent(code)
    if writing.video is not None:
        trace = _that_show_something(running.trace)
        with Progress("video", len(trace), quiet=silent) as progress:
            trace.save_video(
                writing.video,
                writing.fps,
                marks=isinstance(writing, Writing) and writing.marks,
                boomerang=writing.boomerang,
                metadata=facts,
                on_frame=progress.show,
            )


def _that_show_something(trace: Trace[Any]) -> Trace[Any]:
    """Without the steps that show the picture that the next one shows, such as those of looking at a photo."""
    from pliant.steps import Trace

    pairs = zip(trace, [*trace[1:], None], strict=True)
    return Trace([each for each, then in pairs if then is None or then.picture is not each.picture])


def _report(writing: Output, result: dict[str, Any]) -> None:
    written = [str(path) for path in _outputs(writing)]
    if writing.json:
        print_json(result | {"written": written})
        return
    ends = {"arrived": "arrived", "max_steps": "used all its steps", "interrupted": "was interrupted"}
    distance = f", {result['distance']:.1f} px from the targets" if "distance" in result else ""
    pace = f"{result['seconds']:.1f} s ({result['seconds_per_step']:.2f} s a step)"
    print(
        f"It {ends[result['stopped']]} after {result['steps']} steps in {pace}{distance}: {', '.join(written)}"
    )
