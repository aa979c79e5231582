"""Drawings on the command line: where they come from, and what is written of a run on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pliant.cli.options import File, Switch
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import InputError
from pliant.restoring import loader

if TYPE_CHECKING:
    from pliant.catalogue import Inputs
    from pliant.picture import Picture
    from pliant.project import Project
    from pliant.steps import Run, Trace
    from pliant.vector.scene import VectorPicture
    from pliant.vector.trace import TraceStep

__all__ = [
    "DrawingWriting",
    "Source",
    "check_drawing_places",
    "open_source",
    "save_drawing",
    "save_video",
    "traced",
]


@dataclass(frozen=True)
class DrawingWriting:
    """What to write."""

    out: Path
    """Drawing (.svg), picture of it (.png, .jpg or .webp), or project with every step (.pliant) to write."""
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

    @property
    def paths(self) -> list[Path]:
        """Everything that is written."""
        return [path for path in (self.out, self.video, self.project) if path]

    @property
    def project_path(self) -> Path | None:
        """Where a project is written, if one is."""
        return self.out if self.out.suffix.lower() == ".pliant" else self.project

    @property
    def silent(self) -> bool:
        """Whether nothing is shown on the way."""
        return self.json or self.quiet


@dataclass(frozen=True)
class Source:
    """What an edit begins with."""

    picture: Picture
    """A drawing, or a photo that is to be traced."""
    project: Project | None = None
    """That it is the current picture of, if any."""
    warnings: tuple[str, ...] = ()


def check_drawing_places(writing: DrawingWriting) -> None:
    """Refuse what could not be written before anything is computed for it.

    Raises:
        InputError: a suffix that says no known kind of file, a folder that is not there, or one file twice.
    """
    from pliant.animation import check_video_path
    from pliant.files import check_place
    from pliant.images import check_image_path

    if writing.out.suffix.lower() in {".svg", ".pliant"}:
        check_place(writing.out)
    elif writing.out.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"}:
        check_image_path(writing.out)
    else:
        raise InputError(
            f"'{writing.out}' should end in .svg for a drawing, .png, .jpg or .webp for a picture of it, "
            "or .pliant for a project."
        )
    if writing.video is not None:
        check_video_path(writing.video, writing.fps)
    if writing.project is not None:
        check_place(writing.project)
        if writing.project_path == writing.out:
            raise InputError("Give --project, or an --out that ends in .pliant, not both.")
    paths = [path.resolve() for path in writing.paths]
    if len(set(paths)) < len(paths):
        raise InputError("Two of the files to write have the same name; one would overwrite the other.")


def open_source(path: Path, device: str) -> Source:
    """The drawing or photo of a file.

    Args:
        path: photo, SVG or project.
        device: where a drawing will be computed.

    Raises:
        InputError: no such file, not such a file, or a project whose current picture is neither.
    """
    from pliant.images import load_image
    from pliant.picture import PixelPicture
    from pliant.project import Project
    from pliant.vector.scene import VectorPicture
    from pliant.vector.svg import read_svg

    origin = {"file": path.name[:200]}
    if path.suffix.lower() == ".svg":
        drawing = read_svg(path)
        left_out = (f"The drawing has what is left out here: {', '.join(drawing.left_out)}.",)
        picture = VectorPicture(drawing.scene.to(device), origin=origin)
        return Source(picture, warnings=left_out if drawing.left_out else ())
    if path.suffix.lower() != ".pliant":
        return Source(PixelPicture.of(load_image(path), origin))
    project = Project.open(path, loader(device=device))
    if project.current is not None and project.nodes[project.current].kind not in {"vector", "pixels"}:
        raise InputError(
            f"The current picture of '{path}' is one of a generator; save it as a .png and give that, to have it traced."
        )
    return Source(project.picture(), project)


def traced(
    photo: Picture, inputs: Inputs, settings: Any, *, silent: bool
) -> tuple[Trace[TraceStep], Run[TraceStep]]:
    """A photo traced, as far as it got before someone stopped it.

    Raises:
        KeyboardInterrupt: it was stopped before the first round was done.
    """
    from pliant import catalogue

    running = cast("Run[TraceStep]", catalogue.get("trace").run(photo, inputs, settings))
    total = len(settings.colours) + len(inputs.boxes) + settings.refine
    with Progress("trace", total, quiet=silent) as progress, stop_on_signal(running.stop):
        for step in running:
            progress.show(len(running.trace), None, f"{step.psnr:.1f} dB")
    if not running.trace:
        raise KeyboardInterrupt
    return running.trace, running


def save_drawing(picture: VectorPicture, path: Path, facts: dict[str, Any], *, title: str) -> None:
    """Write a drawing as SVG, or as a picture; what made it is kept in either."""
    from pliant.vector.svg_writer import save_svg

    if path.suffix.lower() == ".svg":
        save_svg(picture.scene, path, dict(picture.origin) | facts, title=title)
    else:
        picture.save(path, facts)


def save_video(trace: Trace[Any], writing: DrawingWriting, facts: dict[str, Any]) -> None:
    """Write the video, if one was asked for."""
    if writing.video is None:
        return
    with Progress("video", len(trace), quiet=writing.silent) as progress:
        trace.save_video(
            writing.video, writing.fps, boomerang=writing.boomerang, metadata=facts, on_frame=progress.show
        )
