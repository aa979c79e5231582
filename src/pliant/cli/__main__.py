"""`python -m pliant.cli` is the same as `pliant`; torchrun needs it."""

import sys

from pliant.cli import main

sys.exit(main())
