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
    from pliant.picture import Picture
    from pliant.steps import Run, Step

__all__ = ["EDITS", "Edit", "InputKind", "Inputs", "Note", "get"]


@dataclass(frozen=True)
class Edit:
    """One entry of the catalogue."""

    name: str
    """The command's word, such as "drag"."""
    title: str
    """Two or three words for a button or a tab."""
    summary: str
    """One sentence for help and tooltips."""
    pictures: tuple[str, ...]
    """The kinds of picture it edits (`Picture.kind`)."""
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
    group: str = ""
    """Edits of one group are one mode of the studio, with a choice among them."""

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

        if picture.kind not in self.pictures:
            takes = " and ".join(self.pictures)
            raise InputError(f"'{self.name}' edits {takes} pictures; this is a {picture.kind} picture.")
        settings = self.make_settings() if settings is None else settings
        steps = self.start(picture, inputs, settings, after)
        return Run(steps, max_steps=getattr(settings, "max_steps", None))


PHOTOS = ("pixels", "diffusion")
"""Photos, and those of which a diffusion model made a part."""


def _thing_edit(
    name: str,
    title: str,
    summary: str,
    inputs: tuple[InputKind, ...],
    start: Callable[[Any, Inputs, Any, Any], Iterator[Step]],
) -> Edit:
    """An edit of things by a diffusion model; these have their settings in common."""
    return Edit(
        name=name,
        title=title,
        summary=summary,
        pictures=PHOTOS,
        inputs=(*inputs, "prompt", "diffuser"),
        optional=("prompt", "diffuser"),
        settings_class="pliant.diffusion.edits:ThingSettings",
        main_settings=("preset", "strength", "consistency", "feather", "seed"),
        live_settings=(),
        preview={"preset": "copy"},
        start=start,
        warn=starts.warn_of_nothing,
        group="Things",
    )


EDITS: tuple[Edit, ...] = (
    Edit(
        name="drag",
        title="Drag points",
        summary="Move points of a generated picture to where they should be; the picture follows.",
        pictures=("latent",),
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
        pictures=("latent",),
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
        pictures=("latent",),
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
        pictures=PHOTOS,
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
        pictures=PHOTOS,
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
        pictures=("vector",),
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
        pictures=("vector",),
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
        pictures=("vector",),
        inputs=("layers",),
        optional=(),
        settings_class="pliant.vector.layers:LayerSettings",
        main_settings=("colours",),
        live_settings=(),
        preview={},
        start=starts.start_layers,
        warn=starts.warn_of_nothing,
    ),
    _thing_edit(
        "move",
        "Move, resize",
        "Move, resize and turn things of a photo; what was behind them is filled.",
        ("things",),
        starts.start_move,
    ),
    _thing_edit(
        "remove",
        "Remove",
        "Remove things from a photo; what could have been behind them is filled in.",
        ("mask",),
        starts.start_remove,
    ),
    _thing_edit(
        "paste",
        "Paste",
        "Put things of another picture into a photo.",
        ("other", "things"),
        starts.start_paste,
    ),
    _thing_edit(
        "swap",
        "Swap looks",
        "Give a thing the looks of one in another picture.",
        ("mask", "other"),
        starts.start_swap,
    ),
    _thing_edit(
        "dragcontent",
        "Drag content",
        "Drag points of a thing in a photo; what is around them follows.",
        ("points", "mask"),
        starts.start_drag_content,
    ),
    Edit(
        name="dragdiffusion",
        title="DragDiffusion",
        summary="Drag points of a photo by its noisy latents, with a model that was fitted to the photo first.",
        pictures=PHOTOS,
        inputs=("points", "mask", "prompt", "diffuser"),
        optional=("mask", "prompt", "diffuser"),
        settings_class="pliant.diffusion.drag_diffusion:DragDiffusionSettings",
        main_settings=("lora_steps", "drag_steps", "inversion_strength", "latent_rate", "feather"),
        live_settings=(),
        preview=None,
        start=starts.start_drag_diffusion,
        warn=starts.warn_of_nothing,
        group="Things",
    ),
    Edit(
        name="generate",
        title="From words",
        summary="Make a picture from words alone.",
        pictures=PHOTOS,
        inputs=("prompt", "diffuser"),
        optional=("diffuser",),
        settings_class="pliant.diffusion.generate:GenerateSettings",
        main_settings=("num_inference_steps", "guidance_scale", "seed"),
        live_settings=(),
        preview=None,
        start=starts.start_generate,
        warn=starts.warn_of_nothing,
        group="Things",
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
