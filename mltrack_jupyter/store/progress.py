"""A bar that shows how much of a large file was sent or fetched, where somebody may be looking."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mltrack_jupyter.config import setting

LARGE = 10 * 1024 * 1024
"""Files of fewer bytes have no bar."""


@contextmanager
def progress(what: str, size: int) -> Iterator[Callable[[int], object]]:
    """Yield a function that is told how many more bytes were moved.

    There is a bar on a terminal and in a notebook, for large files;
    ``MLTRACK_ENABLE_ARTIFACTS_PROGRESS_BAR=false`` switches it off.
    """
    chosen = setting(
        "MLTRACK_ENABLE_ARTIFACTS_PROGRESS_BAR", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    )
    if size < LARGE or chosen.lower() in ("false", "0") or not _is_watched():
        yield _nothing
        return
    from tqdm.auto import tqdm

    with tqdm(total=size, desc=what, unit="B", unit_scale=True, unit_divisor=1024) as bar:
        yield bar.update


def _nothing(_more: int) -> None:
    """Show nothing."""


def _is_watched() -> bool:
    """Tell whether output goes to a terminal or into a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None and getattr(shell, "kernel", None) is not None:
        return True
    return bool(sys.stderr is not None and sys.stderr.isatty())
