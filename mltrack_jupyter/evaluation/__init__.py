"""Evaluation: classifiers and regressors measured and drawn, under MLflow's names, into a run."""

from mltrack_jupyter.errors import ModelValidationFailed
from mltrack_jupyter.evaluation.call import evaluate
from mltrack_jupyter.evaluation.custom import EvaluationMetric, MetricValue, make_metric
from mltrack_jupyter.evaluation.result import EvaluationArtifact, EvaluationResult
from mltrack_jupyter.evaluation.thresholds import MetricThreshold, validate_evaluation_results

__all__ = [
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "MetricValue",
    "ModelValidationFailed",
    "evaluate",
    "make_metric",
    "validate_evaluation_results",
]
