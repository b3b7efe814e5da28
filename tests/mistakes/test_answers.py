"""Each mistake of the tables beside this file, typed as it stands there, and the whole answer compared."""

import importlib.util
import sys
from pathlib import Path

import pytest

_PLACE = Path(__file__).parent / "answers.py"
_spec = importlib.util.spec_from_file_location("mistakes_answers", _PLACE)
tables = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = tables
_spec.loader.exec_module(tables)

MISTAKES = [(table, *entry) for table in tables.TABLES for entry in tables.read(table)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What is answered to the mistakes of a table, asked once."""
    known = {}

    def of(table):
        if table not in known:
            known[table] = tables.ask(table, tmp_path_factory.mktemp(table))
        return known[table]

    return of


@pytest.mark.parametrize(("table", "typed", "answer"), MISTAKES)
def test_a_mistake_is_answered_with_what_would_be_right(answers, table, typed, answer):
    assert answers(table)[typed] == answer


def test_each_is_typed_once():
    typed = [(table, text) for table, text, _ in MISTAKES]
    assert len(typed) == len(set(typed)) > 150
