"""The process that writes a run: enough to tell, later and from beside it, whether it still lives."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity, number, text


class Process(Entity, frozen=True, kw_only=True):
    """A process, told apart from every other one, also from a later one with the same ``pid``.

    ``process_id`` is drawn by lot, and anew after a fork. ``boot_id`` names the boot of the machine and,
    in containers, whose numbers ``pid`` is one of. ``started`` is when it began, in the system's own unit;
    0 if that is not known. ``kernel_id`` is Jupyter's, ``""`` outside a kernel.
    """

    process_id: str
    host: str = text()
    boot_id: str = text()
    pid: int = number()
    started: int = number()
    kernel_id: str = text()
