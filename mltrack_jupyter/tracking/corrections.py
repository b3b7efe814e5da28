"""Params that a user logs where autologging has written others: the user's win, and both are kept."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from mltrack_jupyter.entities import Param
from mltrack_jupyter.errors import EndpointNotFound, InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.tracking import origins


def corrected(services: Services, run_id: str, pairs: Sequence[Param]) -> list[Param]:
    """Let params replace those that autologging wrote to a run; return the ones that are still to be written.

    On a server of MLflow's, where a param never changes, the user's value is returned under the name
    ``manual.<name>``, with a warning.
    """
    mine = origins.known(run_id).params
    changed = [pair for pair in pairs if mine.get(pair.key, pair.value) != pair.value]
    if not changed:
        return list(pairs)
    names = {pair.key for pair in changed}
    rest = [pair for pair in pairs if pair.key not in names]
    try:
        services.runs.correct_params(run_id, changed)
    except (EndpointNotFound, InvalidParameter) as error:
        foreign = isinstance(error, EndpointNotFound)
        reason = "the server never changes a param" if foreign else str(error)
        warnings.warn(
            f"The values of {', '.join(sorted(names))} that autologging logged cannot be replaced "
            f"({reason}); yours are kept as manual.<name>.",
            stacklevel=4,
        )
        return rest + [Param(f"manual.{pair.key}", pair.value) for pair in changed]
    for pair in changed:
        mine[f"autolog.{pair.key}"] = mine.pop(pair.key)
    return rest
