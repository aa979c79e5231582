"""The edits that Pliant has. Command line, studio and batch engine are made from this list.

A new edit is one file with its generator and settings, and one entry here. Nothing in this module
imports torch until an edit runs, so that help and forms are there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pliant.errors import InputError
from pliant.settings import Setting, import_from, make_settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from pliant.gan.align import Crop
    from pliant.gan.head import PartHead
    from pliant.gan.parts import PartMap, PartsLike
    from pliant.gan.stylegan2 import Generator
    from pliant.gan.vectors import Strengths
    from pliant.perception.clip import TextImageModel
    from pliant.picture import Picture, Restore
    from pliant.points import MaskLike, PointsLike
    from pliant.prompts import Box, PromptsLike
    from pliant.steps import Run, Step
    from pliant.vector.layers import LayerChanges

__all__ = ["EDITS", "Edit", "InputKind", "Inputs", "Note", "get", "loader"]

InputKind = Literal[
    "points", "mask", "parts", "vectors", "model", "crop", "boxes", "prompts", "words", "layers"
]


@dataclass(frozen=True)
class Inputs:
    """What a person gives an edit besides the picture and the settings; the edit checks what it takes."""

    handles: PointsLike = ()
    """"points": [N, 2] (x, y) pixels, where each drag starts."""
    targets: PointsLike = ()
    """"points": [N, 2] (x, y) pixels, where each should end."""
    locked: Sequence[bool] | None = None
    """"points": [N], which of them keep their place."""
    mask: MaskLike | None = None
    """"mask": [H, W], 1 where the picture may change."""
    parts: PartsLike | PartMap | None = None
    """"parts": ids [H, W], as a person repainted them."""
    head: PartHead | None = None
    """"parts", "vectors": that reads the picture's parts; the model's own if not given."""
    vectors: Strengths = field(default_factory=dict[str, float])
    """"vectors": learnt edits by name (or `Path` of their file), with their strengths."""
    model: Generator | None = None
    """"model": that should make a photo."""
    crop: Crop | None = None
    """"crop": which part of a photo; None for the one face in it."""
    boxes: Sequence[Box] = ()
    """"boxes": parts of a photo that get a round of tracing of their own."""
    prompts: PromptsLike = ()
    """"prompts": what a drawing, or parts of it, should become."""
    words: TextImageModel | None = None
    """"words": the text-image model that compares pictures with prompts; words-small if not given."""
    layers: LayerChanges | None = None
    """"layers": what becomes of which parts of a drawing."""

    def named(self, size: tuple[int, int]) -> dict[str, Any]:
        """What was given, by name, for a project: JSON-ready values, and mask and parts as tensors [H, W].

        Args:
            size: width and height of the picture.
        """
        from pliant.points import as_mask, as_points

        points = {"handles": self.handles, "targets": self.targets} if len(self.handles) else {}
        given: dict[str, Any] = {name: as_points(each, size).tolist() for name, each in points.items()}
        if self.locked is not None:
            given["locked"] = [bool(each) for each in self.locked]
        if self.vectors:
            given["vectors"] = {getattr(name, "stem", name): value for name, value in self.vectors.items()}
        if self.model is not None:
            given["model"] = self.model.name
        if self.crop is not None:
            given["crop"] = self.crop.facts()
        given |= self._named_words(size)
        maps = {"mask": as_mask(self.mask, size), "parts": self._part_ids()}
        return given | {name: value for name, value in maps.items() if value is not None}

    def _named_words(self, size: tuple[int, int]) -> dict[str, Any]:
        """Boxes, prompts, the model of words and layers."""
        from dataclasses import asdict

        from pliant.prompts import as_prompts

        given: dict[str, Any] = {}
        if self.boxes:
            given["boxes"] = [list(map(float, box)) for box in self.boxes]
        if self.prompts:
            prompts = [asdict(prompt) for prompt in as_prompts(self.prompts, size)]
            given["prompts"] = [each | {"box": each["box"] and list(each["box"])} for each in prompts]
        if self.words is not None:
            given["words"] = self.words.name
        if self.layers is not None:
            given["layers"] = self.layers.facts()
        return given

    def _part_ids(self) -> Tensor | None:
        """The painted parts as uint8 ids [H, W]."""
        import numpy as np
        import torch

        if self.parts is None:
            return None
        ids = getattr(self.parts, "ids", self.parts)
        return torch.as_tensor(np.asarray(ids)).to(torch.uint8)


@dataclass(frozen=True)
class Note:
    """What a person should know before an edit begins."""

    sentence: str
    point: int | None = None
    """Number of the handle that it is about, from 0."""
    better: tuple[int, int] | None = None
    """A better place (x, y) for that handle."""


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


def _drag(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    from pliant.gan.drag import drag

    return drag(
        picture,
        inputs.handles,
        inputs.targets,
        movable=inputs.mask,
        locked=inputs.locked,
        settings=settings,
        after=after,
    )


def _warn_of_weak_handles(picture: Any, inputs: Inputs, settings: Any) -> list[Note]:
    from pliant.gan.hints import hints

    notes: list[Note] = []
    for number, hint in enumerate(hints(picture, inputs.handles, settings)):
        if hint.weak:
            better = f"; ({hint.better[0]}, {hint.better[1]}) is distinct" if hint.better else ""
            sentence = f"Handle {number + 1} looks like its surroundings and may drift{better}."
            notes.append(Note(sentence, number, hint.better))
    return notes


def _nothing(*_: Any) -> list[Note]:
    return []


def _repaint(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    from pliant.gan.part_edit import repaint

    if inputs.parts is None:
        raise InputError("Paint over some of the picture's parts first.")
    return repaint(picture, inputs.parts, head=inputs.head, movable=inputs.mask, settings=settings)


def _vectors(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    from pliant.gan.vectors import apply_vectors

    return apply_vectors(picture, inputs.vectors, head=inputs.head, settings=settings)


def _warn_of_strong_vectors(picture: Any, inputs: Inputs, _: Any) -> list[Note]:
    from pliant.gan.vectors import vectors_for

    known = vectors_for(picture.generator)
    chosen = [(known[str(name)], strength) for name, strength in inputs.vectors.items() if str(name) in known]
    return [
        Note(
            f"'{each.name}' works at strengths of {each.safe[0]:g} to {each.safe[1]:g}; beyond, pictures may break."
        )
        for each, strength in chosen
        if not each.safe[0] <= strength <= each.safe[1]
    ]


def _invert(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    from pliant.gan.align import crop_face, cut
    from pliant.gan.inversions import invert_kept
    from pliant.images import to_tensor

    if inputs.model is None:
        raise InputError("Say which model should make the photo.")
    photo = picture.render()
    crop = inputs.crop or crop_face(photo, inputs.model.config.size)
    origin = {name: value for name, value in picture.origin.items() if name == "file"}
    return invert_kept(inputs.model, to_tensor(cut(photo, crop)), settings=settings, origin=origin)


def _trace(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    from pliant.vector.trace import trace_steps

    origin = {name: value for name, value in picture.origin.items() if name == "file"}
    return trace_steps(picture.render(), inputs.boxes, settings, origin)


def _restyle(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    from pliant.vector.layers import change_layers
    from pliant.vector.restyle import restyle

    changed = picture if inputs.layers is None else change_layers(picture, inputs.layers)
    return restyle(changed, inputs.prompts, words=inputs.words, settings=settings, after=after)


def _draw(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    from pliant.vector.draw import draw

    return draw(picture, inputs.prompts, words=inputs.words, settings=settings, after=after)


def _warn_of_unknown_words(picture: Any, inputs: Inputs, _: Any) -> list[Note]:
    from pliant.perception.clip import load_words
    from pliant.prompts import as_prompts

    model = inputs.words or load_words()
    texts = [prompt.text for prompt in as_prompts(inputs.prompts, picture.scene.size)]
    unknown = dict.fromkeys(word for text in texts for word in model.unknown_words(text))
    return [Note(f"'{word}' is no word that {model.name} learnt; it may do nothing.") for word in unknown]


def _layers(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    from pliant.vector.layers import LayerChanges, changed_layers

    return changed_layers(picture, inputs.layers or LayerChanges(), settings)


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
        start=_drag,
        warn=_warn_of_weak_handles,
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
        start=_repaint,
        warn=_nothing,
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
        start=_vectors,
        warn=_warn_of_strong_vectors,
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
        start=_invert,
        warn=_nothing,
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
        start=_trace,
        warn=_nothing,
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
            "crossing_weight",
            "area_weight",
            "anchor_weight",
        ),
        preview=None,
        start=_restyle,
        warn=_warn_of_unknown_words,
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
        start=_draw,
        warn=_warn_of_unknown_words,
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
        start=_layers,
        warn=_nothing,
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
            return drawing.with_scene(drawing.scene.to(device))
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
