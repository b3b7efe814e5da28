"""``%%track``: the run is this cell."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.magics.arguments import HELP, options_of, parse_words, split_line, takes
from mltrack_jupyter.magics.session import Session

if TYPE_CHECKING:
    from mltrack_jupyter.capture import Options

_EXPLAINED = """%%track stands in the first line of a cell, with two %, above the code that it tracks:

    %%track -n my-run
    max_depth = 3
    model = DecisionTreeClassifier(max_depth=max_depth).fit(X, y)
    acc = model.score(X_test, y_test)

Blank lines and comments may stand above it. %%track --help lists its options, %mltrack status tells where
runs go."""
_SHOWN = ("showtraceback", "showsyntaxerror", "showindentationerror")


@magics_class
class TrackMagics(Magics):
    """The magics of the package; each is thin."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self._session = session

    @magic_arguments()
    @argument("-e", "--experiment", metavar="NAME", default="", help="experiment of the run")
    @argument("-n", "--name", metavar="NAME", default="", help="name of the run")
    @argument(
        "-t", "--tag", metavar="KEY=VALUE", action="append", default=[], help="a tag; repeatable"
    )
    @argument(
        "-p",
        "--params",
        metavar="NAMES",
        action="append",
        help="variables that are the params: a,b",
    )
    @argument(
        "-m",
        "--metrics",
        metavar="NAMES",
        action="append",
        help="variables that are the metrics: acc",
    )
    @argument(
        "--register", metavar="MODEL", default="", help="register the fitted model under this name"
    )
    @argument("-q", "--quiet", action="store_true", help="show no card")
    @no_var_expand
    @line_cell_magic
    def track(self, line: str, cell: str | None = "") -> None:
        """Track this cell as a run.

        Literal assignments become params, computed numbers metrics, displayed figures artifacts and a
        fitted estimator the model. The cell runs as without the magic; its errors reach you.
        """
        __tracebackhide__ = True
        parser = TrackMagics.track.parser
        if line.startswith(HELP):
            sys.stdout.write(f"{_EXPLAINED}\n\n{takes(options_of(parser))}\n")
            return
        if cell == "":
            raise UsageError(_EXPLAINED)
        options = _options(parse_words(parser, "%%track", split_line(line, self.shell.user_ns)))
        if cell is None:
            self._session.begin(options)
        else:
            self._run(line, cell)

    @no_var_expand
    @line_magic("%track")
    def _below_code(self, _line: str) -> None:
        """Answer a ``%%track`` that stands below code: IPython takes it for a line magic of this name."""
        raise UsageError(_EXPLAINED)

    def _run(self, line: str, cell: str) -> None:
        """Run a body that was handed over as text: the magic was called by name."""
        __tracebackhide__ = True
        begin = f"get_ipython().run_cell_magic('track', {line!r}, None)\n"
        with _unshown(self.shell):
            result = self.shell.run_cell(begin + cell, store_history=False)
        error = result.error_before_exec or result.error_in_exec
        if error is not None:
            # Shown once, by whoever called the magic.
            raise error.with_traceback(_own_part(error.__traceback__, self.shell.user_ns))

    @no_var_expand
    @line_magic
    def mltrack(self, line: str) -> Any:
        """Look at runs, compare and register them: ``%mltrack`` alone lists what there is."""
        from mltrack_jupyter.magics.verbs import run_verb

        return run_verb(line, self.shell.user_ns)


def _options(found: Any) -> Options:
    from mltrack_jupyter.capture import Options

    options = Options(
        experiment=found.experiment,
        name=found.name,
        tags=dict(_tag(pair) for pair in found.tag),
        params=_names(found.params, "-p"),
        metrics=_names(found.metrics, "-m"),
        register=found.register,
        quiet=found.quiet,
    )
    try:
        options.check()
    except MltrackError as error:
        raise UsageError(f"%%track: {error}") from None
    return options


def _tag(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not equals or not key.strip():
        raise UsageError(f"%%track: -t takes KEY=VALUE, as in -t team=vision, not {pair!r}.")
    return key.strip(), value


def _names(lists: Sequence[str] | None, option: str) -> list[str] | None:
    if lists is None:
        return None
    names = [name.strip() for text in lists for name in text.split(",") if name.strip()]
    wrong = next((repr(name) for name in names if not name.isidentifier()), "nothing")
    if not names or wrong != "nothing":
        raise UsageError(
            f"%%track: {option} takes names of variables with commas between, as in {option} a,b, not "
            f"{wrong}."
        )
    return list(dict.fromkeys(names))


@contextmanager
def _unshown(shell: Any) -> Iterator[None]:
    """Keep a shell from showing errors, which would be shown a second time by the caller."""
    own = {name: vars(shell)[name] for name in _SHOWN if name in vars(shell)}
    for name in _SHOWN:
        setattr(shell, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name in _SHOWN:
            if name in own:
                setattr(shell, name, own[name])
            else:
                delattr(shell, name)


def _own_part(trace: TracebackType | None, namespace: Any) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_globals is not namespace:
        trace = trace.tb_next
    return trace
