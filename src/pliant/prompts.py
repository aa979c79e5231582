"""What a person says a picture, or a part of it, should become; checked once at the door."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pliant.errors import InputError

__all__ = ["LONGEST", "MAX_PROMPTS", "Box", "Prompt", "PromptsLike", "as_prompts"]

LONGEST = 1000
"""Characters of a prompt."""
MAX_PROMPTS = 32
"""More prompts than this are a mistake: every one costs time in every step."""
STRONGEST = 3.0

Box = tuple[float, float, float, float]
"""x, y, width, height: in user units of a drawing, in pixels of any other picture."""


@dataclass(frozen=True)
class Prompt:
    """Words, and where they should come true."""

    text: str
    """A few words, at most 1,000 characters."""
    box: Box | None = None
    """Where; None for the whole picture."""
    strength: float = 1.0
    """How much it counts beside the others, 0 to 3."""


PromptsLike = str | Prompt | Sequence[str | Prompt]
"""One prompt or several; a text alone is about the whole picture."""


def as_prompts(value: PromptsLike, size: tuple[float, float]) -> tuple[Prompt, ...]:
    """Prompts whose boxes lie in the picture, or a sentence that says what is wrong with them.

    Args:
        value: as a person gave them.
        size: width and height of the picture, in the units of the boxes.

    Raises:
        InputError: none or too many; an empty or too long text; a box outside the picture or of no size; a strength that is
            not from 0 to 3.
    """
    given = [value] if isinstance(value, str | Prompt) else list(value)
    if not given:
        raise InputError("There is no prompt; say in a few words what the picture should become.")
    if len(given) > MAX_PROMPTS:
        raise InputError(f"{len(given)} prompts are too many; give at most {MAX_PROMPTS}.")
    prompts = [Prompt(each) if isinstance(each, str) else each for each in given]
    return tuple(_checked(prompt, size) for prompt in prompts)


def _checked(prompt: Prompt, size: tuple[float, float]) -> Prompt:
    text = prompt.text.strip()
    if not text:
        raise InputError("A prompt is empty; say in a few words what the picture should become.")
    if len(text) > LONGEST:
        raise InputError(
            f"A prompt has {len(text):,} characters; expected at most {LONGEST:,}, best a few words."
        )
    if not 0 <= prompt.strength <= STRONGEST:
        raise InputError(
            f"The strength of '{_short(text)}' is {prompt.strength:g}; give 0 to {STRONGEST:g}, usually 1."
        )
    box = None if prompt.box is None else _clipped(prompt.box, size, _short(text))
    return replace(prompt, text=text, box=box)


def _clipped(box: Box, size: tuple[float, float], text: str) -> Box:
    """The part of a box that lies in the picture."""
    if len(box) != 4 or not all(map(math.isfinite, box)) or box[2] <= 0 or box[3] <= 0:
        raise InputError(
            f"The box of '{text}' should be x, y, width, height, with a width and a height above 0."
        )
    x, y, width, height = map(float, box)
    left, top = max(x, 0.0), max(y, 0.0)
    right, bottom = min(x + width, float(size[0])), min(y + height, float(size[1]))
    if left >= right or top >= bottom:
        raise InputError(
            f"The box of '{text}', {x:g},{y:g},{width:g},{height:g}, lies outside the picture of "
            f"{size[0]:g} x {size[1]:g}."
        )
    return left, top, right - left, bottom - top


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
