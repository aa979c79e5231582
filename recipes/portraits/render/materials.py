"""From the attributes of a portrait to the list of meshes to draw, each with its material."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from body import Pack
from parts import NO_PART, Part, Surface
from sample import Portrait
from tables import GLASSES, LIPSTICKS, skin_albedo

Vector = tuple[float, ...] | list[float] | np.ndarray


@dataclass(frozen=True)
class Item:
    """One mesh to draw; the fields from `tint` on are uniforms of `surface.frag.glsl`."""

    mesh: str
    kind: Surface
    texture: str
    variant: str = ""
    """Names the selection in `visible`, so that its index buffer is made once."""
    visible: np.ndarray | None = None
    """Which triangles to draw; all by default."""
    label: int = 0
    tint: Vector = (1, 1, 1)
    tint2: Vector = (1, 1, 1)
    mean_colour: Vector = (0.5, 0.5, 0.5)
    """Typical colour of the texture."""
    roughness: float = 0.5
    specular: float = 0.3
    alpha_gain: float = 1.0
    skin_cover: Vector = (0, 0, 0, 0)
    """Hair colour on the scalp, stubble, blush, freckles."""
    skin_paint: Vector = (0, 0, 0, 0)
    """Lip colour, eye shadow, baldness, detail."""
    lip_colour: Vector = (0, 0, 0)
    shadow_colour: Vector = (0, 0, 0)
    hair_colour: Vector = (0, 0, 0)
    pattern: Vector = (0, 1, 1, 0.5)
    """Number of the pattern, its frequency, detail of the texture, mean luminance of the texture."""
    gradient: Vector = (8, 1)
    """Height of the hair's roots, 1 / length."""
    fringe: Vector = (0, 0)
    """Height below which hair in front of the face is cut, on or off."""
    fur: Vector = (0, 0, 0, 0)
    """Zone, density, frequency of the cells, random number."""
    shell_length: float = 0.0
    shells: int = 0
    shell_comb: Vector = (0, 0, 0)
    """Direction in which shell hair is combed."""


UNIFORMS = tuple(
    name for name in Item.__dataclass_fields__ if name not in {"mesh", "texture", "variant", "visible"}
)

STUBBLE = {
    "stubble": 0.50,
    "short beard": 0.55,
    "full beard": 0.75,
    "chinstrap beard": 0.18,
    "moustache": 0.12,
}
BEARD_SHELLS = {
    "short beard": (8, 0.035, 1, 0.8),
    "full beard": (14, 0.11, 1, 1.05),
    "moustache": (9, 0.05, 2, 1.0),
    "chinstrap beard": (9, 0.05, 4, 1.0),
}
"""Number of shells, length, painted zone, density."""


def items_of(portrait: Portrait, pack: Pack) -> list[Item]:
    """What to draw, in order."""
    skin_mean = np.array(pack.info["skins"][portrait.face.skin])
    wanted = skin_albedo(portrait.person.tone) * portrait.face.skin_variation
    tint = np.clip(wanted / skin_mean, 0.35, 2.6)
    skin = skin_mean * tint
    items = [
        _body(portrait, pack, skin_mean, tint, skin),
        Item(
            "eyes",
            Surface.EYE,
            "eye_" + portrait.face.eye_colour,
            tint=portrait.face.iris,
            roughness=0.16,
            specular=1.6,
            label=Part.LEFT_EYE,
        ),
        Item(
            "teeth",
            Surface.PLAIN,
            "teeth",
            tint=(1.0, 0.95, 0.88),
            roughness=0.3,
            specular=0.5,
            label=Part.MOUTH,
        ),
        Item(
            "tongue",
            Surface.PLAIN,
            "tongue",
            tint=(0.8, 0.7, 0.7),
            roughness=0.45,
            specular=0.4,
            label=Part.MOUTH,
        ),
        _garment(portrait, pack),
        *_brows_and_lashes(portrait, skin),
    ]
    if portrait.hair.mesh:
        items.append(_hair(portrait, pack))
    if portrait.face.glasses != "none":
        frame = GLASSES[portrait.face.glasses]
        items.append(
            Item(
                "glasses",
                Surface.METAL,
                "zones1",
                tint=frame.colour,
                roughness=frame.roughness,
                specular=frame.specular,
                label=Part.GLASSES,
            )
        )
    return items + _shells(portrait, pack, skin)


def _body(portrait: Portrait, pack: Pack, skin_mean: np.ndarray, tint: np.ndarray, skin: np.ndarray) -> Item:
    person, hair, face = portrait.person, portrait.hair, portrait.face
    lip = skin * np.array([0.92, 0.50, 0.52] if person.tone < 0.55 else [0.95, 0.62, 0.66])
    lip_amount = 0.45
    if face.lipstick:
        lip = np.array(LIPSTICKS[face.lipstick]) * (1 if person.tone < 0.5 else 0.75)
        lip_amount = 0.75
    below_mesh = 0.9 if hair.root.mean() < 0.05 else 0.55
    cover = below_mesh if hair.mesh else {"buzz": 0.55, "curls": 0.85}.get(hair.style, 0.0)
    stubble = STUBBLE.get(hair.beard, 0.0 if person.female else 0.05)
    baldness = 1.0 if hair.style == "bald" else 0.9
    garment = portrait.clothes.name
    return Item(
        "body",
        Surface.SKIN,
        face.skin,
        variant=garment,
        visible=pack.uncovered(garment),
        tint=tint,
        mean_colour=skin_mean,
        roughness=0.52,
        specular=face.oil,
        skin_cover=(cover, stubble, face.blush, face.freckles),
        skin_paint=(lip_amount, face.eye_shadow, baldness, face.wrinkles),
        lip_colour=lip,
        shadow_colour=skin * np.array([0.45, 0.33, 0.42]),
        hair_colour=hair.root * 0.9,
    )


def _garment(portrait: Portrait, pack: Pack) -> Item:
    clothes = portrait.clothes
    mean = pack.info["cloth_mean"][clothes.name]
    return Item(
        clothes.name,
        Surface.CLOTH,
        "cloth_" + clothes.name,
        tint=clothes.rgb,
        tint2=clothes.rgb2,
        roughness=0.75,
        specular=0.12,
        pattern=(clothes.pattern, clothes.frequency, clothes.detail, mean),
        label=Part.CLOTHES,
    )


def _brows_and_lashes(portrait: Portrait, skin: np.ndarray) -> tuple[Item, Item]:
    face = portrait.face
    brow = f"brow{face.brows:02d}"
    lash = f"lash{face.lashes}"
    return (
        Item(
            brow,
            Surface.BROW,
            brow,
            tint=np.minimum(portrait.hair.root * 0.55 + 0.25 * skin * 0.15, 0.16),
            roughness=0.8,
            specular=0.03,
            alpha_gain=1.05,
            label=Part.LEFT_BROW,
        ),
        Item(
            lash,
            Surface.LASH,
            lash,
            tint=(0.012, 0.009, 0.008),
            roughness=0.8,
            specular=0.0,
            alpha_gain=1.0 if portrait.person.female else 0.55,
            label=NO_PART,
        ),
    )


def _hair(portrait: Portrait, pack: Pack) -> Item:
    hair = portrait.hair
    height = pack.proxies[hair.mesh]["rest"][:, 1]
    span = float(height.max() - height.min())
    return Item(
        hair.mesh,
        Surface.HAIR,
        "hair_" + hair.mesh,
        tint=hair.root,
        tint2=hair.tip,
        roughness=0.55,
        specular=0.06 if hair.mesh == "afro01" else 0.36,
        alpha_gain=1.15,
        fringe=(hair.fringe, float(hair.fringe > 0)),
        pattern=(0, 0, 0, pack.info["hair_lin"][hair.mesh]),
        gradient=(float(height.max()) - 0.15 * span, 1 / max(span * 0.75, 0.3)),
        label=Part.HAIR,
    )


def _shells(portrait: Portrait, pack: Pack, skin: np.ndarray) -> list[Item]:
    """Short hair on the scalp and beards: copies of the skin, each a little further out and thinner."""
    hair = portrait.hair
    number = (portrait.seed % 97) / 97.0
    shell = Item("body", Surface.SHELL, portrait.face.skin, roughness=0.6, specular=0.35)
    scalp = replace(
        shell, tint=hair.root, tint2=hair.tip, label=Part.HAIR, variant="scalp", visible=pack.zone(0)
    )
    items = []
    if hair.style == "buzz":
        items.append(replace(scalp, shells=7, shell_length=0.035, fur=(0, 1.0, 900.0, number)))
    elif hair.style == "curls":
        items.append(replace(scalp, shells=14, shell_length=0.16, fur=(0, 1.15, 300.0, number)))
    if hair.beard in BEARD_SHELLS:
        count, length, zone, density = BEARD_SHELLS[hair.beard]
        items.append(
            replace(
                shell,
                tint=hair.root * 0.8 + 0.06 * skin,
                tint2=(hair.root + hair.tip) * 0.5 + 0.06 * skin,
                shells=count,
                shell_length=length,
                fur=(zone, density, 560.0, number),
                shell_comb=(0, -0.9, 0.1),
                label=Part.BEARD,
                variant="beard",
                visible=pack.zone(1),
            )
        )
    return items
