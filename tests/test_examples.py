"""The examples run, and leave what they promise."""

import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageStat

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
