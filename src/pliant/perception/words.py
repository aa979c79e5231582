"""The small text-image model: texts and pictures as vectors that are alike where the text says what the picture shows.

After CLIP (arXiv 2103.00020), made small enough to come along: pictures are seen by EfficientNet-Lite0, texts are read as word
pieces by two layers of attention that learnt from a sentence encoder (MiniLM), so that words that no picture came with
have a place near words that some did. `recipes/words` makes it. Its values compare only with its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file  # pyright: ignore[reportUnknownVariableType]
from torch import Tensor, nn
from torch.nn import functional

from pliant.errors import CheckpointError
from pliant.perception.lite0 import Lite0, Lite0Config, Stage
from pliant.perception.wordpieces import WordPieces

FORMAT = ("pliant-words", 1)
_FILES = ("config.json", "pieces.txt", "seen.txt", "model.safetensors")


@dataclass(frozen=True)
class WordsConfig:
    """Shape of the model."""

    input_size: int = 160
    """Side of the pictures that are looked at, in pixels, a multiple of 32."""
    dimensions: int = 384
    """Of the vectors."""
    piece_width: int = 80
    """Numbers a word piece is stored in."""
    width: int = 256
    """Of the text layers, a multiple of 64."""
    layers: int = 2
    longest: int = 40
    """Word pieces of a text that are read; what is beyond is left out."""
    image: Lite0Config = field(default_factory=Lite0Config)


class _Attention(nn.Module):
    """Attention, then a wider layer, each beside its input (arXiv 1706.03762, normalised before)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = width // 64
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.look, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        count, length, width = x.shape
        split = self.look(self.first(x)).reshape(count, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(
            split[0], split[1], split[2], attn_mask=present[:, None, None]
        )
        x = x + self.mix(seen.transpose(1, 2).reshape(count, length, width))
        return x + self.narrow(functional.gelu(self.wide(self.second(x))))


class TextTower(nn.Module):
    """Numbers of word pieces to vectors."""

    def __init__(self, config: WordsConfig, pieces: int) -> None:
        super().__init__()
        self.pieces = nn.Embedding(pieces, config.piece_width)
        self.widen = nn.Linear(config.piece_width, config.width)
        self.places = nn.Parameter(torch.randn(config.longest, config.width) * 0.02)
        self.layers = nn.ModuleList(_Attention(config.width) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.out = nn.Linear(config.width, config.dimensions)

    def forward(self, numbers: Tensor, present: Tensor) -> Tensor:
        """Vectors [N, D], of any length.

        Args:
            numbers: [N, L] int64 of word pieces.
            present: [N, L] bool, False where a shorter text is filled up.
        """
        x = self.widen(self.pieces(numbers)) + self.places[: numbers.shape[1]]
        for layer in self.layers:
            x = layer(x, present)
        weight = present[..., None].to(x)
        return self.out((self.norm(x) * weight).sum(1) / weight.sum(1))


class WordsNet(nn.Module):
    """Both towers.

    Args:
        config: their shape.
        pieces: word pieces, see `WordPieces`.
        seen: words of the captions of the pictures that it learnt from, in lower case.
    """

    def __init__(self, config: WordsConfig, pieces: Sequence[str], seen: Sequence[str]) -> None:
        super().__init__()
        self.config = config
        self.pieces = WordPieces(pieces)
        self.seen = frozenset(seen)
        self.image = Lite0(config.image)
        self.project = nn.Linear(config.image.features, config.dimensions)
        self.text = TextTower(config, len(self.pieces))
        self.log_scale = nn.Parameter(torch.tensor(math.log(20.0)))

    def embed_images(self, pictures: Tensor) -> Tensor:
        """Vectors [N, D] of any length, of pictures [N, 3, S, S] in [-1, 1], S the input size."""
        return self.project(self.image(pictures))

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Vectors [N, D] of any length."""
        return self.text(*(part.to(self.project.weight.device) for part in self.numbers_of(texts)))

    def numbers_of(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Numbers of word pieces [N, L], and which are present [N, L]; both on the CPU."""
        rows = [torch.tensor(self.pieces.encode(text, self.config.longest)) for text in texts]
        numbers = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        return numbers, torch.arange(numbers.shape[1]) < lengths[:, None]


def load_words_net(folder: Path) -> WordsNet:
    """Read what `save_words_net` wrote, on the CPU.

    Raises:
        CheckpointError: the folder does not hold such a model.
    """
    try:
        stored = json.loads((folder / _FILES[0]).read_text(encoding="utf-8"))
        pieces, seen = ((folder / name).read_text(encoding="utf-8").splitlines() for name in _FILES[1:3])
        net = WordsNet(_config_from(stored), pieces, seen)
        net.load_state_dict(load_file(folder / _FILES[3]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder} does not hold a Pliant text-image model ({', '.join(_FILES)}): {error}"
        ) from error
    return net.eval().requires_grad_(requires_grad=False)


def save_words_net(net: WordsNet, folder: Path) -> None:
    """Write config.json, pieces.txt, seen.txt and model.safetensors (fp16)."""
    folder.mkdir(parents=True, exist_ok=True)
    head = {"format": FORMAT[0], "version": FORMAT[1]}
    text = json.dumps({**head, **asdict(net.config)}, indent=1) + "\n"
    (folder / _FILES[0]).write_text(text, encoding="utf-8")
    for name, lines in zip(_FILES[1:3], (net.pieces.pieces, sorted(net.seen)), strict=True):
        (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    weights = {
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in net.state_dict().items()
    }
    save_file(weights, folder / _FILES[3], metadata={"format": FORMAT[0]})


def _config_from(stored: dict[str, Any]) -> WordsConfig:
    kind = (stored.pop("format"), stored.pop("version"))
    if kind != FORMAT:
        raise ValueError(f"its format is {kind}")
    image = dict[str, Any](stored.pop("image"))
    stages = tuple(Stage(**stage) for stage in image.pop("stages"))
    return WordsConfig(**stored, image=Lite0Config(**image, stages=stages))
