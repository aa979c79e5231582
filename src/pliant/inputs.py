"""What a person gives an edit besides the picture and the settings, and what is told before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from pliant.diffusion.pipeline import DiffusionModel
    from pliant.diffusion.things import Thing
    from pliant.gan.align import Crop
    from pliant.gan.head import PartHead
    from pliant.gan.parts import PartMap, PartsLike
    from pliant.gan.stylegan2 import Generator
    from pliant.gan.vectors import Strengths
    from pliant.perception.clip import TextImageModel
    from pliant.picture import Picture
    from pliant.points import MaskLike, PointsLike
    from pliant.prompts import Box, PromptsLike
    from pliant.vector.layers import LayerChanges

__all__ = ["InputKind", "Inputs", "Note"]

InputKind = Literal[
    "points", "mask", "parts", "vectors", "model", "crop", "boxes", "prompts", "words", "layers",
    "things", "other", "prompt", "diffuser",
]  # fmt: skip


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
    things: Sequence[Thing] = ()
    """"things": of the picture, or of the other one, and where they go."""
    other: Picture | None = None
    """"other": a second picture."""
    other_mask: MaskLike | None = None
    """"other": [H, W] of the second picture, 1 = the thing that is meant."""
    prompt: str = ""
    """"prompt": what the picture shows."""
    diffuser: DiffusionModel | None = None
    """"diffuser": that makes what is changed; scenes-256 if not given."""

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
        given |= self._named_words(size) | self._named_things()
        maps = {"mask": as_mask(self.mask, size), "parts": self._part_ids(), **self._thing_maps(size)}
        return given | {name: value for name, value in maps.items() if value is not None}

    def _named_words(self, size: tuple[int, int]) -> dict[str, Any]:
        """Boxes, prompts, the model of words and layers."""
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

    def _named_things(self) -> dict[str, Any]:
        """Where things go, the prompt and the diffusion model."""
        given: dict[str, Any] = {}
        if self.things:
            given["things"] = [
                {
                    "shift": list(each.shift),
                    "scale": each.scale,
                    "turn": each.turn,
                    "pivot": each.pivot and list(each.pivot),
                }
                for each in self.things
            ]
        if self.prompt:
            given["prompt"] = self.prompt
        if self.diffuser is not None:
            given["diffuser"] = self.diffuser.name
        return given

    def _thing_maps(self, size: tuple[int, int]) -> dict[str, Tensor | None]:
        """Masks of things, pixels and mask of the second picture."""
        import numpy as np
        import torch

        from pliant.points import as_mask

        other = self.other
        shown = size if other is None else other.size
        maps = {f"thing{number}": as_mask(each.mask, shown) for number, each in enumerate(self.things)}
        maps["other_mask"] = as_mask(self.other_mask, shown)
        if other is not None:
            maps["other"] = torch.from_numpy(np.array(other.render().convert("RGB")))
        return maps

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
