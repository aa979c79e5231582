"""Builds the studio's page into the package. It is never in git and always in the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SKIP = "PLIANT_SKIP_WEB"
"""Set it to build without the page, where there is no npm."""


class WebBuild(BuildHookInterface):  # type: ignore[type-arg]
    """Runs `npm ci && npm run build` in web/ when the page is not there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called before the package is put together."""
        web, built = Path(self.root) / "web", Path(self.root) / "src/pliant/studio/_web"
        if not (built / "index.html").is_file() and web.is_dir() and not os.environ.get(SKIP):
            npm = shutil.which("npm")
            if npm is None:
                raise SystemExit(
                    f"The studio's page is built with npm, which is not there: install Node.js 20 or newer, or set {SKIP}=1 "
                    "to go without the studio."
                )
            for words in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
                subprocess.run([npm, *words], cwd=web, check=True)  # noqa: S603 - our own words
        build_data["artifacts"].append("src/pliant/studio/_web/**")
