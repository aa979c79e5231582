"""Who may import whom, what is public, and that nothing heavy is loaded for nothing."""

import ast
import subprocess
import sys

import pytest

import pliant

from paths import REPOSITORY

SOURCE = REPOSITORY / "src" / "pliant"
LEVELS = [
    ["errors"],
    [
        "files",
        "points",
        "prompts",
        "images",
        "animation",
        "marks",
        "selecting",
        "settings",
        "zoo",
        "checkpoints",
    ],
    ["picture", "perception"],
    ["steps"],
    ["gan", "vector", "diffusion"],
    ["inputs"],
    ["starts"],
    ["catalogue", "restoring"],
    ["project", "project_file", "train"],
    ["photo"],
    ["studio"],
    ["cli"],
]
RANK = {name: rank for rank, names in enumerate(LEVELS) for name in names}


def imports(path):
    """Parts of pliant that a file imports, anywhere in it, and the line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "pliant":
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pliant."):
            yield node.module.split(".")[1], node.lineno
        elif isinstance(node, ast.Import):
            yield from (
                (a.name.split(".")[1], node.lineno) for a in node.names if a.name.startswith("pliant.")
            )


def test_every_part_has_a_place():
    parts = {
        path.stem
        for path in SOURCE.iterdir()
        if path.stem not in {"__init__", "__pycache__", "py", "_weights"}
    }
    assert parts == set(RANK)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_import_runs_upward(path):
    part = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if part == "__init__":
        return
    for name, line in imports(path):
        if name in RANK:
            assert RANK[name] <= RANK[part], f"{path.name}:{line} imports {name}"


def test_public_names_exist_and_are_all_listed():
    homes = [name for names in pliant._HOMES.values() for name in names]
    assert sorted(homes) == sorted(pliant.__all__)
    for name in pliant.__all__:
        assert getattr(pliant, name).__doc__, name
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        _ = pliant.nothing_of_that_name


def test_importing_pliant_loads_no_torch():
    code = "import sys, pliant, pliant.catalogue; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
