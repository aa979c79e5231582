"""`python -m pliant.studio.schema`: the JSON schema of all messages, from which the page's types are made."""

from __future__ import annotations

import json
import sys

from pliant.studio.messages import schema

if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=1)
