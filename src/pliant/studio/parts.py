"""The parts of a project's frames, and the learnt edits that fit them. All of it is asked for on the device's thread."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from pliant.errors import InputError
from pliant.gan.head import PartClass, PartHead
from pliant.gan.latent import LatentPicture
from pliant.gan.parts import head_folder, heads_folder, load_head, segment
from pliant.gan.stylegan2 import Generator
from pliant.gan.tuned import original
from pliant.gan.vectors import SUFFIX, EditVector, vectors_folder, vectors_for
from pliant.project import Project
from pliant.studio import messages as m
from pliant.studio.frames import to_png

MODEL = "model"
"""Among a head's facts: name of the model, one that whoever started the studio offers."""
UNSURE = 0.7
"""Jensen-Shannon divergence in nats that is drawn as white."""


def latent_picture(project: Project, node: str, step: int = 0) -> LatentPicture:
    """The picture of a frame that a model makes.

    Raises:
        InputError: there is no such frame, or no model makes it.
    """
    picture = project.picture(node, step)
    if not isinstance(picture, LatentPicture):
        raise InputError(
            "Only pictures that a model makes have parts and learnt edits; open the photo first."
        )
    return picture


# ---- parts


def head_of(generator: Generator) -> PartHead | None:
    """The part head of a generator; None where it has none.

    Raises:
        CheckpointError: it has one that cannot be read.
    """
    base = original(generator)
    return load_head(base) if head_folder(base) is not None else None


def head_digest(head: PartHead) -> str:
    """Tells part heads apart, before and after they are saved."""
    about = {"fingerprint": head.fingerprint, "classes": [asdict(each) for each in head.classes]}
    hashed = hashlib.sha256(json.dumps(about).encode())
    for value in (*head.fast.tensors().values(), *head.ensemble.tensors().values()):
        hashed.update(value.half().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()


def own_classes(classes: Sequence[m.PartClass]) -> tuple[PartClass, ...]:
    """Named parts as the engine takes them."""
    return tuple(PartClass(each.name, each.colour) for each in classes)


def paintable(generator: Generator, labelled: Sequence[m.PartClass]) -> tuple[PartClass, ...]:
    """The parts that may be painted on a generator's pictures: those of its head, or those being labelled if they are more.

    Raises:
        InputError: there are none.
    """
    head = head_of(generator)
    known = head.classes if head is not None else ()
    chosen = known if len(known) >= len(labelled) else own_classes(labelled)
    if not chosen:
        raise InputError(f"The parts of '{generator.name}' are not known yet; name them first.")
    return chosen


def node_parts(generator: Generator, labelled: Sequence[m.PartClass]) -> m.NodeParts:
    """What the page is told of the parts of a generator's pictures."""
    head = head_of(generator)
    if head is None:
        return m.NodeParts(head=None, classes=tuple(labelled), uncertainty=False)
    classes = tuple(m.PartClass(name=each.name, colour=each.colour) for each in head.classes)
    return m.NodeParts(head=head_digest(head), classes=classes, uncertainty=len(head.ensemble) > 0)


def part_map(picture: LatentPicture, digest: str, *, uncertainty: bool = False) -> bytes:
    """The part map of a picture as a grey PNG of ids; or how unsure the head is, white from 0.7 nats on.

    Args:
        picture: to be read.
        digest: of the head that the page knows.
        uncertainty: the second of the two.

    Raises:
        InputError: the model has no head, or another one by now.
    """
    head = head_of(picture.generator)
    if head is None:
        raise InputError(f"The parts of '{picture.generator.name}' are not known yet; name them first.")
    if head_digest(head) != digest:
        raise InputError("The parts of this model were learnt anew; load them again.")
    found = segment(picture, head, uncertainty=uncertainty)
    if found.uncertainty is None:
        return to_png(Image.fromarray(found.ids.numpy()))
    shade = (found.uncertainty / UNSURE).clamp(0, 1).mul(255).round().byte()
    return to_png(Image.fromarray(shade.numpy()))


def keep_head(head: PartHead) -> None:
    """Put a head that was trained here among the user's own, in the place of a former one for its model."""
    home, name = heads_folder(), str(head.facts[MODEL])
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="head-", dir=home.parent) as scratch:
        fresh, place = head.save(Path(scratch) / "new"), home / name
        if place.exists():
            place.rename(Path(scratch) / "former")
        fresh.rename(place)


# ---- learnt edits


def node_vectors(generator: Generator) -> list[m.VectorInfo]:
    """The learnt edits that fit a generator, as the page is told of them."""
    own: set[str] = set()
    for path in vectors_folder().glob(f"*{SUFFIX}"):
        with suppress(InputError):  # someone else's file
            own.add(EditVector.open(path).name)
    return [
        m.VectorInfo(name=each.name, parts=each.parts, safe=each.safe, own=each.name in own)
        for each in vectors_for(generator).values()
    ]


def check_vectors(generator: Generator, vectors: Mapping[str, float]) -> None:
    """Refuse names of learnt edits that do not fit a generator.

    Raises:
        InputError: there is such a name.
    """
    known = vectors_for(generator)
    for name in vectors:
        if name not in known:
            raise InputError(f"There is no learnt edit '{name}' for '{generator.name}'.")


def check_vector_name(name: str) -> None:
    """Refuse a name that a command could take for a file or an option.

    Raises:
        InputError: it is such a name, or not one that people can read.
    """
    if not name or not name.isprintable() or name.startswith("-") or name.endswith(SUFFIX):
        raise InputError(
            f"The name of a learnt edit is a few words; it neither begins with - nor ends in {SUFFIX}."
        )


def save_vector(project: Project, message: m.SaveVector) -> None:
    """Keep what a run did, from its start to a frame, among the person's own learnt edits.

    Raises:
        InputError: not the run of an edit, a name that is taken or cannot be used, unknown parts, or nothing was changed.
    """
    node = project.nodes[message.place.node]
    parent = project.nodes.get(node.parent or "")
    if node.edit is None or parent is None or parent.kind != node.kind:
        raise InputError("Only what an edit did can be kept; this picture was opened as it is.")
    before = latent_picture(project, node.id)
    after = latent_picture(project, node.id, message.place.step)
    name = message.name.strip()
    check_vector_name(name)
    if name in vectors_for(after.generator):
        raise InputError(f"There is a learnt edit '{name}' already; choose another name.")
    head = head_of(after.generator)
    if head is not None:
        for part in message.parts:
            head.id_of(part)
    facts = {"model": after.generator.name, "edit": node.edit, "settings": dict(node.settings)}
    learnt = EditVector.between(before, after, name, message.parts, facts=facts)
    vectors_folder().mkdir(parents=True, exist_ok=True)
    # letters and digits of its name for people, and what tells it apart from others
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "edit"
    told_apart = hashlib.sha256(f"{learnt.fingerprint} {name}".encode()).hexdigest()[:12]
    learnt.save(vectors_folder() / f"{slug}-{told_apart}{SUFFIX}")


def vector_digest(vector: EditVector) -> str:
    """Tells vectors of one name apart."""
    return hashlib.sha256(np.ascontiguousarray(vector.offset.numpy()).tobytes()).hexdigest()
