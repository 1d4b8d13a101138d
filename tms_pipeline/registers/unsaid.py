"""What a sheet does not say: a column that is not there leaves the value that stands, an empty cell takes it away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from psycopg import sql

from tms_pipeline.identity.marks import Marker
from tms_pipeline.records.content import LIVE_WORDS
from tms_pipeline.records.field import Field, FieldType, RecordKind
from tms_pipeline.registers.staging import Records, load_candidates, prepare
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query


def keep_unsaid(connection: Connection, marker: Marker, records: Records, unsaid: Sequence[frozenset[str]]) -> Records:
    """The records with the register's values in the fields that their sheets have no column for.

    ``unsaid`` names these fields line by line. A sealed value is kept as it is, without opening it.
    """
    names = frozenset[str]().union(*set(unsaid)) if unsaid else frozenset[str]()
    fields = [field for field in records.kind.fields if field.name in names and field.name != "nric"]
    if not fields:
        return records
    load_candidates(connection, records, range(len(records.keys)))
    standing = connection.execute(
        query(
            "registers/unsaid",
            register=f"register.{records.kind.name}",
            candidate=records.candidates,
            values=sql.SQL(", ").join(part for field in fields for part in _values(records.kind, field)),
            differs=sql.SQL(" OR ").join(_differs(field) for field in fields),
        )
    ).fetchall()
    if not standing:
        return replace(records, in_candidates=True)
    columns: dict[str, list[Any]] = {field.name: records.frame[field.name].tolist() for field in fields}
    kept_sealed = dict(records.kept_sealed)
    kept_marks: dict[str, dict[int, bytes | None]] = {}
    for line, *found in standing:
        values = iter(found)
        for field in fields:
            value, sealed = (None, None) if field.personal else (next(values), None)
            if field.personal:
                mark, sealed = next(values), next(values)
            if field.name not in unsaid[line]:
                continue
            if not field.personal:
                columns[field.name][line] = _canonical(field, value)
            elif sealed is not None:
                kept_sealed[line, field.name] = bytes(sealed)
                kept_marks.setdefault(field.name, {})[line] = bytes(mark) if mark is not None else None
    # As objects: pandas would make of texts and None a column of its own type, in which None is no longer None.
    frame = records.frame.assign(**{name: pd.Series(values, dtype=object) for name, values in columns.items()})
    again = prepare(connection, marker, records.kind, frame, kept_marks=kept_marks)
    return replace(again, kept_sealed=kept_sealed)


def _values(kind: RecordKind, field: Field) -> list[sql.Composable]:
    if field.personal:
        return [sql.Identifier("r", f"{field.name}_mark"), sql.Identifier("r", f"{field.name}_sealed")]
    value = sql.SQL("{}::text").format(sql.Identifier("r", field.name))
    if field.name in LIVE_WORDS.get(kind.name, ()):
        # The withdrawal that an undo wrote is nobody's word: whoever says the record again wants it to stand.
        value = sql.SQL("CASE WHEN u.state = 'undone' THEN {} ELSE {} END").format(field.default, value)
    return [value]


def _differs(field: Field) -> sql.Composed:
    if field.personal:
        return sql.SQL("{} IS NOT NULL").format(sql.Identifier("r", f"{field.name}_sealed"))
    return sql.SQL("coalesce({}::text, '') <> {}").format(
        sql.Identifier("r", field.name), sql.Literal(field.default or "")
    )


def _canonical(field: Field, value: str | None) -> str | None:
    if value is None:
        return None
    if field.type is FieldType.HOURS:
        return value.removesuffix(".0")
    return value.replace(" ", "T") if field.type is FieldType.MOMENT else value
