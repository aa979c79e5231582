"""`pliant bench NAME …`: the benchmarks of a source checkout, which an installed wheel does not have."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from pliant.errors import InputError

__all__ = ["run"]

FOLDER = Path(__file__).parents[3] / "benchmarks"


def run(arguments: list[str]) -> int:
    """Run a benchmark's `main` with the arguments that follow its name."""
    scripts = {
        path.stem: path for path in sorted(FOLDER.glob("*.py")) if "def main(" in path.read_text("utf-8")
    }
    if not scripts:
        raise InputError(
            f"The benchmarks are part of the source repository, and there are none at {FOLDER}; clone it to run them."
        )
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(f"usage: pliant bench NAME [OPTIONS]\n\nBenchmarks in {FOLDER}: {', '.join(scripts)}")
        print("pliant bench NAME --help says what one takes.")
        return 0 if arguments else 2
    if arguments[0] not in scripts:
        raise InputError(f"There is no benchmark '{arguments[0]}'; there are: {', '.join(scripts)}.")
    spec = importlib.util.spec_from_file_location(arguments[0], scripts[arguments[0]])
    if spec is None or spec.loader is None:
        raise InputError(f"{scripts[arguments[0]]} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(FOLDER))  # benchmarks share their plain twins and tables
    try:
        spec.loader.exec_module(module)
        return module.main(arguments[1:]) or 0
    finally:
        sys.path.remove(str(FOLDER))
