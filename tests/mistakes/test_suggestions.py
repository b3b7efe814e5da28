"""What was probably meant: each word once, the likeliest first."""

import difflib

import pytest

from mltrack_jupyter.suggestions import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "most", "meant"),
    [
        ("dept", ["depth", "depth", "width"], 3, ["depth"]),
        ("DEPTH", ["width", "depth"], 1, ["depth"]),
        ("depth", ["Depth", "DEPTH"], 3, ["Depth", "DEPTH"]),
        ("acuracy", ["accuracy", "val_accuracy"], 1, ["accuracy"]),
        ("acuracy", [], 3, []),
        ("zzz", ["accuracy"], 3, []),
        ("", ["accuracy"], 3, []),
        ("--alias", ["--params", "--name"], 1, []),  # two dashes make no likeness
        ("version", ["--version"], 1, ["--version"]),
    ],
)
def test_the_words_that_look_most_like_one(word, known, most, meant):
    assert nearest(word, known, most=most) == meant


def test_no_word_is_named_twice():
    assert did_you_mean("dept", iter(["depth", "depth"]), most=3) == "did you mean 'depth'?"
    assert did_you_mean("dept", ["depth", "depths"], most=2) == "did you mean 'depth' or 'depths'?"
    assert did_you_mean("zzz", ["depth"]) == ""


def test_of_very_many_words_only_the_likely_are_compared_letter_by_letter(monkeypatch):
    """A store may have hundreds of thousands of names of metrics: nobody waits half a minute for a hint."""
    compared, real = [], difflib.get_close_matches

    def matches(word, words, **options):
        compared.append(len(list(words)))
        return real(word, words, **options)

    monkeypatch.setattr(difflib, "get_close_matches", matches)
    names = [f"metric_{number}_loss" for number in range(20_000)]
    for slip in ("metric_777_los", "etric_777_loss", "metric_77_7_loss", "METRIC_777_LOS"):
        assert "metric_777_loss" in nearest(slip, names, most=20)
    assert max(compared) < 5_000


def test_a_text_is_no_slip_of_the_hand():
    long = "a" * 100_000
    assert nearest(long, [long, "a"]) == []
    assert nearest("a" * 200, ["a" * 199 + "\u0100" * 100_000, "b"]) == []
