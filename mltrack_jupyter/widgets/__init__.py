"""Views of runs for notebooks: a mimebundle with a live view, a static picture and plain text."""

from mltrack_jupyter.widgets.bundle import VIEW_TYPE
from mltrack_jupyter.widgets.card import Card, Notice, card
from mltrack_jupyter.widgets.comparison import Comparison, compare
from mltrack_jupyter.widgets.runs import RunsView, runs_view

__all__ = [
    "VIEW_TYPE",
    "Card",
    "Comparison",
    "Notice",
    "RunsView",
    "card",
    "compare",
    "runs_view",
]
