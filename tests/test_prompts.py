"""Prompts at the door."""

import subprocess
import sys

import pytest

from pliant.errors import InputError
from pliant.prompts import Prompt, as_prompts

SIZE = (100, 60)


def test_a_text_alone_is_about_the_whole_picture():
    assert as_prompts(" a red car ", SIZE) == (Prompt("a red car"),)
    assert as_prompts(["sky", Prompt("sea", (0, 30, 100, 30), 2)], SIZE) == (
        Prompt("sky"),
        Prompt("sea", (0, 30, 100, 30), 2),
    )


def test_boxes_are_cut_at_the_edges():
    (prompt,) = as_prompts(Prompt("sky", (-10, 20, 50, 100)), SIZE)
    assert prompt.box == (0, 20, 40, 40)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "no prompt"),
        ("", "empty"),
        ("  ", "empty"),
        ("x" * 1001, "1,001 characters"),
        (["a"] * 33, "too many"),
        (Prompt("a", (100, 0, 10, 10)), "outside the picture of 100 x 60"),
        (Prompt("a", (-10, 0, 10, 10)), "outside"),
        (Prompt("a", (0, 0, 0, 10)), "above 0"),
        (Prompt("a", (0, 0, 10, -1)), "above 0"),
        (Prompt("a", (0, float("nan"), 10, 10)), "above 0"),
        (Prompt("a", (0, 0, 10)), "x, y, width, height"),
        (Prompt("a", strength=-1), "strength of 'a' is -1"),
        (Prompt("a", strength=3.5), "give 0 to 3"),
        (Prompt("a", strength=float("nan")), "strength"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(value, sentence):
    with pytest.raises(InputError, match=sentence):
        as_prompts(value, SIZE)


def test_prompts_load_no_torch():
    code = "import sys, pliant.prompts; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
