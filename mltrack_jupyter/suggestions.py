"""What was probably meant by a word that is not known: the ends of errors about names."""

from __future__ import annotations

from collections.abc import Collection, Iterable

__all__ = ["did_you_mean", "nearest"]

_LONGEST = 250
"""How many characters a word has that is a slip of the hand, and not a text."""
_MOST = 2000
"""How many words are compared letter by letter; a run may have hundreds of thousands of names."""


def nearest(word: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return the known words that look most like one, each once, the likeliest first.

    Upper and lower case count as alike: a word that differs in nothing else comes first. So do the
    dashes of an option, which would make any two of them look alike. Of many words those are compared that
    begin and end most like it.
    """
    if len(word) > _LONGEST:
        return []
    import difflib

    words = [item for item in dict.fromkeys(known) if len(item) <= _LONGEST]
    folded = {_folded(item): item for item in reversed(words)}
    meant = _folded(word)
    alike = [item for item in words if item.casefold() == word.casefold()]
    near = difflib.get_close_matches(meant, _likely(meant, folded), n=most, cutoff=cutoff)
    return list(dict.fromkeys([*alike, *(folded[item] for item in near)]))[:most]


def _likely(word: str, known: Collection[str]) -> Collection[str]:
    """Return the words that share the longest beginning and end with one, if there are too many to look closer."""
    if len(known) <= _MOST:
        return known
    import heapq

    def shared(item: str) -> int:
        return _same(word, item) + _same(word[::-1], item[::-1])

    return heapq.nlargest(_MOST, known, key=shared)


def _same(one: str, other: str) -> int:
    found = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        found += 1
    return found


def _folded(word: str) -> str:
    return word.casefold().lstrip("-") or word


def did_you_mean(word: str, known: Iterable[str], *, most: int = 1, cutoff: float = 0.6) -> str:
    """Return ``did you mean 'depth'?`` about a word that is not known, ``""`` if nothing is like it."""
    near = nearest(word, known, most=most, cutoff=cutoff)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""
