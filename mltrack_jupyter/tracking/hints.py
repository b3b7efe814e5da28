"""Why a search may have found nothing: names in it that none of the runs has, and what was probably meant.

MLflow answers such a search with nothing, and so do we, over the wire as here. Only where there is no
result it is looked into.
"""

from __future__ import annotations

import math
import re
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.names import quoted
from mltrack_jupyter.suggestions import did_you_mean

if TYPE_CHECKING:
    from mltrack_jupyter.entities import ColumnStats, Run
    from mltrack_jupyter.store.sql.search.grammar import Comparison, Identifier

_KINDS = {"metric": "metric", "param": "param", "parameter": "param", "tag": "tag"}
_STATUSES = tuple(status.value for status in RunStatus)
_LONE_AND = re.compile(r"\A\s*and\b|\band\s*\Z|\band\s+and\b", re.IGNORECASE)
_KEYED = re.compile(r"""(metric|param|parameter|tag)s?\.([`"]?)(.+)\2\Z""")
_COMPARISON = re.compile(r"[=<>!]|\b(?:i?like|in|is)\b", re.IGNORECASE)
_SECONDS = 3.0
_SHOWN = 5
_MOST = 1000
_LONGEST = 250
_AGAIN = 5.0
"""For how long an answer holds, in seconds: who waits for a run in a loop does not ask at every turn."""
_asked: dict[tuple[object, ...], tuple[float, list[str]]] = {}


def check_search(
    filter: object, order_by: object, max_results: object, experiment_ids: object
) -> None:
    """Check the kinds of what a search is given. Raises ``InvalidParameter``."""
    if filter is not None and not isinstance(filter, str):
        raise InvalidParameter(
            f'filter_string is a text such as "metrics.accuracy > 0.9", not a {type(filter).__name__}.'
        )
    if isinstance(order_by, str):
        raise InvalidParameter(f"order_by is a list: order_by=[{order_by!r}].")
    if not isinstance(max_results, int):
        raise InvalidParameter(
            f"max_results is a whole number, not a {type(max_results).__name__}."
        )
    if isinstance(experiment_ids, str) and _COMPARISON.search(experiment_ids):
        raise InvalidParameter(
            f"The first argument is the ids of experiments; right would be filter_string={experiment_ids!r}."
        )
    for item in experiment_ids if isinstance(experiment_ids, list | tuple) else [experiment_ids]:
        if isinstance(item, str) and not item.strip().lstrip("+-").isdigit():
            raise InvalidParameter(
                f"{item!r} is no id of an experiment, which is a number; names are given as "
                f"experiment_names=[{item!r}]."
            )
    check_filter(filter or "")


@contextmanager
def about_run(services: Services, run_id: str) -> Iterator[None]:
    """Add to an error about a run that is not there which run was probably meant."""
    try:
        yield
    except NotFound as error:
        hint = _run_meant(services, run_id) if run_id and run_id in str(error) else ""
        if not hint:
            raise
        raise NotFound(f"{error} {hint}") from None


def _run_meant(services: Services, text: str) -> str:
    """Return a sentence about the newest run of this name, or the one whose id begins so."""
    if len(text) > _LONGEST:
        return ""
    from mltrack_jupyter.store.brief import briefly

    newest = ["attributes.start_time DESC"]
    for clause, say in (
        (f"attributes.run_name = {quoted(text)}", "It is the name of a run, whose id is"),
        (f"attributes.run_id LIKE {quoted(f'{text}%')}", "Did you mean"),
    ):
        try:
            with briefly(_SECONDS):
                found = services.runs.table(
                    filter=clause, order_by=newest, max_results=1, columns=[]
                )
        except MltrackError:
            return ""
        is_short = say.startswith("Did") and len(text) < 4  # many ids begin so
        if found.run_ids and not is_short and text not in found.run_ids:
            return f"{say} {found.run_ids[0]!r}{'?' if say.startswith('Did') else '.'}"
    return ""


@contextmanager
def about_experiment(services: Services, experiment_id: object) -> Iterator[None]:
    """Add to an error about the id of an experiment that it is the name of one."""
    try:
        yield
    except InvalidParameter as error:
        if not isinstance(experiment_id, str) or experiment_id not in str(error):
            raise
        try:
            found = services.experiments.get_by_name(experiment_id).experiment_id
        except MltrackError:
            raise error from None
        raise InvalidParameter(
            f"{error} It is the name of an experiment, whose id is {found!r}."
        ) from None


def compares(filter: str) -> bool:
    """Tell whether a text may be a filter: it compares something, or is empty and asks for nothing."""
    return not filter.strip() or bool(_COMPARISON.search(filter))


def check_selection(services: Services, text: str) -> None:
    """Raise ``InvalidParameter`` for words that compare nothing, such as names of runs, where a filter is due."""
    if compares(text):
        return
    words = text.replace(",", " ").split()[:_SHOWN]
    said = [f"{word!r}: {hint}" for word in words if (hint := _run_meant(services, word))]
    raise InvalidParameter(
        f"{text!r} is neither ids of runs nor a filter, which compares: metrics.accuracy > 0.9. "
        f"{' '.join(said)}".rstrip()
    )


def warn_of_experiments(services: Services, names: Sequence[str]) -> None:
    """Warn of names that no experiment has."""
    try:
        known = [item.name for item in services.experiments.search(1000)]
    except MltrackError:
        return
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            text = f"There is no experiment {name!r}{hint and '; '}{hint or '.'}"
            warnings.warn(text, UserWarning, stacklevel=3)


def warn_of_runs(services: Services, run_ids: Sequence[str]) -> None:
    """Warn of ids that no run has."""
    for run_id in run_ids[:_SHOWN]:
        hint = _run_meant(services, run_id)
        warnings.warn(f"There is no run {run_id!r}. {hint}".rstrip(), UserWarning, stacklevel=4)


def warn_of_metric(services: Services, run_id: str, key: str) -> None:
    """Warn of a metric that a run has not, or of a run that is not there."""
    try:
        known = services.runs.get(run_id).data.metrics
    except MltrackError as error:
        warnings.warn(str(error), UserWarning, stacklevel=3)
        return
    if key not in known:
        hint = did_you_mean(key, known)
        text = f"The run has no metric {key!r}{hint and '; '}{hint or '.'}"
        warnings.warn(text, UserWarning, stacklevel=3)


def check_filter(filter: str) -> None:
    """Raise ``InvalidParameter`` for an AND that joins nothing, which stores let pass as MLflow does."""
    if _LONE_AND.search(filter):
        from mltrack_jupyter.store.sql.search.grammar import parse_filter

        parse_filter(filter, lone_and=False)


def warn_of_search(
    services: Services,
    experiment_ids: Sequence[str],
    found: Sequence[Run],
    filter: str = "",
    order_by: Sequence[str] | None = None,
) -> None:
    """Warn of what a search names in vain: of its filter if it found nothing, else of its order."""
    if not found:
        _warn(services, experiment_ids, filter, order_by)
    elif order_by:
        _warn(services, experiment_ids, "", unordered(order_by, found))


def _warn(
    services: Services,
    experiment_ids: Sequence[str],
    filter: str,
    order_by: Sequence[str] | None = None,
) -> None:
    if not (filter or order_by):
        return
    question = (services.uri, tuple(experiment_ids), filter, tuple(order_by or ()))
    then, said = _asked.get(question, (-math.inf, []))
    if time.monotonic() - then > _AGAIN:
        said = about_names(services, experiment_ids, filter, order_by)
        if len(_asked) >= _MOST:
            _asked.clear()
        _asked[question] = time.monotonic(), said
    for hint in said:
        # Of whoever called the function that searched.
        warnings.warn(hint, UserWarning, stacklevel=4)


def warn_of_filter(services: Services, experiment_ids: Sequence[str], filter: str) -> None:
    """Warn of what a filter that found nothing names in vain."""
    _warn(services, experiment_ids, filter)


def unordered(order_by: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """Return the orders by keys that none of some runs has; as a rule the first one has them all."""
    return lacks(
        order_by,
        lambda kind, key: any(
            item.key == key for run in runs for item in getattr(run.data, f"{kind}_list")
        ),
    )


def about_names(
    services: Services,
    experiment_ids: Sequence[str] | None,
    filter: str = "",
    order_by: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> list[str]:
    """Return a sentence for each name that none of the runs has, and for each value in another case."""
    from mltrack_jupyter.store.brief import briefly
    from mltrack_jupyter.store.sql.search.grammar import parse_filter, parse_order

    try:
        comparisons = parse_filter(filter)
        named = [
            ordering.identifier for ordering in parse_order([*(order_by or ()), *(columns or ())])
        ]
        if not comparisons and not named:
            return []
        with briefly(_SECONDS):
            there = services.runs.columns(list(experiment_ids) if experiment_ids else None)
    except MltrackError:  # it is away, or a server that does not tell
        return []
    if not there.total:
        return []
    return list(dict.fromkeys(_hints(comparisons, named, there.columns)))


def lacks(identifiers: Sequence[str], has: Callable[[str, str], bool]) -> list[str]:
    """Return the orders (or names) of keys of which ``has(kind, key)`` says that no result has a value.

    They were understood by the store; here they are only looked at, without what it takes to read them.
    """
    found = ((text, _KEYED.match(_column(text))) for text in identifiers)
    return [text for text, match in found if match and not has(_KINDS[match[1]], match[3])]


def _column(ordering: str) -> str:
    """Return the column that an order names."""
    words = ordering.strip().rsplit(None, 1)
    is_told = len(words) == 2 and words[1].lower() in ("asc", "desc")
    return words[0] if is_told else ordering.strip()


def _kind(identifier: Identifier) -> str:
    return _KINDS.get(identifier.entity.removesuffix("s"), "")


def _hints(
    comparisons: Sequence[Comparison], named: Sequence[Identifier], columns: Sequence[ColumnStats]
) -> Iterator[str]:
    keys: dict[str, dict[str, ColumnStats]] = {"metric": {}, "param": {}, "tag": {}}
    for column in columns:
        keys[column.kind][column.key] = column
    for comparison in comparisons:
        identifier = comparison.identifier
        if comparison.operator == "IS NULL":
            continue
        if identifier.key == "status" and not _kind(identifier):
            yield from _about_value(comparison, _STATUSES)
        found = keys.get(_kind(identifier), {}).get(identifier.key)
        if found is not None and found.categories:
            yield from _about_value(comparison, found.categories)
    for identifier in [*(comparison.identifier for comparison in comparisons), *named]:
        kind, key = _kind(identifier), identifier.key
        if not kind or key in keys[kind] or (kind == "tag" and key.startswith("mlflow.")):
            continue
        elsewhere = next((other for other in keys if key in keys[other]), "")
        hint = (
            f"it is a {elsewhere}: {elsewhere}s.{key}"
            if elsewhere
            else did_you_mean(key, keys[kind])
        )
        yield f"No run there has a {kind} {key!r}{hint and '; '}{hint}{'' if hint.endswith('?') else '.'}"


def _about_value(comparison: Comparison, known: Collection[str]) -> Iterator[str]:
    if comparison.operator != "=" or not isinstance(comparison.value, str):
        return
    hint = "" if comparison.value in known else did_you_mean(comparison.value, known)
    if hint:
        yield f"No run there has {comparison.identifier} = {comparison.value!r}; {hint}"
