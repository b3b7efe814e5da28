"""Figures that a cell displays, taken as they pass to the front end."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.capture.border import guarded

MAX_FIGURES = 20
MAX_BYTES = 5_000_000
_VIEW = "application/vnd.mltrack.view+json"
_PLOTLY = "application/vnd.plotly.v1+json"
_IMAGES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}


@dataclass
class Figures:
    """The figures of one cell, in the order of display, each once, within limits."""

    _found: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _left_out: int = 0
    _too_large: int = 0
    _clear_next: bool = False
    cleared: bool = False

    def see(self, bundle: Mapping[str, Any], display_id: str = "") -> None:
        """Keep the figure of a mimebundle, if it shows one; a new one of a display id replaces the old."""
        if self._clear_next:
            self._forget()
        if _VIEW in bundle:
            return
        figure = _figure_of(bundle)
        if figure is None:
            return
        kind, data = figure
        key = display_id or hashlib.sha256(data).hexdigest()
        if len(data) > MAX_BYTES:
            self._too_large += 1
        elif key in self._found or len(self._found) < MAX_FIGURES:
            self._found[key] = (kind, data)
        else:
            self._left_out += 1

    def clear(self, wait: bool) -> None:
        """Forget what was displayed, now or when the next output comes: the user no longer sees it."""
        self.cleared = True
        if wait:
            self._clear_next = True
        else:
            self._forget()

    def _forget(self) -> None:
        self._found.clear()
        self._left_out = self._too_large = 0
        self._clear_next = False

    def files(self) -> dict[str, bytes]:
        """Return artifact paths and contents: ``figures/figure-1.png`` and so on."""
        unique = {
            hashlib.sha256(data).digest(): (kind, data) for kind, data in self._found.values()
        }
        return {
            f"figures/figure-{place}.{kind}": data
            for place, (kind, data) in enumerate(unique.values(), start=1)
        }

    def notes(self) -> list[str]:
        """Say what was left out."""
        found = []
        if self._left_out:
            found.append(
                f"{self._left_out} more figures were not stored: {MAX_FIGURES} a cell is the limit"
            )
        if self._too_large:
            found.append(
                f"{self._too_large} figures above {MAX_BYTES // 1_000_000} MB were not stored"
            )
        return found


def _figure_of(bundle: Mapping[str, Any]) -> tuple[str, bytes] | None:
    for mime, kind in _IMAGES.items():
        if mime in bundle:
            data = _bytes_of(bundle[mime], mime)
            return None if data is None else (kind, data)
    if _PLOTLY in bundle:
        text = guarded("storing a plotly figure", lambda: json.dumps(bundle[_PLOTLY]), "")
        return ("plotly.json", text.encode()) if text else None
    return None


def _bytes_of(value: Any, mime: str) -> bytes | None:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        return None
    if mime == "image/svg+xml":
        return value.encode()
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        return None


class Tap:
    """Listens to calls of one method of one object, and puts back exactly what it found.

    If someone wraps the method after us, their wrapper stays and our part of it falls silent.
    """

    def __init__(self, owner: Any, name: str, listener: Callable[..., None]) -> None:
        self._owner, self._name = owner, name
        self._own = vars(owner).get(name)
        self._original = original = getattr(owner, name)
        self._active = True

        def tapped(*args: Any, **kwargs: Any) -> Any:
            if self._active:
                guarded("looking at an output", lambda: listener(*args, **kwargs), None)
            return original(*args, **kwargs)

        self._tapped = tapped
        setattr(owner, name, tapped)

    def remove(self) -> None:
        """Stop listening."""
        self._active = False
        if vars(self._owner).get(self._name) is not self._tapped:
            return
        if self._own is None:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._own)


class FigureTaps:
    """The taps of one tracked cell: displays, results of last expressions, cleared outputs."""

    def __init__(self, shell: Any) -> None:
        self.figures = Figures()
        self._taps = [
            Tap(shell.display_pub, "publish", self._published),
            Tap(shell.display_pub, "clear_output", self._cleared),
            Tap(shell.displayhook, "write_format_data", self._result),
        ]

    def _published(self, data: Mapping[str, Any], *_: Any, **more: Any) -> None:
        transient = more.get("transient") or {}
        self.figures.see(data, str(transient.get("display_id") or ""))

    def _cleared(self, wait: bool = False) -> None:
        self.figures.clear(wait)

    def _result(self, format_dict: Mapping[str, Any], *_: Any, **__: Any) -> None:
        self.figures.see(format_dict)

    def remove(self) -> Figures:
        """Stop listening and return the figures."""
        for tap in reversed(self._taps):
            tap.remove()
        return self.figures
