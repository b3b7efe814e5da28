"""What a kind of database has to say of itself."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

from sqlalchemy import URL, Connection, Engine, MetaData, Select, Table

BUSY_SECONDS = 15
"""How long anybody waits for a lock, in all: for the other threads, for a turn, and for the database itself."""


class Dialect:
    """One kind of database. What is said here holds where a kind says nothing else."""

    name: ClassVar[str]
    driver: ClassVar[str]
    """The driver that is taken where a URL names none: SQLAlchemy's own choices are those of ten years ago."""
    extra: ClassVar[str] = ""
    """The extra of this package that installs the driver."""
    is_file: ClassVar[bool] = False
    """Whether the database is a file: its writers take turns, and none comes in between."""
    json_lists: ClassVar[bool] = False
    """Whether a list goes in as one JSON text, and rows come out as one."""
    knows_sizes: ClassVar[bool] = True
    """Whether the planner knows how many rows fit a condition; else a query is best told its way."""
    takes_tables_back: ClassVar[bool] = True
    """Whether a rollback takes back the making and changing of tables."""
    clock: ClassVar[str] = ""
    """An expression for the time (ms) of the database; ``""`` if that is the time of this machine."""

    def engine(self, url: URL, synchronous: str) -> Engine:
        """Return an engine, whose connections are told what they have to know when they begin."""
        raise NotImplementedError

    def waiting(
        self,
        connection: Connection,  # noqa: ARG002 - for those that say how
        until: float,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Leave the database only what is left of the time to wait for locks."""
        return nullcontext()

    def follow_references(self, connection: Connection, *, on: bool) -> None:
        """Begin or cease to delete the rows that refer to one that is deleted; asked outside of a transaction."""

    def held(self, query: Select[Any], *, share: bool) -> Select[Any]:
        """Return a query that keeps other writers from the rows that it finds."""
        return query.with_for_update(read=share)

    def take_turn(self, connection: Connection) -> None:
        """Wait until no other transaction that took its turn is open."""

    def only_one(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002 - as above
        """Let no other process change the schema of the same database in the meantime."""
        return nullcontext()

    def compare_by_characters(self, connection: Connection) -> None:
        """Give new tables an order in which ``a``, ``A`` and ``a `` are three names."""

    def create_missing_indexes(self, connection: Connection, metadata: MetaData) -> None:
        """Create the indexes that a process did not come to which was killed while it made the tables."""

    def upsert(self, into: Any, table: Table, columns: tuple[str, ...], *, replace: bool) -> Any:
        """Return an INSERT of SQLAlchemy's dialect that replaces rows of the same key, or else keeps them."""
        keys = [column.name for column in table.primary_key]
        rest = [name for name in columns if name not in keys]
        # Of rows that the database numbers, those are alike that have the same name.
        target = {"index_elements": keys} if set(keys) <= set(columns) else {}
        if replace and rest:
            fresh = {column: into.excluded[column] for column in rest}
            return into.on_conflict_do_update(**target, set_=fresh)
        return into.on_conflict_do_nothing(**target)

    def advance_sequence(self, connection: Connection, table: str, number: int) -> None:
        """Keep the database's own numbering of rows ahead of a number that was given."""
