"""Is a point a good handle? Drags drift where features hardly differ from their surroundings (flat skin, plain backdrops).

The paper names this limit ("texture-less regions", section 4.4); here it is said before the drag, with a better point nearby.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from pliant.gan.drag import DragSettings
from pliant.gan.drag_loop import REFERENCE_HEIGHT, feature_block
from pliant.gan.latent import LatentPicture
from pliant.points import PointsLike, as_points

WEAK = 0.35
"""A handle below this share of the picture's typical distinctness is flagged."""
GOOD = 0.7
"""What a suggested point reaches at least."""


@dataclass(frozen=True)
class Hint:
    """What to know about one handle."""

    distinctness: float
    """How much its features differ from those around it; 1 is typical of the picture's textured half."""
    weak: bool
    """The handle will probably drift."""
    better: tuple[int, int] | None
    """For a weak handle the nearest point (x, y) that is distinct, if there is one nearby."""


@torch.no_grad()
def distinctness(picture: LatentPicture, settings: DragSettings | None = None) -> Tensor:
    """How well tracking can tell each place from its neighbours: [h, w] at the size of the feature block, 1 = typical.

    For each cell the smallest feature distance to eight cells at half the search radius: one similar neighbour is enough to
    drift to. Relative to the upper quartile over the picture.
    """
    settings = settings or DragSettings()
    block = feature_block(picture.generator, settings.block)
    features = picture.generator.features(picture.ws[None], [block])[block]
    reach = max(1, round(settings.search_radius / 2 / REFERENCE_HEIGHT * features.shape[2]))
    h, w = features.shape[2:]
    padded = F.pad(features, (reach,) * 4, mode="replicate")
    shifts = [
        (y, x) for y in (0, reach, 2 * reach) for x in (0, reach, 2 * reach) if (y, x) != (reach, reach)
    ]
    apart = torch.stack([(padded[:, :, y : y + h, x : x + w] - features).norm(dim=1)[0] for y, x in shifts])
    least = apart.topk(2, dim=0, largest=False).values[
        1
    ]  # of the two neighbours along an edge, the one counts twice
    return least / least.flatten().quantile(0.75).clamp_min(1e-12)


def hints(picture: LatentPicture, handles: PointsLike, settings: DragSettings | None = None) -> list[Hint]:
    """Judge handles [N, 2] (x, y) before a drag.

    Raises:
        InputError: points that cannot be used.
    """
    points = as_points(handles, picture.size, name="handles")
    settings = settings or DragSettings()
    value = distinctness(picture, settings).cpu()
    scale = picture.size[1] / value.shape[0]
    y, x = torch.meshgrid(*(torch.arange(n) for n in value.shape), indexing="ij")
    places = (torch.stack([x, y], dim=-1) + 0.5) * scale - 0.5
    # Features at the very edge differ from the rest because of the padding, not because of what is there.
    margin = settings.search_radius * picture.size[1] / REFERENCE_HEIGHT
    edge = torch.tensor(picture.size) - 1
    usable = ((places >= margin) & (places <= edge - margin)).all(-1) & (value >= GOOD)
    reach = 4 * settings.search_radius * picture.size[1] / REFERENCE_HEIGHT
    found: list[Hint] = []
    for point in points:
        distance = (places - point).norm(dim=-1)
        here = float(value.flatten()[distance.argmin()])
        candidates = distance.masked_fill(~usable | (distance > reach), float("inf"))
        best = candidates.argmin()
        near = bool(torch.isfinite(candidates.flatten()[best]))
        place = places.flatten(0, 1)[best].round().long().tolist()
        weak = here < WEAK
        found.append(Hint(here, weak, (place[0], place[1]) if weak and near else None))
    return found
