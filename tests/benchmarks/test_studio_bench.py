"""The benchmark of the studio knows the studio, and its committed table is what its figures say."""

import importlib.util
import json
import sys

import pytest

from paths import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results"


@pytest.fixture
def bench(monkeypatch):
    """benchmarks/studio.py under a name of its own, for `pliant.studio` is loaded too."""
    path = REPOSITORY / "benchmarks" / "studio.py"
    spec = importlib.util.spec_from_file_location("studio_bench", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_the_table_says_what_was_measured(bench):
    found = json.loads((RESULTS / "studio.json").read_text())
    kept = (RESULTS / "studio.md").read_text()
    assert bench.report(found, "python benchmarks/studio.py") == kept
