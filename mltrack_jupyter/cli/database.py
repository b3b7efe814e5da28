"""``mltrack db check|backup|upgrade``."""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from mltrack_jupyter.cli.output import say, size
from mltrack_jupyter.cli.parsing import add_store
from mltrack_jupyter.cli.stores import existing_uri
from mltrack_jupyter.errors import InvalidParameter, StoreUnreadable
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.read_only import reason_of
from mltrack_jupyter.store.read_only_file import ReadOnlyFile


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the three commands."""
    commands = parser.add_subparsers(metavar="check|backup|upgrade", required=True)
    check = commands.add_parser("check", help="look for damage; change nothing")
    backup = commands.add_parser("backup", help="copy a living SQLite store to a file")
    upgrade = commands.add_parser("upgrade", help="bring a store to the newest schema")
    for command, run in ((check, run_check), (backup, run_backup), (upgrade, run_upgrade)):
        add_store(command)
        command.set_defaults(run=run)
    backup.add_argument("--to", metavar="FILE", help="the copy (default: beside the store)")


def run_check(arguments: argparse.Namespace) -> int:
    """Report on a database; exit code 1 if anything is wrong."""
    store = _database(arguments.store)
    say(f"store        {store.place}")
    problems = _check_sqlite(store.file) if store.file else []
    if not any("cannot be read" in problem for problem in problems):
        problems += _check_schema(store.text)
    say(*problems)
    say("ok" if not problems else f"{len(problems)} problem(s)")
    return 1 if problems else 0


def run_backup(arguments: argparse.Namespace) -> int:
    """Copy a store whole while others go on writing to it."""
    store = _database(arguments.store)
    if store.file is None:
        raise InvalidParameter(
            f"{store.place} is backed up with its own tools: pg_dump or mysqldump."
        )
    from mltrack_jupyter.store.sql.database import Database
    from mltrack_jupyter.store.sql.migrations import backup
    from mltrack_jupyter.store.sql.schema import read_version

    target = Path(arguments.to) if arguments.to else None
    if target is not None and target.exists():
        raise InvalidParameter(f"{target} exists already; choose another name with --to.")
    database = Database(store.text)
    try:
        read_version(database)
        made = backup(database, target)
    finally:
        database.close()
    say(
        f"{made}  {size(made.stat().st_size)}",
        "Artifacts are files beside the store: copy them too.",
    )
    return 0


def run_upgrade(arguments: argparse.Namespace) -> int:
    """Bring a store to the newest schema; an SQLite file is copied first."""
    store = _database(arguments.store)
    from mltrack_jupyter.store.sql.database import Database
    from mltrack_jupyter.store.sql.migrations import upgrade
    from mltrack_jupyter.store.sql.schema import HEAD, ensure_schema, read_version

    database, copy = Database(store.text), None
    try:
        database.check_writable()
        before = read_version(database)
        if before:
            copy = upgrade(database)
        ensure_schema(database)  # makes the tables of an empty one
        database.check_writable()
    finally:
        database.close()
    if before == HEAD:
        say(f"{store.place} has the newest schema already ({HEAD}).")
    else:
        say(f"{store.place} upgraded from {before or 'nothing'} to {HEAD}.")
    if copy is not None:
        say(f"As it was before: {copy}")
    return 0


def _database(given: str | None) -> StoreUri:
    store = StoreUri.of(existing_uri(given))
    if store.is_server:
        raise InvalidParameter(f"{store.shown} is a server; run this where its database is.")
    return store


def _check_sqlite(path: Path) -> list[str]:
    problems = []
    file = ReadOnlyFile(str(path.absolute()))
    read_only = reason_of(str(path))
    try:
        address = file.address() if read_only else f"file:{quote(str(path.absolute()))}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            problems += [f"damaged: {line}" for line in found if line != "ok"]
            say(f"integrity    {'ok' if found == ['ok'] else 'damaged'}")
            dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
            problems += [
                f"a row of {row[0]} names a row of {row[2]} that is not there"
                for row in dangling[:20]
            ]
            say(f"references   {'ok' if not dangling else f'{len(dangling)} lead nowhere'}")
    except sqlite3.Error as error:
        say("integrity    unreadable")
        problems.append(f"{path} cannot be read: {error}. Restore it from a backup.")
    finally:
        file.close()
    return problems


def _check_schema(uri: str) -> list[str]:
    from mltrack_jupyter.store.sql.database import Database
    from mltrack_jupyter.store.sql.schema import HEAD, VERSIONS, read_version, too_new

    database = Database(uri)
    try:
        found = read_version(database)
    except StoreUnreadable as error:
        return [str(error)]
    finally:
        database.close()
    say(f"schema       {found or 'none'}{'' if found == HEAD else f' (newest: {HEAD})'}")
    if not found:
        return ["there are no tables yet; the first use makes them, or: mltrack db upgrade"]
    if found not in VERSIONS:
        return [too_new(database, found)]
    return [] if found == HEAD else ["the schema is old: mltrack db upgrade"]
