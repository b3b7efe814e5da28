"""``evaluate``: a model on data, measured and drawn, and logged to a run."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mltrack_jupyter.entities import ModelInput
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.evaluation import custom
from mltrack_jupyter.evaluation.classifier import evaluate_classifier
from mltrack_jupyter.evaluation.files import File, file_of
from mltrack_jupyter.evaluation.findings import Findings
from mltrack_jupyter.evaluation.inputs import Evidence, Subject, evidence_of, subject_of
from mltrack_jupyter.evaluation.regressor import evaluate_regressor
from mltrack_jupyter.evaluation.result import TABLE, EvaluationArtifact, EvaluationResult
from mltrack_jupyter.tracking import fluent, inputs
from mltrack_jupyter.tracking.tables import log_table

_EVALUATORS = {"default", "classifier", "regressor"}


def evaluate(
    model: Any = None,
    data: Any = None,
    *,
    model_type: str | None = None,
    targets: Any = None,
    predictions: Any = None,
    feature_names: list[str] | None = None,
    evaluators: str | Sequence[str] | None = None,
    evaluator_config: Mapping[str, Any] | None = None,
    extra_metrics: Sequence[Any] | None = None,
    custom_artifacts: Sequence[Callable[..., Any]] | None = None,
    model_id: str | None = None,
    **others: Any,
) -> EvaluationResult:
    """Measure a model on data, and log metrics, plots and the dataset to the active run, or a new one.

    Parameters
    ----------
    model
        The URI of a model, something with ``predict``, or a function of the data; ``None`` where
        ``predictions`` are given.
    data
        A DataFrame, an array, or a dataset of :mod:`mltrack_jupyter.data`.
    model_type
        ``"classifier"``, ``"regressor"``, or ``None`` for ``extra_metrics`` alone.
    targets, predictions
        The name of a column, or values.
    evaluator_config
        For classifiers ``label_list``, ``pos_label``, ``average``,
        ``max_classes_for_multiclass_roc_pr``, ``calibration_n_bins``; ``sample_weights`` and
        ``metric_prefix`` for all.
    extra_metrics
        Made by :func:`make_metric`.
    custom_artifacts
        Functions of a DataFrame (``prediction``, ``target``), the metrics and a folder, which return a dict
        of names to figures, DataFrames, arrays, dicts, or paths of files in the folder.

    Raises
    ------
    InvalidParameter
        Model, data and targets do not fit together; nothing was logged.
    """
    config = _config(evaluators, evaluator_config, others)
    subject = subject_of(model, model_id or "")
    evidence = evidence_of(data, targets, predictions, feature_names)
    _check(model_type, evidence, bool(extra_metrics))
    predicted = _predictions(subject, evidence)
    found = _measure(model_type, subject, evidence, predicted, config)
    extra = custom.measure(extra_metrics or (), evidence, predicted, found.metrics, config)
    for name, value in extra.items():
        found.add(value.numbers(name))
    _add_custom_files(found, custom_artifacts or (), evidence, predicted)
    table = _table(evidence, predicted, extra)
    if fluent.active_run() is not None:
        return _log(found, table, subject, evidence, config)
    with fluent.start_run():
        return _log(found, table, subject, evidence, config)


def _config(
    evaluators: str | Sequence[str] | None,
    config: Mapping[str, Any] | None,
    others: Mapping[str, Any],
) -> dict[str, Any]:
    names = [evaluators] if isinstance(evaluators, str) else list(evaluators or ["default"])
    unknown = [name for name in names if name not in _EVALUATORS]
    if unknown:
        raise InvalidParameter(
            f"evaluators={unknown}: there are {', '.join(sorted(_EVALUATORS))} only."
        )
    given = sorted(name for name, value in others.items() if value not in (None, "local"))
    if given:
        raise InvalidParameter(f"evaluate takes no {', '.join(given)} here.")
    found = dict(config or {})
    # MLflow's other form: the settings of each evaluator by its name.
    for name in _EVALUATORS & set(found):
        nested = found.pop(name)
        found.update(nested if isinstance(nested, Mapping) else {})
    return found


def _predictions(subject: Subject | None, evidence: Evidence) -> Any:
    if subject is not None:
        features = evidence.features
        # A model that changes its input must not change the caller's data.
        return subject.predict(features.copy() if hasattr(features, "copy") else features)
    if evidence.predictions is None:
        raise InvalidParameter("Give a model, or predictions (a column, or values).")
    return evidence.predictions


def _check(model_type: str | None, evidence: Evidence, has_extra: bool) -> None:
    """Refuse what cannot be measured, before a model is asked."""
    if model_type is None and has_extra:
        return
    if model_type not in ("classifier", "regressor"):
        raise InvalidParameter(
            f"model_type={model_type!r}: right are 'classifier' and 'regressor', or extra_metrics alone. "
            "The evaluation of texts and language models is left out."
        )
    if evidence.truth is None:
        raise InvalidParameter(f"A {model_type} is measured against the truth: give targets.")


def _measure(
    model_type: str | None,
    subject: Subject | None,
    evidence: Evidence,
    predicted: Any,
    config: Mapping[str, Any],
) -> Findings:
    if len(predicted) != evidence.count:
        raise InvalidParameter(
            f"The model gave {len(predicted)} predictions for {evidence.count} rows of data."
        )
    if model_type is None:
        return Findings()
    scored = Findings()
    scored.add(_score(subject, evidence, config))
    if model_type == "regressor":
        found = evaluate_regressor(evidence.truth, predicted, config)
    else:
        ask = subject.predict_proba if subject is not None else None
        chances = ask(evidence.features) if ask is not None else None
        found = evaluate_classifier(evidence.truth, predicted, chances, config)
    return Findings({**scored.metrics, **found.metrics}, found.files)


def _score(
    subject: Subject | None, evidence: Evidence, config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what an estimator of scikit-learn says of itself, if it does."""
    native = subject.native if subject is not None else None
    # XGBoost's and LightGBM's estimators derive from scikit-learn's.
    known = any(base.__module__.startswith("sklearn.") for base in type(native).__mro__)
    if native is None or not known or not hasattr(native, "score"):
        return {}
    weights = config.get("sample_weights")
    weighted = {} if weights is None else {"sample_weight": weights}
    return {"score": native.score(evidence.features, evidence.truth, **weighted)}


def _add_custom_files(
    found: Findings, makers: Sequence[Callable[..., Any]], evidence: Evidence, predicted: Any
) -> None:
    import tempfile

    for make in makers:
        with tempfile.TemporaryDirectory(prefix="mltrack-") as private:
            frame = custom.evaluation_frame(evidence, predicted)
            made = make(frame, dict(found.metrics), private)
            if not isinstance(made, Mapping):
                raise InvalidParameter(
                    "A function of custom_artifacts returns a dict of names to files."
                )
            for name, content in made.items():
                found.files[str(name)] = file_of(str(name), content)


def _table(evidence: Evidence, predicted: Any, extra: Mapping[str, custom.MetricValue]) -> Any:
    """Return the data with predictions and scores by row, or ``None`` where no metric gives such."""
    # A metric may give one score for all the rows, which is no column.
    scored = {
        name: value for name, value in extra.items() if len(value.scores or ()) == evidence.count
    }
    if not scored:
        return None
    import pandas as pd

    frame = pd.DataFrame(evidence.features).copy()
    frame.columns = [str(name) for name in frame.columns]
    if evidence.truth is not None:
        frame[evidence.target_name] = list(evidence.truth)
    frame[evidence.prediction_name] = list(predicted)
    for name, value in scored.items():
        frame[f"{name}/score"] = list(value.scores or ())
        if value.justifications is not None:
            frame[f"{name}/justification"] = list(value.justifications)
    return frame


def _log(
    found: Findings,
    table: Any,
    subject: Subject | None,
    evidence: Evidence,
    config: Mapping[str, Any],
) -> EvaluationResult:
    run = fluent.active_run()
    assert run is not None
    prefix = str(config.get("metric_prefix") or "")
    model_id = subject.model_id if subject is not None else ""
    inputs.log_input(evidence.dataset, model=ModelInput(model_id) if model_id else None)
    metrics = {prefix + name: value for name, value in found.metrics.items()}
    fluent.log_metrics(metrics, model_id=model_id or None, dataset=evidence.dataset)
    files = run.files
    artifacts = {}
    for name, made in found.files.items():
        file = made if isinstance(made, File) else file_of(name, made)
        place = f"{prefix}{name}{file.suffix}"
        files.write(place, io.BytesIO(file.body))
        artifacts[name] = EvaluationArtifact(fluent.get_artifact_uri(place), file.content)
    if table is not None:
        log_table(table, f"{prefix}{TABLE}.json")
        uri = fluent.get_artifact_uri(f"{prefix}{TABLE}.json")
        artifacts[TABLE] = EvaluationArtifact(uri, table)
    return EvaluationResult(metrics, artifacts, run.info.run_id)
