"""Figures of matplotlib and plotly as the bytes of files, with the settings of their own libraries."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import PurePosixPath
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import path_text

_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".svg", ".pdf", ".eps")


def figure_bytes(
    figure: Any, name: str | PathLike[str], options: Mapping[str, Any] | None
) -> bytes:
    """Return a matplotlib or plotly figure in the format of a file's name.

    ``options`` are those of the library's own function: ``savefig``, ``write_html``, ``to_json``,
    ``to_image``. Raises ``InvalidParameter``.
    """
    if options is not None and not isinstance(options, Mapping):
        raise InvalidParameter(
            f"save_kwargs must be a dict of settings, not a {type(options).__name__}."
        )
    name = path_text(name, "An artifact path")
    draw = _drawn_by(figure, PurePosixPath(name).suffix.lower())
    if draw is None:
        raise InvalidParameter(
            "log_figure takes a matplotlib figure, or a plotly figure with a name ending in .html, .json or "
            f"{', '.join(_PICTURES)}, not a {type(figure).__name__} for {name!r}."
        )
    try:
        return draw(dict(options or {}))
    except ImportError as error:
        raise InvalidParameter(f"{name!r} cannot be drawn: {error}") from error
    except (TypeError, ValueError, RuntimeError, AttributeError, LookupError) as error:
        given = f" with save_kwargs={options!r}" if options else ""
        raise InvalidParameter(f"{name!r} cannot be drawn{given}: {error}") from error


def _drawn_by(figure: Any, ending: str) -> Callable[[dict[str, Any]], bytes] | None:
    if hasattr(figure, "savefig"):
        return lambda options: _savefig(figure, ending, options)
    if ending == ".html" and hasattr(figure, "write_html"):
        return lambda options: _html(figure, options)
    if ending == ".json" and hasattr(figure, "to_json"):
        return lambda options: str(figure.to_json(**options)).encode()
    if ending in _PICTURES and hasattr(figure, "to_image"):
        return lambda options: bytes(figure.to_image(**{"format": ending[1:], **options}))
    return None


def _savefig(figure: Any, ending: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, **{"format": ending[1:] or "png", **options})
    return buffer.getvalue()


def _html(figure: Any, options: dict[str, Any]) -> bytes:
    text = io.StringIO()
    figure.write_html(text, **{"include_plotlyjs": "cdn", "auto_open": False, **options})
    return text.getvalue().encode()
