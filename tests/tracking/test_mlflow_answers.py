"""What MLflow's client and its runs answer: each snippet is run with MLflow and with us."""

import contextlib
import copy
import importlib
import json
import os
import pickle
import subprocess
import sys

import pytest

pytest.importorskip("mlflow")


def same(answers, snippet):
    expected, found = answers(snippet)
    assert found == expected


def module(library, name):
    return importlib.import_module(f"{library.__name__}.{name}")


# --- pages, copies and errors -----------------------------------------------------------------


def as_list(library):
    page = library.MlflowClient().search_experiments()
    again = pickle.loads(pickle.dumps(page))
    empty = library.MlflowClient().search_registered_models(filter_string="name = 'none'")
    return (
        isinstance(page, list), page == list(page), len(page.__add__([1])) - len(page), len([1].__add__(page)) - len(page),
        type(page[:1]).__name__, page[-1] in page, page.index(page[0]), len(list(reversed(page))) == len(page),
        (len(again) == len(page), again.token), len(copy.deepcopy(page)) == len(page), page.token,
        (empty == [], bool(empty), json.dumps(empty), type(page.to_list()).__name__),
    )  # fmt: skip


def copied(library):
    client = library.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "a", 1.0)
    run = client.get_run(run_id)
    return [
        (other.get_run(run_id).info.run_id == run_id, other.tracking_uri == client.tracking_uri)
        for other in (pickle.loads(pickle.dumps(client)), copy.copy(client), copy.deepcopy(client))
    ], [
        other(run).data.metrics
        for other in (copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r)))
    ]


def told(library):
    try:
        library.MlflowClient().get_run("0" * 32)
    except library.MlflowException as error:
        again = pickle.loads(pickle.dumps(error))
        answer = json.loads(error.serialize_as_json())["error_code"]
        return (
            error.error_code,
            error.get_http_status_code(),
            answer,
            str(again) == str(error),
            again.error_code,
        )


def raised(library):
    errors = module(library, "exceptions")
    kind, rest = errors.MlflowException, errors.RestException
    wrong = kind("a", error_code=errors.INVALID_PARAMETER_VALUE, hint=1)
    answered = rest({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "m"})
    return (
        (str(kind("a")), kind("a").error_code, kind("a").get_http_status_code(), kind("a").message, str(kind(1))),
        (wrong.error_code, wrong.get_http_status_code(), json.loads(wrong.serialize_as_json())["hint"]),
        (kind("a", "ODD").error_code, kind.invalid_parameter_value("x").error_code),
        (str(answered), answered.error_code, answered.json, rest({"error_code": 404, "message": "m"}).error_code),
        (pickle.loads(pickle.dumps(wrong)).error_code, pickle.loads(pickle.dumps(answered)).error_code),
        [issubclass(getattr(errors, name), kind) for name in
         ("RestException", "ExecutionException", "MissingConfigException", "InvalidUrlException")],
        (errors.ErrorCode.Name(4), errors.ErrorCode.Value("BAD_REQUEST"), errors.RESOURCE_DOES_NOT_EXIST),
    )  # fmt: skip


def unknown(library):
    client, name = library.MlflowClient(), os.urandom(4).hex()
    model, version = (
        client.create_registered_model(name),
        client.create_model_version(name, "s3://b/m"),
    )
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "a", 1.0, timestamp=5, step=2)
    client.log_text(run_id, "x", "d/a.txt")
    logged = client.create_logged_model("0", name="n")
    point = client.get_metric_history(run_id, "a")[0]
    folder = next(item for item in client.list_artifacts(run_id) if item.path == "d")
    return (
        (
            model.description,
            version.description,
            version.run_id,
            version.run_link,
            version.model_id,
        ),
        (
            client.get_run(run_id).info.end_time,
            client.get_registered_model(name).description,
            folder.file_size,
        ),
        (
            logged.model_type,
            logged.source_run_id,
            point.model_id,
            point.dataset_name,
            point.dataset_digest,
        ),
    )


def as_dicts(library):
    kinds = library.entities
    metric = kinds.Metric("a", 1.0, 2, 3)
    data = kinds.Dataset("a", "b", "c", "d")
    client = library.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_param(run_id, "p", 1)
    run = client.get_run(run_id)
    return (
        metric.to_dictionary(), kinds.Metric.from_dictionary(metric.to_dictionary()) == metric,
        data.to_dictionary(), kinds.DatasetInput(data, [kinds.InputTag("k", "v")]).to_dictionary(),
        kinds.RunInputs([kinds.DatasetInput(data)]).to_dictionary(), dict(kinds.FileInfo("a", False, 3)),
        run.data.to_dictionary()["params"], sorted(run.to_dictionary()["data"]),
        {**run.to_dictionary()["info"], "run_uuid": 0}.keys() == {*dict(run.info), "run_uuid"},
        kinds.Run(run.info, run.data).info.status, kinds.Experiment("1", "n", "loc", "active").name,
        kinds.ViewType.to_string(kinds.ViewType.ALL), len(kinds.RunStatus.all_status()),
        kinds.LifecycleStage.is_valid("active"), kinds.LifecycleStage.is_valid("odd"),
    )  # fmt: skip


@pytest.mark.parametrize("snippet", [as_list, copied, told, raised, unknown, as_dicts])
def test_what_mlflow_returns(answers, snippet):
    same(answers, snippet)


def test_an_active_run_pickles_as_what_is_known_of_it(mltrack):
    with mltrack.start_run(run_name="here") as run:
        found = pickle.loads(pickle.dumps(run))
    assert (found.info.run_id, found.info.run_name) == (run.run_id, "here")


# --- blocks -----------------------------------------------------------------------------------


def ended(library, *runs):
    return [
        str(library.get_run(run.info.run_id).info.status) for run in runs
    ], library.active_run() is None


def resumed_inside(library):
    with library.start_run() as run:
        library.end_run()
        library.start_run(run_id=run.info.run_id)
        library.log_metric("b", 2)
        before = ended(library, run)
    return before, ended(library, run), library.get_run(run.info.run_id).data.metrics


def resumed_inside_and_failed(library):
    with contextlib.suppress(ZeroDivisionError), library.start_run() as run:
        library.end_run()
        library.start_run(run_id=run.info.run_id)
        _ = 1 / 0
    return ended(library, run)


def resumed_in_a_block(library):
    with library.start_run() as run:
        library.end_run()
        with library.start_run(run_id=run.info.run_id):
            library.log_metric("b", 2)
    return ended(library, run)


def another_inside(library):
    with library.start_run() as run:
        library.end_run("KILLED")
        other = library.start_run()
    found = ended(library, run, other)
    library.end_run()
    return found, ended(library, other)


def logged_after_the_end(library):
    with library.start_run() as run:
        library.end_run()
        library.log_metric("a", 1)
        other = library.active_run()
    library.end_run()
    return ended(library, run, other), run.info.run_id != other.info.run_id


def nested_ends(library):
    with library.start_run() as outer, library.start_run(nested=True) as inner:
        library.end_run()
        library.end_run()
        between = library.active_run() is None
    return between, ended(library, outer, inner)


def entered_later(library):
    run = library.start_run()
    with run:
        library.log_metric("a", 1)
    with run:
        pass
    return ended(library, run)


def described_twice(library):
    with library.start_run() as run:
        pass
    codes = []
    for options in ({}, {"run_id": run.info.run_id}):
        try:
            library.start_run(description="a", tags={"mlflow.note.content": "b"}, **options)
        except library.MlflowException as error:
            codes.append(error.error_code)
    return codes, library.active_run() is None


def of_the_environment(library):
    def resumes(**options):
        os.environ["MLFLOW_RUN_ID"] = client.create_run("0").info.run_id
        wanted = os.environ["MLFLOW_RUN_ID"]
        with library.start_run(**options) as run:
            return run.info.run_id == wanted, "MLFLOW_RUN_ID" in os.environ

    client = library.MlflowClient()
    with library.start_run():
        inside = resumes(nested=True)
    first, second = resumes(), resumes()
    with library.start_run() as run:
        code = f"import {library.__name__} as m, os; print(m.start_run().info.run_id == {run.info.run_id!r})"
        surroundings = os.environ | {"MLFLOW_TRACKING_URI": library.get_tracking_uri()}
        child = subprocess.run(
            [sys.executable, "-c", code],
            env=surroundings,
            capture_output=True,
            text=True,
            check=False,
        )
    return inside, first, second, child.stdout


def without_a_run(library):
    linear = pytest.importorskip("sklearn.linear_model")
    flavor, name = module(library, "sklearn"), os.urandom(4).hex()
    model = linear.LinearRegression().fit([[1], [2]], [1, 2])
    library.set_experiment(name)
    made = flavor.log_model(
        model, name="m", registered_model_name=name, serialization_format="cloudpickle"
    )
    logged = library.get_logged_model(made.model_id)
    version = library.MlflowClient().get_model_version(name, "1")
    return (
        library.active_run(), made.run_id or None, logged.source_run_id, logged.name,
        logged.experiment_id == library.get_experiment_by_name(name).experiment_id,
        library.search_runs(output_format="list"), version.run_id, library.last_logged_model().model_id == made.model_id,
        [type(flavor.load_model(uri)).__name__ for uri in (made.model_uri, f"models:/{name}/1")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "snippet",
    [
        resumed_inside, resumed_inside_and_failed, resumed_in_a_block, another_inside, logged_after_the_end,
        nested_ends, entered_later, described_twice, of_the_environment, without_a_run,
    ],
)  # fmt: skip
def test_a_run_goes_as_in_mlflow(answers, snippet):
    same(answers, snippet)
