"""Pliant: edit pictures by hand on generative models.

    import pliant
    picture = pliant.sample("portraits-256", seed=24)
    for step in pliant.drag(picture, handles=[(128, 155)], targets=[(152, 155)]):
        print(step.index, step.distances)
    step.image.save("dragged.png")

Names are loaded when first used, so that `import pliant` and every `--help` are there at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pliant.diffusion.editing import DiffusionStep
    from pliant.diffusion.edits import ThingSettings, drag_content, move, paste, remove, swap
    from pliant.diffusion.generate import GenerateSettings, generate
    from pliant.diffusion.loading import load_diffusion
    from pliant.diffusion.picture import DiffusionPicture
    from pliant.diffusion.pipeline import DiffusionModel
    from pliant.diffusion.things import Thing
    from pliant.errors import (
        CheckpointError,
        InputError,
        MissingExtraError,
        ModelMismatchError,
        PliantError,
        UnsafeCheckpointError,
    )
    from pliant.gan.drag import DragSettings, DragStep, drag, drag_many
    from pliant.gan.hints import Hint, hints
    from pliant.gan.invert import InvertSettings, InvertStep, invert
    from pliant.gan.latent import LatentPicture, load_generator, sample
    from pliant.gan.part_edit import RepaintSettings, RepaintStep, repaint
    from pliant.gan.parts import PartMap, load_head, segment
    from pliant.gan.stylegan2 import Generator
    from pliant.gan.vectors import EditVector, VectorSettings, apply_vectors
    from pliant.perception.clip import load_words
    from pliant.photo import Photo, photo_behind
    from pliant.picture import Picture
    from pliant.project import Project
    from pliant.prompts import Prompt
    from pliant.steps import Run, Step, Trace
    from pliant.vector.draw import DrawSettings, DrawStep, blank, draw
    from pliant.vector.layers import LayerChanges, change_layers
    from pliant.vector.restyle import RestyleSettings, RestyleStep, restyle
    from pliant.vector.scene import Scene, VectorPicture
    from pliant.vector.svg import read_svg
    from pliant.vector.svg_writer import save_svg
    from pliant.vector.trace import TraceSettings, trace

__all__ = [
    "CheckpointError",
    "DiffusionModel",
    "DiffusionPicture",
    "DiffusionStep",
    "DragSettings",
    "DragStep",
    "DrawSettings",
    "DrawStep",
    "EditVector",
    "GenerateSettings",
    "Generator",
    "Hint",
    "InputError",
    "InvertSettings",
    "InvertStep",
    "LatentPicture",
    "LayerChanges",
    "MissingExtraError",
    "ModelMismatchError",
    "PartMap",
    "Photo",
    "Picture",
    "PliantError",
    "Project",
    "Prompt",
    "RepaintSettings",
    "RepaintStep",
    "RestyleSettings",
    "RestyleStep",
    "Run",
    "Scene",
    "Step",
    "Thing",
    "ThingSettings",
    "Trace",
    "TraceSettings",
    "UnsafeCheckpointError",
    "VectorPicture",
    "VectorSettings",
    "apply_vectors",
    "blank",
    "change_layers",
    "drag",
    "drag_content",
    "drag_many",
    "draw",
    "generate",
    "hints",
    "invert",
    "load_diffusion",
    "load_generator",
    "load_head",
    "load_words",
    "move",
    "paste",
    "photo_behind",
    "read_svg",
    "remove",
    "repaint",
    "restyle",
    "sample",
    "save_svg",
    "segment",
    "swap",
    "trace",
]

_HOMES = {
    "pliant.diffusion.edits": ("ThingSettings", "drag_content", "move", "paste", "remove", "swap"),
    "pliant.diffusion.editing": ("DiffusionStep",),
    "pliant.diffusion.generate": ("GenerateSettings", "generate"),
    "pliant.diffusion.loading": ("load_diffusion",),
    "pliant.diffusion.picture": ("DiffusionPicture",),
    "pliant.diffusion.pipeline": ("DiffusionModel",),
    "pliant.diffusion.things": ("Thing",),
    "pliant.errors": (
        "CheckpointError",
        "InputError",
        "MissingExtraError",
        "ModelMismatchError",
        "PliantError",
        "UnsafeCheckpointError",
    ),
    "pliant.gan.drag": ("DragSettings", "DragStep", "drag", "drag_many"),
    "pliant.gan.hints": ("Hint", "hints"),
    "pliant.gan.invert": ("InvertSettings", "InvertStep", "invert"),
    "pliant.gan.latent": ("LatentPicture", "load_generator", "sample"),
    "pliant.gan.part_edit": ("RepaintSettings", "RepaintStep", "repaint"),
    "pliant.gan.parts": ("PartMap", "load_head", "segment"),
    "pliant.gan.stylegan2": ("Generator",),
    "pliant.gan.vectors": ("EditVector", "VectorSettings", "apply_vectors"),
    "pliant.photo": ("Photo", "photo_behind"),
    "pliant.picture": ("Picture",),
    "pliant.project": ("Project",),
    "pliant.steps": ("Run", "Step", "Trace"),
    "pliant.perception.clip": ("load_words",),
    "pliant.prompts": ("Prompt",),
    "pliant.vector.draw": ("DrawSettings", "DrawStep", "blank", "draw"),
    "pliant.vector.layers": ("LayerChanges", "change_layers"),
    "pliant.vector.restyle": ("RestyleSettings", "RestyleStep", "restyle"),
    "pliant.vector.scene": ("Scene", "VectorPicture"),
    "pliant.vector.svg": ("read_svg",),
    "pliant.vector.svg_writer": ("save_svg",),
    "pliant.vector.trace": ("TraceSettings", "trace"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(home), name)
    raise AttributeError(f"module 'pliant' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
