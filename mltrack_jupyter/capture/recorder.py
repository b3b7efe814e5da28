"""A tracked cell from begin to end: opens its run, watches, and writes what the cell made."""

from __future__ import annotations

import ast
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.capture.border import guarded
from mltrack_jupyter.capture.code import parse_quietly, read_code
from mltrack_jupyter.capture.context import code_tag, find_place, here, place_tags
from mltrack_jupyter.capture.figures import Figures, FigureTaps
from mltrack_jupyter.capture.namespace import Cell, Inferred, Snapshot, infer
from mltrack_jupyter.capture.outcome import Outcome
from mltrack_jupyter.capture.writing import write_run
from mltrack_jupyter.entities import ModelVersion, Run, RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.privacy.redact import redact, redact_value
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.brief import briefly
from mltrack_jupyter.tracking import fluent, origins, session
from mltrack_jupyter.tracking.origins import Origins
from mltrack_jupyter.tracking.writer import RunWriter

# Magics that run the rest of the cell in the user's namespace: its assignments count as the cell's.
_TRANSPARENT = ("time", "capture", "prun")


@dataclass(frozen=True)
class Options:
    """What a user asked of a tracked cell; ``params`` and ``metrics`` are ``None`` to infer them."""

    experiment: str = ""
    name: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    params: list[str] | None = None
    metrics: list[str] | None = None
    register: str = ""
    quiet: bool = False

    def check(self) -> None:
        """Raise ``InvalidParameter`` for what no store takes: before a training, and not after it."""
        if self.experiment:
            rules.check_experiment_name(self.experiment)
        if self.register:
            rules.check_model_name(self.register)
        rules.check_text(self.name, "run name")
        rules.check_pairs([Tag(key, value) for key, value in self.tags.items()], "tag")


@dataclass(frozen=True)
class Source:
    """The code of a cell: as the user wrote it, and as Python runs it."""

    raw: str
    python: str


@dataclass(frozen=True)
class Report:
    """What a tracked cell left behind; without ``run_id`` it could not be tracked."""

    run_id: str = ""
    warnings: list[str] = field(default_factory=list)
    version: ModelVersion | None = None
    cleared: bool = False


class TrackedCell:
    """A cell that is being tracked. After ``begin`` comes ``finish``, once."""

    def __init__(self, shell: Any, options: Options, source: Source) -> None:
        self._shell = shell
        self.options = options
        self._source = source
        self.run_id = ""
        self.problem = ""
        self.refused = ""
        self.run: Run | None = None
        self.experiment = ""
        self._version: ModelVersion | None = None

    def begin(self, info: Any = None) -> None:
        """Open the run and start to watch. A store that is down is a ``problem``, not an error.

        An option that cannot be right is ``refused``: the user had better hear of it before the cell runs.
        """
        place = find_place(self._shell, info)
        here.enter(place)
        try:
            self._open_run(place_tags(place))
        except MltrackError as error:
            here.leave()
            if self.options.experiment and isinstance(error, InvalidParameter):
                self.refused = str(error)
            self.problem = f"this cell is not tracked: {error}"
            return
        self._code = read_code(unwrapped(self._source.python, self._shell))
        self._before = guarded(
            "looking at the namespace",
            lambda: Snapshot(self._shell.user_ns, self._code),
            Snapshot({}, self._code),
        )
        self._taps = FigureTaps(self._shell)

    def _open_run(self, place: dict[str, str]) -> None:
        options = self.options
        name = options.experiment
        tags = {**place, "mltrack.code": code_tag(self._source.raw)}
        tags.update((key, redact_value(key, value)) for key, value in options.tags.items())
        run = fluent.begin_run(
            experiment_name=name or None, run_name=options.name or None, tags=tags
        )
        self.run_id = run.run_id
        self._writer = RunWriter(run)
        self.run = Run(info=run.info, data=run.data)
        self.experiment = name or fluent.name_of_experiment()

    def finish(self, outcome: Outcome, last_value: Any = None) -> Report:
        """Stop watching, write what was found, and end the run with the status of ``outcome``."""
        if not self.run_id:
            return Report(warnings=[self.problem])
        status = RunStatus.KILLED
        try:
            figures = self._taps.remove()
            here.leave()
            warnings = self._write(outcome, figures, last_value)
            status = outcome.status
        finally:
            # Also when the user interrupts the writing: no run is left RUNNING.
            self._end(status, outcome.tags)
        return Report(self.run_id, warnings, self._version, figures.cleared)

    def stored(self) -> Run | str:
        """Return the run as it is stored; while the store is away, what the user should know of that."""
        run = self._writer.run
        try:
            with briefly(session.ASIDE if session.is_known_away(run.uri) else 20.0):
                return run.services.runs.get(run.run_id)
        except MltrackError as error:
            if not session.goes_on(run.uri, error):
                return f"the run {self.run_id} could not be read: {error}"
            run.keeper.absent = True  # until the thread, which is about to look, sees otherwise
            return (
                f"the store is away ({error}). What this cell made is kept in {run.keeper.journal.folder}, "
                f"as the run {run.run_name} ({run.run_id}), and handed over when the store is there again."
            )

    def hand_over(self) -> None:
        """Bring the run to its store, if that answers now: who looks there after the cell finds it."""
        run = self._writer.run
        try:
            with briefly(session.ASIDE if session.is_known_away(run.uri) else 3.0):
                run.keeper.flush()
        except MltrackError:
            pass  # the thread tries again, and tells of it

    def _end(self, status: RunStatus, why: Mapping[str, str]) -> None:
        try:
            self._writer.end(status, why)
        except MltrackError as error:
            self.problem = f"the end of the run {self.run_id} could not be stored: {error}"

    def _write(self, outcome: Outcome, figures: Figures, last_value: Any) -> list[str]:
        cell = Cell(self._code, self._before, self._shell.user_ns, outcome.line, last_value)
        options = self.options
        found = guarded(
            "looking at the cell",
            lambda: infer(cell, options.params, options.metrics, self._autologged.has_estimator),
            Inferred(),
        )
        notes = [*found.warnings, *figures.notes()]
        tags = {**self._inferred_tag(found), **outcome.tags}
        # A refused store is no reason to keep the rest: each of these may fail alone.
        notes += self._values(found, tags)
        notes += self._files(figures)
        if outcome.status is not RunStatus.KILLED:
            notes += self._model(found, cell, register=outcome.status is RunStatus.FINISHED)
        if notes:
            write_run(self._writer, tags={"mltrack.warnings": redact("\n".join(notes))})
        return notes

    def _inferred_tag(self, found: Inferred) -> dict[str, str]:
        params, metrics = fluent.logged_keys(self.run_id)
        # What the user logged by hand wins, as whatever kind.
        by_hand = params | metrics
        for values, names in (
            (found.params, found.inferred_params),
            (found.metrics, found.inferred_metrics),
        ):
            for key in by_hand & set(values):
                del values[key]
            names[:] = [name for name in names if name in values]
        if not found.inferred_params and not found.inferred_metrics:
            return {}
        content = {"params": found.inferred_params, "metrics": found.inferred_metrics}
        return {"mltrack.inferred": json.dumps(content, ensure_ascii=False)}

    def _values(self, found: Inferred, tags: Mapping[str, str]) -> list[str]:
        params = {key: redact_value(key, text) for key, text in found.params.items()}
        return write_run(self._writer, params=params, metrics=found.metrics, tags=tags)

    def _files(self, figures: Figures) -> list[str]:
        notes = []
        for path, data in figures.files().items():
            try:
                self._writer.run.files.write(path, io.BytesIO(data))
            except MltrackError as error:
                notes.append(f"{path} was not stored: {error}")
        return notes

    def _model(self, found: Inferred, cell: Cell, *, register: bool) -> list[str]:
        wanted = self.options.register
        if self._autologged.models:
            return self._register_autologged(wanted if register else "")
        if found.model is None:
            return [f"--register {wanted}: no fitted model in the cell"] if wanted else []
        return guarded(
            "logging the model",
            lambda: self._log_model(found, cell, wanted if register else ""),
            [f"the model {found.model_name!r} could not be logged; the log has the reason"],
        )

    @property
    def _autologged(self) -> Origins:
        return origins.known(self.run_id)

    def _register_autologged(self, name: str) -> list[str]:
        """Register the model that autologging has logged already, if that is wanted."""
        from mltrack_jupyter.tracking.registry_store import register

        uri = f"runs:/{self.run_id}/{self._autologged.models[-1]}"
        try:
            if name:
                self._version = register(uri, name)
        except MltrackError as error:
            return [f"the model was not registered as {name!r}: {error}"]
        return []

    def _log_model(self, found: Inferred, cell: Cell, name: str) -> list[str]:
        from mltrack_jupyter.tracking.models import log_model

        signature = guarded("inferring a signature", lambda: _signature(found, cell), None)
        try:
            info = log_model(
                found.model,
                run_id=self.run_id,
                signature=signature,
                registered_model_name=name or None,
            )
        except MltrackError as error:
            return [f"the model {found.model_name!r} was not logged: {error}"]
        self._version = info.registered_version
        if not name or self._version is not None:
            return []
        later = f"register_model({info.model_uri!r}, {name!r}) does it when it is there again"
        return [f"the model was not registered as {name!r}, because the store is away; {later}"]


def _signature(found: Inferred, cell: Cell) -> Any:
    """Return the signature of a model from the data it was fitted on, or ``None`` if that is unknown."""
    from mltrack_jupyter.models import infer_signature

    data = cell.namespace.get(cell.code.inputs.get(found.model_name, ""))
    if data is None or not hasattr(type(found.model), "predict"):
        return None
    rows = data.iloc[:5] if hasattr(data, "iloc") else data[:5]
    return infer_signature(rows, found.model.predict(rows))


def unwrapped(python: str, shell: Any) -> str:
    """Return the code of a cell, from inside a ``%%time`` or ``%%capture`` around it."""
    tree = parse_quietly(python)
    last = tree.body[-1] if tree is not None and tree.body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call):
        call = last.value
        values = [part.value for part in call.args if isinstance(part, ast.Constant)]
        is_magic = isinstance(call.func, ast.Attribute) and call.func.attr == "run_cell_magic"
        if is_magic and len(values) == 3 and values[0] in _TRANSPARENT:
            return str(guarded("reading a cell", lambda: shell.transform_cell(values[2]), ""))
    return python
