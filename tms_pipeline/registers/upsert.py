"""Upsert: the staged rows into their register, set-based, with the replaced versions kept as history."""

from __future__ import annotations

from psycopg import sql

from tms_pipeline.records.field import RecordKind
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import columns, query

_KEPT_BY_REGISTER = frozenset({"key", "version", "valid_from"})


def upsert(connection: Connection, kind: RecordKind, stage: str, upload_id: str) -> tuple[int, int]:
    """Write the staged rows; returns (inserted, changed). Unchanged rows are not staged."""
    register = f"register.{kind.name}"
    names = register_columns(connection, kind)
    values = tuple(name for name in names if name not in _KEPT_BY_REGISTER)
    connection.execute(
        query(
            "registers/keep_history",
            history=f"{register}_history",
            register=register,
            stage=stage,
            columns=columns(names),
            old_columns=columns(names, "r."),
        )
    )
    changed = connection.execute(
        query(
            "registers/change",
            register=register,
            stage=stage,
            value_columns=columns(values),
            new_values=columns(values, "s."),
        )
    ).rowcount
    inserted = connection.execute(
        query(
            "registers/insert",
            register=register,
            stage=stage,
            all_columns=columns(("key", *values)),
            all_values=columns(("key", *values), "s."),
        )
    ).rowcount
    if kind.name in ("trainee", "enrolment"):
        connection.execute(query("registers/enrolment_hash"), {"upload_id": upload_id})
    return inserted, changed


def changed_fields(
    connection: Connection, kind: RecordKind, stage: str
) -> list[tuple[int, str, str | None, str | None]]:
    """(line, field, was, becomes) of every staged row that the register holds already; personal ones say ``sealed``."""
    pairs = []
    for field in kind.fields:
        if field.name == "nric":
            continue
        name = sql.Literal(field.name)
        if field.personal:
            mark = sql.Identifier(f"{field.name}_mark")
            pairs.append(sql.SQL("({}, encode(r.{}, 'hex'), encode(s.{}, 'hex'))").format(name, mark, mark))
        else:
            column = sql.Identifier(field.name)
            pairs.append(sql.SQL("({}, r.{}::text, s.{}::text)").format(name, column, column))
    rows = connection.execute(
        query(
            "registers/changed_fields", stage=stage, register=f"register.{kind.name}", pairs=sql.SQL(", ").join(pairs)
        )
    ).fetchall()
    personal = {field.name for field in kind.personal_fields}
    return [
        (line, name, "sealed" if name in personal else was, "sealed" if name in personal else becomes)
        for line, name, was, becomes in rows
    ]


def register_columns(connection: Connection, kind: RecordKind) -> tuple[str, ...]:
    """The columns of the register, in their order, as Postgres has them."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'register' AND table_name = %s "
        "ORDER BY ordinal_position",
        (kind.name,),
    ).fetchall()
    return tuple(row[0] for row in found)
