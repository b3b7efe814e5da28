"""Writing what a training tells to its run: names without clashes, and whose they are."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mltrack_jupyter.entities import AUTOLOGGED
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.privacy.redact import redact_cut, redact_items, redact_value
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking import origins
from mltrack_jupyter.tracking.autolog.integration import Options
from mltrack_jupyter.tracking.autolog.stored import Stored
from mltrack_jupyter.tracking.batches import to_number
from mltrack_jupyter.tracking.contents import dict_text
from mltrack_jupyter.tracking.writer import RunWriter

if TYPE_CHECKING:
    from mltrack_jupyter.models import ModelSignature
    from mltrack_jupyter.tracking.scope import ActiveRun

T = TypeVar("T")
METRICS_TAG = "mltrack.autolog.metrics"
"""Names of the metrics that autologging wrote, as a JSON list."""
# What MLflow's servers take.
_MAX_PARAM = 6_000
_MAX_TAG = 5_000


class Record:
    """The part of a run that one training writes.

    What a user wrote by hand under the same name stays; the value found here is then kept as
    ``autolog.<name>``. What a second training in one run writes begins with the name of its model.
    """

    def __init__(self, run: ActiveRun, label: str, options: Options, *, is_model: bool) -> None:
        self.run_id = run_id = run.run_id
        self.writer = RunWriter(run)
        self._options = options
        self.origins = origins.of_run(run_id)
        self.is_model = is_model
        # What is measured of a model is not measured of those that the run made before.
        self._metrics: set[str] = set()
        self._models: list[str] = []
        self._prefix = self._choose_prefix(label)
        # A number in the names is ours alone to give.
        self._stored = Stored(run_id, run, waits=self.origins.labels[label] == 1)
        self._place = "" if not self._prefix else f"-{self._prefix[:-1]}"

    def _choose_prefix(self, label: str) -> str:
        mine = self.origins
        mine.labels[label] += 1
        number = mine.labels[label]
        # What only transforms leaves the plain names to the model that comes after it.
        mine.trained += self.is_model
        if self.is_model and mine.trained == 1:
            return ""
        return f"{label}." if number == 1 else f"{label}-{number}."

    def name(self, key: Any) -> str:
        """Return a name as stores take it: ``ndcg@3`` becomes ``ndcg_at_3``, as in MLflow."""
        return rules.valid_key(f"{self._prefix}{valid_name(key)}")

    def params(self, values: Mapping[str, Any]) -> None:
        """Write params, without secrets; those that a user wrote by hand stay."""
        mine = self.origins.params
        # As text, and as text that may be stored: a user may have logged the same with the secret in it.
        texts = {
            self.name(name): (str(value), shown(key, value))
            for name, (key, value) in valid_names(values).items()
        }
        by_hand = self._stored.by_hand("params", texts, mine)
        written = {
            (f"autolog.{name}" if name in by_hand else name): text
            for name, (full, text) in texts.items()
            if name not in mine and by_hand.get(name) not in (full, text)
        }
        if written:
            self.writer.params(written)
            mine.update(written)
            self._mark(AUTOLOGGED, mine)

    def metrics(self, values: Mapping[str, Any], step: int | None = None) -> None:
        """Add points to metrics; those that are no numbers are left out."""
        mine = self.origins.metrics
        before = len(mine)
        numbers: dict[str, float] = {}
        for name, (key, value) in valid_names(values).items():
            with suppress(InvalidParameter):
                numbers[self.name(name)] = to_number(str(key), value)
        by_hand = self._stored.by_hand("metrics", numbers, mine)
        points = {
            (f"autolog.{name}" if name in by_hand else name): number
            for name, number in numbers.items()
        }
        if points:
            self.writer.metrics(points, step, self._models)
            mine |= set(points)
            self._metrics |= set(points)
            if len(mine) != before:
                self._mark(METRICS_TAG, mine)

    def tags(self, values: Mapping[str, Any]) -> None:
        """Set tags; those that a user set by hand stay."""
        mine = self.origins.tags
        texts = {self.name(name): str(value) for name, (_, value) in valid_names(values).items()}
        by_hand = self._stored.by_hand("tags", texts, mine)
        written = {
            (f"autolog.{name}" if name in by_hand else name): redact_cut(text, _MAX_TAG)
            for name, text in texts.items()
            if by_hand.get(name) != text
        }
        if written:
            self.writer.tags(written)
            mine |= set(written)

    def note(self, tag: str, text: str) -> None:
        """Set a tag of autologging itself."""
        self.writer.tags({tag: text[:_MAX_TAG]})

    def _mark(self, tag: str, names: Any) -> None:
        """List names in a tag; once it is full, further ones leave it as it is."""
        if tag in self.origins.full:
            return
        listed = sorted(names)
        while len(json.dumps(listed, ensure_ascii=False)) > _MAX_TAG:
            listed = [*listed[: len(listed) * 3 // 4], "…"]
            self.origins.full.add(tag)
        self.note(tag, json.dumps(listed, ensure_ascii=False))

    def text(self, text: str, path: str) -> None:
        """Write a text file."""
        self.writer.text(text, self._path(path))

    def json(self, content: Any, path: str) -> None:
        """Write a JSON file."""
        self.writer.text(dict_text(content, path), self._path(path))

    def _path(self, path: str) -> str:
        stem, dot, ending = path.rpartition(".")
        return f"{stem}{self._place}{dot}{ending}" if dot else f"{path}{self._place}"

    def model(
        self,
        model: Any,
        path: str = "model",
        *,
        signature: ModelSignature | None = None,
        example: Any = None,
        save: Callable[[Path], Any] | None = None,
    ) -> str:
        """Log a model and return where: by its flavor, or as the file that ``save`` writes."""
        from mltrack_jupyter.tracking.models import log_model

        options, place = self._options, self._path(path)
        if _has_flavor(model):
            info = log_model(
                model,
                place,
                metrics=self._metrics if self.origins.trained > 1 else None,
                run_id=self.run_id,
                signature=signature if options.log_model_signatures else None,
                input_example=example if options.log_input_examples else None,
                registered_model_name=options.registered_model_name if path == "model" else None,
                serialization_format=options.more.get("serialization_format"),
            )
            self.origins.models.append(place)
            self._models += [info.model_id] if info.model_id else []
        elif save is not None:
            with tempfile.TemporaryDirectory(prefix="mltrack-model-") as folder:
                save(Path(folder))
                if signature is not None and options.log_model_signatures:
                    text = json.dumps(signature.to_dict(), indent=2)
                    (Path(folder) / "signature.json").write_text(text, encoding="utf-8")
                self.writer.folder(folder, place)
        return place

    def covers(self, *estimators: Any) -> None:
        """Note whose params are in the run now, so that nobody writes them a second time."""
        self.origins.add_estimators(*estimators)


def valid_name(key: Any) -> str:
    """Return a name as stores take it, of whatever a library or its user calls a param or a metric."""
    return rules.valid_key(str(key).replace("@", "_at_"))


def valid_names(values: Mapping[Any, T]) -> dict[str, tuple[Any, T]]:
    """Return what stores take as names, each with its own key and value; two alike are numbered."""
    found: dict[str, tuple[Any, T]] = {}
    for key, value in values.items():
        name, number = valid_name(key), 1
        while name in found:
            number += 1
            name = f"{valid_name(key)[: rules.MAX_KEY - 8]}_{number}"
        found[name] = key, value
    return found


def _has_flavor(model: Any) -> bool:
    # Models bring a parser of YAML with them, which switching on need not load.
    from mltrack_jupyter.models.flavors import flavor_of

    try:
        flavor_of(model)
    except InvalidParameter:
        return False
    return True


def shown(key: Any, value: Any) -> str:
    """Return a param as it is stored: as text, without what is secret, no longer than stores take it."""
    text = str(redact_items(str(key), value)).replace("\x00", "\\x00")
    if not rules.is_unicode(text):
        text = text.encode(errors="backslashreplace").decode()
    return redact_value(str(key), text, most=_MAX_PARAM)
