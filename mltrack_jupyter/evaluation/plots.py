"""Plots of an evaluation, as figures of matplotlib that no other figure of the notebook knows of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (6.0, 4.0)
_DPI = 175
_GUIDE = {"color": "gray", "linestyle": "dashed", "alpha": 0.4, "linewidth": 1}


def _figure(title: str, x: str, y: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI, layout="tight")
    axes = figure.subplots()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def confusion_matrix(truth: Any, predicted: Any, labels: Any, weights: Any) -> Figure:
    """Draw the share of each class that was taken for each other one."""
    from sklearn import metrics

    figure, axes = _figure("Normalized confusion matrix", "", "")
    shares = metrics.confusion_matrix(
        truth, predicted, labels=labels, normalize="true", sample_weight=weights
    )
    metrics.ConfusionMatrixDisplay(shares, display_labels=labels).plot(
        cmap="Blues", ax=axes, text_kw={"fontsize": max(3, min(8, 50 // len(labels)))}
    )
    return figure


def roc_curve(lines: Sequence[tuple[str, Any, Any]], positive: object = None) -> Figure:
    """Draw true against false positives; a line is its label, x and y."""
    figure, axes = _figure(
        "ROC curve",
        _axis("False Positive Rate", positive),
        _axis("True Positive Rate", positive),
    )
    _draw(axes, lines)
    axes.plot([0, 1], [0, 1], **_GUIDE)
    axes.legend(fontsize="small")
    return figure


def precision_recall_curve(
    lines: Sequence[tuple[str, Any, Any]], positive: object = None
) -> Figure:
    """Draw precision against recall; a line is its label, x and y."""
    figure, axes = _figure(
        "Precision recall curve", _axis("Recall", positive), _axis("Precision", positive)
    )
    _draw(axes, lines)
    axes.plot([0, 1], [1, 0], **_GUIDE)
    axes.legend(fontsize="small")
    return figure


def _axis(name: str, positive: object) -> str:
    return name if positive is None else f"{name} (Positive label: {positive})"


def _draw(axes: Any, lines: Sequence[tuple[str, Any, Any]]) -> None:
    for label, x, y in lines:
        axes.plot(x, y, label=label, drawstyle="steps-post", linewidth=1)


def calibration_curve(truth: Any, chances: Any, labels: Any, bins: int) -> Figure:
    """Draw how often what was given a probability was true; ``chances`` has a column for each label."""
    from sklearn.calibration import calibration_curve as curve

    figure, axes = _figure(
        "Classifier calibration", "Mean predicted probability", "Fraction of true positives"
    )
    shown = list(enumerate(labels))
    for number, label in shown[-1:] if len(shown) == 2 else shown:
        true, predicted = curve(truth == label, chances[:, number], n_bins=bins)
        axes.plot(predicted, true, marker="o", markersize=3, label=f"Class {label}")
    axes.plot([0, 1], [0, 1], label="Perfectly calibrated", **_GUIDE)
    axes.legend(fontsize="small")
    return figure


def lift_curve(truth: Any, chance: Any, positive: object) -> Figure:
    """Draw how many times more positives the most probable rows hold than any rows do."""
    import numpy as np

    figure, axes = _figure("Lift curve", "Share of the rows", "Lift")
    hits = np.asarray(truth) == positive
    for label, found, order in (
        (f"Class {positive}", hits, np.argsort(-chance, kind="stable")),
        ("The other class", ~hits, np.argsort(chance, kind="stable")),
    ):
        share = np.arange(1, len(found) + 1) / len(found)
        gain = np.cumsum(found[order]) / max(1, int(found.sum()))
        axes.plot(share, gain / share, label=label)
    axes.axhline(1, label="Baseline", **_GUIDE)
    axes.legend(fontsize="small")
    return figure


def residuals(truth: Any, predicted: Any) -> Figure:
    """Draw what is missing to the truth against what was predicted."""
    import numpy as np

    figure, axes = _figure("Residuals", "Predicted", "True - predicted")
    axes.scatter(predicted, np.asarray(truth) - np.asarray(predicted), s=8, alpha=0.6)
    axes.axhline(0, **_GUIDE)
    return figure
