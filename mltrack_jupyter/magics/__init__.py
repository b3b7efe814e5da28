"""The magics ``%%track`` and ``%mltrack``: thin, and light to load into every kernel."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from mltrack_jupyter.hosted import hand_down_kernel, offer_to_mlflow
from mltrack_jupyter.magics.session import Session

__all__ = ["load", "unload"]

_loaded: WeakKeyDictionary[Any, _Loaded] = WeakKeyDictionary()


class _Loaded:
    """What was added to a shell, so that exactly this can be taken away again."""

    def __init__(self, shell: Any) -> None:
        from mltrack_jupyter.magics.track import TrackMagics
        from mltrack_jupyter.magics.transform import transform_track

        self._shell = shell
        self._session = Session(shell)
        self._transform = transform_track
        self._magics = TrackMagics(shell, self._session)
        known = shell.magics_manager.magics
        self._covered = {
            (kind, name): known[kind].get(name)
            for kind, names in self._magics.magics.items()
            for name in names
        }
        shell.register_magics(self._magics)
        shell.input_transformers_cleanup.append(transform_track)
        for event, hook in self._session.hooks().items():
            shell.events.register(event, hook)

    def remove(self) -> None:
        manager = self._shell.magics_manager
        for (kind, name), before in self._covered.items():
            # Someone may have put a magic of that name in our place since.
            if getattr(manager.magics[kind].get(name), "__self__", None) is not self._magics:
                continue
            del manager.magics[kind][name]
            if before is not None:
                manager.magics[kind][name] = before
        manager.registry.pop(type(self._magics).__name__, None)
        if self._transform in self._shell.input_transformers_cleanup:
            self._shell.input_transformers_cleanup.remove(self._transform)
        for event, hook in self._session.hooks().items():
            self._shell.events.unregister(event, hook)
        self._session.forget()


def load(shell: Any) -> None:
    """Add the magics to an IPython shell; a second time changes nothing."""
    if shell not in _loaded:
        hand_down_kernel()
        offer_to_mlflow()
        _loaded[shell] = _Loaded(shell)


def unload(shell: Any) -> None:
    """Take away exactly what :func:`load` added."""
    loaded = _loaded.pop(shell, None)
    if loaded is not None:
        loaded.remove()
