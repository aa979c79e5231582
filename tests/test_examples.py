"""The examples run, and leave what they promise."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from pliant.vector.svg import read_svg

from paths import REPOSITORY


@pytest.mark.timeout(240)
def test_the_demo_drags_a_portrait(tmp_path):
    run = subprocess.run(
        [sys.executable, str(REPOSITORY / "examples" / "01_drag.py"), "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "arrived after" in run.stdout
    assert (tmp_path / "demo.mp4").stat().st_size > 10_000
    with Image.open(tmp_path / "demo.png") as sheet:
        assert sheet.width > 512


@pytest.mark.timeout(240)
def test_several_edits_are_made_on_one_picture(tmp_path):
    subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / "examples" / "02_parts_and_photo.py"),
            "--out",
            str(tmp_path),
            "--steps",
            "4",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    with Image.open(tmp_path / "parts_and_photo.png") as sheet:
        before, *edits = (sheet.crop((4 + 260 * i, 4, 260 + 260 * i, 260)) for i in range(4))
    for edit in edits:
        assert ImageStat.Stat(ImageChops.difference(before, edit)).mean != [0, 0, 0]
        before = edit


@pytest.mark.timeout(240)
def test_a_letter_follows_words_with_its_shape_only(tmp_path):
    script = REPOSITORY / "examples" / "03_words.py"
    command = [sys.executable, str(script), "--out", str(tmp_path), "--only", "glyph", "--steps", "3"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "glyph: agreement" in run.stdout
    before = read_svg(REPOSITORY / "examples" / "drawings" / "glyph.svg").scene
    after = read_svg(tmp_path / "glyph.svg").scene
    assert (after.points - before.points).abs().max() > 1
    assert (after.colours - before.colours).abs().max() < 0.003
    with Image.open(tmp_path / "glyph.png") as sheet:
        assert sheet.width > 2 * 320


@pytest.mark.timeout(240)
def test_a_thing_of_a_made_scene_is_moved_and_another_removed(tmp_path):
    script = REPOSITORY / "examples" / "04_things.py"
    command = [
        sys.executable,
        str(script),
        "--out",
        str(tmp_path),
        "--only",
        "move",
        "remove",
        "--steps",
        "8",
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "move: " in run.stdout
    assert "remove: " in run.stdout
    with Image.open(tmp_path / "things.png") as sheet:
        assert sheet.width > 4 * 256
    with Image.open(tmp_path / "move.png") as pair:
        assert changed(pair) > 5
    with Image.open(tmp_path / "remove.png") as pair:
        assert changed(pair) > 5


def changed(pair):
    """Mean difference of the two pictures of a sheet."""
    before, after = (pair.convert("RGB").crop((4 + 260 * i, 4, 260 + 260 * i, 260)) for i in range(2))
    return np.abs(np.asarray(before, float) - np.asarray(after, float)).mean()
