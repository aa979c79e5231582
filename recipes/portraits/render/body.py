"""Asset pack, morphing, posing and fitting of hair, clothes and eyes to a body."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from glasses import glasses
from PIL import Image
from sample import Catalogue, Person, Portrait

BONES = ("neck01", "neck02", "head")
TURN_SHARE = {"neck01": 0.2, "neck02": 0.25, "head": 0.55}
"""How a turn of the head is spread over the bones."""


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation matrix of angles in radians; positive yaw turns to the subject's left, positive pitch down."""
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    return about_y @ about_x @ about_z


@dataclass
class Mesh:
    """Constant part of a mesh: drawn vertices, split at texture seams, refer to positions."""

    name: str
    position_of: np.ndarray
    """Position index of each drawn vertex."""
    uv: np.ndarray
    triangles: np.ndarray
    """Triples of drawn vertices."""
    rest: np.ndarray
    """Positions on the base mesh, for procedural patterns."""

    def __post_init__(self) -> None:
        """Work out what normals and tangents need."""
        self.faces = self.position_of[self.triangles].astype(np.int64)
        """Triples of positions."""
        self._corners = self.faces.T.ravel()
        edge1, edge2 = (self.uv[self.triangles[:, k]] - self.uv[self.triangles[:, 0]] for k in (1, 2))
        sign = np.sign(edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0])
        self._along_v = np.stack([-edge2[:, 0] * sign, edge1[:, 0] * sign], 1)

    def normals(self, positions: np.ndarray) -> np.ndarray:
        """Smooth normals of the positions."""
        a, b, c = (positions[self.faces[:, k]] for k in range(3))
        return self._smooth(np.cross(b - a, c - a), len(positions))

    def tangents(self, positions: np.ndarray) -> np.ndarray:
        """Smooth direction of strands (the texture's vertical axis) at the positions."""
        a, b, c = (positions[self.faces[:, k]] for k in range(3))
        along = (b - a) * self._along_v[:, :1] + (c - a) * self._along_v[:, 1:]
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
        return self._smooth(along, len(positions))

    def _smooth(self, of_face: np.ndarray, count: int) -> np.ndarray:
        """Sum over the faces around each position, normalised."""
        n = np.stack([np.bincount(self._corners, np.tile(of_face[:, k], 3), count) for k in range(3)], 1)
        return (n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-9)).astype(np.float32)


class Pack:
    """The asset pack folder that `build_pack.py` writes."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.info = json.loads((self.root / "pack.json").read_text())
        body = np.load(self.root / "body.npz")
        self.body = {key: body[key] for key in body.files}
        self.targets = self._read_targets()
        self.proxies = self._read_proxies()
        self.bone_weights = np.stack([self.body[f"w_{bone}"] for bone in BONES], 1)
        self.meshes = {
            name: Mesh(name, q["vi"].astype(np.int64), q["uv"], q["tri"].astype(np.int64), q["rest"])
            for name, q in self.proxies.items()
        }
        typical_eyes = np.array([[0.31, 7.28, 1.2], [-0.31, 7.28, 1.2]])
        points, triangles = glasses(typical_eyes, 1.5, 0.75, 1.0, (0.25, 0.2, 1, 0, 0.014))
        no_texture = np.zeros((len(points), 2), np.float32)
        self.meshes["glasses"] = Mesh("glasses", np.arange(len(points)), no_texture, triangles, points)
        self.meshes["body"] = Mesh(
            "body",
            self.body["vi"].astype(np.int64),
            self.body["uv"],
            self.body["tri"].astype(np.int64),
            self.body["v"],
        )

    def _read_targets(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        stored = np.load(self.root / "targets.npz")
        start, index, delta = stored["off"], stored["idx"].astype(np.int64), stored["d"].astype(np.float32)
        return {
            str(name): (index[start[k] : start[k + 1]], delta[start[k] : start[k + 1]])
            for k, name in enumerate(stored["names"])
        }

    def _read_proxies(self) -> dict[str, dict[str, np.ndarray]]:
        stored = np.load(self.root / "proxies.npz")
        proxies: dict[str, dict[str, np.ndarray]] = {}
        for key in stored.files:
            name, field = key.split("/")
            proxies.setdefault(name, {})[field] = stored[key]
        for proxy in proxies.values():
            proxy["idx"] = proxy["idx"].astype(np.int64)
            weights = [
                (self.body[f"w_{bone}"][proxy["idx"]] * proxy["w"]).sum(1).clip(0, 1) for bone in BONES
            ]
            proxy["bone_weights"] = np.stack(weights, 1)
        return proxies

    @cached_property
    def catalogue(self) -> Catalogue:
        """The names that a portrait chooses from."""
        return Catalogue(tuple(self.targets), tuple(self.info["skins"]), tuple(self.info["envs"]))

    @lru_cache(64)  # noqa: B019 - one pack lives as long as its process
    def environment(self, name: str) -> np.ndarray:
        """Equirectangular map [128, 256, 3], float32, mean 1."""
        return np.load(self.root / "env" / f"{name}.npy").astype(np.float32)

    def joint(self, positions: np.ndarray, name: str) -> np.ndarray:
        """Where a joint is on a body."""
        return positions[self.body[f"j_{name}"]].mean(0)

    @lru_cache(8)  # noqa: B019
    def zone(self, channel: int) -> np.ndarray:
        """Body triangles inside a painted zone (0 scalp, 1 beard, 2 moustache), for shell hair."""
        painted = np.asarray(Image.open(self.root / "tex/zones1.png"))[..., channel]
        side = painted.shape[0]
        texel = (self.body["uv"] * side).astype(int).clip(0, side - 1)
        inside = painted[side - 1 - texel[:, 1], texel[:, 0]] > 10
        return inside[self.meshes["body"].triangles].any(1)

    @lru_cache(32)  # noqa: B019
    def uncovered(self, garment: str) -> np.ndarray:
        """Which body triangles stay visible below a garment."""
        covered = np.zeros(len(self.body["v"]), bool)
        covered[self.proxies[garment]["del"]] = True
        return ~covered[self.meshes["body"].faces].all(1)


def body_type_weights(person: Person) -> dict[str, float]:
    """Weights of the body type targets."""
    weight, muscle = _levels(person.weight), _levels(person.muscle)
    weights: dict[str, float] = {}
    for gender, gender_weight in (("female", 1 - person.gender), ("male", person.gender)):
        for age, age_weight in (("young", 1 - person.age), ("old", person.age)):
            for name, share in person.heritage.items():
                weights[f"macrodetails/{name}-{gender}-{age}"] = gender_weight * age_weight * share
            for muscle_name, muscle_weight in muscle.items():
                for weight_name, weight_weight in weight.items():
                    target = f"universal-{gender}-{age}-{muscle_name}muscle-{weight_name}weight"
                    weights[f"macrodetails/{target}"] = (
                        gender_weight * age_weight * muscle_weight * weight_weight
                    )
    return weights


def _levels(value: float) -> dict[str, float]:
    """Split 0..1 into weights of the targets for little, average and much."""
    return {"min": max(0.0, 1 - 2 * value), "average": 1 - abs(2 * value - 1), "max": max(0.0, 2 * value - 1)}


def fit_proxy(proxy: dict[str, np.ndarray], body: np.ndarray) -> np.ndarray:
    """Place a proxy (hair, garment, eyes) on the unposed body."""
    scale = np.ones(3, np.float32)
    for axis, (first, second, rest_distance) in enumerate(proxy["scale"]):
        if rest_distance > 0:
            scale[axis] = abs(body[int(first), axis] - body[int(second), axis]) / rest_distance
    return (body[proxy["idx"]] * proxy["w"][..., None]).sum(1) + proxy["offs"] * scale


class Figure:
    """One posed person: positions of every mesh, landmarks and anchors for camera and light."""

    def __init__(self, pack: Pack, portrait: Portrait, meshes: list[str]) -> None:
        body = _morph(pack, portrait)
        eyes = np.stack([pack.joint(body, "eyeL"), pack.joint(body, "eyeR")])
        landmarks = body[pack.body["landmarks"]]
        mouth = (landmarks[48] + landmarks[54]) / 2
        between_eyes = abs(eyes[0, 0] - eyes[1, 0])
        eyes_to_mouth = abs(eyes[:, 1].mean() - mouth[1])
        self.scale = float(0.5 * between_eyes / 0.6155 + 0.5 * np.clip(eyes_to_mouth / 0.67, 0.85, 1.2))
        """Size of the face relative to the base mesh."""
        positions = {name: fit_proxy(pack.proxies[name], body) for name in meshes if name != "glasses"}
        hair = portrait.hair
        if hair.mesh:
            head = pack.joint(body, "head")
            positions[hair.mesh] = _style(positions[hair.mesh], portrait, eyes.mean(0), head)
        _look(pack, positions["eyes"], eyes, portrait)
        if "glasses" in meshes:
            positions["glasses"] = self._put_on_glasses(pack, body, positions, eyes, portrait)
        positions["body"] = body
        self.positions = _turn_head(pack, positions, portrait)
        """Positions [V, 3] float32 of every mesh."""
        posed = self.positions["body"]
        self.landmarks = posed[pack.body["landmarks"]]
        self.eyes = (pack.joint(posed, "eyeL") + pack.joint(posed, "eyeR")) / 2
        self.head = pack.joint(posed, "head") + np.array([0, 0.45 * self.scale, 0.25], np.float32)

    def _put_on_glasses(
        self,
        pack: Pack,
        body: np.ndarray,
        positions: dict[str, np.ndarray],
        eyes: np.ndarray,
        portrait: Portrait,
    ) -> np.ndarray:
        lashes = positions[f"lash{portrait.face.lashes}"]
        near = body[np.unique(pack.meshes["body"].faces)]
        beside_the_eyes = (
            (abs(near[:, 1] - eyes[0, 1]) < 0.15)
            & (near[:, 2] < eyes[0, 2] - 0.5)
            & (near[:, 2] > eyes[0, 2] - 1.1)
        )
        near = near[beside_the_eyes]
        brows = float(np.percentile(body[pack.body["landmarks"][17:27], 2], 90))
        front = max(float(lashes[:, 2].max()) + 0.05, brows + 0.03)
        side = float(np.percentile(abs(near[:, 0]), 80)) + 0.03
        return glasses(eyes, front, side, self.scale, portrait.face.glasses_form)[0]


def _morph(pack: Pack, portrait: Portrait) -> np.ndarray:
    """The base mesh with body type, face shape and expression applied."""
    body = pack.body["v"].copy()
    person = portrait.person
    for name, weight in (*body_type_weights(person).items(), *person.shape.items()):
        if abs(weight) > 1e-4:
            index, delta = pack.targets[name]
            body[index] += np.float32(weight) * delta
    for name, weight in portrait.expression.units.items():
        for heritage, share in person.heritage.items():
            if abs(weight * share) > 1e-3:
                index, delta = pack.targets[f"expression/units/{heritage}/{name}"]
                body[index] += np.float32(weight * share) * delta
    return body


def _look(pack: Pack, eyeballs: np.ndarray, eyes: np.ndarray, portrait: Portrait) -> None:
    """Turn the eyeballs about their centres, in place."""
    gaze_yaw, gaze_pitch = np.radians((portrait.pose.gaze_yaw, portrait.pose.gaze_pitch))
    turn = rotation(gaze_yaw, gaze_pitch, 0).T.astype(np.float32)
    left = pack.proxies["eyes"]["rest"][:, 0] > 0
    for side, eye in ((left, eyes[0]), (~left, eyes[1])):
        centre = eyeballs[side].mean(0) * [1, 1, 0] + eye * [0, 0, 1]
        centre[:2] = eye[:2]
        eyeballs[side] = (eyeballs[side] - centre) @ turn + centre


def _turn_head(pack: Pack, positions: dict[str, np.ndarray], portrait: Portrait) -> dict[str, np.ndarray]:
    """Turn neck and head, and all that is fixed to them."""
    yaw, pitch, roll = (math.radians(a) for a in (portrait.pose.yaw, portrait.pose.pitch, portrait.pose.roll))
    weights = {name: pack.proxies[name]["bone_weights"] for name in positions if name in pack.proxies}
    weights["body"] = pack.bone_weights
    if "glasses" in positions:
        weights["glasses"] = np.ones((len(positions["glasses"]), 3), np.float32)
    for k, bone in enumerate(BONES):
        joint = pack.joint(positions["body"], bone)
        share = TURN_SHARE[bone]
        turn = rotation(yaw * share, pitch * share, roll * share).T.astype(np.float32)
        for name, old in positions.items():
            offset = old - joint
            positions[name] = old + weights[name][:, k : k + 1] * (offset @ turn - offset)
    return {name: p.astype(np.float32) for name, p in positions.items()}


def _style(hair: np.ndarray, portrait: Portrait, eyes: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Vary a hairstyle: volume, length below the eyes, waves."""
    choice = portrait.hair
    centre = np.array([0, eyes[1] + 0.1, (eyes[2] + head[2]) / 2 - 0.1], np.float32)
    hair = centre + (hair - centre) * (1 + choice.volume * np.array([1, 1, 0.8], np.float32))
    below = np.maximum(0, (eyes[1] - 0.15) - hair[:, 1])
    hair[:, 1] -= below * (choice.length - 1)
    amplitude, frequency, phase = choice.wave
    if amplitude:
        strength = np.minimum(1, below / 0.5)[:, None]
        sideways = np.sin(hair[:, 1] * frequency + phase + hair[:, 0] * 3)
        forward = np.cos(hair[:, 1] * frequency * 0.83 + phase + hair[:, 2] * 4)
        wave = np.stack([sideways, 0 * sideways, forward], 1).astype(np.float32)
        hair += amplitude * strength * wave
    return hair
