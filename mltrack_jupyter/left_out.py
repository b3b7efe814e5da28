"""Names of MLflow that this package leaves out, and why: the sentence that an error ends with."""

from __future__ import annotations

# As in the face of the package: the module typing costs more than all else that is imported here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_TEXTS = (
    "traces, prompts, judges and the evaluation of language models are left out; this package tracks runs "
    "of machine learning. MLflow's own client can be used beside it."
)
NO_FLAVOR = (
    "the models of this library have no flavor here. Log the model's file with log_artifact, or install a "
    "package with a flavor for it (docs/models.md)."
)
_WORKSPACES = "workspaces are left out; stores and experiments keep work apart."
_REASONS = {
    _TEXTS: """
        add_trace agent context delete_assessment delete_prompt_alias delete_trace_tag
        flush_trace_async_logging gateway genai get_active_trace_id get_assessment
        get_current_active_span get_last_active_trace_id get_trace load_prompt log_assessment
        log_expectation log_feedback log_issue log_trace override_feedback register_prompt
        search_prompts search_sessions search_traces set_prompt_alias set_trace_tag start_span
        start_span_no_context trace tracing update_assessment update_current_trace
        ag2 agno anthropic autogen bedrock crewai dspy gemini groq haystack langchain litellm
        llama_index mistral openai otel pydantic_ai semantic_kernel smolagents strands txtai""",
    NO_FLAVOR: """
        catboost diffusers h2o johnsnowlabs onnx paddle pmdarima prophet pyspark rfunc
        sentence_transformers shap spacy spark tensorflow transformers""",
    _WORKSPACES: """
        create_workspace delete_workspace get_workspace list_workspaces set_workspace update_workspace""",
    "there is no account of Databricks to log in to; a server asks for its own token.": "login azure",
    "checkpoints are logged as artifacts or models of a run.": "import_checkpoints",
}
# What modules of models lack.
_VERBS = frozenset({"PythonModel", "load_model", "log_model", "save_model"})
OWN_CLASS = (
    "a class of one's own is a model here if it derives from scikit-learn's BaseEstimator; log it with "
    "mltrack.log_model."
)
_REASON_OF = {name: reason for reason, names in _REASONS.items() for name in names.split()}


def reason(name: str) -> str:
    """Return why MLflow's name is not there, ready to be put behind a message; ``""`` for others."""
    found = _REASON_OF.get(name, "")
    return f": {found}" if found else ""


def attribute_of(module: str, why: str) -> Callable[[str], NoReturn]:
    """Return the ``__getattr__`` of a module of models: what MLflow's has of them and it has not, says why."""

    def lacking(name: str) -> NoReturn:
        because = f": {why}" if name in _VERBS else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{because}")

    return lacking
