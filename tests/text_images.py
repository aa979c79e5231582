"""A tiny text-image model in which nothing is learnt, for whoever needs one to be there."""

from pathlib import Path

import torch

from pliant.perception.lite0 import Lite0Config, Stage
from pliant.perception.words import WordsConfig, WordsNet, save_words_net

SEEN = ("blue", "fire", "house", "red", "robot")
"""The words that it knows."""
_IMAGE = Lite0Config(8, (Stage(1, 3, 1, 8, 1), Stage(2, 5, 2, 16, 2), Stage(2, 3, 2, 16, 1)), 32)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def words_net() -> WordsNet:
    """Reads any word letter by letter, sees squares of 32 pixels."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *_LETTERS, *(f"##{letter}" for letter in _LETTERS), *SEEN]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = WordsNet(WordsConfig(32, 16, 8, 64, 1, 12, _IMAGE), pieces, SEEN)
    return net.eval().requires_grad_(False)


def save_words(folder: Path) -> Path:
    """Put it into a folder, which has its name."""
    save_words_net(words_net(), folder)
    return folder
