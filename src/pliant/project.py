"""A project: a tree of pictures and the edits that led from one to the next, with a current place in it."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from pliant.errors import InputError
from pliant.picture import Picture, Restore
from pliant.project_file import Node, Tree, read_project, write_project
from pliant.restoring import loader
from pliant.steps import Step, Trace

__all__ = ["Node", "Project", "StoredStep"]


@dataclass(frozen=True, eq=False)
class StoredStep(Step):
    """A step of a run that was kept in a project."""

    numbers: Mapping[str, Tensor]
    """What it measured, by name."""

    @property
    def handles(self) -> Tensor:
        """Where its points were, [N, 2] (x, y) in pixels; [0, 2] for an edit without points."""
        return self.numbers.get("handles", torch.zeros(0, 2))

    @property
    def targets(self) -> Tensor:
        """Where they were to go, likewise."""
        return self.numbers.get("targets", torch.zeros(0, 2))

    @property
    def distances(self) -> Tensor:
        """How far each still had to go, [N] pixels."""
        return self.numbers.get("distances", torch.zeros(0))


class Project:
    """A tree of pictures and edits that can be saved at any time.

    Adding, undoing and selecting never remove a node. States are kept as the bytes that the file will hold,
    so saving again and again (autosave) encodes nothing; pictures are made from them when asked for.

    Args:
        restore: makes a saved picture again; by default `loader()`, which computes on the CPU.
        states: where the bytes of every node's state are kept; in memory if not given.
    """

    def __init__(
        self, restore: Restore | None = None, states: MutableMapping[str, bytes] | None = None
    ) -> None:
        self.nodes: dict[str, Node] = {}
        """By id, parents before children."""
        self.current: str | None = None
        """Id of the node that is shown; None while the project is empty."""
        self._redo: list[str] = []
        self._states: MutableMapping[str, bytes] = {} if states is None else states
        self._lock = (
            threading.Lock()
        )  # nodes and their states change together, also while another thread saves
        self._restore = restore or loader()
        self._kept_shared: tuple[object, dict[str, Tensor]] = (None, {})

    @classmethod
    def open(cls, path: str | Path, restore: Restore | None = None) -> Project:
        """Read a project that may come from anyone.

        Raises:
            InputError: no such file, not a project, damaged, or with anything in it that does not belong.
        """
        tree, states = read_project(path)
        return cls.of(tree, states, restore)

    @classmethod
    def of(cls, tree: Tree, states: MutableMapping[str, bytes], restore: Restore | None = None) -> Project:
        """The project of a tree whose nodes' states are kept in `states`."""
        project = cls(restore, states)
        project.nodes = {node.id: node for node in tree.nodes}
        project.current, project._redo = tree.current, list(tree.redo)
        return project

    def tree(self) -> Tree:
        """The nodes as they are now, without their states."""
        with self._lock:
            return Tree(list(self.nodes.values()), self.current, list(self._redo))

    def save(self, path: str | Path) -> None:
        """Write the project; a file that was there stays whole until the new one is."""
        with self._lock:
            tree = Tree(list(self.nodes.values()), self.current, list(self._redo))
            states = dict(self._states) if isinstance(self._states, dict) else self._states
        write_project(path, tree, states)

    def add(self, picture: Picture) -> Node:
        """Put a picture at a new root of the tree and make it current."""
        return self._put(Node("", None, picture.kind), [picture], {}, {})

    def add_run(
        self,
        trace: Trace[Any],
        edit: str,
        inputs: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        parent: str | None = None,
        from_step: int | None = None,
    ) -> Node:
        """Record a run below the picture it began from, every step of it, and make it current.

        Args:
            trace: the steps, at least one.
            edit: the edit's name.
            inputs: by name; tensors are kept exactly, everything else must be JSON-ready.
            settings: JSON-ready values by name.
            parent: id of the node it began from; the current one if not given.
            from_step: which step of that node's run it began from, if not the last.

        Raises:
            InputError: an empty trace, or a parent or step that is not there.
        """
        if not trace:
            raise InputError("A run without steps cannot be added to a project.")
        above = self._node(parent or self.current)
        if from_step is not None and not 0 <= from_step < above.steps:
            raise InputError(f"The run began from step {from_step}, but its parent has {above.steps} steps.")
        given = inputs or {}
        plain = {name: value for name, value in given.items() if not isinstance(value, Tensor)}
        tensors = {name: value for name, value in given.items() if isinstance(value, Tensor)}
        kind = cast("Step", trace[0]).picture.kind
        node = Node("", above.id, kind, edit, plain, dict(settings or {}), from_step)
        return self._put(node, _pictures(trace), tensors, trace.numbers())

    def extend_run(self, node: str, trace: Trace[Any]) -> Node:
        """Record more of a run that is in the project already: autosave during a run, or a run that went on.

        Args:
            node: id of the run's node.
            trace: all its steps, those recorded before included.
        """
        found = self._node(node)
        tensors = _below(self._tensors(node), "inputs")
        return self._put(found, _pictures(trace), tensors, trace.numbers())

    def picture(self, node: str | None = None, step: int = -1) -> Picture:
        """The picture of a node (the current one if not given); of a run, that of one of its steps.

        Raises:
            InputError: no such node or step, or a state that is damaged or of an unknown kind.
            CheckpointError: the model is not there.
            ModelMismatchError: the model is not the one that made the picture.
        """
        found = self._node(node or self.current)
        index = step if step >= 0 else found.steps + step
        if not 0 <= index < found.steps:
            raise InputError(f"There is no step {step}; this run has the steps 0 to {found.steps - 1}.")
        return self._picture(found, self._tensors(found.id), index)

    def _picture(self, found: Node, tensors: Mapping[str, Tensor], index: int) -> Picture:
        """The picture of one step, from the tensors of its node."""
        which = tensors.get("facts", torch.zeros(0))
        # whoever was killed between writing a run's state and its tree has more steps than the tree knows of
        whole = which.dtype == torch.int64 and which.ndim == 1 and len(which) >= found.steps
        if not (whole and 0 <= int(which[index]) < len(found.facts)):
            raise InputError(
                f"The state of node '{found.id}' is damaged: it does not hold {found.steps} pictures."
            )
        facts = dict(found.facts[int(which[index])])
        shared = self._shared(found, tensors, int(which[index])) if "tuned" in facts else {}
        return self._restore(found.kind, _state(found, tensors, index) | shared, facts)

    def _shared(self, found: Node, tensors: Mapping[str, Tensor], number: int) -> dict[str, Tensor]:
        """What the pictures with the facts of that number have in common: kept here, or by a node above."""
        digest, node = found.facts[number].get("tuned"), found
        if self._kept_shared[0] == digest:  # every step of a run asks for the same
            return self._kept_shared[1]
        while True:
            same = [i for i, facts in enumerate(node.facts) if facts.get("tuned") == digest]
            here = _below(tensors, f"shared/{same[0]}") if same else {}
            if here or node.parent is None:
                self._kept_shared = digest, {f"shared/{name}": value for name, value in here.items()}
                return self._kept_shared[1]
            node = self._node(node.parent)
            tensors = self._tensors(node.id)

    def _is_above(self, node: Node, digest: object) -> bool:
        """Whether a node above keeps what pictures with this tuning have in common."""
        parent = node.parent
        while parent is not None:
            node = self._node(parent)
            if any(facts.get("tuned") == digest for facts in node.facts):
                return True
            parent = node.parent
        return False

    def trace(self, node: str | None = None) -> Trace[StoredStep]:
        """All steps of a node's run, with what they measured; of an opened picture, one step.

        Raises: as `picture` does.
        """
        found = self._node(node or self.current)
        tensors = self._tensors(found.id)
        numbers = _below(tensors, "numbers")
        return Trace(
            [
                StoredStep(
                    index,
                    self._picture(found, tensors, index),
                    {name: values[index] for name, values in numbers.items() if len(values) > index},
                )
                for index in range(found.steps)
            ]
        )

    def inputs(self, node: str | None = None) -> dict[str, Any]:
        """What the person gave a node's edit, tensors included."""
        found = self._node(node or self.current)
        return {**found.inputs, **_below(self._tensors(found.id), "inputs")}

    def numbers(self, node: str | None = None) -> dict[str, Tensor]:
        """What the steps of a node's run measured over time, as `Trace.numbers` gave it."""
        return _below(self._tensors(self._node(node or self.current).id), "numbers")

    def children(self, node: str | None) -> list[Node]:
        """The nodes that began from this one, oldest first; for None, those without a parent."""
        return [each for each in self.nodes.values() if each.parent == node]

    def select(self, node: str) -> Node:
        """Go to any node of the tree; the next edit branches from there."""
        self.current, self._redo = self._node(node).id, []
        return self.nodes[node]

    def undo(self) -> Node | None:
        """Go to the parent; None when there is nothing to undo. `redo` leads back."""
        parent = self.nodes[self.current].parent if self.current else None
        if self.current is None or parent is None:
            return None
        self._redo.append(self.current)
        self.current = parent
        return self.nodes[parent]

    def redo(self) -> Node | None:
        """Go back to where the last `undo` came from; None when there is nothing to redo."""
        if not self._redo:
            return None
        self.current = self._redo.pop()
        return self.nodes[self.current]

    def _put(
        self,
        node: Node,
        pictures: Sequence[Picture],
        inputs: Mapping[str, Tensor],
        numbers: Mapping[str, Tensor],
    ) -> Node:
        """Encode a node; a new one becomes current, one that is known takes the place of its former self."""
        states = _with_one_tuning([picture.state() for picture in pictures])
        distinct: list[dict[str, Any]] = []
        for _, facts in states:
            if facts not in distinct:
                distinct.append(facts)
        packed = _packed([own for own, _ in states])
        for own, facts in states:
            if "tuned" in facts and not self._is_above(node, facts["tuned"]):
                for name, value in _below(own, "shared").items():  # once for all pictures of a tuned model
                    packed[f"shared/{distinct.index(facts)}/{name}"] = value
        packed |= {f"inputs/{name}": value for name, value in inputs.items()}
        packed |= {f"numbers/{name}": value for name, value in numbers.items()}
        packed["facts"] = torch.tensor([distinct.index(facts) for _, facts in states])
        node = replace(
            node,
            id=node.id or secrets.token_hex(8),
            steps=len(pictures),
            created=node.created or datetime.now(UTC).isoformat(timespec="seconds"),
            facts=distinct,
        )
        try:
            json.dumps(vars(node), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise InputError(f"Inputs and settings in a project must be JSON-ready: {error}.") from error
        encoded = save_tensors({name: _own(value) for name, value in packed.items()})
        with self._lock:
            if node.id not in self.nodes:
                self.current, self._redo = node.id, []
            self._states[node.id] = encoded
            self.nodes[node.id] = node
        return node

    def _node(self, node: str | None) -> Node:
        if node is None:
            raise InputError("The project is empty; add a picture first.")
        if node not in self.nodes:
            raise InputError(f"There is no node '{node}' in the project.")
        return self.nodes[node]

    def _tensors(self, node: str) -> dict[str, Tensor]:
        try:
            return load_tensors(self._states[node])
        except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise InputError(f"The state of node '{node}' in the project is damaged: {error}.") from error


def _pictures(trace: Trace[Any]) -> list[Picture]:
    return [step.picture for step in cast("Sequence[Step]", trace)]


def _packed(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The tensors of a run's pictures by "<step>/<name>"; one that a step left as it was is kept once.

    "since/<name>" is int64 [steps]: where the tensor of each step is kept, -1 where a picture has none of that name.
    """
    packed: dict[str, Tensor] = {}
    names = dict.fromkeys(name for own in states for name in own if not name.startswith("shared/"))
    for name in names:
        since: list[int] = []
        for step, own in enumerate(states):
            before = states[since[-1]][name] if since and since[-1] >= 0 else None
            if name in own and before is not None and _same(own[name], before):
                since.append(since[-1])
            else:
                since.append(step if name in own else -1)
        packed |= {f"{step}/{name}": states[step][name] for step in set(since) if step >= 0}
        if since != list(range(len(states))):
            packed[f"since/{name}"] = torch.tensor(since)
    return packed


def _state(found: Node, tensors: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
    """The tensors of one step, as `_packed` was given them."""
    own = _below(tensors, str(index))
    for name, since in _below(tensors, "since").items():
        if since.dtype != torch.int64 or since.ndim != 1 or len(since) < found.steps:
            raise InputError(
                f"The state of node '{found.id}' is damaged: {name[:60]} is not there for every step."
            )
        kept = tensors.get(f"{int(since[index])}/{name}")
        own |= {} if kept is None else {name: kept}
    return own


def _same(one: Tensor, other: Tensor) -> bool:
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)


def _with_one_tuning(
    states: list[tuple[dict[str, Tensor], dict[str, Any]]],
) -> list[tuple[dict[str, Tensor], dict[str, Any]]]:
    """Of a run that tunes its model the last tuning is kept; a step before it is kept as its code with the model as it was.

    A tuning is a thousand times as large as a code.
    """
    last = states[-1][1].get("tuned")

    def kept(own: dict[str, Tensor], facts: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if facts.get("tuned") == last:
            return own, facts
        return (
            {name: value for name, value in own.items() if not name.startswith("shared/")},
            {name: value for name, value in facts.items() if name != "tuned"},
        )

    return [kept(own, facts) for own, facts in states]


def _own(tensor: Tensor) -> Tensor:
    """A copy that shares no memory, as safetensors asks for."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors named "<prefix>/<name>", by their own name."""
    start = f"{prefix}/"
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
