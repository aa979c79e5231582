"""Select things with a Segment Anything model of the user's (Kirillov et al., ICCV 2023, arXiv 2304.02643).

It is a folder as transformers keeps it; nothing is downloaded. A picture is looked at once; every click and box after that
is light.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError

from pliant.errors import CheckpointError, InputError, MissingExtraError
from pliant.selecting.flow import Mask

__all__ = ["SamSelector", "is_sam"]

MEAN, SPREAD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of ImageNet's colours, as all of these models are trained."""


def is_sam(folder: Path) -> bool:
    """Whether a folder holds such a model, by its config alone."""
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return config.get("model_type") == "sam"
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


class SamSelector:
    """A model, and the last picture that it looked at.

    Args:
        folder: config.json and .safetensors of a SAM, such as a download of facebook/sam-vit-base.
        device: where it computes.

    Raises:
        CheckpointError: no such model, or broken.
        MissingExtraError: without transformers.
    """

    def __init__(self, folder: str | Path, device: str = "cpu") -> None:
        try:
            from transformers.models.sam.modeling_sam import SamModel
        except ImportError as error:
            raise MissingExtraError(
                "Segment Anything needs transformers; install it with: pip install 'pliant[diffusion]'."
            ) from error
        path = Path(folder).expanduser()
        if not any(path.glob("*.safetensors")):
            raise CheckpointError(f"{path} holds no .safetensors of a Segment Anything model.")
        try:
            model: Any = SamModel.from_pretrained(path, local_files_only=True, use_safetensors=True)
        except (OSError, ValueError, TypeError, KeyError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"{path} could not be read as a Segment Anything model.") from error
        self._model = model.eval().requires_grad_(False).to(device)
        self._side = int(model.config.vision_config.image_size)
        self._seen: tuple[bytes, Any] | None = None

    def at(
        self, image: NDArray[np.uint8], points: Sequence[tuple[float, float]], keep: Sequence[bool] = ()
    ) -> Mask:
        """The thing at some points.

        Args:
            image: uint8 [H, W, 3].
            points: (x, y) in pixels.
            keep: for each point whether it is of the thing (True) or not; all are if not given.

        Returns:
            [H, W].

        Raises:
            InputError: no points.
        """
        if not points:
            raise InputError("Click on the thing at least once.")
        labels = [int(each) for each in keep] or [1] * len(points)
        scale = self._scale(image)
        at = torch.tensor([[[[(x + 0.5) * scale, (y + 0.5) * scale] for x, y in points]]])
        return self._best(image, input_points=at, input_labels=torch.tensor([[labels]]))

    def in_box(self, image: NDArray[np.uint8], box: Sequence[float]) -> Mask:
        """The thing in a box: x, y, width and height in pixels. As `selecting.in_box`."""
        x, y, width, height = (float(each) * self._scale(image) for each in box)
        return self._best(image, input_boxes=torch.tensor([[[x, y, x + width, y + height]]]))

    def _scale(self, image: NDArray[np.uint8]) -> float:
        return self._side / max(image.shape[:2])

    @torch.no_grad()
    def _best(self, image: NDArray[np.uint8], **given: torch.Tensor) -> Mask:
        """Of the masks that the model offers, the one that it thinks best."""
        place = self._model.device
        told = {name: each.to(place) for name, each in given.items()}
        answer = self._model(image_embeddings=self._embedded(image), multimask_output=True, **told)
        best = int(answer.iou_scores[0, 0].argmax())
        height, width = image.shape[:2]
        rows, columns = (max(1, round(side * self._scale(image))) for side in (height, width))
        logits = F.interpolate(answer.pred_masks[0, 0, best][None, None], (self._side,) * 2, mode="bilinear")
        whole = F.interpolate(logits[..., :rows, :columns], (height, width), mode="bilinear")
        return (whole[0, 0] > 0).cpu().numpy()

    def _embedded(self, image: NDArray[np.uint8]) -> Any:
        """What the model sees in a picture, remembered for the last one."""
        key = image.tobytes()
        if self._seen is None or self._seen[0] != key:
            pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
            rows, columns = (max(1, round(side * self._scale(image))) for side in image.shape[:2])
            small = F.interpolate(pixels, (rows, columns), mode="bilinear", antialias=True)
            mean, spread = (torch.tensor(each)[:, None, None] for each in (MEAN, SPREAD))
            padded = F.pad((small - mean) / spread, (0, self._side - columns, 0, self._side - rows))
            self._seen = key, self._model.get_image_embeddings(padded.to(self._model.device))
        return self._seen[1]
