"""The examples run, and leave what they promise."""

import subprocess
import sys

import pytest
from PIL import Image

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
