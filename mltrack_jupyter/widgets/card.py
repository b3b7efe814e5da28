"""The card of a run: what a tracked cell shows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.entities import ERROR, REASON, Run
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.shown import shown
from mltrack_jupyter.store.names import quoted
from mltrack_jupyter.store.rules import MODEL_TAG
from mltrack_jupyter.tracking import fluent
from mltrack_jupyter.widgets.bundle import View, view_bundle
from mltrack_jupyter.widgets.colours import NEUTRAL, STATUS
from mltrack_jupyter.widgets.table import FRAME, status_html
from mltrack_jupyter.widgets.texts import duration, escape, short_number, shorten

_MAX_CHIPS = 14
_MAX_NOTES = 6
_WARNING = "#b9770e"


@dataclass(frozen=True)
class Card(View):
    """A run in a few lines; the value of :func:`card`.

    ``warnings`` is what the user should know, ``version`` the registered model (``iris 3``);
    ``kind`` is what the live renderer makes of it: ``card``, or ``run`` for the whole page of the run.
    """

    run: Run
    experiment: str = ""
    version: str = ""
    warnings: Sequence[str] = ()
    kind: str = "card"

    __repr__ = View.__repr__

    def bundle(self) -> dict[str, Any]:
        """Return the mimebundle of the view."""
        facts = _Facts.of(self)
        view = {"kind": self.kind}
        return view_bundle([self.run.info.run_id], view, html=_html(facts), plain=_plain(facts))


@dataclass(frozen=True)
class Notice(View):
    """A card without a run: the cell could not be tracked, or its store is away."""

    text: str

    __repr__ = View.__repr__

    def bundle(self) -> dict[str, Any]:
        """Return the mimebundle of the view."""
        html = f'<div style="{_box(_WARNING)}">{_note_html(self.text)}</div>'
        # No view for the live renderer: there is no run it could show.
        return {"text/html": html, "text/plain": f"mltrack: {shown(self.text)}"}


@dataclass(frozen=True)
class _Facts:
    """What a card says, ready to be written."""

    name: str
    status: str
    span: str
    experiment: str
    params: list[tuple[str, str, bool]]
    metrics: list[tuple[str, str, bool]]
    model: str
    error: str
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, card: Card) -> _Facts:
        info, data = card.run.info, card.run.data
        tags = data.tags
        inferred = _json(tags.get("mltrack.inferred"))
        guessed = [_names(inferred, kind) for kind in ("params", "metrics")]
        notes = list(card.warnings) or tags.get("mltrack.warnings", "").splitlines()
        error = tags.get(REASON, "")
        error = error or tags.get(ERROR, "").rstrip().rpartition("\n")[2]
        return cls(
            name=info.run_name or info.run_id[:8],
            status=info.status.value,
            span="" if info.end_time is None else duration(info.end_time - info.start_time),
            experiment=card.experiment,
            params=_ordered(
                [(k, text, k in guessed[0]) for k, text in data.params.items()], inferred
            ),
            metrics=_ordered(
                [(k, short_number(v), k in guessed[1]) for k, v in data.metrics.items()], inferred
            ),
            model=_model_text(tags, card.version),
            error=error if info.status.value in ("FAILED", "KILLED") else "",
            notes=notes,
        )


def _ordered(
    items: list[tuple[str, str, bool]], inferred: Mapping[str, Any]
) -> list[tuple[str, str, bool]]:
    """Put what the user logged first, then what the cell says, then defaults of estimators."""
    order = [*_names(inferred, "params"), *_names(inferred, "metrics")]
    place = {name: index for index, name in enumerate(order)}
    return sorted(items, key=lambda item: place.get(item[0], -1))


def _json(text: str | None) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):  # anybody may have written the tag
        return {}
    return found if isinstance(found, dict) else {}


def _names(inferred: Mapping[str, Any], kind: str) -> list[str]:
    found = inferred.get(kind)
    return list(map(str, found)) if isinstance(found, list) else []


def _model_text(tags: Mapping[str, str], version: str) -> str:
    record = _json(tags.get(MODEL_TAG))
    name = str(record.get("class") or record.get("flavor") or "").rpartition(".")[2]
    registered = f"registered as {version}" if version else ""
    return ", ".join(filter(None, [name, registered]))


def _box(colour: str) -> str:
    return (
        f"{FRAME};border:1px solid var(--jp-border-color2,rgba(128,128,128,.35));"
        f"border-left:3px solid {colour};border-radius:3px;padding:6px 12px;margin:2px 0;max-width:860px"
    )


def _html(facts: _Facts) -> str:
    muted = "opacity:.7;margin-left:10px"
    head = f'<strong>{escape(shorten(facts.name, 60))}</strong> <span style="margin-left:8px">{status_html(facts.status)}</span>'
    if facts.span:
        head += f'<span style="{muted}">{escape(facts.span)}</span>'
    if facts.experiment:
        head += f'<span style="{muted}">in {escape(shorten(facts.experiment, 60))}</span>'
    parts = [f"<div>{head}</div>"]
    parts += [_row("metrics", facts.metrics)] if facts.metrics else []
    parts += [_row("params", facts.params)] if facts.params else []
    if facts.model:
        parts.append(f'<div style="margin-top:4px">{_label("model")}{escape(facts.model)}</div>')
    if facts.error:
        parts.append(
            f'<div style="margin-top:4px">{_label("error")}<code style="background:transparent;'
            f'color:inherit">{escape(shorten(facts.error, 300))}</code></div>'
        )
    parts += map(_note_html, facts.notes[:_MAX_NOTES])
    return f'<div style="{_box(STATUS.get(facts.status, NEUTRAL))}">{"".join(parts)}</div>'


def _label(text: str) -> str:
    return f'<span style="display:inline-block;min-width:56px;opacity:.65">{text}</span>'


def _row(label: str, items: Sequence[tuple[str, str, bool]]) -> str:
    chips = "".join(_chip(*item) for item in items[:_MAX_CHIPS])
    rest = len(items) - _MAX_CHIPS
    more = f'<span style="opacity:.65">and {rest} more</span>' if rest > 0 else ""
    return f'<div style="margin-top:4px">{_label(label)}{chips}{more}</div>'


def _chip(key: str, text: str, inferred: bool) -> str:
    line = "dashed" if inferred else "solid"
    hint = f"{key} = {shorten(text, 200)}" + (" (inferred from the cell)" if inferred else "")
    return (
        f'<span title="{escape(hint)}" style="display:inline-block;border:1px {line} '
        "var(--jp-border-color1,rgba(128,128,128,.55));border-radius:3px;padding:0 6px;"
        f'margin:1px 5px 1px 0"><span style="opacity:.75">{escape(shorten(key, 40))}</span> '
        f"<strong>{escape(shorten(text, 40))}</strong></span>"
    )


def _note_html(text: str) -> str:
    return (
        f'<div style="margin-top:4px"><span style="color:{_WARNING}" aria-hidden="true">▲</span> '
        f"{escape(shorten(text, 300))}</div>"
    )


def _plain(facts: _Facts) -> str:
    place = f" in {shorten(facts.experiment, 60)}" if facts.experiment else ""
    lines = [
        f"{shorten(facts.name, 60)}: {facts.status}{f' ({facts.span})' if facts.span else ''}{place}"
    ]
    for label, items in (("metrics", facts.metrics), ("params", facts.params)):
        if items:
            pairs = (
                f"{shorten(key, 40)}={shorten(text, 40)}" for key, text, _ in items[:_MAX_CHIPS]
            )
            lines.append(f"  {label}: {', '.join(pairs)}")
    lines += [f"  model: {shorten(facts.model, 200)}"] if facts.model else []
    lines += [f"  error: {shorten(facts.error, 300)}"] if facts.error else []
    lines += [f"  warning: {shorten(note, 300)}" for note in facts.notes[:_MAX_NOTES]]
    return "\n".join(lines)


def card(run_id: str, *, kind: str = "card") -> Card:
    """Show a run as a card: status, duration, metrics, params, model, warnings. Raises ``NotFound``."""
    services = fluent.services()
    run = services.runs.get(run_id)
    try:
        experiment = services.experiments.get(run.info.experiment_id).name
        versions = services.model_versions.search(
            f"run_id = {quoted(run.info.run_id)}", max_results=1
        )
    except MltrackError:
        return Card(run, kind=kind)
    version = next((f"{item.name} {item.version}" for item in versions), "")
    return Card(run, experiment, version, kind=kind)
