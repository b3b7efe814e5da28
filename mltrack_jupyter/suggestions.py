"""What was probably meant by a word that is not known: the ends of errors about names."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(word: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known words that look most like one, each once, the likeliest first.

    Upper and lower case count as alike: a word that differs in nothing else comes first.
    """
    import difflib

    words = list(dict.fromkeys(known))
    folded = {item.casefold(): item for item in reversed(words)}
    alike = [item for item in words if item.casefold() == word.casefold()]
    near = difflib.get_close_matches(word.casefold(), folded, n=most, cutoff=cutoff)
    return list(dict.fromkeys([*alike, *(folded[item] for item in near)]))[:most]


def did_you_mean(word: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> str:
    """Return ``did you mean 'depth'?`` about a word that is not known, ``""`` if nothing is like it."""
    near = nearest(word, known, most=most, cutoff=cutoff)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""
