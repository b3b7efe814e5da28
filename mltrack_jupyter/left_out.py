"""Names of MLflow that this package leaves out, and why: the sentence that an error ends with."""

from __future__ import annotations

_TEXTS = (
    "traces, prompts, judges and the evaluation of language models are left out; this package tracks runs "
    "of machine learning. MLflow's own client can be used beside it."
)
_LIBRARY = (
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
    _LIBRARY: """
        catboost diffusers h2o johnsnowlabs keras lightgbm onnx paddle pmdarima prophet pyspark pytorch
        rfunc sentence_transformers shap spacy spark statsmodels tensorflow transformers xgboost""",
    _WORKSPACES: """
        create_workspace delete_workspace get_workspace list_workspaces set_workspace update_workspace""",
    "there is no account of Databricks to log in to; a server asks for its own token.": "login azure",
    "metrics of one's own are made by mltrack.models.make_metric.": "metrics",
    "checkpoints are logged as artifacts or models of a run.": "import_checkpoints",
}
_REASON_OF = {name: reason for reason, names in _REASONS.items() for name in names.split()}


def reason(name: str) -> str:
    """Return why MLflow's name is not there, ready to be put behind a message; ``""`` for others."""
    found = _REASON_OF.get(name, "")
    return f": {found}" if found else ""
