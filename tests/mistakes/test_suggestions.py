"""What was probably meant: each word once, the likeliest first."""

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
    ],
)
def test_the_words_that_look_most_like_one(word, known, most, meant):
    assert nearest(word, known, most=most) == meant


def test_no_word_is_named_twice():
    assert did_you_mean("dept", iter(["depth", "depth"]), most=3) == "did you mean 'depth'?"
    assert did_you_mean("dept", ["depth", "depths"], most=2) == "did you mean 'depth' or 'depths'?"
    assert did_you_mean("zzz", ["depth"]) == ""
