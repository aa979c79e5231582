"""Tables, plots and contact sheets of a run of `drag_quality.py`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from PIL import Image
from torch import Tensor

from pliant.images import contact_sheet, to_pil
from pliant.marks import draw_marks
from quality.protocols import Bench, Faces, PerturbedPairs, chosen, task

mpl.use("Agg")
from matplotlib import pyplot as plt

PAPER = {1: 0.19, 5: 0.27, 68: 0.30}
"""Ratio to no-edit that DragGAN reports on FFHQ (2.44 / 12.93, 3.18 / 11.66, 4.73 / 16.02 px)."""

FACE_COLUMNS = {
    "mean_distance": "mean px",
    "ratio_to_no_edit": "ratio",
    "median_distance": "median px",
    "closer_than_2_px": "< 2 px",
    "worse_than_before": "worse than before",
    "believed_distance": "tracker believes px",
    "frechet_landmark_features": "Fréchet, landmark net",
    "frechet_stlpips_features_x1e6": "Fréchet x 1e6, ST-LPIPS net",
    "arrived": "arrived",
    "steps": "steps",
    "strain": "strain",
    "seconds_per_edit": "s (batch)",
    "seconds_alone": "s (alone)",
}
PAIR_COLUMNS = {
    "mse_x100": "MSE x 100",
    "stlpips_x10": "ST-LPIPS x 10",
    "arrived": "arrived",
    "steps": "steps",
    "strain": "strain",
    "seconds_per_edit": "s (batch)",
}
BACK_COLUMNS = {
    "stlpips_x10": "ST-LPIPS x 10",
    "mse_x100": "MSE x 100",
    "mean_distance_there": "px after there",
    "mean_distance_back": "px after back",
    "strain": "strain",
    "seconds_per_edit": "s (batch)",
}

LEGEND = """Faces: landmarks of one random face (truncation 0.7) are dragged to where they are in another, then detected
again by `landmarks-68`; distances in pixels of the picture. 1 point: tip of the nose. 5 points: centres of
the eyes, tip of the nose, corners of the mouth. Points outside the picture in either face are neither
dragged nor measured; of handles less than a pixel apart only the first is dragged, all are measured.
*ratio*: mean distance over that of leaving the picture as it is. *tracker believes*: mean distance of the
tracked handles to their targets, as the method sees it. *Fréchet*: between the edited and the initial
pictures, on the named features (not FID; for sets of one size only). *strain*: how far the code has left
what the model knows (1 = beyond 99 % of its samples). *s (batch)*: seconds an edit when many are dragged
together; *s (alone)*: one at a time, last picture painted.

Reconstruction: a code (truncation 0.3) is perturbed by a tenth towards other codes on its first six layers;
32 pixels of the DIS optical flow that pass a forward-backward check are dragged, at most a third of the
steps; the result is compared with the perturbed picture (values in [-1, 1]). There and back: the 5 points
are dragged, then dragged back; the result is compared with the start. A method that moves nothing scores 0
there, so the distance after the way there stands beside it.
"""


def write(
    out: Path,
    figures: dict[str, Any],
    tensors: dict[str, Tensor],
    *,
    bench: Bench,
    pairs: Faces,
    perturbed: PerturbedPairs,
) -> None:
    """Write everything that can be written from the rows that exist."""
    results = figures["results"]
    (out / "drag_quality.md").write_text(tables(figures))
    faces = {count: results[f"faces-{count}"] for count in PAPER if f"faces-{count}" in results}
    if faces:
        plot_faces(faces, out / "drag_quality_faces.png")
    for count in (1, 5):
        save_sheet(face_sheet(bench, pairs, count, tensors), out / f"drag_quality_faces_{count}.jpg")
    save_sheet(pair_sheet(bench, perturbed, tensors), out / "drag_quality_reconstruction.jpg")


def tables(figures: dict[str, Any]) -> str:
    """The Markdown page."""
    setup, results = figures["setup"], figures["results"]
    protocol = setup["protocol"]
    text = [
        "# Quality of drags\n",
        f"Model `{protocol['model']}`, {protocol['pairs']} pairs, at most {protocol['steps']} steps.\n",
        f"{setup['machine']}, {setup['batch']} pictures together.\n",
        f"Command: `{setup['command']}`\n",
        LEGEND,
        "Fréchet features: " + "; ".join(setup["frechet_features"]) + ".\n",
    ]
    for count, published in PAPER.items():
        if f"faces-{count}" in results:
            text += [f"## Faces, {count} point{'s' if count > 1 else ''}\n"]
            text += [f"The paper's ratio on its own model (FFHQ, dlib landmarks): {published:.2f}.\n"]
            text += [table(results[f"faces-{count}"], FACE_COLUMNS, setup["machine"])]
    if "reconstruction" in results:
        text += ["## Reconstruction\n", table(results["reconstruction"], PAIR_COLUMNS, setup["machine"])]
    if "there-and-back" in results:
        text += ["## There and back\n", table(results["there-and-back"], BACK_COLUMNS, setup["machine"])]
    rows = {name: row for name, row in figures["rows"].items() if row}
    if rows:
        text += ["## Settings of the rows\n", differences(rows)]
    return "\n".join(text)


def table(rows: dict[str, dict[str, Any]], columns: dict[str, str], machine: str) -> str:
    """Rows of figures; columns that no row has are left out, and times of another machine than the page's."""
    present = {key: title for key, title in columns.items() if any(key in row for row in rows.values())}
    lines = [f"| row | {' | '.join(present.values())} |", "| --- |" + " --- |" * len(present)]
    for name, row in rows.items():
        elsewhere = row.get("machine", machine) != machine
        cells = [
            "" if elsewhere and key.startswith("seconds") else shown(key, row.get(key)) for key in present
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    others = {name: row["machine"] for name, row in rows.items() if row.get("machine", machine) != machine}
    lines += [f"\n{name}: run on {where}, seconds left out." for name, where in others.items()]
    return "\n".join(lines) + "\n"


def shown(key: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    if key in {"closer_than_2_px", "worse_than_before", "arrived"}:
        return f"{value:.0%}"
    if abs(value) < 1e-6:
        return "0"
    return f"{value:.0f}" if key == "steps" else f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def differences(rows: dict[str, dict[str, Any]]) -> str:
    """Settings in which the rows differ."""
    keys = [key for key in next(iter(rows.values())) if len({str(r.get(key)) for r in rows.values()}) > 1]
    lines = [f"| row | {' | '.join(keys)} |", "| --- |" + " --- |" * len(keys)]
    lines += [f"| {name} | {' | '.join(str(row.get(key)) for key in keys)} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


def plot_faces(faces: dict[int, dict[str, dict[str, Any]]], path: Path) -> None:
    """Mean distance over the nudges, one panel for each number of points."""
    names = dict.fromkeys(name for rows in faces.values() for name, row in rows.items() if "curve" in row)
    colours = {name: f"C{k}" for k, name in enumerate(names)}
    figure, axes = plt.subplots(1, len(faces), figsize=(4 * len(faces), 3.4), squeeze=False)
    for panel, (count, rows) in zip(axes[0], faces.items(), strict=True):
        for name, row in rows.items():
            if "curve" in row:
                nudges, distances = [int(k) for k in row["curve"]], list(row["curve"].values())
                panel.plot(nudges, distances, "o-", ms=3, color=colours[name], label=name)
        if "no-edit" in rows:
            before = rows["no-edit"]["mean_distance"]
            panel.axhline(before, color="grey", lw=1, label="no-edit")
            panel.axhline(before * PAPER[count], color="grey", lw=1, ls=":", label="the paper's ratio")
        panel.set(title=f"{count} point{'s' if count > 1 else ''}", xlabel="nudges", ylim=(0, None))
        panel.grid(alpha=0.3)
    axes[0, 0].set_ylabel("mean distance of the landmarks, px")
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def cases(
    left: Tensor, gained: Tensor | None = None, each: tuple[int, int, int] = (2, 2, 4)
) -> list[tuple[str, int]]:
    """Best, median and worst pictures.

    Args:
        left: [N] what is still wrong; median and worst go by it.
        gained: [N] what was put right; best goes by it, so that pairs that hardly differed are no successes.
        each: how many of each kind.
    """
    order = left.argsort().tolist()
    best, median, worst = each
    middle = max(0, len(order) // 2 - median // 2)
    good = order if gained is None else gained.argsort(descending=True).tolist()
    picked = [("best", i) for i in good[:best]]
    picked += [("median", i) for i in order[middle : middle + median]]
    return picked + [("worst", i) for i in order[::-1][:worst]]


def rows_of(tensors: dict[str, Tensor], protocol: str) -> list[str]:
    """Rows with codes of a protocol, the default last: by it the cases are picked."""
    names = [key.split("/")[1] for key in tensors if key.startswith(f"{protocol}/") and key.endswith("/ws")]
    names = [name for name in names if tensors[f"{protocol}/{name}/ws"].shape[1]]
    return sorted(names, key=lambda name: (name == "default", names.index(name)))


def paint(bench: Bench, start: Tensor, moving: Tensor) -> Image.Image:
    """The picture of a stored code: its first layers were kept, the others are those of the start."""
    ws = torch.cat([moving.float().to(start.device), start[len(moving) :]])
    return to_pil(bench.paint(ws[None])[0].cpu())


def face_sheet(bench: Bench, pairs: Faces, count: int, tensors: dict[str, Tensor]) -> Image.Image | None:
    """One case a line: start with handles and targets, the face the targets come from, and what each row made."""
    protocol = f"faces-{count}"
    names = rows_of(tensors, protocol)
    if not names:
        return None
    index = tensors[f"{protocol}/{names[-1]}/index"].tolist()
    before, after = (tensors[f"{protocol}/{names[-1]}/{key}"] for key in ("before", "distance"))
    what = task(
        chosen(pairs.start_points, count), chosen(pairs.goal_points, count), bench.generator.config.size
    )
    images, labels = [], []
    for kind, k in cases(after, before - after):
        i = index[k]
        points = [xy(what.handles[i]), xy(what.targets[i])]
        images += [
            draw_marks(to_pil(pairs.start_images[i].cpu()), *points),
            to_pil(pairs.goal_images[i].cpu()),
        ]
        labels += [f"{kind}: {before[k]:.1f} px", "goal's face"]
        for name in names:
            image = paint(bench, pairs.start[i].ws, tensors[f"{protocol}/{name}/ws"][k])
            images.append(draw_marks(image, points[1], points[1]) if count == 1 else image)
            labels.append(f"{name}: {tensors[f'{protocol}/{name}/distance'][k]:.1f} px")
    return contact_sheet(images, 2 + len(names), labels)


def pair_sheet(bench: Bench, pairs: PerturbedPairs, tensors: dict[str, Tensor]) -> Image.Image | None:
    """One case a line: start with its 32 points, the perturbed picture, and what each row made."""
    names = rows_of(tensors, "reconstruction")
    if not names:
        return None
    index = tensors[f"reconstruction/{names[-1]}/index"].tolist()
    images, labels = [], []
    for kind, k in cases(tensors[f"reconstruction/{names[-1]}/error"]):
        i = index[k]
        start = to_pil(pairs.start_images[i].cpu())
        images += [draw_marks(start, xy(pairs.handles[i]), xy(pairs.targets[i]))]
        images += [to_pil(pairs.goal_images[i].cpu())]
        labels += [kind, "goal"]
        for name in names:
            images.append(paint(bench, pairs.start[i].ws, tensors[f"reconstruction/{name}/ws"][k]))
            labels.append(f"{name}: {tensors[f'reconstruction/{name}/error'][k] * 100:.2f}")
    return contact_sheet(images, 2 + len(names), labels)


def xy(points: Tensor) -> Sequence[tuple[float, float]]:
    """Points as pairs of numbers."""
    return [(x, y) for x, y in points.tolist()]


def save_sheet(sheet: Image.Image | None, path: Path, limit: int = 1_000_000) -> None:
    """Save as JPEG of at most a megabyte."""
    if sheet is None:
        return
    for quality in (88, 80, 70, 60):
        sheet.save(path, quality=quality)
        if path.stat().st_size <= limit:
            return
        sheet = sheet.resize((sheet.width * 4 // 5, sheet.height * 4 // 5), Image.Resampling.LANCZOS)
