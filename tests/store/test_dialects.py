"""What kind a database is, is asked in one place; the rest asks what it does."""

import re
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

import mltrack_jupyter
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.dialects import DIALECTS, dialect_of

PACKAGE = Path(mltrack_jupyter.__file__).parent
FROZEN = PACKAGE / "store" / "sql" / "migrations" / "versions"
ASKED = re.compile(r"""dialect\.name\s*(?:==|!=|in\b|not\b)""")


def test_nobody_compares_the_name_of_a_dialect():
    files = [path for path in PACKAGE.rglob("*.py") if FROZEN not in path.parents]
    assert [path.name for path in files if ASKED.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    ("url", "kind", "is_file", "takes_tables_back"),
    [
        ("sqlite:///:memory:", "sqlite", True, True),
        ("postgresql://h/db", "postgresql", False, True),
        ("postgresql+psycopg://h/db", "postgresql", False, True),
        ("mysql://h/db", "mysql", False, False),
        ("mariadb://h/db", "mysql", False, False),
    ],
)
def test_each_database_has_the_dialect_of_its_url(url, kind, is_file, takes_tables_back):
    database = Database(url)
    assert database.dialect is DIALECTS[kind]
    assert dialect_of(database.engine) is database.dialect
    assert (database.dialect.is_file, database.dialect.takes_tables_back) == (
        is_file,
        takes_tables_back,
    )
    database.close()


@pytest.mark.parametrize("share", [False, True])
def test_where_several_write_at_once_a_query_holds_its_rows(share):
    query = select(tables.runs.c.id)
    assert DIALECTS["sqlite"].held(query, share=share) is query
    for kind, dialect in ((kind, DIALECTS[kind]) for kind in ("postgresql", "mysql")):
        compiler = create_engine(f"{kind}+{dialect.driver}://").dialect
        text = str(dialect.held(query, share=share).compile(dialect=compiler))
        assert re.search("FOR SHARE|LOCK IN SHARE" if share else "FOR UPDATE", text)
