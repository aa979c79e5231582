"""`pliant invert` and `pliant putback`: from a photo to a picture that can be edited, and back into the photo."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from pliant import catalogue
from pliant.cli.edit import settings_class
from pliant.cli.options import DEFAULT_MODEL, Box, Device, File, Part, Switch, parse, pick_device, print_json
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import InputError
from pliant.restoring import loader
from pliant.settings import settings_facts

if TYPE_CHECKING:
    from PIL import Image

    from pliant.gan.align import Crop
    from pliant.gan.invert import InvertStep
    from pliant.project import Project
    from pliant.steps import Run

__all__ = ["run", "run_putback"]

DISTANCE = "distance_on_landmarks_68"
"""The perceptual distance by its true name."""


@dataclass(frozen=True)
class Writing:
    """The photo, and what to write."""

    photo: tyro.conf.Positional[Path]
    """Photo to open (PNG, JPEG, WebP, BMP or GIF)."""
    out: Path
    """Project (.pliant) to write, which every edit takes as --picture; an existing one grows a branch."""
    image: File = None
    """Picture of the reconstruction (.png, .jpg or .webp)."""
    model: str = DEFAULT_MODEL
    """Name, folder or file of the model."""
    crop: Annotated[Box | None, tyro.conf.arg(help_behavior_hint="")] = None
    """Part of the photo to take; the one face in it if not given."""
    again: Switch = False
    """Compute it even if the same photo was inverted before."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""
    quiet: Switch = False
    """Show no progress."""


def run(arguments: list[str]) -> int:
    """Invert a photo and write the project."""
    edit = catalogue.get("invert")
    made = settings_class(edit.settings, "How the photo is inverted.")
    parts: list[tuple[str, Any, Any]] = [
        ("output", Annotated[Writing, Part], field()),
        ("settings", Annotated[made, Part], field(default_factory=made)),
    ]
    options: Any = parse(make_dataclass("Options", parts, frozen=True), edit.name, edit.summary, arguments)
    return _invert(options.output, vars(options.settings))


def _invert(writing: Writing, values: dict[str, Any]) -> int:
    from pliant.files import check_place, is_file
    from pliant.gan.align import cut
    from pliant.gan.inversions import invert_kept
    from pliant.gan.invert import InvertSettings
    from pliant.gan.latent import load_generator
    from pliant.images import check_image_path, load_image, to_tensor
    from pliant.picture import PixelPicture
    from pliant.project import Project
    from pliant.settings import make_settings
    from pliant.steps import Run

    check_place(writing.out)
    if writing.image is not None:
        check_image_path(writing.image)
    project = Project.open(writing.out) if is_file(writing.out) else Project()
    settings: InvertSettings = make_settings(InvertSettings, values)
    origin = {"file": writing.photo.name[:200]}
    photo = PixelPicture.of(load_image(writing.photo), origin)
    device = pick_device(writing.device)
    generator = load_generator(writing.model, device)
    crop = _crop(photo.render(), writing, generator.config.size)
    framed = to_tensor(cut(photo.render(), crop))
    steps = invert_kept(generator, framed, settings=settings, origin=origin, again=writing.again)
    running = Run(steps, max_steps=settings.max_steps)
    ends = _watch(running, silent=writing.json or writing.quiet)
    project.add(photo)
    given = catalogue.Inputs(model=generator, crop=crop).named(photo.size)
    _keep(project, writing, ends, given, settings_facts(settings))
    _report(writing, crop, ends, {"device": device, "stopped": running.stopped, "seconds": running.seconds})
    return 130 if running.stopped == "interrupted" else 0


def _crop(photo: Image.Image, writing: Writing, size: tuple[int, int]) -> Crop:
    from pliant.gan.align import crop_box, crop_face

    if writing.crop is not None:
        return crop_box(writing.crop, photo.size, size)
    try:
        return crop_face(photo, size)
    except InputError as error:
        raise InputError(f"{error} (--crop X,Y,WIDTH,HEIGHT)") from error


@dataclass(frozen=True)
class End:
    """The last step of a stage."""

    step: InvertStep
    seconds: float
    """Since the beginning of the run."""


def _watch(running: Run[InvertStep], *, silent: bool) -> list[End]:
    """Run it, show how far it is, and keep the last step of each stage.

    Raises:
        KeyboardInterrupt: it was stopped before the first step.
    """
    ends: dict[str, End] = {}
    with Progress("invert", running.max_steps, quiet=silent) as progress, stop_on_signal(running.stop):
        for step in running:
            ends[step.stage] = End(step, running.seconds)
            note = f"{step.stage}, {step.psnr:.1f} dB"
            progress.show(len(running.trace), running.eta, note, at_most=True)
    if not ends:
        raise KeyboardInterrupt
    return list(ends.values())


def _keep(
    project: Project, writing: Writing, ends: list[End], given: dict[str, Any], settings: dict[str, Any]
) -> None:
    """The ends of the stages below the photo in the project, and the picture of the last."""
    from pliant.steps import Trace

    trace: Trace[InvertStep] = Trace([end.step for end in ends])
    project.add_run(trace, "invert", given, settings)
    project.save(writing.out)
    if writing.image is not None:
        ends[-1].step.picture.save(writing.image, {"edit": "invert", "settings": settings})


def _report(writing: Writing, crop: Crop, ends: list[End], facts: dict[str, Any]) -> None:
    last = ends[-1].step
    written = [str(path) for path in (writing.out, writing.image) if path]
    if not writing.json:
        how = "was interrupted" if facts["stopped"] == "interrupted" else "took"
        print(
            f"{writing.out}: {last.psnr:.1f} dB like the photo after stage {last.stage}; it {how} {facts['seconds']:.1f} s. "
            f"Edit it with: pliant drag --picture {writing.out} …"
        )
        return
    stages = [
        {"stage": end.step.stage, "psnr": end.step.psnr, DISTANCE: end.step.look, "strain": end.step.strain}
        | {"seconds": end.seconds}
        for end in ends
    ]
    figures = {"psnr": last.psnr, DISTANCE: last.look, "strain": last.strain, "stages": stages}
    print_json(figures | facts | {"crop": crop.facts(), "box": list(crop.box), "written": written})


@dataclass(frozen=True)
class PutbackOptions:
    """Put the picture of an edited photo back into the photo."""

    picture: Annotated[Path, tyro.conf.arg(metavar="FILE")]
    """Project (.pliant) that `pliant invert` began; its current picture is pasted."""
    out: Path
    """Picture to write (.png, .jpg or .webp), as large as the photo; take .png to keep untouched pixels to the bit."""
    how: Literal["gradient", "feather"] = "gradient"
    """Meet the photo's colours along the edge, or only fade."""
    whole: Switch = False
    """Paste the whole crop, not only what was changed since the photo was opened."""
    mask: File = None
    """Picture of the crop's size: white may be pasted, black keeps the photo."""
    model: Annotated[str | None, tyro.conf.arg(metavar="MODEL", help_behavior_hint="")] = None
    """Name, folder or file of the model, if it is not one with a name."""
    device: Device = "auto"
    """Where to compute."""
    json: Switch = False
    """Print one JSON object instead of a sentence."""


def run_putback(arguments: list[str]) -> int:
    """Paste and write."""
    options = parse(PutbackOptions, "putback", PutbackOptions.__doc__ or "", arguments)
    from pliant.images import check_image_path, load_image, save_image
    from pliant.photo import photo_behind
    from pliant.points import as_mask
    from pliant.project import Project

    check_image_path(options.out)
    device = pick_device(options.device)
    project = Project.open(options.picture, loader(model=options.model, device=device))
    photo = photo_behind(project)
    mask = None
    if options.mask is not None:
        mask = as_mask(load_image(options.mask, background=(0, 0, 0)), photo.crop.size)
    made = photo.paste(project.picture(), everything=options.whole, mask=mask, how=options.how)
    save_image(made, options.out)
    changed = _share_changed(photo.whole, made)
    if options.json:
        print_json({"out": str(options.out), "size": list(made.size), "changed_share": changed})
    else:
        print(f"{options.out}: {100 * changed:.1f} % of the photo's pixels differ")
    return 0


def _share_changed(photo: Image.Image, made: Image.Image) -> float:
    import numpy as np

    return float((np.asarray(photo.convert("RGB")) != np.asarray(made)).any(2).mean())
