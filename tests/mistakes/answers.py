"""Types the mistakes of a table and says what was answered; a process of its own for each table.

A table is a text: lines that begin with ``> `` are typed, the lines below them are the whole answer. After a
change that was meant, ``python tests/mistakes/answers.py`` writes the answers anew, for somebody to read them.
"""

import contextlib
import io
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
TABLES = ("python", "notebook", "command_line")
SETTINGS = ("MLTRACK_", "MLFLOW_")
_FILL = re.compile(r"\{(RUN|OTHER|TAKEN)\}")


def read(table: str) -> list[tuple[str, str]]:
    """Return what is typed and what is answered, in the order of the table."""
    found: list[tuple[list[str], list[str]]] = []
    for line in (HERE / f"{table}.txt").read_text().splitlines():
        typed = line.startswith("> ")
        if typed and (not found or found[-1][1]):
            found.append(([], []))
        if found:
            found[-1][not typed].append(line[2:] if typed else line)
    return [("\n".join(typed), "\n".join(answer).strip("\n")) for typed, answer in found]


def ask(table: str, folder: Path) -> dict[str, str]:
    """Type everything of a table in a new process that works in ``folder``."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
    env |= {"COLUMNS": "100", "IPYTHONDIR": str(folder / ".ipython"), "PYTHON_COLORS": "0"}
    answers = folder / "answers.json"
    command = [sys.executable, str(HERE / "answers.py"), table, str(answers)]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(answers.read_text())


class Scene:
    """Two runs, the model of the first registered, MLflow's own files beside, and a port that is taken."""

    def __init__(self) -> None:
        from sklearn.tree import DecisionTreeClassifier

        import mltrack_jupyter as mltrack

        self.tree = DecisionTreeClassifier().fit([[1], [2]], [0, 1])
        with mltrack.start_run(run_name="first") as run:
            mltrack.log_metric("accuracy", 0.9)
            mltrack.log_params({"depth": 3, "kind": "Tree"})
            mltrack.set_tag("team", "vision")
            mltrack.log_model(self.tree, "model")
        with mltrack.start_run(run_name="second") as other:
            mltrack.log_metric("accuracy", 0.8)
        mltrack.register_model(f"runs:/{run.info.run_id}/model", "iris", alias="champion")
        Path("mlruns/0").mkdir(parents=True)
        Path("mlruns/0/meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
        self.taken = socket.socket()
        self.taken.bind(("127.0.0.1", 0))
        self.taken.listen()
        port = str(self.taken.getsockname()[1])
        self.names = {"RUN": run.info.run_id, "OTHER": other.info.run_id, "TAKEN": port}

    def filled(self, typed: str) -> str:
        return _FILL.sub(lambda match: self.names[match[1]], typed)

    def hidden(self, answer: str) -> str:
        """Return an answer without what differs from day to day."""
        for name, value in self.names.items():
            answer = answer.replace(value, f"{{{name}}}")
        answer = answer.replace(self.names["RUN"][:8], "{RUN:8}").replace(str(Path.cwd()), "{HERE}")
        lines = (line.rstrip() for line in answer.strip("\n").splitlines())
        return "\n".join(f" {line}" if line.startswith("> ") else line for line in lines)


def in_python(scene: Scene):
    """Return how a line is typed in Python: its error, and its warnings."""
    import mltrack_jupyter as mltrack

    names = {"mltrack": mltrack, "tree": scene.tree}

    def type_in(typed: str) -> str:
        said = io.StringIO()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                exec(typed, names)
            except Exception as error:
                said.write(f"{type(error).__name__}: {error}\n")
        mltrack.end_run()
        mltrack.set_tracking_uri(None)
        return (
            "".join(f"{item.category.__name__}: {item.message}\n" for item in warned)
            + said.getvalue()
        )

    return type_in


def in_a_notebook(_scene: Scene):
    """Return how a cell is typed: what it prints."""
    from IPython.core.interactiveshell import InteractiveShell

    import mltrack_jupyter

    shell = InteractiveShell.instance(colors="nocolor")
    mltrack_jupyter.load_ipython_extension(shell)
    shell.user_ns["max_depth"] = 3

    def type_in(typed: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            shell.run_cell(typed)
        # Where a warning comes from is no part of the answer.
        return re.sub(r"(?m)^\S+\.py:\d+: (UserWarning: .*)\n .*\n", r"\1\n", said.getvalue())

    return type_in


def at_the_command_line(_scene: Scene):
    """Return how a command is typed: what it prints, and its exit code."""
    from mltrack_jupyter.cli import main

    def type_in(typed: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = main(shlex.split(typed)[1:])
            except SystemExit as end:
                code = end.code
        return f"{said.getvalue()}[exit code {code}]"

    return type_in


def answer(table: str) -> dict[str, str]:
    """Return the answer to everything that a table types, in this process and folder."""
    scene = Scene()
    ways = {"python": in_python, "notebook": in_a_notebook, "command_line": at_the_command_line}
    type_in = ways[table](scene)
    return {typed: scene.hidden(type_in(scene.filled(typed))) for typed, _ in read(table)}


def write() -> None:
    """Write the answers of all tables as they are now."""
    for table in TABLES:
        with tempfile.TemporaryDirectory() as folder:
            answers = ask(table, Path(folder))
        head = (HERE / f"{table}.txt").read_text().partition("> ")[0]
        blocks = [
            "\n".join([*(f"> {line}" for line in typed.split("\n")), answers[typed]])
            for typed, _ in read(table)
        ]
        (HERE / f"{table}.txt").write_text(head + "\n\n".join(blocks) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        write()
    else:
        Path(sys.argv[2]).write_text(json.dumps(answer(sys.argv[1])))
