"""The verbs of edits of drawings: restyle, draw, layers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pliant.catalogue import Edit, Inputs
from pliant.cli.drawing_files import (
    DrawingWriting,
    Source,
    check_drawing_places,
    open_source,
    save_drawing,
    save_video,
    traced,
)
from pliant.cli.drawing_options import Layers, Only, Prompts, Words, drawing_device, options_class
from pliant.cli.options import parse, print_json
from pliant.cli.progress import Progress, stop_on_signal
from pliant.errors import CheckpointError, InputError
from pliant.settings import settings_facts

if TYPE_CHECKING:
    from pliant.perception.clip import TextImageModel
    from pliant.project import Project
    from pliant.prompts import Prompt
    from pliant.steps import Run
    from pliant.vector.layers import LayerChanges
    from pliant.vector.scene import VectorPicture

__all__ = ["run"]


def run(edit: Edit, words: str, arguments: list[str]) -> int:
    """Do the edit: read everything, trace a photo, run it until it ends or is stopped, write everything.

    Args:
        edit: what to do.
        words: what was typed after `pliant`.
        arguments: what was typed after that.
    """
    options: Any = parse(options_class(edit), words, edit.summary, arguments)
    return _Work(edit, options).do()


class _Work:
    """One run of a verb.

    Args:
        edit: what to do.
        options: of `options_class`.
    """

    def __init__(self, edit: Edit, options: Any) -> None:
        check_drawing_places(options.output)
        self.edit, self.writing = edit, options.output
        self.settings = edit.make_settings(_settings(options))
        self.device = drawing_device(options.device)
        self.source = _source(options, self.device)
        self.prompts = _prompts(options, self.source)
        self.words, self.judge = _models(options, self.device)
        self.inputs = Inputs(prompts=self.prompts, words=self.words, layers=_layers(options))
        self.project = _project(self.writing, options.start, self.source)
        self.title = ", ".join(prompt.text for prompt in self.prompts) or options.start.stem

    def do(self) -> int:
        """Trace if need be, run, write, report."""
        picture = self._drawing()
        if picture is None:
            return 130
        running = self.edit.run(picture, self.inputs, self.settings)
        warnings = [*self.source.warnings, *self._warnings(picture)]
        for sentence in () if self.writing.silent else warnings:
            print(f"pliant: {sentence}", file=sys.stderr)
        with (
            Progress(self.edit.name, running.max_steps, quiet=self.writing.silent) as progress,
            stop_on_signal(running.stop),
        ):
            for step in running:
                progress.show(len(running.trace), running.eta, _note(step))
        if not running.trace:
            raise KeyboardInterrupt
        self._write(picture, running)
        self._report(picture, running, warnings)
        return 130 if running.stopped == "interrupted" else 0

    def _drawing(self) -> VectorPicture | None:
        """The drawing to begin with; None if the tracing of a photo was interrupted, whose drawing is written then."""
        from pliant.vector.scene import VectorPicture
        from pliant.vector.trace import TraceSettings

        if isinstance(self.source.picture, VectorPicture):
            return self.source.picture
        settings, inputs = TraceSettings(), Inputs()
        trace, running = traced(self.source.picture, inputs, settings, silent=self.writing.silent)
        if self.project is not None:
            self.project.add_run(
                trace, "trace", inputs.named(self.source.picture.size), settings_facts(settings)
            )
        picture = trace[-1].picture
        if running.stopped != "interrupted":
            return picture.with_scene(picture.scene.to(self.device))
        self._save(picture, {"edit": "trace"})
        print("pliant: interrupted; the drawing so far is written, as traced.", file=sys.stderr)
        if self.writing.json:
            print_json(
                self._counts(picture, 0) | {"stopped": running.stopped, "written": [str(self.writing.out)]}
            )
        return None

    def _counts(self, picture: VectorPicture, steps: int) -> dict[str, Any]:
        return {"out": str(self.writing.out), "steps": steps, "paths": len(picture.scene)}

    def _warnings(self, picture: VectorPicture) -> list[str]:
        return [note.sentence for note in self.edit.warn(picture, self.inputs, self.settings)]

    def _write(self, picture: VectorPicture, running: Run[Any]) -> None:
        given, settings = self.inputs.named(picture.size), settings_facts(self.settings)
        about = {"edit": self.edit.name, "settings": settings, "inputs": given}
        about |= {"steps": len(running.trace), "stopped": running.stopped}
        if self.project is not None:
            self.project.add_run(running.trace, self.edit.name, given, settings)
        self._save(running.trace[-1].picture, about)
        save_video(running.trace, self.writing, about)

    def _save(self, picture: VectorPicture, about: dict[str, Any]) -> None:
        if self.project is not None and self.writing.project_path is not None:
            self.project.save(self.writing.project_path)
        if self.writing.out != self.writing.project_path:
            save_drawing(picture, self.writing.out, about, title=self.title)

    def _report(self, picture: VectorPicture, running: Run[Any], warnings: list[str]) -> None:
        last = running.trace[-1].picture
        result = self._counts(last, len(running.trace))
        result |= {
            "stopped": running.stopped,
            "seconds": running.seconds,
            "seconds_per_step": running.seconds_per_step,
        }
        if self.judge is not None:
            result |= _gain(picture, last, self.prompts, self.judge)
        if self.writing.json:
            written = [str(path) for path in self.writing.paths]
            print_json(result | {"device": self.device, "warnings": warnings, "written": written})
            return
        how = "was interrupted" if running.stopped == "interrupted" else "ended"
        gain = f", gain {result['gain']:+.3f} by {result['judge']}" if self.judge is not None else ""
        pace = f"{running.seconds:.1f} s ({running.seconds_per_step or 0:.2f} s a step)"
        listed = ", ".join(map(str, self.writing.paths))
        print(f"It {how} after {result['steps']} steps in {pace}, {result['paths']} paths{gain}: {listed}")


def _settings(options: Any) -> dict[str, Any]:
    """The settings by name, those of `Only` among them."""
    values = dict(vars(options.settings))
    only = options.more if isinstance(getattr(options, "more", None), Only) else Only()
    chosen = [what for what in ("shapes", "colours") if getattr(only, f"{what}_only")]
    if len(chosen) > 1 or (chosen and values["change"] not in {"both", *chosen}):
        raise InputError("Give only one of --shapes-only, --colours-only and --change.")
    return values | ({"change": chosen[0]} if chosen else {})


def _source(options: Any, device: str) -> Source:
    if options.start is not None:
        return open_source(options.start, device)
    from pliant.vector.draw import blank

    picture = blank(options.more.canvas)
    return Source(picture.with_scene(picture.scene.to(device)))


def _prompts(options: Any, source: Source) -> tuple[Prompt, ...]:
    """The prompts, checked before a photo is traced for them; none for an edit that takes none."""
    from pliant.prompts import Prompt, as_prompts

    given: Prompts | None = getattr(options, "prompts", None)
    if given is None:
        return ()
    prompts = [*map(Prompt, given.prompt), *(Prompt(text, box) for box, text in given.roi)]
    if given.strength and len(given.strength) != len(prompts):
        raise InputError(
            f"There are {len(prompts)} prompts but {len(given.strength)} --strength; give one for each, or none."
        )
    strengths = given.strength or [1.0] * len(prompts)
    weighed = [replace(prompt, strength=each) for prompt, each in zip(prompts, strengths, strict=True)]
    return as_prompts(weighed, source.picture.size)


def _models(options: Any, device: str) -> tuple[TextImageModel | None, TextImageModel | None]:
    """The model in use and the one that judges; None for an edit that takes none.

    Raises:
        CheckpointError: there is no such model, with the option that names one.
    """
    from pliant.perception.clip import load_words

    given: Words | None = getattr(options, "words", None)
    if given is None:
        return None, None
    try:
        words = load_words(given.words or "words-small", device)
    except CheckpointError as error:
        raise CheckpointError(
            f"{error} Name one with --words, such as the folder of a CLIP model."
        ) from error
    return words, words if given.judge is None else load_words(given.judge, device)


def _layers(options: Any) -> LayerChanges | None:
    """What becomes of layers; None if nothing does."""
    from pliant.vector.layers import LayerChanges

    given: Layers | None = getattr(options, "layers", None)
    if given is None or given == Layers():
        return None
    hidden, shown, locked, unlocked = (
        tuple(int(part) if part.isdecimal() else part for part in parts)
        for parts in (given.hide, given.show, given.lock, given.unlock)
    )
    return LayerChanges(hidden, shown, locked, unlocked, dict(given.swatch))


def _project(writing: DrawingWriting, start: Path | None, source: Source) -> Project | None:
    from pliant.cli.runs import project_for

    opened = start if source.project is not None else None
    return project_for(writing.project_path, opened, source.project, source.picture)


def _note(step: Any) -> str:
    agreement: tuple[float, ...] = getattr(step, "agreement", ())
    return f"agreement {sum(agreement) / len(agreement):.3f}" if agreement else ""


def _gain(
    before: VectorPicture, after: VectorPicture, prompts: tuple[Prompt, ...], judge: TextImageModel
) -> dict[str, Any]:
    """How much more the drawing shows what the words say, in the mean of the prompts and for each."""
    from pliant.vector.compare import agreement

    pairs = zip(agreement(before, prompts, judge), agreement(after, prompts, judge), strict=True)
    gains = [end - start for start, end in pairs]
    return {"gain": sum(gains) / len(gains), "gains": gains, "judge": judge.name}
