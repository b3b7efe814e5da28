"""Why a run ended as it did: one sentence, and the traceback where there is one; without secrets."""

from __future__ import annotations

from mltrack_jupyter.entities import ERROR, REASON

_MAX_SENTENCE = 500
_MAX_TRACEBACK = 20_000


def sentence_of(error: BaseException) -> str:
    """Return what to say of an exception that ended a run."""
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if type(error).__name__ == "CancelledError":
        return "Cancelled."
    if isinstance(error, SystemExit):
        return f"Ended by sys.exit({_cut(repr(error.code), _MAX_SENTENCE)})."
    import traceback

    # As the last line of a traceback: that also copes with an exception that cannot say what it is.
    lines = list(traceback.TracebackException(type(error), error, None).format_exception_only())
    return _cut(lines[-1].partition("\n")[0].strip(), _MAX_SENTENCE)


def is_good(error: BaseException | None) -> bool:
    """Tell whether a block ended well: without an exception, or by one that is no failure."""
    # A generator is closed when nobody wants more of it.
    if error is None or isinstance(error, GeneratorExit):
        return True
    return isinstance(error, SystemExit) and error.code in (None, 0)


def tags_of(error: BaseException | None) -> dict[str, str]:
    """Return the tags that say why a run ended by an exception; none if it ended well."""
    if error is None or is_good(error):
        return {}
    tags = {REASON: sentence_of(error)}
    if isinstance(error, Exception):
        import traceback

        lines = traceback.format_exception(type(error), error, error.__traceback__)
        tags[ERROR] = shown_traceback("".join(lines).rstrip())
    return tags


def shown_traceback(text: str) -> str:
    """Return a traceback without secrets; the end of one that is too long to be kept whole."""
    return _cut(text, _MAX_TRACEBACK, keep_end=True)


def _cut(text: str, most: int, *, keep_end: bool = False) -> str:
    # Its patterns take longer to build than all the rest of a first metric: a run that ends well needs none.
    from mltrack_jupyter.privacy.redact import redact_cut

    return redact_cut(text, most, keep_end=keep_end)
