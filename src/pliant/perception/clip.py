"""One door to text-image models: what a picture shows, and what words say, as vectors that can be compared (arXiv 2103.00020).

`load_words` gives the same small interface over Pliant's own model, over CLIP and SigLIP as transformers writes them, and over
checkpoints of open_clip. Pictures go in as Pliant has them, of any size; gradients reach them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from pliant.errors import CheckpointError, InputError
from pliant.perception.lite0 import folded
from pliant.perception.wordpieces import words_of
from pliant.perception.words import FORMAT, WordsNet, load_words_net
from pliant.zoo import user_folder

EMBEDDED = Path(__file__).parent.parent / "_weights"
PLAIN = ("{}",)
"""The text as it is."""
TEMPLATES = (
    "{}",
    "a photo of {}",
    "a picture of {}",
    "an image showing {}",
    "a drawing of {}",
    "a painting of {}",
    "an illustration of {}",
    "a sketch of {}",
    "a rendering of {}",
    "a close-up of {}",
    "a cropped photo of {}",
    "a blurry photo of {}",
    "a bright photo of {}",
    "a dark photo of {}",
    "a good photo of {}",
    "art of {}",
)
"""Sentences that a text is put into; the mean of their vectors says less about the sentence and more about the text."""
LONGEST_TEXT = 1000
"""Characters; models read fewer, and leave out the rest."""
_SMALL_WORDS = frozenset(
    ("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "her", "his", "in",
     "into", "is", "it", "its", "no", "not", "of", "off", "on", "or", "out", "over", "s", "some", "such",
     "t", "that", "the", "their", "them", "these", "this", "those", "to", "under", "up", "was", "were",
     "which", "who", "with")
)  # fmt: skip


class TextImageModel(ABC):
    """Vectors of length one of texts and pictures.

    Args:
        name: to show.
        input_size: side in pixels of the squares that the model looks at.
        mean: [3] of pictures in [0, 1], taken away before the model sees them.
        std: [3] by which they are divided then.
        log_scale: a scalar of the model, see `logit_scale`.
    """

    def __init__(
        self, name: str, input_size: int, mean: Sequence[float], std: Sequence[float], log_scale: Tensor
    ) -> None:
        self.name, self.input_size = name, input_size
        self._mean, self._std, self._log_scale = tuple(mean), tuple(std), log_scale

    @property
    def device(self) -> torch.device:
        """Where the model runs."""
        return self._log_scale.device

    @property
    def logit_scale(self) -> float:
        """By which cosines are multiplied before a softmax (or a sigmoid) over texts."""
        return float(self._log_scale.detach().exp())

    @abstractmethod
    def unknown_words(self, text: str) -> list[str]:
        """Words of a text that the model can hardly know, in their order, each once, in lower case."""

    @abstractmethod
    def _see(self, pictures: Tensor) -> Tensor:
        """Vectors [N, D] of normalised pictures [N, 3, input_size, input_size]."""

    @abstractmethod
    def _read(self, texts: Sequence[str]) -> Tensor:
        """Vectors [N, D]."""

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Tensor:
        """Directions of texts.

        Args:
            texts: N of them, each of 1 to 1,000 characters.
            templates: sentences with a `{}`; the vectors of a text in all of them are averaged.

        Returns:
            [N, D] float32, of length one.

        Raises:
            InputError: no texts, an empty or too long one, or a template without its `{}`.
        """
        check_texts(texts)
        if not templates or any(template.count("{}") != 1 for template in templates):
            raise InputError('Expected templates such as "a photo of {}", each with one {} for the text.')
        filled = [template.replace("{}", text.strip()) for text in texts for template in templates]
        read = [self._read(filled[start : start + 256]).float() for start in range(0, len(filled), 256)]
        each = functional.normalize(torch.cat(read), dim=1).unflatten(0, (len(texts), len(templates)))
        return functional.normalize(each.mean(1), dim=1)

    def encode_images(self, images: Tensor) -> Tensor:
        """Directions of pictures; gradients reach the pictures.

        Args:
            images: [N, 3, H, W] in [-1, 1], of any size; what is not square is squeezed into a square, nothing is cut off.

        Returns:
            [N, D] float32, of length one.

        Raises:
            InputError: no pictures of this form.
        """
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape or not images.is_floating_point():
            raise InputError(
                "Expected pictures [N, 3, H, W] of floating-point numbers, at least one; "
                f"found {str(images.dtype).removeprefix('torch.')} {list(images.shape)}."
            )
        seen = resize(images.to(self.device, torch.float32), self.input_size)
        seen = (seen + 1) / 2
        mean, std = (seen.new_tensor(values)[:, None, None] for values in (self._mean, self._std))
        return functional.normalize(self._see((seen - mean) / std).float(), dim=1)


class SmallModel(TextImageModel):
    """Pliant's own model behind the door."""

    def __init__(self, name: str, net: WordsNet) -> None:
        super().__init__(name, net.config.input_size, (0.5,) * 3, (0.5,) * 3, net.log_scale)
        self.net, self._image = net, folded(net.image)

    def unknown_words(self, text: str) -> list[str]:
        """Words that stood in no caption of the pictures that the model learnt from, nor their singular."""
        return list(dict.fromkeys(word for word in content_words(text) if not self.net.seen & _forms(word)))

    def _see(self, pictures: Tensor) -> Tensor:
        return self.net.project(self._image(pictures))

    def _read(self, texts: Sequence[str]) -> Tensor:
        return self.net.embed_texts(texts)


@lru_cache(maxsize=2)
def load_words(source: str | Path = "words-small", device: str | torch.device = "cpu") -> TextImageModel:
    """Read a text-image model; asked again, the same one comes back.

    Args:
        source: the name of an embedded model or of a folder among the user's own; a folder of Pliant's, of transformers
            (CLIP, SigLIP) or of open_clip; `open_clip:NAME:TAG` (a tag of open_clip's, or a file); or `OWNER/NAME`
            on the model hub, fetched by transformers.
        device: where it shall run.

    Raises:
        CheckpointError: there is no such model, or it cannot be read.
        MissingExtraError: transformers or open_clip is needed and not there.
    """
    text = str(source)
    if text.startswith("open_clip:"):
        from pliant.perception.clip_foreign import load_open_clip

        return load_open_clip(text.removeprefix("open_clip:"), device)
    folder = next((path for path in _places(source) if path.is_dir()), None)
    if (
        folder is None
        and isinstance(source, str)
        and text.count("/") == 1
        and not text.startswith((".", "~", "/"))
    ):
        from pliant.perception.clip_foreign import load_transformers

        return load_transformers(text, device)
    if folder is None:
        raise CheckpointError(
            f"There is no text-image model {text[:200]!r}; expected words-small, a folder with a config.json, "
            "open_clip:NAME:TAG, or OWNER/NAME on the model hub."
        )
    return _load_folder(folder, device)


def _places(source: str | Path) -> list[Path]:
    """Where a model of this name or path may lie."""
    named = isinstance(source, str) and not {"/", "\\"} & set(source)
    own = [EMBEDDED / source, user_folder() / source] if named and source not in {"", ".", ".."} else []
    return [*own, Path(source).expanduser()]


def _load_folder(folder: Path, device: str | torch.device) -> TextImageModel:
    if (folder / "open_clip_config.json").is_file():
        from pliant.perception.clip_foreign import load_open_clip

        return load_open_clip(f"local-dir:{folder}", device)
    try:
        config: Any = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = config.get("format")
    except (OSError, ValueError, AttributeError):
        raise CheckpointError(
            f"{folder} has no readable config.json; expected the folder of a text-image model."
        ) from None
    if kind == FORMAT[0]:
        return SmallModel(folder.name, load_words_net(folder).to(device))
    from pliant.perception.clip_foreign import load_transformers

    return load_transformers(folder, device)


def content_words(text: str) -> list[str]:
    """Words of a text that name something, in lower case."""
    return [word for word in words_of(text) if word.isalpha() and word not in _SMALL_WORDS]


def _forms(word: str) -> set[str]:
    """A word, and what may be its singular or plural."""
    return {word, word + "s"} | ({word[:-1], word[:-2]} if word.endswith("s") else set())


def check_texts(texts: Sequence[str]) -> None:
    """Refuse what cannot be read.

    Raises:
        InputError: no texts, or one that is empty, too long or not text.
    """
    if isinstance(texts, str) or not texts:
        raise InputError("Expected a list of at least one text.")
    for text in texts:
        if not text.strip():
            raise InputError("A text is empty; say in a few words what the picture should show.")
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"A text has {len(text):,} characters; expected at most {LONGEST_TEXT:,}, best a few words."
            )


def resize(images: Tensor, side: int) -> Tensor:
    """Bring pictures to squares, smoothed where they shrink; differentiable, and the same each time on every device.

    Args:
        images: [N, 3, H, W].
        side: in pixels.

    Returns:
        [N, 3, side, side], by the cubic filter of Pillow (a = -0.5), as two matrix products.
    """
    height, width = images.shape[-2:]
    if height == width == side:
        return images
    down, across = (_filter(length, side).to(images) for length in (height, width))
    return down @ images @ across.T


@lru_cache(maxsize=32)
def _filter(length: int, side: int) -> Tensor:
    """[side, length] weights of one direction; rows sum to one."""
    scale = length / side
    middles = (torch.arange(side, dtype=torch.float64) + 0.5) * scale
    places = torch.arange(length, dtype=torch.float64) + 0.5
    x = ((places - middles[:, None]) / max(scale, 1.0)).abs()
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, 0.0))
    return weights / weights.sum(1, keepdim=True)
