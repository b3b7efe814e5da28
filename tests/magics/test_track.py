"""``%%track`` in a real kernel: what it stores is read from another process."""

import json
import time

import pytest

pytestmark = pytest.mark.kernel

SKLEARN = """
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
X, y = load_iris(return_X_y=True, as_frame=True)
"""


def test_a_finished_cell(kernel, services):
    reply = kernel.run(
        "# about this cell\n\n%%track -n first -t team=vision\n"
        "max_depth = 3\nlr = 1e-3\nlayers = [64, 32]\nacc = sum([0.5, 0.25])\nacc",
        cellId="cell-7",
    )
    run = services.runs.get(reply.run_id)
    assert reply.status == "ok"
    assert run.info.status.value == "FINISHED"
    assert run.info.run_name == "first"
    assert run.data.params == {"max_depth": "3", "lr": "0.001", "layers": "[64, 32]"}
    assert run.data.metrics == {"acc": 0.75}
    assert reply.of("execute_result")[0]["data"]["text/plain"] == "0.75"
    tags = run.data.tags
    assert tags["team"] == "vision"
    assert tags["mlflow.source.name"] == "<unknown notebook>"
    assert tags["mlflow.source.type"] == "NOTEBOOK"
    assert tags["mltrack.cell.id"] == "cell-7"
    assert tags["mltrack.execution_count"] == kernel.value("len(In) - 2")
    assert tags["mltrack.trigger"] == "cell"
    assert tags["mltrack.code"].startswith("# about this cell")
    assert json.loads(tags["mltrack.inferred"]) == {
        "params": ["max_depth", "lr", "layers"],
        "metrics": ["acc"],
    }


def test_one_card_that_says_running_and_then_the_end(kernel):
    reply = kernel.run("%%track\na = 1")
    assert len(reply.of("display_data")) == 1
    assert len(reply.of("update_display_data")) == 1
    first, last = reply.cards
    assert "RUNNING" in first["data"]["text/plain"]
    assert "FINISHED" in last["data"]["text/plain"]
    assert first["transient"] == last["transient"]
    assert reply.text == ""


def test_a_cleared_card_comes_back(kernel):
    reply = kernel.run("%%track\nfrom IPython.display import clear_output\nclear_output()\na = 1")
    assert len(reply.of("display_data")) == 2


def test_quiet(kernel, count):
    before = count()
    reply = kernel.run("%%track -q\na = 1")
    assert reply.cards == []
    assert reply.text == ""
    assert count() == before + 1


def test_a_failed_cell_reaches_the_user_once(kernel, services):
    reply = kernel.run("%%track\nrate = 0.5\nhalf = rate / 2\n1/0\nnever = 1")
    run = services.runs.get(reply.run_id)
    assert reply.status == "error"
    assert [error["ename"] for error in reply.errors] == ["ZeroDivisionError"]
    shown = "\n".join(reply.errors[0]["traceback"])
    assert "mltrack" not in shown
    assert "line 4" in shown
    assert run.info.status.value == "FAILED"
    assert run.data.params == {"rate": "0.5"}
    assert run.data.metrics == {"half": 0.25}
    assert run.data.tags["mltrack.error"].endswith("ZeroDivisionError: division by zero")
    assert "IPython" not in run.data.tags["mltrack.error"]
    assert "ZeroDivisionError" in reply.cards[-1]["data"]["text/html"]


def test_an_interrupted_cell_is_killed(kernel, services):
    started = kernel.start("%%track\nimport time\nprint('go', flush=True)\ntime.sleep(60)")
    kernel.wait(started, until="go")
    kernel.manager.interrupt_kernel()
    reply = kernel.wait(started)
    assert reply.status == "error"
    run = services.runs.get(reply.run_id)
    assert run.info.status.value == "KILLED"
    assert "KeyboardInterrupt" in run.data.tags["mltrack.error"]


def test_an_interrupted_await_is_killed(kernel, services):
    started = kernel.start(
        "%%track\nimport asyncio\nprint('go', flush=True)\n"
        # ipykernel hears of an interrupt only when its event loop wakes up, tracked or not.
        "for _ in range(600):\n    await asyncio.sleep(0.1)"
    )
    kernel.wait(started, until="go")
    time.sleep(0.2)
    kernel.manager.interrupt_kernel()
    reply = kernel.wait(started)
    assert services.runs.get(reply.run_id).info.status.value == "KILLED"
    assert kernel.run("1 + 1").status == "ok"


@pytest.mark.parametrize("code", ["%%track\na = = 1", "%%track\nreturn 1", "%%track\nfor"])
def test_a_syntax_error_makes_no_run(kernel, count, code):
    before = count()
    reply = kernel.run(code)
    assert reply.status == "error"
    assert reply.errors[0]["ename"] == "SyntaxError"
    assert len(reply.errors) == 1
    assert count() == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--nme x", ["'--nme'", "Did you mean --name?", "--experiment"]),
        ("iris", ["'iris'", "--name"]),
        ("-t team", ["-t", "KEY=VALUE", "'team'"]),
        ("-n", ["--name"]),
        ('-n "x', ["quote"]),
        ("-p ,", ["-p"]),
    ],
)
def test_a_wrong_option_says_what_is_right_and_makes_no_run(kernel, count, line, said):
    before = count()
    reply = kernel.run(f"%%track {line}\nprint('ran')")
    assert reply.status == "error"
    assert "UsageError" in reply.text
    assert "ran" not in reply.text
    assert all(part in reply.text for part in said)
    assert count() == before


def test_top_level_await(kernel, services):
    reply = kernel.run(
        "%%track\nimport asyncio\nasync def f():\n    return 2.5\nawait asyncio.sleep(0)\nz = await f()\nz"
    )
    assert reply.status == "ok"
    assert services.runs.get(reply.run_id).data.metrics == {"z": 2.5}
    assert reply.of("execute_result")[0]["data"]["text/plain"] == "2.5"


def test_other_magics_still_work(kernel, services):
    reply = kernel.run(
        "%%track -n timed\n# note\n%%time\ndepth = 4\nscore = abs(-1.5)\nprint('in')"
    )
    run = services.runs.get(reply.run_id)
    assert "Wall time" in reply.text
    assert "in" in reply.text
    assert run.data.params == {"depth": "4"}
    assert run.data.metrics == {"score": 1.5}
    reply = kernel.run("%%track\nwhere = %pwd\n!echo shell")
    assert reply.status == "ok"
    assert "shell" in reply.text


def test_future_imports_and_names_with_spaces(kernel, services):
    reply = kernel.run(
        "%%track -n 'my run' -t 'a b={1+1}'\nfrom __future__ import annotations\nk = 2"
    )
    run = services.runs.get(reply.run_id)
    assert reply.status == "ok"
    assert run.info.run_name == "my run"
    assert run.data.tags["a b"] == "2"


def test_running_again_is_a_new_run(kernel, services):
    code = "%%track\nn = len('abc')\nif False:\n    stale = n + 0.5"
    kernel.run("stale = 99.5")
    first, second = kernel.run(code), kernel.run(code)
    assert first.run_id != second.run_id
    # A small integer is the same object again, and yet it was computed; `stale` was not.
    assert services.runs.get(second.run_id).data.metrics == {"n": 3.0}


def test_called_by_name(kernel, services, count):
    reply = kernel.run("get_ipython().run_cell_magic('track', '-n named', 'v = 5\\nu = v/0')")
    run = services.runs.get(reply.run_id)
    assert reply.status == "error"
    assert len(reply.errors) == 1
    assert run.info.status.value == "FAILED"
    assert run.data.params == {"v": "5"}
    assert kernel.value("get_ipython().find_cell_magic('track') is not None") == "True"
    before = count()
    reply = kernel.run("get_ipython().run_cell_magic('track', '--no', 'v = 5')")
    assert "unknown option" in reply.text
    assert count() == before


def test_with_one_percent_it_explains_itself(kernel):
    reply = kernel.run("%track model.fit(X, y)")
    assert reply.status == "error"
    assert "%%track" in reply.text


def test_selected_names(kernel, services):
    kernel.run("earlier = 0.5\nword = 'x'")
    reply = kernel.run(
        "%%track -p width,deptx -m earlier,word,accc\nwidth = 3\ndepth = 4\nacc = abs(-1.0)"
    )
    run = services.runs.get(reply.run_id)
    assert run.data.params == {"width": "3"}
    assert run.data.metrics == {"earlier": 0.5}
    assert "mltrack.inferred" not in run.data.tags
    warnings = run.data.tags["mltrack.warnings"]
    assert "'deptx'" in warnings
    assert "did you mean 'depth'" in warnings
    assert "'word' is a str" in warnings
    assert "did you mean 'acc'" in warnings
    assert "did you mean &#x27;depth&#x27;" in reply.cards[-1]["data"]["text/html"]


def test_what_is_logged_by_hand_wins(kernel, services):
    reply = kernel.run(
        "%%track\nimport mltrack_jupyter as mltrack\nloss = sum([0.1])\nlr = 0.5\n"
        "mltrack.log_metric('loss', 7.0, step=3)\nmltrack.log_param('lr', 'by hand')"
    )
    run = services.runs.get(reply.run_id)
    assert run.data.metrics == {"loss": 7.0}
    assert run.data.params == {"lr": "by hand"}
    assert len(services.metrics.history(run.info.run_id, "loss").items) == 1


def test_runs_inside_become_children(kernel, services):
    reply = kernel.run(
        "%%track -n parent\nimport mltrack_jupyter as mltrack\nids = []\nfor i in range(2):\n"
        "    with mltrack.start_run() as child:\n        ids.append(child.info.run_id)"
    )
    for run_id in eval(kernel.value("ids")):
        tags = services.runs.get(run_id).data.tags
        assert tags["mlflow.parentRunId"] == reply.run_id
        assert tags["mlflow.source.type"] == "NOTEBOOK"
        assert "ipykernel" not in tags["mlflow.source.name"]


def test_a_run_that_a_log_call_opened_ends_with_its_cell(kernel, services):
    kernel.run("import mltrack_jupyter as mltrack\nmltrack.log_metric('x', 1.0)")
    run_id = kernel.value("mltrack.last_active_run().info.run_id")
    run = services.runs.get(run_id)
    assert run.info.status.value == "FINISHED"
    assert run.data.tags["mlflow.source.type"] == "NOTEBOOK"
    assert run.data.tags["mlflow.source.name"] == "<unknown notebook>"
    reply = kernel.run("mltrack.log_metric('x', 1.0)\n1/0")
    assert reply.status == "error"
    run_id = kernel.value("mltrack.last_active_run().info.run_id")
    assert services.runs.get(run_id).info.status.value == "FAILED"


def test_secrets_are_not_stored(kernel, services):
    reply = kernel.run(
        "%%track\napi_key = 'very-secret-1'\nurl = 'https://me:very-secret-2@example.org/x'\n"
        "raise ValueError('token=' + repr('ghp_' + 'a' * 36))"
    )
    run = services.runs.get(reply.run_id)
    stored = json.dumps([run.data.params, run.data.tags])
    assert "very-secret" not in stored
    assert "ghp_a" not in stored
    assert run.data.params["url"] == "https://[redacted]@example.org/x"


def test_figures(kernel, services):
    reply = kernel.run(
        "%%track\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\n"
        "fig, ax = plt.subplots(); ax.plot([3, 1])\nfig"
    )
    files = services.run_artifacts.list(reply.run_id, "figures").files
    assert [item.path for item in files] == ["figures/figure-1.png", "figures/figure-2.png"]
    download = services.run_artifacts.read(reply.run_id, "figures/figure-1.png")
    assert download.file.read(8) == b"\x89PNG\r\n\x1a\n"
    download.file.close()


def test_displays_are_restored(kernel):
    kernel.run("s = get_ipython()\nbefore = (dict(vars(s.display_pub)), dict(vars(s.displayhook)))")
    kernel.run("%%track\na = 1")
    kernel.run("%%track\n1/0")
    kept = "['publish' in vars(s.display_pub), 'write_format_data' in vars(s.displayhook)]"
    assert kernel.value(kept) == "[False, False]"


def test_plotly_figures(kernel, services):
    pytest.importorskip("plotly")
    reply = kernel.run(
        "%%track\nimport plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 2]))"
    )
    paths = [item.path for item in services.run_artifacts.list(reply.run_id, "figures").files]
    assert paths == ["figures/figure-1.plotly.json"]


def test_a_model(kernel, services):
    kernel.run(SKLEARN)
    reply = kernel.run(
        "%%track --register iris-tree\nmax_depth = 3\n"
        "model = DecisionTreeClassifier(max_depth=max_depth, random_state=0).fit(X, y)\n"
        "acc = model.score(X, y)"
    )
    run = services.runs.get(reply.run_id)
    assert run.data.params["max_depth"] == "3"
    assert run.data.params["criterion"] == "gini"
    assert run.data.metrics["acc"] > 0.9
    assert "model" not in run.data.metrics
    paths = [item.path for item in services.run_artifacts.list(reply.run_id, "model").files]
    assert "model/MLmodel" in paths
    download = services.run_artifacts.read(reply.run_id, "model/MLmodel")
    assert b"sepal length" in download.file.read()
    download.file.close()
    version = services.model_versions.get("iris-tree", "1")
    assert version.run_id == reply.run_id
    assert "registered as iris-tree 1" in reply.cards[-1]["data"]["text/html"]


def test_a_model_fitted_again_is_captured_and_an_untouched_one_is_not(kernel, services):
    kernel.run(SKLEARN + "model = DecisionTreeClassifier(max_depth=1).fit(X, y)")
    again = kernel.run("%%track\nmodel.fit(X, y)")
    assert "mltrack.model" in services.runs.get(again.run_id).data.tags
    idle = kernel.run("%%track\nscore = model.score(X, y)")
    run = services.runs.get(idle.run_id)
    assert "mltrack.model" not in run.data.tags
    assert run.data.params == {}


def test_two_estimators_are_told_apart(kernel, services):
    kernel.run(SKLEARN)
    reply = kernel.run(
        "%%track\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.pipeline import make_pipeline\nmax_depth = 2\nscaler = StandardScaler()\n"
        "pipe = make_pipeline(scaler, DecisionTreeClassifier(max_depth=2)).fit(X, y)"
    )
    run = services.runs.get(reply.run_id)
    assert run.data.params["scaler.with_mean"] == "True"
    assert "StandardScaler" in run.data.params["pipe.steps"]
    assert "Pipeline" in json.loads(run.data.tags["mltrack.model"])["class"]


def test_register_without_a_model_is_a_warning(kernel, services):
    reply = kernel.run("%%track --register nothing\na = 1")
    assert "no fitted model" in services.runs.get(reply.run_id).data.tags["mltrack.warnings"]


def test_the_namespace_stays_clean(kernel):
    kernel.run("known = set(globals())")
    kernel.run("%%track\nfresh = 1")
    kernel.run("%%track\n1/0")
    new = "sorted(n for n in set(globals()) - known if not n.startswith('_'))"
    assert eval(kernel.value(new)) == ["fresh", "known"]


def test_exit_and_system_exit(kernel, services):
    ok = kernel.run("%%track\nimport sys\nsys.exit(0)")
    assert services.runs.get(ok.run_id).info.status.value == "FINISHED"
    bad = kernel.run("%%track\nsys.exit(3)")
    assert services.runs.get(bad.run_id).info.status.value == "FAILED"


def test_experiments(kernel, services):
    reply = kernel.run("%%track -e vision\na = 1")
    run = services.runs.get(reply.run_id)
    assert services.experiments.get(run.info.experiment_id).name == "vision"
    reply = kernel.run("%%track\na = 1")
    run = services.runs.get(reply.run_id)
    assert services.experiments.get(run.info.experiment_id).name == "Default"


def test_blank_and_untracked_cells_do_not_confuse_it(kernel, services):
    kernel.run("   ")
    kernel.run("%%track")
    reply = kernel.run(
        "%%track\nget_ipython().run_cell('inner = 1')\nget_ipython().run_cell('  ')\nouter = 2"
    )
    run = services.runs.get(reply.run_id)
    assert run.info.status.value == "FINISHED"
    assert run.data.params == {"outer": "2"}


def test_a_tracked_cell_within_another_is_its_child(kernel, services):
    reply = kernel.run("%%track -n out\nr = get_ipython().run_cell('%%track -n in\\nq = 1')\nb = 2")
    run = services.runs.get(reply.run_id)
    assert run.info.run_name == "out"
    assert run.data.params == {"b": "2"}
    table = services.runs.table(filter=f"tags.mlflow.parentRunId = '{reply.run_id}'")
    assert table.run_names == ["in"]
    assert table.statuses == ["FINISHED"]


def test_a_run_that_is_opened_after_the_cell_s_own_was_ended_ends_with_the_cell(kernel, services):
    kernel.run("import mltrack_jupyter as mltrack")
    kernel.run("%%track -n ended\nmltrack.end_run()\nmltrack.log_metric('later', 1.0)")
    assert kernel.value("mltrack.active_run() is None") == "True"
    later = services.runs.get(kernel.value("mltrack.last_active_run().info.run_id"))
    assert (later.info.status, later.data.metrics) == ("FINISHED", {"later": 1.0})
