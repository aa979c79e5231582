"""What lies before a person: the project, and the document that is being set up, with its history.

Everything here happens on the event loop's thread, except what is handed to the device.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pliant.catalogue import Edit, Inputs
from pliant.errors import InputError
from pliant.photo import INVERT
from pliant.picture import Picture
from pliant.project import Project
from pliant.project_file import Node
from pliant.studio import messages as m
from pliant.studio.describe import node_info
from pliant.studio.disk import SessionFolder
from pliant.studio.history import History
from pliant.studio.inputs import edit_inputs, followed, taken_up
from pliant.studio.parts import check_vectors, latent_picture
from pliant.studio.photos import Photos
from pliant.studio.things import GENERATE, GROUP

if TYPE_CHECKING:
    from pliant.gan.stylegan2 import Generator
    from pliant.studio.studio import Studio

T = TypeVar("T")


class Desk:
    """A project, a document, and what messages do to them.

    Args:
        studio: what all sessions share.
        folder: where it is kept.
    """

    def __init__(self, studio: Studio, folder: SessionFolder) -> None:
        self.studio, self.folder = studio, folder
        self.project = Project.of(folder.read_tree(), folder.states, studio.restore)
        self.history = History(folder, m.Document(edit=studio.edits[0].name))
        self.photos = Photos(self.project, studio.device)
        self.labelling = folder.read_labelling()
        """The parts that the person named, and the labels."""
        self.sizes: dict[str, tuple[int, int]] = {}
        """Of every node's pictures; a node without one is not shown yet."""

    async def open(self) -> None:
        """Learn the size of every picture of a project that was stored; an edit keeps it unless it changes the model."""

        def sizes() -> dict[str, tuple[int, int]]:
            found: dict[str, tuple[int, int]] = {}
            for node in self.project.tree().nodes:
                parent = self.project.nodes.get(node.parent or "")
                alike = parent is not None and (_maker(parent) == _maker(node) or node.kind == "diffusion")
                same = alike and node.edit != GENERATE
                found[node.id] = (
                    found[parent.id] if parent and same else self.project.picture(node.id, 0).size
                )
            return found

        self.sizes |= await self.on_device(sizes)
        if not self.history.changes and self.project.current:
            self._take_up(self.project.nodes[self.project.current])

    def _take_up(self, node: Node) -> None:
        """Go on with a project that was made elsewhere."""
        place = m.Place(node=node.id, step=node.steps - 1)
        update: dict[str, Any] = {"at": place, "edit": self._mode_for(node.kind, node.edit)}
        if node.edit is not None and node.edit == update["edit"]:
            with suppress(Exception):  # foreign points and settings are a kindness, not a promise
                update |= taken_up(self.project, node, self.studio.edit(node.edit), self.folder)
        self.push("Open project", **update)

    @property
    def document(self) -> m.Document:
        """What the person has set up now."""
        return self.history.document

    @property
    def edit(self) -> Edit:
        """The edit of the mode."""
        return self.studio.edit(self.document.edit)

    def nodes(self) -> tuple[m.NodeInfo, ...]:
        """The tree as the page shows it."""
        known = [node for node in self.project.tree().nodes if node.id in self.sizes]
        photo: set[str] = set()
        for node in known:  # parents before children
            if node.edit == INVERT or node.parent in photo:
                photo.add(node.id)
        return tuple(node_info(node, self.sizes[node.id], photo=node.id in photo) for node in known)

    async def on_device(self, task: Callable[[], T]) -> T:
        """Compute something small."""
        return await self.studio.compute(task)

    async def generator(self, name: str | None) -> Generator:
        """A model of the studio, the first one for None.

        Raises:
            InputError: there is none of that name.
        """
        known = self.studio.models.known(name)
        return await self.on_device(lambda: self.studio.models.get(known))

    async def inputs(self, document: m.Document, settings: Any = None) -> Inputs:
        """What a document gives its edit.

        Args:
            document: what was set up.
            settings: of the edit; some need no model.

        Raises:
            InputError: something of it cannot be used on this picture.
        """
        edit, at = self.studio.edit(document.edit), document.at
        found: dict[str, Any] = {}
        fits = at is not None and self.node(at).kind in edit.pictures
        if at is not None and "crop" in edit.inputs and fits:
            model = await self.generator(document.model)
            size = model.config.size
            crop = await asyncio.to_thread(self.photos.crop, at.node, document.crop, size)
            found = {"model": model, "crop": crop}
        if "words" in edit.inputs and fits:
            found["words"] = await self.on_device(lambda: self.studio.text_models.get(document.words))
        if "diffuser" in edit.inputs and fits and getattr(settings, "preset", None) != "copy":
            found["diffuser"] = await self.on_device(
                lambda: self.studio.diffusion_models.get(document.diffuser)
            )
        if "other" in edit.inputs and fits and (other := document.other) is not None:
            self.node(other.at)
            found["other"] = await self.on_device(lambda: self.project.picture(other.at.node, other.at.step))
        return await asyncio.to_thread(edit_inputs, edit, document, self.folder, **found)

    def push(self, label: str, **changes: Any) -> None:
        """Change the document: one step of undo."""
        self.history.push(label, self.document.model_copy(update=changes))

    # ---- pictures

    async def sample(self, message: m.Sample) -> None:
        """Open the picture of a seed."""

        def make() -> Picture:
            from pliant.gan.latent import sample

            return sample(self.studio.models.get(message.model), message.seed, message.psi)

        await self._open(await self.on_device(make), f"Seed {message.seed}")

    async def use_image(self, message: m.UseImage) -> None:
        """Open an image that was uploaded."""
        await self._open(self._uploaded(message.image), "Open image")

    async def use_drawing(self, message: m.UseDrawing) -> None:
        """Open a drawing that was uploaded."""
        await self._open(self._uploaded(message.drawing), "Open drawing")

    async def new_drawing(self, message: m.NewDrawing) -> None:
        """Open an empty drawing."""

        def make() -> Picture:
            from pliant.vector.draw import blank

            size = message.width, message.height
            return replace(blank(size), origin={"blank": list(size)})

        await self._open(await self.on_device(make), "New drawing")

    async def from_words(self) -> None:
        """Open a grey picture, in the mode that makes another from words."""

        def make() -> Picture:
            from pliant.diffusion.generate import blank

            return blank()

        await self._open(await self.on_device(make), "From words", GENERATE)

    def _uploaded(self, digest: str) -> Picture:
        picture = self.studio.uploads.get(digest)
        if picture is None:
            raise InputError("The file is not here any more; drop it once more.")
        return picture

    async def _open(self, picture: Picture, label: str, mode: str | None = None) -> None:
        """Put a picture at a new root and go there, in a mode that can edit it if there is one."""

        def add() -> Node:
            node = self.project.add(picture)
            self.folder.write_tree(self.project.tree())
            return node

        node = await self.on_device(add)
        self.sizes[node.id] = picture.size
        place = m.Place(node=node.id, step=0)
        fresh: dict[str, Any] = {"points": (), "mask": None, "parts": None, "vectors": {}, "crop": None}
        fresh |= {"prompts": (), "boxes": (), "layers": m.LayerChanges()}
        fresh |= {"things": (), "prompt": "", "candidates": ()}
        wanted = mode or ("move" if self.document.edit == GENERATE else None)  # words have no use for a photo
        self.push(label, edit=self._mode_for(picture.kind, wanted), at=place, **fresh)

    def _mode_for(self, kind: str, wanted: str | None = None) -> str:
        """The wanted mode if it edits this kind of picture, else the present one, else the first that does."""
        fitting = [edit.name for edit in self.studio.edits if kind in edit.pictures]
        present = self.document.edit
        return next((name for name in (wanted, present) if name in fitting), (*fitting, present)[0])

    # ---- changes

    def settings(self, mode: str, values: Mapping[str, Any]) -> Any:
        """The settings of a mode, within the studio's limits.

        Raises:
            InputError: values that cannot be used.
        """
        made = self.studio.edit(mode).make_settings(values)
        if getattr(made, "max_steps", 0) > self.studio.limits.steps:
            raise InputError(f"A run here may take at most {self.studio.limits.steps} steps (max_steps).")
        return made

    def changed_settings(self, message: m.Change) -> dict[str, Any]:
        """What a change does to mode and settings."""
        mode = self.document.edit if message.edit is None else self.studio.edit(message.edit).name
        if message.settings is None:
            return {"edit": mode}
        self.settings(mode, message.settings)
        return {"edit": mode, "settings": {**self.document.settings, mode: message.settings}}

    def check_live(self, message: m.Change) -> None:
        """Refuse a change that a run in progress cannot take.

        Raises:
            InputError: it is of anything but live settings.
        """
        given = message.model_fields_set - {"type", "label", "settings"}
        if message.settings is None or any(getattr(message, name) not in (None, False) for name in given):
            raise InputError("Stop the run first; only its settings can be changed while it goes on.")
        if not self.edit.live_settings:
            raise InputError("Stop the run first; its settings cannot be changed while it goes on.")
        before = self.document.settings.get(self.document.edit, {})
        names = {n for n in {*before, *message.settings} if before.get(n) != message.settings.get(n)}
        if fixed := sorted(names - set(self.edit.live_settings)):
            raise InputError(f"Stop the run before changing {', '.join(fixed)}.")

    async def check_vectors(self, vectors: Mapping[str, float]) -> None:
        """Refuse learnt edits that do not fit the picture.

        Raises:
            InputError: there is one, or there is no picture that a model makes.
        """
        at = self.document.at
        if at is None:
            raise InputError("Choose a picture first.")
        await self.on_device(
            lambda: check_vectors(latent_picture(self.project, at.node, at.step).generator, vectors)
        )

    # ---- places

    def go(self, message: m.Go) -> None:
        """Make a frame the start of the next run."""
        node = self.node(message.place)
        points = self.document.points
        if message.points == "clear":
            points = ()
        elif message.points == "follow":
            points = self.followed(message.place)
        self.project.select(node.id)
        self.folder.write_tree(self.project.tree())
        label = "Branch" if message.points == "clear" else "Start here"
        self.push(label, **{"points": points, **self._elsewhere(message.place)})

    def arrive(
        self, node: str, steps: int, things: Sequence[m.Thing] = (), candidates: Sequence[str] = ()
    ) -> None:
        """Go to the last step of a run that has ended; the learnt edits that it was asked for are in it.

        Args:
            node: the run's.
            steps: how many it has.
            things: as they are after it.
            candidates: nodes of runs to choose from, this one among them.
        """
        place = m.Place(node=node, step=steps - 1)
        vectors = {} if "vectors" in self.edit.inputs else self.document.vectors
        points = self._at_targets() if self._untold(node) else self.followed(place)
        changes = {"points": points, "vectors": vectors, **self._elsewhere(place)}
        changes |= {"things": tuple(things), "candidates": tuple(candidates)}
        self.push(self.edit.title, **changes)

    def _untold(self, node: str) -> bool:
        """A run came to its end by itself and did not tell where its points are: at their targets, then."""
        numbers = self.project.numbers(node)
        arrived = numbers.get("arrived")
        return (
            self.edit.group == GROUP
            and "handles" not in numbers
            and arrived is not None
            and bool(arrived[-1])
        )

    def _at_targets(self) -> tuple[m.Point, ...]:
        return tuple(each.model_copy(update={"handle": each.target}) for each in self.document.points)

    def _elsewhere(self, place: m.Place) -> dict[str, Any]:
        """What going to a frame does to the document: what belongs to another frame, picture, model or photo is taken off."""
        node, old = self.project.nodes[place.node], self.document.at
        before = self.project.nodes.get(old.node) if old is not None else None
        update: dict[str, Any] = {"at": place, "edit": self._mode_for(node.kind)}
        if old != place:
            update |= {"parts": None, "layers": m.LayerChanges()}
        candidates = self.document.candidates
        if old != place and not (old and old.node in candidates and place.node in candidates):
            update |= {"things": (), "candidates": ()}
        if before is None or self.sizes.get(before.id) != self.sizes[node.id]:
            update |= {"points": (), "mask": None, "prompts": (), "boxes": ()}
        if before is None or _maker(before) != _maker(node):
            update["vectors"] = {}
        if before is None or self._root(before) != self._root(node):
            update |= {"crop": None, "prompt": ""}
        return update

    def _root(self, node: Node) -> str:
        """Id of the picture that a node goes back to."""
        while node.parent is not None:
            node = self.project.nodes[node.parent]
        return node.id

    def followed(self, place: m.Place) -> tuple[m.Point, ...]:
        """The points with their handles where they were on a frame, if its run had such points."""
        handles = self.project.numbers(place.node).get("handles")
        if handles is None or len(handles) <= place.step:
            return self.document.points
        return followed(self.document.points, [(float(x), float(y)) for x, y in handles[place.step].tolist()])

    def node(self, place: m.Place) -> Node:
        """The node of a frame.

        Raises:
            InputError: there is no such frame.
        """
        node = self.project.nodes.get(place.node)
        if node is None or place.step >= node.steps or node.id not in self.sizes:
            raise InputError("There is no such frame in the project.")
        return node


def _maker(node: Node) -> tuple[str, Any]:
    """What makes a node's pictures: their kind and model."""
    return node.kind, node.facts[0].get("model") if node.facts else None
