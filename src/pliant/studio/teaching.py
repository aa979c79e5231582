"""Teaching a model its parts: the parts that a person named, the frames that they labelled, and the training on them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from pliant.errors import InputError
from pliant.gan.latent import LatentPicture, fingerprint
from pliant.gan.parts import checked_ids
from pliant.gan.tuned import TunedGenerator, original
from pliant.studio import messages as m
from pliant.studio.inputs import stored_parts
from pliant.studio.parts import MODEL, head_digest, keep_head, latent_picture, node_parts, own_classes
from pliant.studio.training import Taught, TrainingJob
from pliant.train.head import HeadTrainSettings, HeadTrainStep, LabelledPicture, train_head

if TYPE_CHECKING:
    from pliant.studio.session import Session

SETTINGS = HeadTrainSettings()


class Teacher:
    """What a session has labelled, and its training.

    Args:
        session: whose document is labelled.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.desk, self.studio = session, session.desk, session.studio
        self.job: TrainingJob | None = None

    def labelling(self) -> m.Labelling:
        """All of it, for the page."""
        return self.desk.labelling.model_copy(update={"training": self.job.training if self.job else None})

    def _keep(self, **changes: object) -> None:
        labelling = self.desk.labelling.model_copy(update=changes)
        self.desk.folder.write_labelling(labelling)
        self.desk.labelling = labelling

    # ---- parts and labels

    async def set_classes(self, message: m.SetClasses) -> None:
        """Name the parts.

        Raises:
            InputError: two that cannot be told apart, or labels with more.
        """
        names = [each.name.strip() for each in message.classes]
        if not all(names) or len(set(names)) < len(names):
            raise InputError("Every part needs a name of its own.")
        if len({each.colour for each in message.classes}) < len(names):
            raise InputError("Every part needs a colour of its own.")
        used = await asyncio.to_thread(self._most_used)
        if used >= len(names):
            raise InputError(
                f"There are labels with {used + 1} parts; remove them first, or name as many parts."
            )
        self._keep(classes=message.classes)

    def _most_used(self) -> int:
        """The largest id in any label; -1 without labels."""
        ids = [int(stored_parts(each.parts, self.desk.folder).max()) for each in self.desk.labelling.labels]
        return max(ids, default=-1)

    async def add_label(self) -> None:
        """Keep the painted part map with its frame.

        Raises:
            InputError: nothing was painted, too many labels, parts that were not named, or a frame of another model than those
                of the other labels or of a tuned one.
        """
        at, parts = self.desk.document.at, self.desk.document.parts
        if at is None or parts is None:
            raise InputError("Paint the parts of this picture first.")
        others = [each for each in self.desk.labelling.labels if each.place != at]
        if len(others) >= m.MAX_LABELS:
            raise InputError(f"At most {m.MAX_LABELS} pictures can be labelled.")

        def known() -> tuple[tuple[m.PartClass, ...], tuple[int, int]]:
            picture = self._labelled(at, others)
            classes = self.desk.labelling.classes or node_parts(picture.generator, ()).classes
            return classes, picture.size

        classes, size = await self.desk.on_device(known)
        ids = await asyncio.to_thread(stored_parts, parts, self.desk.folder)
        checked_ids(ids, own_classes(classes), size)
        self._keep(classes=classes, labels=(*others, m.Label(place=at, parts=parts)))

    def _labelled(self, at: m.Place, others: Sequence[m.Label]) -> LatentPicture:
        """The picture of a frame that is to be labelled, which is of the same model as the others'."""
        picture = latent_picture(self.desk.project, at.node, at.step)
        if isinstance(picture.generator, TunedGenerator):
            raise InputError(
                "Label pictures that the model makes by itself; for this photo it was tuned, so that its parts lie elsewhere."
            )
        for each in others[:1]:
            first = latent_picture(self.desk.project, each.place.node, each.place.step)
            if fingerprint(first.generator) != fingerprint(picture.generator):
                raise InputError(
                    f"The other labels are of pictures of '{first.generator.name}'; label that model's, or remove them first."
                )
        return picture

    def remove_label(self, message: m.RemoveLabel) -> None:
        """Forget a label.

        Raises:
            InputError: there is none.
        """
        labels = list(self.desk.labelling.labels)
        found = next((each for each in labels if each.parts == message.label), None)
        if found is None:
            raise InputError("There is no such label.")
        labels.remove(found)
        self._keep(labels=tuple(labels))

    # ---- training

    def train(self) -> None:
        """Begin to train a head on the labels.

        Raises:
            InputError: there are none, something runs already, or too much does.
        """
        self.session.refuse_while_busy()
        labelling = self.desk.labelling
        if not labelling.labels:
            raise InputError("Label at least one picture first.")
        if self.studio.running() >= self.studio.limits.runs:
            raise InputError("Too many runs are waiting already; try again when one has ended.")
        self.job = TrainingJob(lambda: self._steps(labelling), keep_head, _Watcher(self))
        self.studio.device.start(self.job)

    def _steps(self, labelling: m.Labelling) -> Iterator[HeadTrainStep]:
        places = [each.place for each in labelling.labels]
        pictures = [latent_picture(self.desk.project, place.node, place.step) for place in places]
        maps = [stored_parts(each.parts, self.desk.folder) for each in labelling.labels]
        labelled = [
            LabelledPicture(picture.ws, torch.from_numpy(ids))
            for picture, ids in zip(pictures, maps, strict=True)
        ]
        generator = original(pictures[0].generator)
        facts = {MODEL: generator.name}
        return train_head(generator, labelled, own_classes(labelling.classes), SETTINGS, facts=facts)

    def stop(self) -> None:
        """Give the training up after the step in progress."""
        if self.job is not None:
            self.studio.device.do(self.job.stop)

    def ended(self, taught: Taught) -> None:
        """The training is over."""
        self.job = None
        if taught.head is not None:
            self.session.tell(m.Trained(head=head_digest(taught.head), seconds=taught.seconds))
        if taught.problem is not None:
            self.session.tell(m.Problem(about="parts", sentence=taught.problem))
        self.session.tell(self.session.state())
        self.studio.positions_changed()


class _Watcher:
    """Carries what happens to a training from the device's thread to the event loop."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher, self._loop = teacher, asyncio.get_running_loop()

    def progress(self) -> None:
        session = self._teacher.session
        self._loop.call_soon_threadsafe(lambda: session.tell(session.state()))

    def ended(self, taught: Taught) -> None:
        self._loop.call_soon_threadsafe(self._teacher.ended, taught)
