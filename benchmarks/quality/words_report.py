"""Tables of the benchmark of words on drawings, for people."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

COLUMNS = {
    "judge_gain": ("gain, judge", 3), "judge_along": ("along, judge", 3), "judge_named": ("named, judge", 2),
    "own_gain": ("gain, optimised model", 3), "outside_db": ("outside dB", 1), "outside_stlpips": ("outside ST-LPIPS", 4),
    "stlpips": ("whole ST-LPIPS", 4), "paths": ("paths", 0), "bytes": ("SVG bytes", 0), "faint": ("faint %", 2),
    "crossed": ("crossed %", 2), "seconds": ("seconds", 0),
}  # fmt: skip


def quality_table(facts: dict[str, Any]) -> str:
    """The means over pairs, for people."""
    setup = facts["setup"]
    asked = ", ".join(f"{name} {setup[name] or 'by default'}" for name in ("steps", "crops"))
    lines = ["# Words on drawings: what comes true", "", f"`{setup['command']}`", "", f"{setup['machine']}."]
    lines += [f"{setup['pairs']} pairs of {setup['side']} pixels, {asked}; model {setup['words']}.", ""]
    lines += [
        f"| | {' | '.join(title for title, _ in COLUMNS.values())} |",
        f"|{' --- |' * (1 + len(COLUMNS))}",
    ]
    for row, by_pair in facts["rows"].items():
        cells = [
            _mean([each[name] for each in by_pair.values() if name in each], digits)
            for name, (_, digits) in COLUMNS.items()
        ]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    lines += ["", "Gain by the judge, pair by pair:", "", f"| | {' | '.join(facts['rows'])} |"]
    lines += [f"|{' --- |' * (1 + len(facts['rows']))}"]
    for pair in next(iter(facts["rows"].values())):
        cells = [f"{by_pair[pair]['judge_gain']:+.3f}" for by_pair in facts["rows"].values()]
        lines.append(f"| {pair} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float], digits: int) -> str:
    return f"{statistics.fmean(values):,.{digits}f}" if values else ""


def speed_table(facts: dict[str, Any]) -> str:
    """Milliseconds, for people."""
    setup = facts["setup"]
    lines = [
        "# Words on drawings: time of an update",
        "",
        f"`{setup['command']}`",
        "",
        f"{setup['machine']}.",
    ]
    lines += [
        f"{setup['crops']} crops of one region. Milliseconds, forward and backward; memory of the whole process, or of",
        "",
    ]
    lines[-2] += " tensors on a GPU."
    lines += [
        "| painted at | paths | painting | its gradients | model, with crops | together | peak MB |",
        f"|{' --- |' * 7}",
    ]
    for name, row in facts["rows"].items():
        parts = [1000 * row[part] for part in ("paint", "paint_back", "model")]
        cells = " | ".join(f"{part:.1f}" for part in (*parts, sum(parts)))
        lines.append(
            f"| {name} ({row['side']:.0f}) | {row['paths']:.0f} | {cells} | {row['memory_mb']:,.0f} |"
        )
    return "\n".join(lines) + "\n"
