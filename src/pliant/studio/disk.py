"""Where the studio keeps what people do: a folder for each session, written as they work.

    SESSION/tree.json                 the project's tree, as in a .pliant file
    SESSION/states/NODE.safetensors   what makes a node's pictures again, likewise
    SESSION/masks/SHA256.png          masks by content
    SESSION/parts/SHA256.png          part maps, likewise
    SESSION/history.jsonl             every change of the document, one a line
    SESSION/labelling.json            the parts that a person named, and the frames that they labelled
    SESSION/exports/                  the newest few files to download

Names are ids that this program made or checked; nothing that a client sends becomes part of a path unchecked.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pliant.errors import InputError, PliantError
from pliant.files import write_whole
from pliant.project_file import Tree, read_project, read_tree, tree_text
from pliant.studio.describe import BLANK, node_title
from pliant.studio.foreign import check_tree
from pliant.studio.messages import Document, Labelling, RecentProject
from pliant.studio.stored import PngFiles, StateFiles, is_own

try:
    import fcntl
except ImportError:  # Windows, where two studios at once are the user's own care
    fcntl = None

_SESSION = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Change:
    """One entry of a history: the document after a change, and what the change is called."""

    label: str
    document: Document


class SessionFolder:
    """Files of one session."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.states = StateFiles(path / "states")
        self.masks = PngFiles(path / "masks", "mask")
        self.parts = PngFiles(path / "parts", "part map")
        self.exports = path / "exports"

    def write_tree(self, tree: Tree) -> None:
        """Keep the tree; states are written by the project itself."""
        with write_whole(self.path / "tree.json") as part:
            part.write_text(tree_text(tree), "utf-8")

    def read_tree(self) -> Tree:
        """The tree; an empty one in a new session.

        Raises:
            InputError: it is damaged.
        """
        path = self.path / "tree.json"
        if not path.is_file():
            return Tree([], None, [])
        try:
            return read_tree(path.read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(f"The stored project is damaged: {error}.") from error

    def append_change(self, at: int, change: Change) -> None:
        """Keep a change as the document number `at`; those from there on are taken back by it."""
        line = {"at": at, "label": change.label, "document": change.document.model_dump(mode="json")}
        self._append(line)

    def append_cursor(self, at: int) -> None:
        """Keep that undo or redo went to the document number `at`."""
        self._append({"at": at})

    def read_history(self) -> tuple[list[Change], int]:
        """All changes, and the number of the present one; a line cut off by a crash is left out."""
        changes: list[Change] = []
        cursor = -1
        path = self.path / "history.jsonl"
        for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
            try:
                entry = json.loads(line)
                at = int(entry["at"])
                if "document" in entry:
                    changes[at:] = [Change(entry["label"], Document.model_validate(entry["document"]))]
                cursor = min(at, len(changes) - 1)
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                continue
        return changes, cursor

    def write_labelling(self, labelling: Labelling) -> None:
        """Keep the named parts and the labels."""
        with write_whole(self.path / "labelling.json") as part:
            part.write_text(labelling.model_dump_json(exclude={"training"}), "utf-8")

    def read_labelling(self) -> Labelling:
        """The named parts and the labels; none in a new session, or where they are damaged."""
        path = self.path / "labelling.json"
        try:
            return Labelling.model_validate_json(path.read_bytes()) if is_own(path) else Labelling()
        except (OSError, ValueError, RecursionError):
            return Labelling()

    def new_export(self, suffix: str) -> Path:
        """A path for a file to download; only the newest few are kept."""
        self.exports.mkdir(exist_ok=True)
        for old in sorted(self.exports.iterdir(), key=lambda path: path.stat().st_mtime)[:-4]:
            old.unlink(missing_ok=True)
        return self.exports / f"{secrets.token_hex(16)}{suffix}"

    def export(self, name: str) -> Path | None:
        """An export by the name of its file."""
        if not re.fullmatch(r"[0-9a-f]{32}\.[a-z0-9]{2,12}", name):
            return None
        path = self.exports / name
        return path if is_own(path) else None

    def _append(self, line: Mapping[str, object]) -> None:
        """Add a line, on a new line also where a crash cut the last one off."""
        try:
            with (self.path / "history.jsonl").open("ab+") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                whole = file.read(1) in {b"", b"\n"}
                file.write((b"" if whole else b"\n") + json.dumps(line).encode() + b"\n")
        except OSError as error:
            raise PliantError(
                f"This could not be stored ({error.strerror}); make room on the disk."
            ) from error


class Store:
    """All sessions on disk.

    Args:
        folder: made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def claimed(self) -> Generator[None]:
        """Keep other studios from writing to the same sessions; those that hold no picture are removed first.

        Raises:
            InputError: another one does already.
        """
        with (self.folder / "lock").open("ab") as file:
            try:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(
                    f"Another studio is using {self.folder}; close it first, or set PLIANT_HOME to another folder."
                ) from error
            for path in self.folder.iterdir():
                if _SESSION.fullmatch(path.name) and not (path / "tree.json").exists():
                    shutil.rmtree(path, ignore_errors=True)
            yield

    def create(self) -> str:
        """Make a session; its id."""
        session = secrets.token_hex(16)
        (self.folder / session).mkdir()
        return session

    def adopt(self, path: Path) -> str:
        """Make a session of a project file that may come from anyone.

        Raises:
            InputError: it is not a project, or damaged.
        """
        tree, states = read_project(path)
        check_tree(tree)
        session = self.create()
        folder = self.open(session)
        folder.states.update(states)
        folder.write_tree(tree)
        return session

    def knows(self, session: str) -> bool:
        """There is such a session."""
        path = self.folder / session if _SESSION.fullmatch(session) else None
        return path is not None and path.is_dir() and not path.is_symlink()

    def open(self, session: str) -> SessionFolder:
        """The files of a session.

        Raises:
            InputError: there is none of that id.
        """
        if not self.knows(session):
            raise InputError("There is no such project on this machine any more.")
        return SessionFolder(self.folder / session)

    def remove(self, session: str) -> None:
        """Delete a session and all its files."""
        if self.knows(session):
            shutil.rmtree(self.folder / session)

    def recent(self, most: int = 50) -> list[RecentProject]:
        """Sessions that hold a picture, newest first."""
        found: list[RecentProject] = []
        for path in self.folder.iterdir():
            tree = path / "tree.json"
            if not self.knows(path.name) or not is_own(tree):
                continue
            try:
                nodes = read_tree(tree.read_bytes()).nodes
            except (OSError, ValueError):
                continue
            if nodes:
                changed = max(
                    file.stat().st_mtime for file in (tree, path / "history.jsonl") if file.exists()
                )
                titles = [node_title(node) for node in nodes[:2]]
                title = titles[-1] if titles[0] == BLANK else titles[0]
                found.append(RecentProject(session=path.name, title=title, changed=changed, nodes=len(nodes)))
        return sorted(found, key=lambda one: -one.changed)[:most]
