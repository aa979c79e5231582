"""The photo behind a picture of a project: where its crop lies, and how an edited crop gets back into it.

In a project the whole photo is the root, a `PixelPicture`; the run "invert" below it knows the crop; every picture below that
run can be put back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from PIL import Image
from torch import Tensor

from pliant.errors import InputError
from pliant.gan.align import Crop
from pliant.gan.blend import Blend, paste
from pliant.picture import Picture
from pliant.project import Project

__all__ = ["INVERT", "Photo", "photo_behind"]

INVERT = "invert"
"""Name of the edit that opens a photo."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo that was opened for editing."""

    whole: Image.Image
    """RGB."""
    crop: Crop
    """What of it the model makes."""
    opened: Picture = field(repr=False)
    """The model's picture of the crop, before any edit."""

    def paste(
        self,
        edited: Picture,
        *,
        everything: bool = False,
        mask: Tensor | None = None,
        how: Blend = "gradient",
    ) -> Image.Image:
        """The whole photo with an edited picture in it; what the edit did not reach stays as it was, to the bit.

        Args:
            edited: made from `opened`.
            everything: paste the whole crop, not only what was changed since the photo was opened.
            mask: [H, W] of the crop's size, 1 where it may be pasted.
            how: meet the photo's colours along the edge, or only fade.

        Raises:
            InputError: a picture or mask of another size than the crop.
        """
        before = None if everything else self.opened.pixels()
        return paste(self.whole, self.crop, edited.pixels(), before=before, mask=mask, how=how)


def photo_behind(project: Project, node: str | None = None) -> Photo:
    """The photo that the pictures of a node (the current one if not given) come from.

    Raises:
        InputError: they come from none, or the project has lost it.
    """
    opened = _opening(project, node or project.current)
    parent = project.nodes[opened].parent if opened else None
    if opened is None or parent is None:
        raise InputError(
            "The current picture of this project does not come from a photo; open one with pliant invert."
        )
    try:
        crop = Crop.from_facts(project.inputs(opened)["crop"])
        begun = project.nodes[opened].from_step
        whole = project.picture(parent, -1 if begun is None else begun)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The project has lost its photo, or where its crop lies ({error}).") from error
    return Photo(whole.render(), crop, project.picture(opened))


def _opening(project: Project, node: str | None) -> str | None:
    """Id of the nearest inversion at or above a node."""
    at = project.nodes.get(node or "")
    while at is not None and at.edit != INVERT:
        at = project.nodes.get(at.parent or "")
    return at.id if at else None
