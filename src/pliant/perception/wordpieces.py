"""Text to word pieces: the longest pieces of a list that a word can be spelt from (WordPiece, as in arXiv 1810.04805)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_LONGEST_WORD = 100
_WORDS = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


def words_of(text: str) -> list[str]:
    """Words and signs of a text, in lower case, without accents: `"A café, red"` gives `["a", "cafe", ",", "red"]`."""
    plain = unicodedata.normalize("NFD", text.lower())
    return _WORDS.findall("".join(sign for sign in plain if unicodedata.category(sign) != "Mn"))


class WordPieces:
    """Numbers of word pieces.

    Args:
        pieces: [V], all different; a piece that continues a word begins with `##`. The first is padding; `START`, `END` and
            `UNKNOWN` are among them.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._number = {piece: number for number, piece in enumerate(self.pieces)}
        self._start, self._end, self._unknown = (self._number[name] for name in (START, END, UNKNOWN))

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str, longest: int) -> list[int]:
        """Numbers of at most `longest` pieces, the start and the end among them; what is beyond is left out."""
        numbers = [number for word in words_of(text) for number in self.spell(word)]
        return [self._start, *numbers[: longest - 2], self._end]

    def spell(self, word: str) -> list[int]:
        """Numbers of the pieces of one word; only `UNKNOWN` if it cannot be spelt."""
        numbers: list[int] = []
        begin = 0
        while begin < len(word) <= _LONGEST_WORD:
            sign = "##" if begin else ""
            fitting = (end for end in range(len(word), begin, -1) if sign + word[begin:end] in self._number)
            end = next(fitting, None)
            if end is None:
                return [self._unknown]
            numbers.append(self._number[sign + word[begin:end]])
            begin = end
        return numbers or [self._unknown]
