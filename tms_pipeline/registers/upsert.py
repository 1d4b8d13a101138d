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
    staged = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(stage))).fetchone()
    replaced = connection.execute(
        query(
            "registers/keep_history",
            history=f"{register}_history",
            register=register,
            stage=stage,
            columns=columns(names),
            old_columns=columns(names, "r."),
        )
    ).rowcount
    changed = inserted = 0
    if replaced:
        changed = connection.execute(
            query(
                "registers/change",
                register=register,
                stage=stage,
                value_columns=columns(values),
                new_values=columns(values, "s."),
            )
        ).rowcount
    if staged is None or staged[0] > replaced:
        inserted = connection.execute(
            query(
                "registers/insert",
                register=register,
                history=f"{register}_history",
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
    rows = connection.execute(
        query("registers/changed_fields", stage=stage, register=f"register.{kind.name}", pairs=_pairs(kind, "r", "s"))
    ).fetchall()
    personal = {field.name for field in kind.personal_fields}
    return [
        (line, name, "sealed" if name in personal else was, "sealed" if name in personal else becomes)
        for line, name, was, becomes in rows
    ]


def changes_of_upload(
    connection: Connection, kind: RecordKind, upload_id: str
) -> list[tuple[str, int, str | None, str, str]]:
    """(sheet, row, field, was, becomes) of what stands in the register from that upload.

    No field for a record that was new; of a personal field nothing but its name.
    """
    personal = {field.name for field in kind.personal_fields}
    rows = connection.execute(
        query(
            "intake/changes_of_upload",
            register=f"register.{kind.name}",
            history=f"register.{kind.name}_history",
            pairs=_pairs(kind, "h", "r"),
        ),
        {"upload_id": upload_id},
    ).fetchall()
    return [
        (sheet, row, name, *(("", "") if name in personal else (was or "", becomes or "")))
        for sheet, row, name, was, becomes in rows
    ]


def _pairs(kind: RecordKind, before: str, after: str) -> sql.Composable:
    """(field, old words, new words) of every field: personal ones by their marks."""
    pairs = []
    for field in kind.fields:
        if field.name == "nric":
            continue
        form = "({}, encode({}, 'hex'), encode({}, 'hex'))" if field.personal else "({}, {}::text, {}::text)"
        column = f"{field.name}_mark" if field.personal else field.name
        old, new = sql.Identifier(before, column), sql.Identifier(after, column)
        pairs.append(sql.SQL(form).format(sql.Literal(field.name), old, new))
    return sql.SQL(", ").join(pairs)


def register_columns(connection: Connection, kind: RecordKind) -> tuple[str, ...]:
    """The columns of the register, in their order, as Postgres has them."""
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'register' AND table_name = %s "
        "ORDER BY ordinal_position",
        (kind.name,),
    ).fetchall()
    return tuple(row[0] for row in found)
