"""``python -m mltrack_jupyter``: the command ``mltrack``, where no script of that name is on the path."""

import sys

from mltrack_jupyter.cli import main

if __name__ == "__main__":
    sys.exit(main())
