"""The documentation builds, and what it names exists."""

import re
import subprocess
import sys

from pliant.gan.drag import DragSettings
from pliant.vector.restyle import RestyleSettings

from paths import REPOSITORY


def test_every_setting_in_the_drag_page_exists():
    page = (REPOSITORY / "docs" / "drag.md").read_text()
    named = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert len(named) > 5
    assert set(named) <= set(DragSettings.__dataclass_fields__)


def test_every_setting_in_the_page_on_words_exists():
    table = (REPOSITORY / "docs" / "words.md").read_text().partition("## Settings")[2].partition("## ")[0]
    named = {
        name for row in re.findall(r"^\|(.*?)\|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert len(named) > 8
    assert named <= set(RestyleSettings.__dataclass_fields__)


def test_links_between_pages_and_to_pictures_lead_somewhere():
    for page in [*REPOSITORY.joinpath("docs").glob("*.md"), REPOSITORY / "README.md"]:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "drag" / "index.html").exists()
