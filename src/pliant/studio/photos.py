"""The photos of a project: the faces in them, and the crops that people choose.

Faces are searched without the model and take seconds, so this is done in a thread of its own while the device serves others.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from PIL import Image

from pliant.catalogue import PHOTOS
from pliant.errors import InputError
from pliant.gan.align import SMALLEST, Crop, Face, crop_box, find_faces
from pliant.picture import PixelPicture
from pliant.project import Project
from pliant.studio import messages as m
from pliant.studio.device import Device

KEPT = 8
"""Photos whose faces are remembered."""

Size = tuple[int, int]


class Photos:
    """What is known of a project's photos.

    Args:
        project: where they are.
        device: computes photos of which a model made a part.
    """

    def __init__(self, project: Project, device: Device) -> None:
        self.project, self.device = project, device
        self._faces: OrderedDict[tuple[str, Size], list[Face]] = OrderedDict()
        self._searching = threading.Lock()

    def faces(self, node: str, size: Size) -> list[Face]:
        """The faces in a photo, the largest first.

        Args:
            node: of the photo.
            size: of the crops: the model's.

        Raises:
            InputError: it is not a photo.
        """
        with self._searching:
            found = self._faces.get((node, size))
            if found is None:
                found = sorted(find_faces(self._photo(node), size), key=lambda face: -face.crop.scale)
                self._faces[node, size] = found
            while len(self._faces) > KEPT:
                self._faces.popitem(last=False)
            return found

    def outlines(self, node: str, size: Size) -> tuple[m.Face, ...]:
        """The same as the page draws them."""
        return tuple(m.Face(corners=_corners(face.crop)) for face in self.faces(node, size))

    def crop(self, node: str, wish: m.Crop | None, size: Size) -> Crop:
        """The part of a photo that a person wants: a box, one of the faces, or the only one.

        Args:
            node: of the photo.
            wish: as the document has it.
            size: of the model's pictures.

        Raises:
            InputError: it is not a photo, the box cannot be used, there is no such face or it is too small, or nothing was
                chosen and there is not exactly one face.
        """
        if wish is not None and wish.box is not None:
            return crop_box(wish.box, self._photo(node).size, size)
        faces = self.faces(node, size)
        if wish is None or wish.face is None:
            if not faces:
                raise InputError(
                    "No face was found in the photo; draw a box around what the model should make."
                )
            if len(faces) > 1:
                raise InputError(f"There are {len(faces)} faces in the photo; choose one, or draw a box.")
        number = 0 if wish is None or wish.face is None else wish.face
        if number >= len(faces):
            raise InputError(f"There is no face {number + 1} in the photo; {len(faces)} were found.")
        crop = faces[number].crop
        if crop.box[3] < SMALLEST:
            raise InputError(
                f"The face is too small: its crop would be {crop.box[3]} pixels high, and {SMALLEST} are needed; "
                "take a larger photo."
            )
        return crop

    def _photo(self, node: str) -> Image.Image:
        kind = self.project.nodes[node].kind if node in self.project.nodes else "pixels"
        if kind not in PHOTOS:
            raise InputError("Only a photo is cropped; this picture was made by a model.")
        if kind == PixelPicture.kind:
            return self.project.picture(node).render()
        return self.device.do(lambda: self.project.picture(node).render()).result()


def _corners(crop: Crop) -> tuple[m.XY, m.XY, m.XY, m.XY]:
    """From the top left, clockwise as the picture is upright; measured as points are, from the middle of the first pixel."""
    matrix = crop.to_photo()
    width, height = crop.size

    def placed(x: int, y: int) -> m.XY:
        right, down = matrix @ (x, y, 1) - 0.5
        return float(right), float(down)

    return placed(0, 0), placed(width, 0), placed(width, height), placed(0, height)
