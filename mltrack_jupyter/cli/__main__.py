"""``python -m mltrack_jupyter.cli``."""

import sys

from mltrack_jupyter.cli import main

sys.exit(main())
