"""What a cell did: namespace difference, figures, model, code, notebook and commit."""

from mltrack_jupyter.capture.context import here
from mltrack_jupyter.capture.outcome import Outcome, outcome_of
from mltrack_jupyter.capture.recorder import Options, Report, Source, TrackedCell
from mltrack_jupyter.privacy.redact import redact

__all__ = [
    "Options",
    "Outcome",
    "Report",
    "Source",
    "TrackedCell",
    "here",
    "outcome_of",
    "redact",
]
