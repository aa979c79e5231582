"""The edits that Pliant has. Command line, studio and batch engine are made from this list.

A new edit is one file with its generator and settings, the few lines of `starts.py` that hand it what a person gave, and one
entry here. Nothing in this module imports torch until an edit runs, so that help and forms are there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pliant import starts
from pliant.errors import InputError
from pliant.inputs import InputKind, Inputs, Note
from pliant.settings import Setting, import_from, make_settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from pliant.picture import Picture, Restore
    from pliant.steps import Run, Step

__all__ = ["EDITS", "Edit", "InputKind", "Inputs", "Note", "get", "loader"]


@dataclass(frozen=True)
class Edit:
    """One entry of the catalogue."""

    name: str
    """The command's word, such as "drag"."""
    title: str
    """Two or three words for a button or a tab."""
    summary: str
    """One sentence for help and tooltips."""
    picture: str
    """The kind of picture it edits (`Picture.kind`)."""
    inputs: tuple[InputKind, ...]
    """What it takes, in the order in which a person gives it."""
    optional: tuple[InputKind, ...]
    """Those of the inputs that may be left out."""
    settings_class: str
    """"package.module:ClassName" of its settings."""
    main_settings: tuple[str, ...]
    """Those that a form shows first."""
    live_settings: tuple[str, ...]
    """Those that may differ when a run goes on `after` a step of another; none for an edit that cannot go on."""
    preview: Mapping[str, Any] | None
    """Settings with which the studio shows what it would make while a person sets it up; None for no such showing."""
    start: Callable[[Any, Inputs, Any, Any], Iterator[Step]]
    """Begins the edit: picture, inputs, settings and the step to go on from (or None) to steps."""
    warn: Callable[[Any, Inputs, Any], list[Note]]
    """What a person should know before it begins, from picture, inputs and settings."""

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Its settings with type, default and help, without loading the method."""
        return read_settings(self.settings_class)

    def make_settings(self, values: Mapping[str, Any] | None = None) -> Any:
        """Its settings from values by name, such as those of a form or a saved project.

        Raises:
            InputError: an unknown name, a value of the wrong type or outside its range.
        """
        return make_settings(import_from(self.settings_class), values or {})

    def run(
        self, picture: Picture, inputs: Inputs, settings: Any = None, *, after: Step | None = None
    ) -> Run[Step]:
        """Begin the edit as a `Run` that can be iterated, stopped, timed and recorded.

        Args:
            picture: where to start, of the kind that `picture` says.
            inputs: what the person gave.
            settings: an instance of the settings class; the defaults if not given.
            after: the step of an earlier run of this edit to go on from.

        Raises:
            InputError: another kind of picture, or inputs that cannot be used.
        """
        from pliant.steps import Run

        if picture.kind != self.picture:
            raise InputError(
                f"'{self.name}' edits {self.picture} pictures; this is a {picture.kind} picture."
            )
        settings = self.make_settings() if settings is None else settings
        steps = self.start(picture, inputs, settings, after)
        return Run(steps, max_steps=getattr(settings, "max_steps", None))


EDITS: tuple[Edit, ...] = (
    Edit(
        name="drag",
        title="Drag points",
        summary="Move points of a generated picture to where they should be; the picture follows.",
        picture="latent",
        inputs=("points", "mask"),
        optional=("mask",),
        settings_class="pliant.gan.drag:DragSettings",
        main_settings=(
            "step_size",
            "max_steps",
            "space",
            "moving_layers",
            "mask_weight",
            "patch_radius",
            "search_radius",
        ),
        live_settings=(
            "step_size",
            "max_steps",
            "search_radius",
            "mask_weight",
            "tracking",
            "anchoring",
            "stop_distance",
            "stay_weight",
            "hold_back",
        ),
        preview=None,
        start=starts.start_drag,
        warn=starts.warn_of_weak_handles,
    ),
    Edit(
        name="repaint",
        title="Repaint parts",
        summary="Paint over the parts of a picture, such as hair or mouth, and it becomes what you painted.",
        picture="latent",
        inputs=("parts", "mask"),
        optional=("mask",),
        settings_class="pliant.gan.part_edit:RepaintSettings",
        main_settings=("step_size", "max_steps", "region", "margin", "feature_weight"),
        live_settings=(),
        preview={"max_steps": 20},
        start=starts.start_repaint,
        warn=starts.warn_of_nothing,
    ),
    Edit(
        name="vector",
        title="Learnt edits",
        summary="Add edits that were learnt once, such as a smile, as much of each as you like.",
        picture="latent",
        inputs=("vectors",),
        optional=(),
        settings_class="pliant.gan.vectors:VectorSettings",
        main_settings=("refine_steps",),
        live_settings=(),
        preview={"refine_steps": 0},
        start=starts.start_vectors,
        warn=starts.warn_of_strong_vectors,
    ),
    Edit(
        name="invert",
        title="Open a photo",
        summary="Find the code that makes a photo, so that every edit of generated pictures works on it.",
        picture="pixels",
        inputs=("model", "crop"),
        optional=("model", "crop"),
        settings_class="pliant.gan.invert:InvertSettings",
        main_settings=("w_steps", "wplus_steps", "tune_steps", "known_weight", "target_psnr", "tune_noise"),
        live_settings=(),
        preview=None,
        start=starts.start_invert,
        warn=starts.warn_of_nothing,
    ),
    Edit(
        name="trace",
        title="Trace to a drawing",
        summary="Turn a photo into a vector drawing.",
        picture="pixels",
        inputs=("boxes",),
        optional=("boxes",),
        settings_class="pliant.vector.trace:TraceSettings",
        main_settings=("colours", "region_colours", "refine"),
        live_settings=(),
        preview=None,
        start=starts.start_trace,
        warn=starts.warn_of_nothing,
    ),
    Edit(
        name="restyle",
        title="Words",
        summary="Say what a drawing, or parts of it, should become, and its shapes and colours follow.",
        picture="vector",
        inputs=("prompts", "layers", "words"),
        optional=("layers", "words"),
        settings_class="pliant.vector.restyle:RestyleSettings",
        main_settings=("max_steps", "change", "shape_rate", "colour_rate", "crops", "anchor_weight"),
        live_settings=(
            "max_steps",
            "change",
            "shape_rate",
            "colour_rate",
            "crops",
            "crop_size",
            "region_weight",
            "crop_weight",
            "distortion",
            "direction",
            "steps_by",
            "crossing_weight",
            "area_weight",
            "anchor_weight",
            "max_side",
        ),
        preview=None,
        start=starts.start_restyle,
        warn=starts.warn_of_unknown_words,
    ),
    Edit(
        name="draw",
        title="Draw strokes",
        summary="Draw strokes that show what you say.",
        picture="vector",
        inputs=("prompts", "words"),
        optional=("words",),
        settings_class="pliant.vector.draw:DrawSettings",
        main_settings=("strokes", "max_steps", "crops"),
        live_settings=("max_steps", "shape_rate", "width_rate", "colour_rate", "crops"),
        preview=None,
        start=starts.start_draw,
        warn=starts.warn_of_unknown_words,
    ),
    Edit(
        name="layers",
        title="Layers",
        summary="Hide, lock and recolour parts of a drawing.",
        picture="vector",
        inputs=("layers",),
        optional=(),
        settings_class="pliant.vector.layers:LayerSettings",
        main_settings=("colours",),
        live_settings=(),
        preview={},
        start=starts.start_layers,
        warn=starts.warn_of_nothing,
    ),
)


def get(name: str) -> Edit:
    """The edit of that name.

    Raises:
        InputError: there is none.
    """
    found = next((edit for edit in EDITS if edit.name == name), None)
    if found is None:
        raise InputError(f"There is no edit '{name}'; there are: {', '.join(edit.name for edit in EDITS)}.")
    return found


def loader(
    *, model: str | Path | None = None, device: str = "cpu", find: Callable[[str], Any] | None = None
) -> Restore:
    """A function that makes saved pictures again; each model is loaded once.

    Args:
        model: read latent pictures with this model instead of the one they name: for models known by a
            path only. A saved picture never names a path, or a foreign file could have any other one opened.
        device: where the pictures will be computed.
        find: gives the generator of a name, for whoever keeps generators already; such a one stays where it is.
    """
    from pliant.picture import PixelPicture

    generators: dict[str, Any] = {}

    def load(kind: str, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Picture:
        if kind == PixelPicture.kind:
            return PixelPicture.restore(tensors, facts)
        if kind == "vector":
            from pliant.vector.scene import VectorPicture

            drawing = VectorPicture.restore(tensors, facts)
            # MPS has no double precision, which the rasteriser needs
            return drawing.with_scene(drawing.scene.to("cpu" if device == "mps" else device))
        if kind != "latent":
            raise InputError(f"This version of Pliant does not know pictures of the kind '{kind}'.")
        from pliant.gan.latent import LatentPicture

        generator = find(str(facts.get("model"))) if find else named(facts.get("model"))
        return LatentPicture.restore(generator, tensors, facts)

    def named(name: Any) -> Any:
        from pliant import zoo
        from pliant.gan.latent import load_generator

        if model is None and name not in [entry.name for entry in zoo.entries()]:
            raise InputError(
                f"The saved picture was made with the model {str(name)[:100]!r}, which is none of Pliant's or yours; "
                "say where it is (--model)."
            )
        source = str(model or name)
        if source not in generators:
            generators[source] = load_generator(source, device)
        return generators[source]

    return load
