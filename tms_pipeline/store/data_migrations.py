"""Data migrations: rows that are moved or mended by a program, each with a report of what became of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tms_pipeline.store.database import Database


@dataclass
class DataMigration:
    """One data migration under way. Count each row as a success or as a failure of a category; no value is kept."""

    number: int
    name: str
    succeeded: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    _remedies: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """How many rows failed, over all categories."""
        return sum(self.failures.values())

    @property
    def processed(self) -> int:
        """How many rows were looked at."""
        return self.succeeded + self.failed

    def success(self, rows: int = 1) -> None:
        """These rows are done."""
        self.succeeded += rows

    def failure(self, category: str, what_to_do: str, rows: int = 1) -> None:
        """These rows could not be done, for one and the same sort of reason."""
        self.failures[category] += rows
        self._remedies[category] = what_to_do

    def lines(self) -> Iterable[tuple[str, int, str]]:
        """Category, rows, what to do: the most first."""
        return [(name, rows, self._remedies[name]) for name, rows in self.failures.most_common()]


@contextlib.contextmanager
def data_migration(db: Database, name: str, *, by: str) -> Iterator[DataMigration]:
    """Run a data migration and keep its report, also when it breaks off: then it has no end in the report.

    The rows themselves are written by the caller, in transactions of its own; begun again, it must skip what is done.
    """
    with db.transaction() as connection:
        row = connection.execute(
            "INSERT INTO operations.data_migration (name, started_by) VALUES (%s, %s) RETURNING data_migration_id",
            (name, by),
        ).fetchone()
    if row is None:
        raise RuntimeError("the data migration was not noted")
    under_way = DataMigration(int(row[0]), name)
    try:
        yield under_way
    except BaseException:
        _keep(db, under_way, finished=False)
        raise
    _keep(db, under_way, finished=True)


def _keep(db: Database, done: DataMigration, *, finished: bool) -> None:
    with db.transaction() as connection:
        connection.execute(
            "UPDATE operations.data_migration SET processed = %s, succeeded = %s, failed = %s, "
            "finished_at = CASE WHEN %s THEN clock_timestamp() END WHERE data_migration_id = %s",
            (done.processed, done.succeeded, done.failed, finished, done.number),
        )
        for category, rows, what_to_do in done.lines():
            connection.execute(
                "INSERT INTO operations.data_migration_failure (data_migration_id, category, records, what_to_do) "
                "VALUES (%s, %s, %s, %s)",
                (done.number, category, rows, what_to_do),
            )


def reports(db: Database) -> list[dict[str, object]]:
    """Every data migration with its balance and its failures by category, the newest first."""
    names = ("id", "name", "started_at", "started_by", "finished_at", "processed", "succeeded", "failed")
    found = [
        dict(zip(names, row, strict=True))
        for row in db.rows(
            "SELECT data_migration_id, name, started_at, started_by, finished_at, processed, succeeded, failed "
            "FROM operations.data_migration ORDER BY data_migration_id DESC"
        )
    ]
    failures: dict[int, list[dict[str, object]]] = {}
    for number, category, records, what_to_do in db.rows(
        "SELECT data_migration_id, category, records, what_to_do FROM operations.data_migration_failure "
        "ORDER BY records DESC, category"
    ):
        failures.setdefault(number, []).append({"category": category, "records": records, "what_to_do": what_to_do})
    return [{**report, "failures": failures.get(int(str(report["id"])), [])} for report in found]
