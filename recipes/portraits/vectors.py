"""Learns the library of edits of portraits-256: editing vectors (EditGAN, arXiv 2111.03186, section 3.4).

    python recipes/portraits/vectors.py                       # the library, its card, figures and sheets
    python recipes/portraits/vectors.py --only smile,beard --out runs/vectors

Each edit is learnt on a few pictures of the model. A program repaints their part maps (or, where masks cannot say it, pulls
points of the face or retouches pixels) and an offset of the codes is optimised until the pictures comply.

EditGAN learns a vector on one picture. A mean of three such, tried first, changed colours, clothes and beards of other faces
too. Here sixteen pictures take turns in the steps of one optimisation of one offset, which is added
to all their codes: only what works on all of them is learnt. Vectors from drags are means over sixteen pictures. Where the edit
is one of shape, rows of the last layers are zero. Then each vector is tried on pictures that it was not learnt on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lessons import LEARNT_ON, LESSONS, Face, Lesson
from torch import Tensor

from pliant.gan.drag import DragSettings, drag
from pliant.gan.head import look
from pliant.gan.latent import fingerprint, load_generator, sample
from pliant.gan.part_edit import dilated
from pliant.gan.parts import load_head
from pliant.gan.region import KnownRegion
from pliant.gan.stylegan2 import Generator
from pliant.gan.vectors import EditVector
from pliant.images import contact_sheet, to_pil

TRIED_ON = (1002, 1014, 1020, 1027, 1030, 1041, 1003, 1033)
"""Seeds of pictures that no vector was learnt on; the first six are shown."""
STEPS, STEP, APART, PULL = 64, 0.06, 0.3, 0.1
DRAG = DragSettings(max_steps=80, hold_back=1.0)
MARGIN = 4
HELD = ("b16.conv1", "b32.conv1", "b64.conv1", "b128.conv1")
SAMPLES = {"changed": 400, "inside": 200, "outside": 200}
"""Pixels whose parts are looked at in a step."""
SHOWN = 6
MOST_STRAIN = 1.5
FINE = 0.25
"""Steps of strength in which the safe range is found."""
LIBRARY = Path(__file__).parents[2] / "src/pliant/_weights/portraits-256/vectors"
SHEETS = Path(__file__).parents[2] / "docs/images/vectors"
CARD = """---
license: apache-2.0
---

# Edits of portraits-256

{count} editing vectors (EditGAN, arXiv 2111.03186): codes [14, 256] to add to the code of any picture of `portraits-256`.
`recipes/portraits/vectors.py` learnt them on 16 pictures that the model makes itself, from part maps, pixels or points that a
program changed; no picture of a person was seen. Licence: Apache-2.0. Each file says which parts it concerns.

At strength 1, means over {tried} pictures that no vector was learnt on: distances in percent of that between the outer corners
of the eyes, shares in percent of the picture. Outside: mean change of the pixels outside the vector's parts, of 255. At
strength 0 nothing changes. Safe: strengths at which mean strain stays at 1.5 or less and eyes found the faces whole.
"""


class Painted:
    """A face with the parts that it should have.

    Args:
        face: before.
        after: [H, W] ids as painted.
        retouched: [3, H, W] pixels as retouched.
    """

    def __init__(self, face: Face, after: Tensor, retouched: Tensor | None) -> None:
        self.face, self.after, self.retouched = face, after, retouched
        changed = face.ids != after if retouched is None else (face.pixels != retouched).any(0)
        near = dilated(changed, MARGIN)
        self.outside = (~near).float()
        self.places = {"changed": changed, "inside": near & ~changed, "outside": ~near}
        with torch.no_grad():
            self.image, features = look(face.picture.generator, face.picture.ws[None])
        self.held = {name: unit(values) for name, values in features.items() if name in HELD}
        self.cells = {
            name: (F.adaptive_avg_pool2d(self.outside[None], values.shape[2:]) > 1 - 1e-6).float()
            for name, values in self.held.items()
        }

    def loss(self, ws: Tensor, rng: torch.Generator, part_weight: float) -> tuple[Tensor, float]:
        """What `pliant.gan.part_edit` minimises, on some pixels; and the share of repainted pixels that comply."""
        image, features = look(self.face.picture.generator, ws[None])
        parts, right = torch.zeros(()), 0.0
        for kind, count in SAMPLES.items():
            y, x = torch.nonzero(self.places[kind], as_tuple=True)
            chosen = torch.randint(len(y), (count,), generator=rng)
            y, x = y[chosen], x[chosen]
            logits = self.face.head.logits_at(features, torch.stack([x, y], 1))[0]
            parts = parts + F.cross_entropy(logits.T, self.after[y, x]) * (1 if kind == "changed" else 0.5)
            if kind == "changed":
                right = float((logits.argmax(0) == self.after[y, x]).float().mean())
        pixels = ((image - self.image).square().mean((0, 1)) * self.outside).mean()
        kept = torch.stack(
            [((unit(features[n]) - v).square().sum(1) * self.cells[n]).mean() for n, v in self.held.items()]
        ).mean()
        wanted = torch.zeros(())
        if self.retouched is not None:
            changed = self.places["changed"]
            wanted = (image[0] - self.retouched)[:, changed].square().mean()
            right = -float(wanted.detach())
        return part_weight * (parts + 5 * wanted) + 150 * pixels + 20 * kept, right


def unit(values: Tensor) -> Tensor:
    """Each place's features [N, C, h, w] scaled to length one."""
    return values / (values.square().sum(1, keepdim=True) + 1e-8).sqrt()


def spread(generator: Generator) -> Tensor:
    """[w_dim, w_dim]: takes numbers of unit variance to differences of codes w."""
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        w = generator.mapping.w(torch.randn(4096, generator.config.z_dim, generator=rng), None)
    variance, basis = torch.linalg.eigh(torch.cov(w.T))
    return (basis * variance.clamp_min(float(variance.max()) * 1e-4).sqrt()).T


def from_masks(lesson: Lesson, faces: Sequence[Face]) -> Tensor:
    """One offset [num_ws, w_dim] that makes all faces as painted: they take turns in Adam's steps."""
    goals = []
    for face in faces:
        after = lesson.paint(face) if lesson.paint else face.ids
        retouched = lesson.retouch(face) if lesson.retouch else None
        if retouched is not None or int((face.ids != after).sum()) >= 30:
            goals.append(Painted(face, after, retouched))
    generator = faces[0].picture.generator
    colour, known = spread(generator), KnownRegion.of(generator)
    num_ws = generator.config.num_ws
    rows = torch.zeros(num_ws, 1)
    rows[slice(*lesson.rows)] = 1
    together = torch.zeros(1, generator.config.w_dim, requires_grad=True)
    apart = torch.zeros(num_ws, generator.config.w_dim, requires_grad=True)
    adam = torch.optim.Adam(
        [{"params": [together]}, {"params": [apart], "lr": STEP * APART}], STEP, betas=(0.9, 0.98)
    )
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    rng = torch.Generator().manual_seed(0)
    shares = []
    for step in range(STEPS):
        if step % len(goals) == 0:
            order = torch.randperm(len(goals), generator=rng).tolist()
        goal = goals[order[step % len(goals)]]
        code = (together + apart) * rows
        before = goal.face.picture.ws
        ws = before + code @ colour
        loss, share = goal.loss(ws, rng, lesson.part_weight)
        reach = max(1.0, float(known.strain(before)))
        loss = loss + F.relu(known.strain(ws) - reach).square() + PULL * code.square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        decay.step()
        shares.append(share)
    print(
        f"   {lesson.name}: {len(goals)} faces, {sum(shares[-16:]) / 16:.2f} of the painted pixels comply",
        flush=True,
    )
    return ((together + apart) * rows @ colour).detach()


def from_points(lesson: Lesson, faces: Sequence[Face]) -> Tensor:
    """The mean of what drags add, [num_ws, w_dim]."""
    assert lesson.pull is not None
    found = []
    for face in faces:
        handles, targets, mask = lesson.pull(face)
        *_, step = drag(face.picture, handles, targets, movable=mask, settings=DRAG)
        print(
            f"   {lesson.name}: {step.index} steps, {step.distances.mean():.1f} pixels to go, strain {step.strain:.2f}",
            flush=True,
        )
        found.append(step.picture.ws - face.picture.ws)
    return torch.stack(found).mean(0)


def finished(lesson: Lesson, offset: Tensor) -> Tensor:
    """The vector of an offset that was learnt."""
    rows = torch.zeros(len(offset), 1)
    rows[slice(*lesson.kept)] = lesson.scale
    return offset * rows


def safe_range(lesson: Lesson, offset: Tensor, faces: Sequence[Face]) -> tuple[float, float]:
    """Strengths at which unseen pictures strain at most 1.5 on average, within the limit that people set."""
    known = KnownRegion.of(faces[0].picture.generator)
    codes = torch.stack([face.picture.ws for face in faces])
    ends = []
    for limit in lesson.limit:
        steps = int(abs(limit) / FINE)
        strengths = [FINE * step * (1 if limit > 0 else -1) + 0.0 for step in range(steps + 1)]
        held = [s for s in strengths if float(known.strain(codes + s * offset).mean()) <= MOST_STRAIN]
        ends.append(max(held, key=abs, default=0.0))
    return ends[0], ends[1]


def tried(lesson: Lesson, vector: EditVector, faces: Sequence[Face]) -> tuple[dict[str, Any], list[Face]]:
    """Figures of a vector at strength 1 on unseen pictures, and those pictures."""
    known = KnownRegion.of(faces[0].picture.generator)
    edited = [Face(vector.apply(face.picture), face.head) for face in faces]
    before = torch.tensor([lesson.measure(face) for face in faces])
    after = torch.tensor([lesson.measure(face) for face in edited])
    moved = []
    for old, new in zip(faces, edited, strict=True):
        outside = ~dilated(old.of(*lesson.parts) | new.of(*lesson.parts), MARGIN)
        moved.append(float((old.pixels - new.pixels).abs().mean(0)[outside].mean()) * 127.5)
    figures = {
        "measure": lesson.unit,
        "before": round(float(before.mean()), 2),
        "after": round(float(after.mean()), 2),
        "as wanted": f"{int((after > before).sum())} of {len(faces)}",
        "change outside the parts, of 255": round(sum(moved) / len(moved), 1),
        "strain before": round(sum(float(known.strain(f.picture.ws)) for f in faces) / len(faces), 2),
        "strain after": round(sum(float(known.strain(f.picture.ws)) for f in edited) / len(faces), 2),
    }
    return figures, edited


def sheet(faces: Sequence[Face], edited: Sequence[Face], path: Path) -> None:
    """The first pictures before and after, one above the other."""
    shown = [to_pil(each.pixels).resize((192, 192)) for each in (*faces[:SHOWN], *edited[:SHOWN])]
    contact_sheet(shown, SHOWN).save(path, quality=82, optimize=True)


def main(arguments: list[str] | None = None) -> None:
    """Learn, try and write every vector."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=LIBRARY, help="folder of the vectors and their card")
    parser.add_argument("--sheets", type=Path, default=SHEETS, help="folder of the pictures before and after")
    parser.add_argument("--only", help="names, with commas between")
    parser.add_argument("--again", action="store_true", help="try the vectors in --out again; learn nothing")
    args = parser.parse_args(arguments)
    chosen = [each for each in LESSONS if not args.only or each.name in args.only.split(",")]
    generator = load_generator("portraits-256")
    head = load_head(generator)
    pool = {seed: Face(sample(generator, seed), head) for seed in {*LEARNT_ON, *TRIED_ON}}
    unseen = [pool[seed] for seed in TRIED_ON]
    args.out.mkdir(parents=True, exist_ok=True)
    args.sheets.mkdir(parents=True, exist_ok=True)
    for lesson in chosen:
        path = args.out / f"{lesson.name.replace(' ', '-')}.safetensors"
        if args.again:
            offset = EditVector.open(path).offset
        else:
            faces = [pool[seed] for seed in lesson.seeds]
            offset = finished(lesson, (from_points if lesson.pull else from_masks)(lesson, faces))
        safe = safe_range(lesson, offset, unseen)
        vector = EditVector(lesson.name, offset, lesson.parts, fingerprint(generator), safe)
        figures, edited = tried(lesson, vector, unseen)
        way = "drags" if lesson.pull else "retouched pixels" if lesson.retouch else "painted parts"
        facts = {"learnt by": way, "learnt on seeds": list(lesson.seeds), **figures}
        replace(vector, facts=facts).save(path)
        sheet(unseen, edited, args.sheets / f"{lesson.name.replace(' ', '-')}.jpg")
        print(lesson.name, safe, figures, flush=True)
    (args.out / "README.md").write_text(card(args.out), encoding="utf-8")


def table(folder: Path) -> str:
    """What is known of the vectors in a folder, as Markdown."""
    lines = [
        "| vector | learnt by | measure | before | after | as wanted | change outside | strain | safe |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for lesson in LESSONS:
        path = folder / f"{lesson.name.replace(' ', '-')}.safetensors"
        if not path.is_file():
            continue
        vector = EditVector.open(path)
        f = vector.facts
        lines.append(
            f"| {vector.name} | {f['learnt by']} | {f['measure']} | {f['before']} | {f['after']} | {f['as wanted']} "
            f"| {f['change outside the parts, of 255']} | {f['strain before']} to {f['strain after']} "
            f"| {vector.safe[0]:g} to {vector.safe[1]:g} |"
        )
    return "\n".join(lines) + "\n"


def card(folder: Path) -> str:
    """The README of the library."""
    return CARD.format(count=len(LESSONS), tried=len(TRIED_ON)) + "\n" + table(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
