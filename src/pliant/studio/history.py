"""The documents that a person went through, on disk as they come. Undo and redo move in them without limit."""

from __future__ import annotations

from pliant.studio.disk import Change, SessionFolder
from pliant.studio.messages import Document


class History:
    """Every change of a session's document, and which of them is the present one.

    Args:
        folder: where they are kept.
        empty: the document before anything was done.
    """

    def __init__(self, folder: SessionFolder, empty: Document) -> None:
        self.folder, self.empty = folder, empty
        self.changes, self.cursor = folder.read_history()

    @property
    def document(self) -> Document:
        """The present document."""
        return self.empty if self.cursor < 0 else self.changes[self.cursor].document

    @property
    def undo_label(self) -> str | None:
        """What undo would take back; None when there is nothing. The first picture stays."""
        return self.changes[self.cursor].label if self.cursor > 0 else None

    @property
    def redo_label(self) -> str | None:
        """What redo would bring back; None when there is nothing."""
        after = self.cursor + 1
        return self.changes[after].label if after < len(self.changes) else None

    def push(self, label: str, document: Document) -> None:
        """Make a document the present one; what undo had taken back is gone."""
        change = Change(label, document)
        self.cursor += 1
        self.changes[self.cursor :] = [change]
        self.folder.append_change(self.cursor, change)

    def move(self, by: int) -> None:
        """One change back (-1) or forth (1), if there is one."""
        if self.undo_label if by < 0 else self.redo_label:
            self.cursor += by
            self.folder.append_cursor(self.cursor)
