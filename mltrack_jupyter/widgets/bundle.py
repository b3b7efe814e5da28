"""The mimebundle of a view: run ids and a view for the live renderer, and a picture for everyone else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mltrack_jupyter.shown import neutral

VIEW_TYPE = "application/vnd.mltrack.view+json"
MAX_OUTPUT = 64_000
MAX_PNG = 40_000
PNG_WIDTH = 860
_MAX_RUNS = 500


def view_bundle(
    run_ids: Sequence[str], view: Mapping[str, Any], *, html: str, plain: str, png: bytes = b""
) -> dict[str, Any]:
    """Return the mimebundle of a view.

    No data, no token and no address of a server is in it: the live renderer asks the server that the
    notebook is opened on. The plain text goes to terminals and holds nothing that steers one. The picture is left out where the output would grow above 64 kB.
    """
    content = {"version": 1, "run_ids": list(run_ids)[:_MAX_RUNS], "view": dict(view)}
    bundle: dict[str, Any] = {VIEW_TYPE: content, "text/html": html, "text/plain": neutral(plain)}
    encoded = base64.b64encode(png).decode()
    if png and len(png) <= MAX_PNG and size_of(bundle) + len(encoded) + 20 <= MAX_OUTPUT:
        bundle["image/png"] = encoded
    return bundle


def size_of(bundle: Mapping[str, Any]) -> int:
    """Return the size of a mimebundle as it is stored in a notebook, in bytes."""
    return len(json.dumps(bundle, ensure_ascii=False).encode())


class View:
    """Something that is shown in a notebook and stays readable without a kernel."""

    def bundle(self) -> dict[str, Any]:
        """Return the mimebundle of the view."""
        raise NotImplementedError

    def _repr_mimebundle_(
        self,
        include: Any = None,  # noqa: ARG002 - IPython gives both
        exclude: Any = None,  # noqa: ARG002
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        found = self.bundle()
        # A sharp picture has more pixels than it has room: say how large it is meant.
        size = {"image/png": {"width": PNG_WIDTH}} if "image/png" in found else {}
        return found, size

    def __repr__(self) -> str:
        return str(self.bundle()["text/plain"])
