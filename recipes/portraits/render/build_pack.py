"""Build the asset pack from unpacked MakeHuman CC0 releases (see ASSETS.md).

Needed once only; `render.py` reads the resulting folder and nothing else. The arguments are the roots of the
unpacked sources.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from parts import Part
from PIL import Image, ImageDraw, ImageFilter

UV = 1024
"""Side of the painted zones, in texels."""
CLOTHES = (
    *("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"),
    *("male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04"),
    *("male_casualsuit05", "male_casualsuit06", "male_elegantsuit01", "male_worksuit01"),
)
HAIR = (
    *("short01", "short02", "short03", "short04", "bob01", "bob02"),
    *("long01", "ponytail01", "braid01", "afro01"),
)
EYES = ("blue", "bluegreen", "brown", "brownlight", "green", "grey", "ice", "lightblue")
HERITAGE = ("caucasian", "asian", "african")
SHAPE_FOLDERS = ("head", "nose", "mouth", "chin", "forehead", "eyebrows", "eyes", "cheek", "ears")
JOINTS = {
    "neck01": "neck01____head",
    "neck02": "neck02____head",
    "head": "head____head",
    "eyeL": "eye.L____head",
    "eyeR": "eye.R____head",
}
LIP_REFERENCES = tuple(
    f"young_lightskinned_{name}.png"
    for name in ("male_diffuse", "female_diffuse2", "male_diffuse2", "female_diffuse3")
)
"""Skins on which the red of the lips is measured."""
LUMINANCE = np.array([0.3, 0.6, 0.1])


@dataclass(frozen=True)
class WavefrontMesh:
    """What a .obj file holds."""

    vertices: np.ndarray
    uv: np.ndarray
    faces: list[list[int]]
    """Vertex ids of each face."""
    uv_faces: list[list[int]]
    """Texture coordinate ids of each face."""
    groups: list[str]
    """Group name of each face."""


@dataclass
class Fit:
    """What a proxy's fit file (.mhclo) holds."""

    obj: str = ""
    index: list[list[int]] = field(default_factory=list)
    """Three body vertices for each vertex of the proxy."""
    weight: list[list[float]] = field(default_factory=list)
    offset: list[list[float]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    """Body vertices that lie below the proxy."""
    scale: dict[int, tuple[int, int, float]] = field(default_factory=dict)
    """For each axis two body vertices and their distance on the base mesh."""


def read_obj(path: Path) -> WavefrontMesh:
    """Read vertices, texture coordinates and faces of a .obj file."""
    vertices, uv, faces, uv_faces, groups = [], [], [], [], []
    group = ""
    for line in path.read_text(errors="ignore").splitlines():
        match line.split():
            case ["v", *values]:
                vertices.append([float(x) for x in values[:3]])
            case ["vt", *values]:
                uv.append([float(x) for x in values[:2]])
            case ["g", *names]:
                group = names[0] if names else ""
            case ["f", *corners]:
                ids = [corner.split("/") for corner in corners]
                faces.append([int(x[0]) - 1 for x in ids])
                uv_faces.append([int(x[1]) - 1 for x in ids])
                groups.append(group)
            case _:
                pass
    return WavefrontMesh(np.array(vertices), np.array(uv), faces, uv_faces, groups)


def read_target(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertex ids and offsets of a sparse morph target."""
    index, delta = [], []
    for line in path.read_text(errors="ignore").splitlines():
        values = line.split()
        if len(values) >= 4 and not line.startswith("#"):
            index.append(int(values[0]))
            delta.append([float(x) for x in values[1:4]])
    return np.array(index, int), np.array(delta).reshape(-1, 3)


def read_fit(path: Path) -> Fit:
    """Read a proxy's fit file."""
    fit = Fit()
    mode = ""
    for line in path.read_text(errors="ignore").splitlines():
        words = line.split()
        if line.startswith("#") or not words:
            continue
        match words[0]:
            case "obj_file":
                fit.obj = words[1]
            case "x_scale" | "y_scale" | "z_scale":
                fit.scale["xyz".index(words[0][0])] = (int(words[1]), int(words[2]), float(words[3]))
            case "verts" | "delete_verts" | "weights":
                mode = words[0]
            case _ if mode == "verts" and re.match(r"^-?\d+$", words[0]):
                _read_fitted_vertex(fit, words)
            case _ if mode == "delete_verts":
                fit.hidden |= _read_ranges(words)
            case _:
                pass
    return fit


def _read_fitted_vertex(fit: Fit, words: list[str]) -> None:
    """A vertex that sits on one body vertex, or between three at an offset."""
    if len(words) == 1:
        fit.index.append([int(words[0])] * 3)
        fit.weight.append([1, 0, 0])
        fit.offset.append([0, 0, 0])
    else:
        fit.index.append([int(x) for x in words[:3]])
        fit.weight.append([float(x) for x in words[3:6]])
        fit.offset.append([float(x) for x in words[6:9]] if len(words) >= 9 else [0, 0, 0])


def _read_ranges(words: list[str]) -> set[int]:
    """Numbers and ranges such as `3 7 - 9`."""
    found: set[int] = set()
    k = 0
    while k < len(words):
        if k + 2 < len(words) and words[k + 1] == "-":
            found.update(range(int(words[k]), int(words[k + 2]) + 1))
            k += 3
        else:
            if words[k].isdigit():
                found.add(int(words[k]))
            k += 1
    return found


def place(fit: Fit, body: np.ndarray) -> np.ndarray:
    """Place a proxy's vertices on a body."""
    scale = np.ones(3)
    for axis, (first, second, rest_distance) in fit.scale.items():
        scale[axis] = abs(body[first, axis] - body[second, axis]) / rest_distance
    index, weight, offset = np.array(fit.index), np.array(fit.weight), np.array(fit.offset)
    return (body[index] * weight[..., None]).sum(1) + offset * scale


def split_at_seams(
    faces: list[list[int]], uv_faces: list[list[int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangulate faces and split their vertices where the texture has a seam.

    Returns:
        Vertex id and texture coordinate id of each drawn vertex, and triples of drawn vertices.
    """
    corners = [
        ((face[0], uv[0]), (face[k], uv[k]), (face[k + 1], uv[k + 1]))
        for face, uv in zip(faces, uv_faces, strict=True)
        for k in range(1, len(face) - 1)
    ]
    pairs = np.array(corners, np.int64).reshape(-1, 2)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return (
        unique[:, 0].astype(np.uint16),
        unique[:, 1].astype(np.int64),
        inverse.reshape(-1, 3).astype(np.uint16),
    )


def sigmoid(t: np.ndarray, width: float) -> np.ndarray:
    """Smooth step from 0 (t negative) to 1 (t positive)."""
    return 1 / (1 + np.exp(-np.clip(t / width, -30, 30)))


class Textures:
    """Texture files by name, first folder first; writes them to the pack."""

    def __init__(self, roots: list[Path], out: Path) -> None:
        self.out = out
        self.found: dict[str, Path] = {}
        for root in reversed(roots):
            for path in sorted(root.rglob("*.png"), reverse=True):
                self.found[path.name] = path

    def write(self, name: str, key: str, size: int, *, alpha: bool, quality: int = 88) -> Path:
        """Shrink a texture to at most `size` and store it as `key`."""
        image = Image.open(self.found[name]).convert("RGBA" if alpha else "RGB")
        if max(image.size) > size:
            image = image.resize((size, size), Image.Resampling.LANCZOS)
        if alpha:
            path = self.out / f"{key}.webp"
            image.save(path, quality=quality, alpha_quality=90, method=5)
        else:
            path = self.out / f"{key}.jpg"
            image.save(path, quality=quality)
        return path


class Head:
    """The part of the base mesh that is drawn, its labels and its painted zones."""

    def __init__(self, makehuman: Path, parts: Path) -> None:
        self.makehuman = makehuman
        self.mesh = mesh = read_obj(makehuman / "3dobjs/base.obj")
        self.quads = [
            k
            for k, group in enumerate(mesh.groups)
            if group == "body"
            and mesh.vertices[mesh.faces[k], 1].mean() > 4.0
            and abs(mesh.vertices[mesh.faces[k], 0]).mean() < 3.6
        ]
        self.centres = np.array([mesh.vertices[mesh.faces[k]].mean(0) for k in self.quads])
        self.uv_centres = np.array([mesh.uv[mesh.uv_faces[k]].mean(0) for k in self.quads])
        self._parts = parts
        lips = self._face_list("lips_solid")
        lip_vertices = np.array(sorted({i for k in lips for i in mesh.faces[k]}))
        middle = mesh.vertices[lip_vertices][np.abs(mesh.vertices[lip_vertices, 0]) < 0.35]
        self.mouth_y = float(np.median(middle[:, 1]))
        self.nose_vertices = self._moved_most("nose", ["nose-volume", "nose-point", "nose-nostrils"], 0.35)
        self.quad_labels = self._label_quads(lips)

    def _face_list(self, name: str) -> set[int]:
        with gzip.open(self._parts / f"{name}.json.gz") as file:
            return {int(k) for k in json.load(file)}

    def _moved_most(self, folder: str, prefixes: list[str], share: float) -> set[int]:
        """Vertices that the named targets move by at least this share of their largest offset."""
        vertices: set[int] = set()
        for path in sorted((self.makehuman / "targets" / folder).glob("*.target")):
            if path.name.startswith(tuple(prefixes)):
                index, delta = read_target(path)
                size = np.linalg.norm(delta, axis=1)
                vertices |= set(index[size > share * size.max()].tolist())
        return vertices

    def _label_quads(self, lips: set[int]) -> np.ndarray:
        scalp, face = self._face_list("scalp_solid"), self._face_list("face_solid")
        neck = self._face_list("neck_front_split") | self._face_list("neck_back_split")
        lids = self._face_list("eyelids_solid")
        ears = self._moved_most("ears", ["l-ear-scale", "r-ear-scale"], 0.35)
        labels = np.zeros(len(self.quads), np.uint8)
        for n, k in enumerate(self.quads):
            corners, (u, v) = self.mesh.faces[k], self.uv_centres[n]
            if u > 0.75 and v < 0.14:
                labels[n] = Part.MOUTH
            elif u < 0.16 and 0.5 < v < 0.66 and self.centres[n, 1] > 6.5:
                labels[n] = Part.SKIN
            elif k in lips:
                labels[n] = Part.UPPER_LIP if self.centres[n, 1] > self.mouth_y else Part.LOWER_LIP
            elif all(i in ears for i in corners):
                labels[n] = Part.EAR
            elif all(i in self.nose_vertices for i in corners):
                labels[n] = Part.NOSE
            elif k in neck:
                labels[n] = Part.NECK
            elif k in scalp:
                labels[n] = Part.HAIR
            elif k in face or k in lids:
                labels[n] = Part.SKIN
            else:
                labels[n] = Part.NECK
        return labels

    def paint(self, values: np.ndarray, blur: float = 0) -> Image.Image:
        """A value for each quad, painted in texture space."""
        image = Image.new("L", (UV, UV))
        draw = ImageDraw.Draw(image)
        for n, k in enumerate(self.quads):
            if values[n]:
                uv = self.mesh.uv[self.mesh.uv_faces[k]]
                corners = [(float(u * UV), float((1 - v) * UV)) for u, v in uv]
                draw.polygon(corners, fill=int(values[n]), outline=int(values[n]))
        return image.filter(ImageFilter.GaussianBlur(blur)) if blur else image

    def positions(self) -> np.ndarray:
        """Position on the base mesh at each texel of the head, NaN elsewhere: [UV, UV, 3]."""
        positions = np.full((UV, UV, 3), np.nan, np.float32)
        for n, k in enumerate(self.quads):
            if self.uv_centres[n, 0] < 0.6 or self.quad_labels[n] == Part.MOUTH:
                continue
            for triangle in ((0, 1, 2), (0, 2, 3)):
                texels = np.array([self.mesh.uv[self.mesh.uv_faces[k][i]] for i in triangle])
                corners = np.array([self.mesh.vertices[self.mesh.faces[k][i]] for i in triangle])
                _fill_triangle(positions, texels * [UV, -UV] + [0, UV], corners)
        return positions


def _fill_triangle(positions: np.ndarray, texels: np.ndarray, corners: np.ndarray) -> None:
    """Interpolate the corners' positions over the texels of a triangle and a little beyond."""
    low, high = np.floor(texels.min(0)).astype(int), np.ceil(texels.max(0)).astype(int) + 1
    x, y = np.meshgrid(np.arange(low[0], high[0]), np.arange(low[1], high[1]))
    edges = np.array([texels[1] - texels[0], texels[2] - texels[0]]).T
    if abs(np.linalg.det(edges)) < 1e-6:
        return
    w = np.linalg.solve(edges, np.stack([x.ravel() + 0.5 - texels[0, 0], y.ravel() + 0.5 - texels[0, 1]]))
    inside = (w[0] > -0.05) & (w[1] > -0.05) & (w.sum(0) < 1.05)
    value = (1 - w.sum(0))[:, None] * corners[0] + w[0][:, None] * corners[1] + w[1][:, None] * corners[2]
    rows, columns = y.ravel()[inside].clip(0, UV - 1), x.ravel()[inside].clip(0, UV - 1)
    positions[rows, columns] = value[inside]


def paint_zones(head: Head, textures: Textures) -> np.ndarray:
    """Paint labels, hairline, beard, moustache, blush, freckles, eye shadow and lips.

    Writes zones1.png (scalp, beard, moustache, cheeks), zones2.png (freckles, eye shadow, lips, lid) and
    labels.png.

    Returns:
        Whether a texel is plain skin of the front of the face, where a skin's typical colour is measured.
    """
    positions = head.positions()
    have = np.isfinite(positions[..., 0])
    x, y = np.abs(np.nan_to_num(positions[..., 0])), np.nan_to_num(positions[..., 1])
    z = np.nan_to_num(positions[..., 2], nan=-9)
    painted = np.array(head.paint(head.quad_labels))
    nose_base = float(head.mesh.vertices[sorted(head.nose_vertices), 1].min())

    lip_zone = np.isin(painted, (Part.UPPER_LIP, Part.LOWER_LIP))
    lip = _lips(lip_zone, textures) & (x < 0.30)
    scalp = _scalp(head, have, x, y, z)
    half_width = np.interp(y, [nose_base, nose_base + 0.16, 7.12, 7.30], [0.16, 0.20, 0.10, 0.075])
    nose = have & (y > nose_base - 0.02) & (y < 7.30) & (x < half_width) & (z > 1.0) & ~lip_zone
    column, row = np.meshgrid(np.arange(UV), np.arange(UV))
    ear = ((column - 871) / 33.0) ** 2 + ((np.minimum(row, 1059 - row) - 379) / 27.0) ** 2 < 1

    label = np.where(painted == Part.EAR, Part.SKIN, painted)
    label[(painted == Part.NECK) & (y > 6.7) & have] = Part.SKIN
    label[lip_zone] = Part.SKIN
    label[nose] = Part.NOSE
    label[lip] = np.where(y[lip] > head.mouth_y, Part.UPPER_LIP, Part.LOWER_LIP)
    label[ear & have] = Part.EAR
    label[(label == Part.HAIR) & (scalp < 0.5)] = Part.SKIN
    label = label.astype(np.uint8)

    front = sigmoid(z - 0.5, 0.08) * have
    beard, moustache = _beard(x, y, z, nose_base, front)
    lip_top = np.interp(x, [0, 0.2, 0.33], [6.70, 6.69, 6.62])
    lip_bottom = np.interp(x, [0, 0.15, 0.3], [6.47, 6.50, 6.60])
    bare = ((y > lip_top) | (y < lip_bottom) | (x > 0.30)) & (label != Part.EAR) & (label != Part.NOSE)
    beard = beard * have * (1 - lip) * bare
    moustache = moustache * bare

    def blob(width: float, height: float, at_x: float, at_y: float) -> np.ndarray:
        return np.exp(-(((x - at_x) / width) ** 2) - ((y - at_y) / height) ** 2) * front

    zones1 = [zone(scalp, 5), zone(beard, 1.5), zone(moustache, 1.5), zone(blob(0.2, 0.17, 0.46, 6.93), 5)]
    zones2 = [
        zone(blob(0.38, 0.2, 0.2, 7.0), 5),
        zone(blob(0.17, 0.075, 0.31, 7.40), 4),
        zone(lip, 1.2),
        zone(blob(0.17, 0.06, 0.31, 7.29), 2),
    ]
    Image.merge("RGBA", zones1).save(textures.out / "zones1.png", optimize=True)
    Image.merge("RGBA", zones2).save(textures.out / "zones2.png", optimize=True)
    Image.fromarray(label).save(textures.out / "labels.png", optimize=True)
    return (label == Part.SKIN) & (front > 0.5) & (y > 6.5)


def zone(values: np.ndarray, blur: float = 0) -> Image.Image:
    """A grey picture of values in 0..1, softened."""
    image = Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(blur)) if blur else image


def _lips(lip_zone: np.ndarray, textures: Textures) -> np.ndarray:
    """The red part of the painted skins inside the lip polygons."""
    red: Any = 0
    for name in LIP_REFERENCES:
        image = Image.open(textures.found[name]).convert("RGB").resize((UV, UV), Image.Resampling.LANCZOS)
        rgb = np.asarray(image).astype(float)
        red = red + (rgb[..., 0] - rgb[..., 1]) / (rgb.sum(2) + 1)
    scaled = Image.fromarray((red * 255 / red[lip_zone].max()).clip(0, 255).astype(np.uint8))
    red = np.array(scaled.filter(ImageFilter.GaussianBlur(1)))
    low, high = np.percentile(red[lip_zone], [10, 90])
    return lip_zone & (red > low + 0.42 * (high - low))


def _scalp(head: Head, have: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Where hair grows: the scalp's faces, less the forehead below a drawn hairline."""
    hairline = np.interp(x, [0, 0.2, 0.42, 0.55, 0.62, 0.75], [7.86, 7.87, 7.82, 7.62, 7.3, 7.0])
    in_front_of_the_ear = sigmoid(z - np.interp(y, [6.9, 7.3, 7.6], [0.12, 0.30, 0.42]), 0.05)
    bare = sigmoid(hairline - y, 0.02) * in_front_of_the_ear
    faces = (head.quad_labels == Part.HAIR) * 255
    soft, hard = np.array(head.paint(faces, 4)) / 255.0, np.array(head.paint(faces)) / 255.0
    return np.maximum(soft, hard) * (1 - bare * have)


def _beard(
    x: np.ndarray, y: np.ndarray, z: np.ndarray, nose_base: float, front: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a full beard and where a moustache grow."""
    jawline = np.interp(x, [0, 0.28, 0.42, 0.62, 0.80], [6.60, 6.62, 6.66, 6.88, 7.15])
    not_the_neck = sigmoid(z - 0.40 + 0.25 * sigmoid(6.75 - y, 0.05), 0.06)
    beard = sigmoid(jawline - y, 0.03) * sigmoid(y - 6.08 - 0.28 * x, 0.035) * not_the_neck
    lip_top = np.interp(x, [0, 0.2, 0.33], [6.70, 6.69, 6.62])
    below_the_nose = sigmoid(nose_base + 0.015 - y, 0.015)
    moustache = sigmoid(y - lip_top, 0.012) * below_the_nose * sigmoid(0.33 - x, 0.02) * front
    corners = sigmoid(x - 0.26, 0.015) * sigmoid(0.36 - x, 0.02) * sigmoid(6.75 - y, 0.02)
    corners = corners * sigmoid(y - 6.4, 0.02) * front
    return np.maximum(beard, np.maximum(moustache, corners)), moustache


def build_body(head: Head, landmarks: Path) -> dict[str, np.ndarray]:
    """Base mesh, bone weights, joints and landmarks."""
    mesh = head.mesh
    faces = [mesh.faces[k] for k in head.quads]
    vertex, uv, triangles = split_at_seams(faces, [mesh.uv_faces[k] for k in head.quads])
    body = {
        "v": mesh.vertices.astype(np.float32),
        "vi": vertex,
        "uv": mesh.uv[uv].astype(np.float32),
        "tri": triangles,
        "quads": np.array(faces, np.uint16),
    }
    skeleton = json.loads((head.makehuman / "rigs/default.mhskel").read_text())
    stored = json.loads((head.makehuman / "rigs/default_weights.mhw").read_text())["weights"]
    for bone in ("neck01", "neck02", "head"):
        weights = np.zeros(len(mesh.vertices))
        for name in _with_children(bone, skeleton["bones"]):
            for index, weight in stored.get(name, []):
                weights[index] += weight
        body[f"w_{bone}"] = np.clip(weights, 0, 1).astype(np.float32)
    for name, joint in JOINTS.items():
        body[f"j_{name}"] = np.array(skeleton["joints"][joint], np.uint16)
    body["landmarks"] = np.array(json.loads(landmarks.read_text()), np.uint16)
    return body


def _with_children(bone: str, bones: dict[str, Any]) -> set[str]:
    names, grew = {bone}, True
    while grew:
        more = {name for name, values in bones.items() if values["parent"] in names} - names
        names |= more
        grew = bool(more)
    return names


def proxy_files(makehuman: Path, assets: Path) -> dict[str, Path]:
    """The fit file of every proxy in the pack."""
    files = {
        "eyes": makehuman / "eyes/high-poly/high-poly.mhclo",
        "teeth": assets / "teeth/teeth_base/teeth_base.mhclo",
        "tongue": assets / "tongue/tongue01/tongue01.mhclo",
    }
    files |= {f"brow{i:02d}": assets / f"eyebrows/eyebrow{i:03d}/eyebrow{i:03d}.mhclo" for i in range(1, 13)}
    files |= {f"lash{i}": assets / f"eyelashes/eyelashes{i:02d}/eyelashes{i:02d}.mhclo" for i in range(1, 5)}
    files |= {name: assets / f"clothes/{name}/{name}.mhclo" for name in CLOTHES}
    return files | {name: assets / f"hair/{name}/{name}.mhclo" for name in HAIR}


def build_proxy(name: str, path: Path, base: np.ndarray) -> dict[str, np.ndarray]:
    """Drawn vertices of a proxy near the head, and how to fit them to a body."""
    fit = read_fit(path)
    mesh = read_obj(path.parent / fit.obj)
    rest = place(fit, base)
    if len(rest) != len(mesh.vertices):
        raise SystemExit(f"{path} fits {len(rest)} vertices, but its mesh has {len(mesh.vertices)}.")
    keep = [
        k
        for k, face in enumerate(mesh.faces)
        if rest[face, 1].mean() > 4.0 and abs(rest[face, 0]).mean() < 3.6
    ]
    if name == "eyes":  # the transparent cornea shell would hide the iris
        uv = mesh.uv
        keep = [
            k
            for k in keep
            if not (uv[mesh.uv_faces[k], 0].min() > 0.85 and uv[mesh.uv_faces[k], 1].max() < 0.15)
        ]
    vertex, uv_id, triangles = split_at_seams([mesh.faces[k] for k in keep], [mesh.uv_faces[k] for k in keep])
    used, inverse = np.unique(vertex, return_inverse=True)
    return {
        "idx": np.array(fit.index, np.uint16)[used],
        "w": np.array(fit.weight, np.float32)[used],
        "offs": np.array(fit.offset, np.float32)[used],
        "vi": inverse.astype(np.uint16),
        "uv": mesh.uv[uv_id].astype(np.float32),
        "tri": triangles,
        "rest": rest[used].astype(np.float32),
        "scale": np.array([[*fit.scale.get(axis, (0, 0, 0.0))] for axis in range(3)], np.float32),
        "del": np.array(sorted(fit.hidden), np.uint16),
    }


def target_names(makehuman: Path) -> list[str]:
    """Body types, face shapes and expressions."""
    targets = makehuman / "targets"
    names = [
        f"macrodetails/{heritage}-{gender}-{age}"
        for heritage in HERITAGE
        for gender in ("female", "male")
        for age in ("young", "old")
    ]
    names += [
        f"macrodetails/universal-{gender}-{age}-{muscle}muscle-{weight}weight"
        for gender in ("female", "male")
        for age in ("young", "old")
        for muscle in ("min", "average", "max")
        for weight in ("min", "average", "max")
    ]
    for folder in SHAPE_FOLDERS:
        names += [f"{folder}/{path.stem}" for path in sorted((targets / folder).glob("*.target"))]
    for heritage in HERITAGE:
        units = sorted((targets / "expression/units" / heritage).glob("*.target"))
        names += [f"expression/units/{heritage}/{path.stem}" for path in units]
    return names


def build_targets(makehuman: Path, used: set[int], vertices: int) -> dict[str, np.ndarray]:
    """Morph targets in fp16, only the entries of used vertices, one after the other."""
    names = target_names(makehuman)
    mask = np.zeros(vertices, bool)
    mask[sorted(used)] = True
    index, deltas, start = [], [], [0]
    for name in names:
        i, delta = read_target(makehuman / f"targets/{name}.target")
        keep = mask[i] & (np.abs(delta).max(1) > 1e-4)
        index.append(i[keep])
        deltas.append(delta[keep])
        start.append(start[-1] + int(keep.sum()))
    print("targets", len(names), "entries", start[-1])
    return {
        "names": np.array(names),
        "off": np.array(start, np.int32),
        "idx": np.concatenate(index).astype(np.uint16),
        "d": np.concatenate(deltas).astype(np.float16),
    }


def write_textures(textures: Textures, plain_skin: np.ndarray) -> dict[str, Any]:
    """Store all textures.

    Returns:
        Typical linear colour of each skin, mean luminance of each hair and garment.
    """
    skins: dict[str, list[float]] = {}
    endings = tuple(f"diffuse{suffix}.png" for suffix in ("", "2", "3"))
    for name in sorted(n for n in textures.found if "skinned" in n and n.endswith(endings)):
        key = "skin_" + name[:-4].replace("_diffuse", "").replace("skinned", "")
        path = textures.write(name, key, UV, alpha=False)
        linear = (np.asarray(Image.open(path).convert("RGB").resize((UV, UV))) / 255.0) ** 2.2
        skins[key] = [round(float(t), 4) for t in np.median(linear[plain_skin], 0)]
    for name in EYES:
        textures.write(f"{name}_eye.png", f"eye_{name}", 512, alpha=False, quality=92)
    textures.write("teeth.png", "teeth", 512, alpha=False)
    textures.write("tongue01_diffuse.png", "tongue", 256, alpha=False)
    for i in range(1, 13):
        textures.write(f"eyebrow{i:03d}.png", f"brow{i:02d}", 512, alpha=True)
    for i in range(1, 5):
        textures.write(f"eyelashes{i:02d}.png", f"lash{i}", 512, alpha=True)
    clothes: dict[str, float] = {}
    for name in CLOTHES:
        path = textures.write(f"{name}_diffuse.png", f"cloth_{name}", 1024, alpha=False, quality=85)
        clothes[name] = mean_luminance(path)
    hair: dict[str, float] = {}
    for name in HAIR:
        source = "afro_diffuse.png" if name == "afro01" else f"{name}_diffuse.png"
        hair[name] = mean_luminance(textures.write(source, f"hair_{name}", 1024, alpha=True))
    return {"skins": skins, "hair_lin": hair, "cloth_mean": clothes}


def mean_luminance(path: Path) -> float:
    """Linear luminance of a texture, weighted by its alpha."""
    rgba = np.asarray(Image.open(path).convert("RGBA")) / 255.0
    luminance = rgba[..., :3] ** 2.2 @ LUMINANCE
    return round(float((luminance * rgba[..., 3]).sum() / rgba[..., 3].sum()), 5)


def write_environments(source: Path, out: Path) -> list[str]:
    """Shrink the environment maps to 128 x 256 with mean 1; returns their names."""
    names = []
    height = 128
    for path in sorted(source.glob("*.npy")):
        full = np.maximum(np.load(path)[..., :3], 0).astype(np.float64)
        rows, columns = full.shape[0] // height, full.shape[1] // (height * 2)
        small = full[: rows * height].reshape(height, rows, height * 2, columns, 3).mean((1, 3))
        small = small / small.mean()
        np.save(out / f"{path.stem}.npy", np.minimum(small, 3000).astype(np.float16))
        names.append(path.stem)
    return names


def build(args: argparse.Namespace) -> None:
    """Build the whole pack."""
    out: Path = args.out
    for folder in ("tex", "env"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    textures = Textures(args.textures, out / "tex")
    head = Head(args.makehuman, args.parts)
    plain_skin = paint_zones(head, textures)
    base = head.mesh.vertices

    body = build_body(head, args.landmarks)
    np.savez_compressed(out / "body.npz", **body)
    used = set(body["vi"].tolist())
    used |= {int(i) for key in body if key.startswith("j_") for i in body[key]}
    proxies: dict[str, np.ndarray] = {}
    for name, path in proxy_files(args.makehuman, args.assets).items():
        proxy = build_proxy(name, path, base)
        proxies |= {f"{name}/{key}": value for key, value in proxy.items()}
        measured = proxy["scale"][proxy["scale"][:, 2] > 0, :2]
        used |= set(proxy["idx"].ravel().tolist()) | {int(i) for i in measured.ravel()}
    np.savez_compressed(out / "proxies.npz", **proxies)
    np.savez_compressed(out / "targets.npz", **build_targets(args.makehuman, used, len(base)))

    info = write_textures(textures, plain_skin)
    info |= {"envs": write_environments(args.hdri, out / "env"), "mouth_y": head.mouth_y}
    (out / "pack.json").write_text(json.dumps(info, indent=1))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--makehuman", type=Path, required=True, help="`data` folder of the application repository"
    )
    parser.add_argument(
        "--assets", type=Path, required=True, help="`base` folder of the official CC0 base asset pack"
    )
    parser.add_argument(
        "--textures", type=Path, required=True, nargs="+", help="folders searched in order for a texture"
    )
    parser.add_argument("--parts", type=Path, required=True, help="MPFB2's `uv_layers` folder of face lists")
    parser.add_argument("--hdri", type=Path, required=True, help="folder of float32 maps as .npy [H, W, 3]")
    parser.add_argument(
        "--landmarks", type=Path, required=True, help="JSON list of 68 vertex numbers of the base mesh"
    )
    parser.add_argument("--out", type=Path, required=True, help="the pack's folder")
    build(parser.parse_args())


if __name__ == "__main__":
    main()
