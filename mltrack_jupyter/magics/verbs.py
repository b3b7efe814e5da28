"""``%mltrack VERB``: the verbs, each a few lines over a function that is public anyway."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

from mltrack_jupyter.capture import redact
from mltrack_jupyter.capture.context import find_place
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.magics.arguments import HELP, parse_words, split_line, unknown_word
from mltrack_jupyter.shown import one_line, shown
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.read_only import is_read_only
from mltrack_jupyter.suggestions import nearest
from mltrack_jupyter.tracking import fluent, hints, registry_store
from mltrack_jupyter.tracking.reading import experiments_to_search
from mltrack_jupyter.widgets import card, compare, runs_view

_RUN_ID = re.compile(r"[0-9a-f]{32}\Z")
_QUOTES = "\"'"
_OPTION = r"--(color|axes)(?:=|\s+)((?:[^\s,]+,\s*)*[^\s,]+)"
_FIRST = re.compile(_OPTION + r"(?:\s+|\Z)")
# Behind a filter an option has no quotes: they are those of a value.
_LAST = re.compile(r"\s" + _OPTION.replace("[^", "[^'`\"") + r"\Z")
_INSTEAD = {
    **dict.fromkeys(("list", "ls", "search"), "Did you mean %mltrack runs?"),
    **{name: f"It is a command: !mltrack {name}" for name in ("doctor", "server", "sync", "gc")},
    "models": "It is a command: !mltrack models list",
    "experiments": "Did you mean %mltrack experiment? All of them: !mltrack experiments list",
    "ui": "Runs are in the sidebar of JupyterLab, under the tab MLTrack.",
    "version": "It is a command: !mltrack --version",
    "track": "It stands alone, in the first line of a cell: %%track",
}
"""What is right for verbs that are none, as they are typed elsewhere."""


@dataclass(frozen=True)
class Verb:
    """One verb: how it is called, what it does, and the function that does it."""

    usage: str
    what: str
    call: Callable[[str, Mapping[str, Any]], Any]
    options: bool = False
    """Whether it has any."""


def run_verb(line: str, namespace: Mapping[str, Any]) -> Any:
    """Run ``VERB ARGUMENTS`` and return what is to be shown. Raises ``UsageError``."""
    name, _, rest = line.strip().partition(" ")
    if name in ("help", *HELP):  # of a verb, or of all
        name, rest = rest.strip(), "--help"
    if not name:
        sys.stdout.write(help_text() + "\n")
        return None
    verb = VERBS.get(name)
    if verb is None:
        near = nearest(name, VERBS)
        hint = f" Did you mean %mltrack {near[0]}?" if near else ""
        hint = f" {_INSTEAD[name]}" if name in _INSTEAD else hint
        raise UsageError(f"%mltrack: unknown verb {name!r}.{hint}\n{help_text()}")
    words = rest.split()
    if words[:1] and words[0] in HELP:
        sys.stdout.write(f"%mltrack {verb.usage}: {verb.what}\n")
        return None
    if rest.strip().startswith("-") and not verb.options:
        raise UsageError(
            f"%mltrack {name}: unknown option {words[0]!r}. Right would be %mltrack {verb.usage}."
        )
    try:
        return verb.call(rest.strip(), namespace)
    except MltrackError as error:
        raise UsageError(f"%mltrack {name}: {error}") from None


def _say(*lines: str) -> None:
    """Print lines, as a terminal may be shown them."""
    sys.stdout.writelines(f"{one_line(shown(line))}\n" for line in lines)


def help_text() -> str:
    """Return what ``%mltrack`` alone prints."""
    lines = [f"  %mltrack {verb.usage:<56} {verb.what}" for verb in VERBS.values()]
    return "\n".join(["Track a cell with %%track in its first line. Then:", *lines])


def _runs(rest: str, _: Mapping[str, Any]) -> Any:
    return runs_view(_selected(rest))


def _compare(rest: str, _: Mapping[str, Any]) -> Any:
    options: dict[str, str] = {}
    while match := _FIRST.match(rest) or _LAST.search(rest):
        options[match[1]] = match[2]
        rest = f"{rest[: match.start()]}{rest[match.end() :]}".strip()
    if rest.startswith("--"):
        raise UsageError(
            unknown_word(
                "%mltrack compare", rest.split()[0], {"--color METRIC": "", "--axes A,B": ""}
            )
        )
    axes = re.split(r",\s*", options["axes"]) if "axes" in options else None
    return compare(_selected(rest), color=options.get("color"), axes=axes)


def _selected(rest: str) -> str | list[str] | None:
    """Return run ids, a filter, or ``None`` for the newest runs."""
    words = rest.replace(",", " ").split()
    if words and all(_RUN_ID.match(word) for word in words):
        return words
    # A filter is not split: its quotes are part of its grammar.
    if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in _QUOTES and rest.count(rest[0]) == 2:
        rest = rest[1:-1]
    return rest or None


def _register(rest: str, namespace: Mapping[str, Any]) -> None:
    parser = MagicArgumentParser("mltrack register")
    parser.add_argument("run_id", metavar="RUN_ID", help="a run with a model")
    parser.add_argument("name", metavar="NAME", help="the registered model, created if it is new")
    parser.add_argument("--alias", default="", metavar="ALIAS", help="an alias for the version")
    parser.add_argument(
        "--stage", default="", metavar="STAGE", help="Staging, Production or Archived"
    )
    found = parse_words(parser, "%mltrack register", split_line(rest, namespace))
    if _RUN_ID.match(found.name) and not _RUN_ID.match(found.run_id):
        raise UsageError(
            "%mltrack register takes the run first, then the name: "
            f"%mltrack register {found.name} {found.run_id}"
        )
    uri = found.run_id if ":/" in found.run_id else f"runs:/{found.run_id}"
    with hints.about_run(fluent.services(), found.run_id):
        version = registry_store.register(uri, found.name, alias=found.alias, stage=found.stage)
    said = [f"Registered {version.name} version {version.version}"]
    said += [f"stage {version.current_stage}"] if found.stage else []
    said += [f"alias {found.alias}"] if found.alias else []
    _say(", ".join(said))


def _open(rest: str, namespace: Mapping[str, Any]) -> Any:
    words = split_line(rest, namespace)
    if len(words) != 1:
        raise UsageError("%mltrack open takes one run id.")
    with hints.about_run(fluent.services(), words[0]):
        return card(words[0], kind="run")


def _experiment(rest: str, namespace: Mapping[str, Any]) -> None:
    name = " ".join(split_line(rest, namespace))
    numbers = [fluent.set_experiment(name).experiment_id] if name else experiments_to_search()
    known = f"id {numbers[0]}" if numbers else "created with its first run"
    _say(f"Experiment: {name or fluent.name_of_experiment()} ({known})")


def _status(rest: str, _: Mapping[str, Any]) -> None:
    if rest:
        raise UsageError(f"%mltrack status takes nothing, not {rest!r}.")
    from IPython.core.getipython import get_ipython

    place = find_place(get_ipython())
    run = fluent.active_run()
    uri = fluent.get_tracking_uri()
    lines = {
        "store": redact(StoreUri.of(uri).shown)
        + (" (can only be read)" if is_read_only(uri) else ""),
        "experiment": fluent.name_of_experiment(),
        "notebook": place.source,
        "active run": f"{run.info.run_name} ({run.info.run_id})" if run is not None else "none",
    }
    _say(*(f"{name + ':':<12}{value}" for name, value in lines.items()))


def _autolog(rest: str, namespace: Mapping[str, Any]) -> None:
    from mltrack_jupyter.tracking.autolog import LIBRARIES, autolog, switched_on

    words = split_line(rest, namespace)
    if words not in ([], ["on"], ["off"]):
        raise UsageError(f"%mltrack autolog takes on or off, not {rest!r}.")
    if words:
        autolog(disable=words == ["off"])
    on = switched_on()
    _say(f"Autologging: {', '.join(on) if on else 'off'}")
    if not on:
        _say(f"%mltrack autolog on logs trainings with {', '.join(LIBRARIES)}.")


VERBS = {
    "runs": Verb("runs [FILTER]", "a table of runs", _runs),
    "compare": Verb(
        "compare [--color METRIC] [--axes A,B] [RUN_IDS or FILTER]",
        "runs side by side",
        _compare,
        True,
    ),
    "register": Verb(
        "register RUN_ID NAME [--alias A] [--stage S]", "a version of a model", _register, True
    ),
    "open": Verb("open RUN_ID", "one run", _open),
    "experiment": Verb("experiment [NAME]", "choose the experiment", _experiment),
    "autolog": Verb("autolog [on or off]", "log trainings by themselves", _autolog),
    "status": Verb("status", "where runs go", _status),
}
