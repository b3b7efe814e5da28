"""Classifiers: scikit-learn's metrics under MLflow's names, curves, and a row for each class."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.evaluation import plots
from mltrack_jupyter.evaluation.findings import Findings

_MANY_CLASSES = 10


@dataclass(frozen=True)
class Classes:
    """The labels in order, and which of two is the positive one."""

    labels: Any
    positive: Any = None

    @property
    def are_two(self) -> bool:
        """Whether there is a positive class and another one."""
        return len(self.labels) == 2

    @property
    def positive_column(self) -> int:
        """Which column of the probabilities is that of the positive class."""
        return int(list(self.labels).index(self.positive))

    @property
    def positive_last(self) -> Any:
        """The two labels with the positive one last, as scikit-learn's confusion matrix wants them."""
        return self.labels if self.positive_column == 1 else self.labels[::-1]


def evaluate_classifier(
    truth: Any, predicted: Any, chances: Any, config: Mapping[str, Any]
) -> Findings:
    """Return the metrics and plots of a classifier.

    Parameters
    ----------
    chances
        The probability of each class (rows by classes, in the order of the labels), or ``None``.
    config
        ``label_list``, ``pos_label``, ``sample_weights``, ``average`` (``"weighted"``),
        ``max_classes_for_multiclass_roc_pr`` (10), ``calibration_n_bins`` (10).
    """
    import numpy as np

    true, guessed = np.asarray(truth).ravel(), np.asarray(predicted).ravel()
    classes = _classes(true, guessed, config)
    if chances is not None:
        chances = np.asarray(chances)
        if chances.ndim != 2 or chances.shape[1] != len(classes.labels):
            raise InvalidParameter(
                f"The model tells probabilities in the shape {chances.shape} for {len(classes.labels)} labels; "
                "give all classes as evaluator_config={'label_list': [...]}."
            )
    found = Findings()
    try:
        if classes.are_two:
            _two_classes(found, true, guessed, chances, classes, config)
        else:
            _many_classes(found, true, guessed, chances, classes, config)
    except ValueError as error:
        raise InvalidParameter(
            f"The predictions cannot be compared with the truth: {error}"
        ) from error
    found.files["confusion_matrix"] = plots.confusion_matrix(
        true,
        guessed,
        classes.positive_last if classes.are_two else classes.labels,
        config.get("sample_weights"),
    )
    return found


def _classes(true: Any, guessed: Any, config: Mapping[str, Any]) -> Classes:
    import numpy as np

    given = config.get("label_list")
    try:
        labels = np.unique(np.concatenate([true, guessed]) if given is None else np.asarray(given))
    except TypeError as error:
        raise InvalidParameter(f"The labels are of different types: {error}.") from error
    if len(labels) < 2:
        raise InvalidParameter(
            f"A classifier needs at least two labels, and the data has {labels.tolist()} only; give all "
            "of them as evaluator_config={'label_list': [...]}."
        )
    positive = config.get("pos_label")
    if positive is not None and positive not in labels:
        raise InvalidParameter(f"pos_label={positive!r} is none of the labels {labels.tolist()}.")
    return Classes(labels, labels[-1] if positive is None and len(labels) == 2 else positive)


def _common(
    true: Any, guessed: Any, chances: Any, classes: Classes, config: Mapping[str, Any], average: str
) -> dict[str, Any]:
    from sklearn import metrics

    weights = config.get("sample_weights")
    ways: dict[str, Any] = {"average": average, "sample_weight": weights}
    if average == "binary":
        ways["pos_label"] = classes.positive
    found = {
        "example_count": len(true),
        "accuracy_score": metrics.accuracy_score(true, guessed, sample_weight=weights),
        "recall_score": metrics.recall_score(true, guessed, **ways),
        "precision_score": metrics.precision_score(true, guessed, **ways),
        "f1_score": metrics.f1_score(true, guessed, **ways),
    }
    if chances is not None:
        found["log_loss"] = metrics.log_loss(
            true, chances, labels=classes.labels, sample_weight=weights
        )
    return found


def _counts(true: Any, guessed: Any, labels: Any) -> dict[str, int]:
    from sklearn import metrics

    counted = metrics.confusion_matrix(true, guessed, labels=labels).ravel()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return dict(zip(names, counted, strict=True))


def _two_classes(
    found: Findings,
    true: Any,
    guessed: Any,
    chances: Any,
    classes: Classes,
    config: Mapping[str, Any],
) -> None:

    found.add(_counts(true, guessed, classes.positive_last))
    found.add(_common(true, guessed, chances, classes, config, "binary"))
    if chances is None:
        return
    chance, weights = chances[:, classes.positive_column], config.get("sample_weights")
    (roc, area), (precision_recall, mean_precision) = _lines(
        true == classes.positive, chance, weights
    )
    found.add({"roc_auc": area, "precision_recall_auc": mean_precision})
    positive = classes.positive
    found.files["roc_curve_plot"] = plots.roc_curve([(f"AUC={area:.3f}", *roc)], positive)
    found.files["precision_recall_curve_plot"] = plots.precision_recall_curve(
        [(f"AP={mean_precision:.3f}", *precision_recall)], positive
    )
    found.files["lift_curve_plot"] = plots.lift_curve(true, chance, positive)
    ordered = chances if classes.positive_column == 1 else chances[:, ::-1]
    found.files["calibration_curve_plot"] = plots.calibration_curve(
        true, ordered, classes.positive_last, int(config.get("calibration_n_bins", 10))
    )


def _lines(hits: Any, chance: Any, weights: Any) -> tuple[tuple[Any, float], tuple[Any, float]]:
    """Return the ROC curve and its area, and the precision-recall curve and the mean precision."""
    from sklearn import metrics

    false_rate, true_rate, _ = metrics.roc_curve(hits, chance, sample_weight=weights)
    precision, recall, _ = metrics.precision_recall_curve(hits, chance, sample_weight=weights)
    area = metrics.roc_auc_score(hits, chance, sample_weight=weights)
    mean = metrics.average_precision_score(hits, chance, sample_weight=weights)
    return ((false_rate, true_rate), float(area)), ((recall, precision), float(mean))


def _many_classes(
    found: Findings,
    true: Any,
    guessed: Any,
    chances: Any,
    classes: Classes,
    config: Mapping[str, Any],
) -> None:
    from sklearn import metrics

    average, weights = config.get("average", "weighted"), config.get("sample_weights")
    found.add(_common(true, guessed, chances, classes, config, average))
    if chances is not None and average in ("macro", "weighted"):
        area = metrics.roc_auc_score(
            true, chances, sample_weight=weights, average=average, multi_class="ovr",
            labels=classes.labels,
        )  # fmt: skip
        found.add({"roc_auc": area})
    table = _per_class(true, guessed, classes, weights)
    if chances is not None:
        found.files["calibration_curve_plot"] = plots.calibration_curve(
            true, chances, classes.labels, int(config.get("calibration_n_bins", 10))
        )
        _curves_of_each(found, table, true, chances, classes, config)
    found.files["per_class_metrics"] = table


def _per_class(true: Any, guessed: Any, classes: Classes, weights: Any) -> Any:
    import pandas as pd

    rows = []
    for label in classes.labels:
        hits, taken = (true == label).astype(int), (guessed == label).astype(int)
        one = Classes([0, 1], 1)
        common = _common(hits, taken, None, one, {"sample_weights": weights}, "binary")
        rows.append({"positive_class": label, **_counts(hits, taken, [0, 1]), **common})
    return pd.DataFrame(rows)


def _curves_of_each(
    found: Findings,
    table: Any,
    true: Any,
    chances: Any,
    classes: Classes,
    config: Mapping[str, Any],
) -> None:
    most = config.get("max_classes_for_multiclass_roc_pr", _MANY_CLASSES)
    if len(classes.labels) > most:
        warnings.warn(
            f"There are {len(classes.labels)} classes, more than {most}: no ROC and precision-recall curves are "
            "drawn. evaluator_config={'max_classes_for_multiclass_roc_pr': ...} sets another limit.",
            stacklevel=2,
        )
        return
    roc, precision_recall, areas, means = [], [], [], []
    for number, label in enumerate(classes.labels):
        (one, area), (other, mean) = _lines(
            true == label, chances[:, number], config.get("sample_weights")
        )
        roc.append((f"label={label}, AUC={area:.3f}", *one))
        precision_recall.append((f"label={label}, AP={mean:.3f}", *other))
        areas.append(area)
        means.append(mean)
    table["roc_auc"], table["precision_recall_auc"] = areas, means
    found.files["roc_curve_plot"] = plots.roc_curve(roc)
    found.files["precision_recall_curve_plot"] = plots.precision_recall_curve(precision_recall)
