"""What a `.pliant` file holds, and how it is read when nobody vouches for it.

The file is a zip whose members are stored uncompressed: `project.json` with the tree, and for every node
`states/<id>.safetensors` with what makes its pictures again. Nothing in it is ever executed, unpacked to disk
or taken as a path, and every size is checked before it is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast

from pliant.errors import InputError
from pliant.files import is_file, write_whole

__all__ = ["Node", "Tree", "read_project", "read_tree", "tree_text", "write_project"]

FORMAT, VERSION = "pliant-project", 1
MAX_FILE = 2 * 1024**3
MAX_TREE = 32 * 1024**2
MAX_NODES = 10_000
MAX_STEPS = 100_000

_MEMBER = re.compile(r"project\.json|states/[0-9a-f]{16}\.safetensors")
_ID = re.compile(r"[0-9a-f]{16}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,40}")


@dataclass(frozen=True)
class Node:
    """One place in the tree: a picture that was opened, or the result of an edit of its parent."""

    id: str
    parent: str | None
    """None for a picture that was not made by an edit."""
    kind: str
    """The kind of its pictures."""
    edit: str | None = None
    """Name of the edit in the catalogue."""
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the person gave the edit, JSON-ready; tensors such as masks come from `Project.inputs`."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The edit's settings by name."""
    from_step: int | None = None
    """Which step of the parent's run this edit began from; None for the parent's last."""
    steps: int = 1
    """How many pictures the node holds: the steps of a run, or one."""
    created: str = ""
    """ISO 8601, UTC."""
    facts: Sequence[Mapping[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The distinct JSON-ready facts of its pictures' states."""


@dataclass(frozen=True)
class Tree:
    """Everything in the file but the states."""

    nodes: Sequence[Node]
    """Parents before children."""
    current: str | None
    redo: Sequence[str]


def tree_text(tree: Tree) -> str:
    """The tree as the JSON that `read_tree` reads."""
    from pliant import __version__

    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "software": f"pliant {__version__}",
            "current": tree.current,
            "redo": list(tree.redo),
            "nodes": [vars(node) for node in tree.nodes],
        },
        indent=1,
        allow_nan=False,
    )


def write_project(path: str | Path, tree: Tree, states: Mapping[str, bytes]) -> None:
    """Write a project; a file that was there stays whole until the new one is.

    Args:
        path: where to.
        tree: the nodes.
        states: safetensors bytes by node id.
    """
    with write_whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("project.json", tree_text(tree))
        for node in tree.nodes:
            archive.writestr(f"states/{node.id}.safetensors", states[node.id])


def read_project(path: str | Path) -> tuple[Tree, dict[str, bytes]]:
    """The tree and the states of a project file that may come from anyone.

    Raises:
        InputError: no such file, not a project, damaged, too large, or with things in it that do not belong.
    """
    path = Path(path)
    if not is_file(path):
        raise InputError(f"There is no project file '{path}'.")
    try:
        members = _read_members(path)
        tree = read_tree(members.pop("project.json"))
    except KeyError as error:
        raise InputError(f"'{path}' is not a Pliant project: it has no {error}.") from error
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise InputError(f"'{path}' is not a Pliant project, or it is damaged: {error}.") from error
    states = {Path(name).stem: data for name, data in members.items()}
    if states.keys() != {node.id for node in tree.nodes}:
        raise InputError(f"'{path}' is damaged: its tree and its states do not belong together.")
    return tree, states


def _read_members(path: Path) -> dict[str, bytes]:
    """All members by name, after their names, sizes and storage were found to be what we write."""
    size = path.stat().st_size
    if size > MAX_FILE:
        raise ValueError(f"it is larger than {MAX_FILE // 1024**3} GiB")
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [info.filename for info in infos]
        if len(names) > MAX_NODES + 1 or len(set(names)) != len(names):
            raise ValueError("it has too many members, or two of one name")
        for info in infos:
            if not _MEMBER.fullmatch(info.filename):
                raise ValueError(f"it holds {info.filename[:60]!r}, which does not belong there")
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                raise ValueError("its members are compressed, which a project's never are")
            if info.filename == "project.json" and info.file_size > MAX_TREE:
                raise ValueError("its tree is too large")
        if sum(info.file_size for info in infos) > size:
            raise ValueError("its members overlap")
        return {info.filename: archive.read(info) for info in infos}


def read_tree(text: bytes) -> Tree:
    """The tree, after every value in it was found to be of the right type.

    Raises:
        ValueError: anything else.
    """
    try:
        raw = json.loads(text, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("its tree is nested too deeply") from error
    raw = cast("dict[str, Any]", raw if isinstance(raw, dict) else {})
    if raw.get("format") != FORMAT:
        raise ValueError("its tree is of another format")
    if raw.get("version") != VERSION:
        raise ValueError(f"it has version {raw.get('version')!r} of the format; this Pliant reads {VERSION}")
    listed, redo = raw.get("nodes"), raw.get("redo")
    nodes: dict[str, Node] = {}
    for each in cast("list[Any]", listed if isinstance(listed, list) else []):
        node = _read_node(each)
        if node.id in nodes or (node.parent is not None and node.parent not in nodes):
            raise ValueError(f"node {node.id} comes twice, or before its parent")
        nodes[node.id] = node
    current = raw.get("current")
    redo = cast("list[Any]", redo if isinstance(redo, list) else [])
    if not all(isinstance(one, str) and one in nodes for one in [*redo, *([current] if nodes else [])]):
        raise ValueError("its tree points to a node that is not there")
    return Tree(list(nodes.values()), current if nodes else None, redo)


def _read_node(raw: Any) -> Node:
    if not isinstance(raw, dict) or cast("dict[Any, Any]", raw).keys() != {
        each.name for each in fields(Node)
    }:
        raise ValueError("a node of its tree is incomplete")
    node = Node(**cast("dict[str, Any]", raw))
    values: dict[str, Any] = vars(node)
    good = (
        _matches(_ID, values["id"])
        and (values["parent"] is None or _matches(_ID, values["parent"]))
        and _matches(_WORD, values["kind"])
        and (values["edit"] is None or _matches(_WORD, values["edit"]))
        and isinstance(values["inputs"], dict)
        and isinstance(values["settings"], dict)
        and (values["from_step"] is None or _is_count(values["from_step"], 0))
        and _is_count(values["steps"], 1)
        and isinstance(values["created"], str)
        and len(values["created"]) <= 40
        and isinstance(values["facts"], list)
        and all(isinstance(fact, dict) for fact in cast("list[Any]", values["facts"]))
    )
    if not good:
        raise ValueError("a node of its tree holds a value of the wrong type")
    return node


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_STEPS


def _no_constant(name: str) -> None:
    raise ValueError(f"its tree holds {name}, which is not JSON")
