"""Where tests find files."""

from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
FIXTURES = Path(__file__).parent / "fixtures"
