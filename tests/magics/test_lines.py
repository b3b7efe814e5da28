"""The magic's line, the transformer and ``%mltrack``, in a shell of this process."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import TransformerManager

from mltrack_jupyter.magics.arguments import split_line
from mltrack_jupyter.magics.transform import transform_track


def transformed(cell: str) -> str:
    manager = TransformerManager()
    manager.cleanup_transforms.append(transform_track)
    return manager.transform_cell(cell)


def test_the_line_becomes_a_statement_and_the_rest_stays():
    code = "# why\n\n%%track -n 'a b'\nx = 1\n%time y = 2\n"
    lines = transformed(code).splitlines()
    assert lines[2] == "get_ipython().run_cell_magic('track', \"-n 'a b'\", None)"
    assert lines[3] == "x = 1"
    assert "run_line_magic('time'" in lines[4]


@pytest.mark.parametrize(
    "cell",
    [
        "%%tracker\nx = 1\n",
        "%%track?\n",
        "x = 1\n%%track\n",
        "s = '''\n%%track\n'''\n",
        "# only\n",
        "",
    ],
)
def test_other_cells_are_left_alone(cell):
    lines = cell.splitlines(keepends=True)
    assert transform_track(list(lines)) == lines


@pytest.mark.parametrize("body", ["", "\n", "# nothing\n\n"])
def test_a_cell_without_a_body_is_asked_what_is_to_be_tracked(body):
    lines = ("%%track -q\n" + body).splitlines(keepends=True)
    first, *rest = transform_track(lines)
    assert first == "get_ipython().run_line_magic('track', '-q')\n"
    assert set(rest) <= {"\n"}


def test_a_cell_magic_below_becomes_a_call():
    code = transformed("%%track\n# c\n%%time\nx = 1\n")
    assert code.splitlines()[2] == "get_ipython().run_cell_magic('time', '', 'x = 1\\n')"


@given(st.lists(st.sampled_from(["# c\n", "\n", "x = 1\n", "  \n"])))
def test_the_number_of_lines_stays(lines):
    assert len(transform_track([*lines, "%%track -q\n", *lines])) == 2 * len(lines) + 1


def test_words():
    names = {"name": "two words", "n": 3}
    assert split_line("-n {name} -t 'k={n + 1}' -t p=C:\\x", names) == [
        "-n",
        "two words",
        "-t",
        "k=4",
        "-t",
        "p=C:\\x",
    ]
    assert split_line("-t 'a={\"k\": 1}' -t b=$ -t c={", names) == [
        "-t",
        'a={"k": 1}',
        "-t",
        "b=$",
        "-t",
        "c={",
    ]
    with pytest.raises(UsageError, match="quote"):
        split_line('-n "a', names)


@given(st.text(max_size=40))
def test_any_line_is_split_or_refused(line):
    try:
        assert isinstance(split_line(line, {}), list)
    except UsageError:
        pass
