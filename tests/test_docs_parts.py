"""What the page on parts names exists."""

import re

from pliant.cli import verbs
from pliant.gan.part_edit import RepaintSettings

from paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "parts.md").read_text()


def test_every_setting_in_the_page_exists_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]+) \|", PAGE, re.MULTILINE)
    assert {name for name, _ in rows} == set(RepaintSettings.__dataclass_fields__)
    defaults = RepaintSettings()
    for name, shown in rows:
        value = getattr(defaults, name)
        assert (value if isinstance(value, str) else float(value)) == (
            shown if isinstance(value, str) else float(shown)
        )


def test_every_verb_in_the_page_exists():
    commands = re.findall(r"^pliant (.*)$", PAGE, re.MULTILINE)
    assert len(commands) > 5
    for words in (command.split() for command in commands):
        assert words[0] in verbs() or " ".join(words[:2]) in verbs()
