"""How the edits of the catalogue begin, each from what a person gave, and what they should know before.

Nothing here imports an engine until an edit runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pliant.errors import InputError
from pliant.inputs import Inputs, Note

if TYPE_CHECKING:
    from pliant.steps import Step


def start_drag(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    """Drag points."""
    from pliant.gan.drag import drag

    return drag(
        picture,
        inputs.handles,
        inputs.targets,
        movable=inputs.mask,
        locked=inputs.locked,
        settings=settings,
        after=after,
    )


def warn_of_weak_handles(picture: Any, inputs: Inputs, settings: Any) -> list[Note]:
    """Handles that may drift, and better places."""
    from pliant.gan.hints import hints

    notes: list[Note] = []
    for number, hint in enumerate(hints(picture, inputs.handles, settings)):
        if hint.weak:
            better = f"; ({hint.better[0]}, {hint.better[1]}) is distinct" if hint.better else ""
            sentence = f"Handle {number + 1} looks like its surroundings and may drift{better}."
            notes.append(Note(sentence, number, hint.better))
    return notes


def warn_of_nothing(*_: Any) -> list[Note]:
    """There is nothing to know."""
    return []


def start_repaint(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Repaint parts.

    Raises:
        InputError: nothing was painted.
    """
    from pliant.gan.part_edit import repaint

    if inputs.parts is None:
        raise InputError("Paint over some of the picture's parts first.")
    return repaint(picture, inputs.parts, head=inputs.head, movable=inputs.mask, settings=settings)


def start_vectors(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Apply learnt edits."""
    from pliant.gan.vectors import apply_vectors

    return apply_vectors(picture, inputs.vectors, head=inputs.head, settings=settings)


def warn_of_strong_vectors(picture: Any, inputs: Inputs, _: Any) -> list[Note]:
    """Edits beyond where they work."""
    from pliant.gan.vectors import vectors_for

    known = vectors_for(picture.generator)
    chosen = [(known[str(name)], strength) for name, strength in inputs.vectors.items() if str(name) in known]
    return [
        Note(
            f"'{each.name}' works at strengths of {each.safe[0]:g} to {each.safe[1]:g}; beyond, pictures may break."
        )
        for each, strength in chosen
        if not each.safe[0] <= strength <= each.safe[1]
    ]


def start_invert(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Find the code of a photo.

    Raises:
        InputError: no model.
    """
    from pliant.gan.align import crop_face, cut
    from pliant.gan.inversions import invert_kept
    from pliant.images import to_tensor

    if inputs.model is None:
        raise InputError("Say which model should make the photo.")
    photo = picture.render()
    crop = inputs.crop or crop_face(photo, inputs.model.config.size)
    origin = {name: value for name, value in picture.origin.items() if name == "file"}
    return invert_kept(inputs.model, to_tensor(cut(photo, crop)), settings=settings, origin=origin)


def start_trace(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Trace a photo."""
    from pliant.vector.trace import trace_steps

    origin = {name: value for name, value in picture.origin.items() if name == "file"}
    return trace_steps(picture.render(), inputs.boxes, settings, origin)


def start_restyle(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    """Move a drawing, whose layers are changed first, toward words."""
    from pliant.vector.layers import change_layers
    from pliant.vector.restyle import restyle

    changed = picture if inputs.layers is None else change_layers(picture, inputs.layers)
    return restyle(changed, inputs.prompts, words=inputs.words, settings=settings, after=after)


def start_draw(picture: Any, inputs: Inputs, settings: Any, after: Any) -> Iterator[Step]:
    """Draw strokes."""
    from pliant.vector.draw import draw

    return draw(picture, inputs.prompts, words=inputs.words, settings=settings, after=after)


def warn_of_unknown_words(picture: Any, inputs: Inputs, _: Any) -> list[Note]:
    """Words that the text-image model never met, each once."""
    from pliant.perception.clip import load_words
    from pliant.prompts import as_prompts

    model = inputs.words or load_words()
    texts = [prompt.text for prompt in as_prompts(inputs.prompts, picture.scene.size)]
    unknown = dict.fromkeys(word for text in texts for word in model.unknown_words(text))
    return [Note(f"'{word}' is no word that {model.name} learnt; it may do nothing.") for word in unknown]


def start_layers(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Hide, lock and recolour."""
    from pliant.vector.layers import LayerChanges, changed_layers

    return changed_layers(picture, inputs.layers or LayerChanges(), settings)


def start_move(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Move, resize and turn things."""
    from pliant.diffusion.edits import move

    return move(picture, inputs.things, **_how(inputs, settings))


def start_remove(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Remove things."""
    from pliant.diffusion.edits import remove

    return remove(picture, _selected(inputs.mask), **_how(inputs, settings))


def start_paste(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Paste things."""
    from pliant.diffusion.edits import paste

    return paste(picture, _other(inputs), inputs.things, **_how(inputs, settings))


def start_swap(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Swap looks."""
    from pliant.diffusion.edits import swap

    here, other = _selected(inputs.mask), _other(inputs)
    there = _selected(inputs.other_mask, "in the other picture the thing whose looks are wanted")
    return swap(picture, here, other, there, **_how(inputs, settings))


def start_drag_content(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Drag content."""
    from pliant.diffusion.edits import drag_content

    area = _selected(inputs.mask, "where the picture may change")
    return drag_content(picture, inputs.handles, inputs.targets, area, **_how(inputs, settings))


def start_drag_diffusion(picture: Any, inputs: Inputs, settings: Any, _: Any) -> Iterator[Step]:
    """Drag points by DragDiffusion."""
    from pliant.diffusion.drag_diffusion import drag_diffusion

    return drag_diffusion(picture, inputs.handles, inputs.targets, inputs.mask, **_how(inputs, settings))


def start_generate(_: Any, inputs: Inputs, settings: Any, __: Any) -> Iterator[Step]:
    """Make a picture from words; the one that it begins at is left behind."""
    from pliant.diffusion.generate import generate

    return generate(inputs.prompt, model=inputs.diffuser, settings=settings)


def _how(inputs: Inputs, settings: Any) -> dict[str, Any]:
    """What all edits of things are told."""
    return {"prompt": inputs.prompt, "model": inputs.diffuser, "settings": settings}


def _selected(mask: Any, what: str = "the thing") -> Any:
    """A mask that must be there.

    Raises:
        InputError: it is not.
    """
    if mask is None:
        raise InputError(f"Select {what} first.")
    return mask


def _other(inputs: Inputs) -> Any:
    """The second picture.

    Raises:
        InputError: there is none.
    """
    if inputs.other is None:
        raise InputError("Choose the second picture first.")
    return inputs.other
