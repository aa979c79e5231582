"""From attributes to a labelled picture."""

from __future__ import annotations

import numpy as np
from body import Figure, Pack
from dataset import Shot
from gl import Camera, Renderer, look_at, perspective
from labels import describe, mirror_labels, split_brows
from light import background, exposure, lighting, tonemap
from materials import items_of
from parts import Part
from sample import Portrait, sample, sample_view
from tables import skin_albedo


class Studio:
    """A renderer plus everything needed to make labelled pictures from seeds."""

    def __init__(self, pack: str, size: int = 256) -> None:
        self.pack = Pack(pack)
        self.renderer = Renderer(self.pack, size)
        self.size = size

    def shoot(self, seed: int, views: int = 0) -> Shot:
        """The picture of a seed; with `views`, one of so many pictures of person `seed // views`."""
        catalogue = self.pack.catalogue
        portrait = sample_view(seed, views, catalogue) if views else sample(seed, catalogue)
        items = items_of(portrait, self.pack)
        figure = Figure(self.pack, portrait, sorted({item.mesh for item in items} - {"body"}))
        camera = _camera(portrait, figure)
        lights = lighting(portrait.light, self.pack)
        colour, parts = self.renderer.render(items, figure.positions, camera, figure.head, lights)
        image = self._develop(portrait, colour, parts)
        landmarks = self._project(figure.landmarks, camera)
        parts = split_brows(parts, landmarks)
        if portrait.mirror:
            image = np.ascontiguousarray(image[:, ::-1])
            parts, landmarks = mirror_labels(parts, landmarks)
        return Shot(image, parts, landmarks, describe(portrait))

    def _develop(self, portrait: Portrait, colour: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """Expose for the face, put the background behind."""
        coverage = colour[..., 3:4]
        face = (parts == Part.SKIN) & (coverage[..., 0] > 0.99)
        seen = colour[..., :3]
        luminance = float(np.nanmedian(seen[face].mean(1))) if face.sum() > 50 else float(seen.mean())
        factor = exposure(portrait, luminance, float(skin_albedo(portrait.person.tone).mean()))
        behind = background(portrait.background, self.pack, self.size)
        return tonemap(seen * factor + behind * (1 - coverage))

    def _project(self, points: np.ndarray, camera: Camera) -> np.ndarray:
        """Pixels from the picture's corner of points in the scene."""
        clip = np.concatenate([points, np.ones((len(points), 1))], 1) @ camera.view_projection.T
        x = (clip[:, 0] / clip[:, 3] * 0.5 + 0.5) * self.size
        y = (0.5 - clip[:, 1] / clip[:, 3] * 0.5) * self.size
        return np.stack([x, y], 1)


def _camera(portrait: Portrait, figure: Figure) -> Camera:
    """A camera in front of the face, a little off centre."""
    pose = portrait.pose
    half = 1.40 * figure.scale / pose.zoom
    centre = figure.eyes + np.array([pose.camera_x * half, -0.10 * half + pose.camera_y * half, 0])
    eye = centre + np.array([0, 0, pose.distance])
    view = look_at(eye, centre, np.array([0, 1.0, 0]))
    return Camera(eye, perspective(half, pose.distance) @ view)
