"""Names of MLflow that this package leaves out, and why: the sentence that an error ends with."""

from __future__ import annotations

import sys

# As in the face of the package: the module typing costs more than all else that is imported here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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
_PROJECTS = (
    "MLproject folders are not run here. Start the program as you would without it: what it logs is in the "
    "store, or on the server that MLFLOW_TRACKING_URI names, to which `mlflow run` can log as well."
)
_SERVING = (
    "deploying is left out. mltrack.load_model gives a model to any program, and `mlflow models serve` "
    "serves one from this package's server."
)
_REASONS = {
    _TEXTS: """
        add_trace agent context delete_assessment delete_prompt_alias delete_trace_tag
        flush_trace_async_logging gateway genai get_active_trace_id get_assessment
        get_current_active_span get_last_active_trace_id get_trace load_prompt log_assessment
        log_expectation log_feedback log_issue log_trace override_feedback register_prompt
        prompt search_prompts search_sessions search_traces set_prompt_alias set_trace_tag start_span
        start_span_no_context trace tracing update_assessment update_current_trace
        ag2 agno anthropic autogen bedrock crewai dspy gemini groq haystack langchain litellm
        ai_commands assistant claude_code mcp llama_index mistral openai otel pydantic_ai semantic_kernel
        smolagents strands txtai""",
    NO_FLAVOR: """
        catboost diffusers h2o johnsnowlabs onnx paddle pmdarima prophet pyspark rfunc
        sentence_transformers shap spacy spark transformers""",
    "Keras is logged by mltrack.keras.autolog, on any backend; other models of TensorFlow have no flavor here: log "
    "their files with log_artifacts.": "tensorflow",
    _PROJECTS: "projects run",
    _SERVING: "deployments sagemaker spark_udf",
    "the sources of data are in mltrack.data.": "dataset dataset_source",
    "trials of a study are runs like others: start_run(nested=True) in the objective function.": "optuna",
    "nobody is called when a model changes; the feed of changes, GET /api/1/changes of a server, tells.": "webhooks",
    "there is no telemetry in this package.": "telemetry set_telemetry_client",
    "call mltrack.enable_system_metrics_logging(), or start_run(log_system_metrics=True).": "system_metrics",
    "settings are environment variables; docs/store.md lists them.": "config",
    _WORKSPACES: """
        create_workspace delete_workspace get_workspace list_workspaces set_workspace update_workspace""",
    "there is no account of Databricks to log in to; a server asks for its own token.": "login azure",
    "search_experiments and search_runs have taken its place, in MLflow 2, too.": "list_experiments list_run_infos",
    "search_registered_models has taken its place, in MLflow 2, too.": "list_registered_models",
    "checkpoints are logged as artifacts or models of a run.": "import_checkpoints",
    # What other trackers call it, and what suggests itself.
    "mltrack.start_run() begins a run; set_experiment(name) chooses the experiment.": "init new_run create_run",
    "mltrack.log_metrics({'accuracy': 0.9}) writes metrics, log_params params.": "log log_dict_metrics",
    "mltrack.end_run() ends a run, and so does the end of `with mltrack.start_run():`.": "finish stop_run",
    "%%track in the first line of a cell tracks it; mltrack.start_run() does in a script.": "track",
    "mltrack.autolog() logs trainings by themselves.": "watch",
    "mltrack.search_runs() finds runs, get_run(run_id) is one.": "runs list_runs Run Api get_runs",
    "mltrack.search_registered_models() lists them, load_model('models:/<name>@<alias>') loads one.": (
        "list_models search_models get_model models_list"
    ),
    "mltrack.log_input(mltrack.data.from_pandas(frame)) notes what a run read.": "log_dataset log_data",
    "it is a command: `mltrack server`; in JupyterLab runs are in the sidebar.": "ui server",
}
_REASON_OF = {name: reason for reason, names in _REASONS.items() for name in names.split()}
# What modules of models lack.
_VERBS = frozenset(
    [
        "PythonModel",
        "add_to_model",
        "get_default_conda_env",
        "get_default_pip_requirements",
        "load_checkpoint",
        "load_model",
        "load_state_dict",
        "log_model",
        "log_state_dict",
        "save_model",
        "save_state_dict",
    ]
)
OWN_CLASS = (
    "a class of one's own is a model here if it derives from scikit-learn's BaseEstimator; log it with "
    "mltrack.log_model."
)
_WORDS = {
    _TEXTS: "trace span prompt assessment evaluation_dataset",
    _WORKSPACES: "workspace",
    _REASON_OF["webhooks"]: "webhook",
}
"""Words in names of which there are many."""


def reason(name: str) -> str:
    """Return why MLflow's name is not there, ready to be put behind a message; ``""`` for others."""
    found = _REASON_OF.get(name) or next(
        (
            text
            for text, words in _WORDS.items()
            for word in words.split()
            if word in name.split(".", maxsplit=1)[0]
        ),
        "",
    )
    return f": {found}" if found else ""


def lacking(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about a name that is not there: why, or which one was probably meant."""
    why = reason(name)
    if why or name.startswith("_"):
        return why
    from mltrack_jupyter.suggestions import did_you_mean

    # Of many names some look a little like any word.
    hint = did_you_mean(name, known, cutoff=0.75)
    return f"; {hint}" if hint else ""


def attribute_of(module: str, why: str) -> Callable[[str], NoReturn]:
    """Return the ``__getattr__`` of a module of models: what MLflow's has of them and it has not, says why."""

    def refuse(name: str) -> NoReturn:
        because = f": {why}" if name in _VERBS else lacking(name, sys.modules[module].__all__)
        raise AttributeError(f"module {module!r} has no attribute {name!r}{because}")

    return refuse


def refuse_import(name: str) -> None:
    """Raise ``ModuleNotFoundError`` for a module that is left out, or whose name is a slip of the pen."""
    package, _, rest = name.partition(".")
    because = lacking(rest, sys.modules[package].__dir__())
    if because:
        # Without the module's name: with it, ``from package import name`` would raise in its own words.
        raise ModuleNotFoundError(f"there is no {name}{because}")
