"""Plots of what `drag.py` measured: cost against the number of points. `python benchmarks/plots.py` after it."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Read `drag_cpu.json` and `drag_cuda.json`, as far as they exist; write `drag.png`."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4))
    for axis, device in zip(axes, ("cpu", "cuda"), strict=True):
        file = RESULTS / f"drag_{device}.json"
        if not file.exists():
            continue
        stored = json.loads(file.read_text())
        base = next(line["step"] for line in stored["rows"] if line["points"] == 2)
        for model in dict.fromkeys(line["model"] for line in stored["rows"]):
            lines = [line for line in stored["rows"] if line["model"] == model]
            cost = [line["step"] * 1e3 if device == "cuda" else line["step"] / base for line in lines]
            axis.plot([line["points"] for line in lines], cost, marker="o", label=model)
        axis.set_xscale("log", base=2)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("points")
        axis.set_ylabel("milliseconds a step" if device == "cuda" else "step, relative to 2 points")
        axis.set_title(stored["machine"], fontsize=9)
        axis.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(RESULTS / "drag.png", dpi=110)


if __name__ == "__main__":
    main()
