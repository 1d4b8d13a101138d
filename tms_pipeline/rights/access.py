"""Subject access: everything that is kept about one person, opened for that person, and who saw it."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

from psycopg import sql

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.audit.reading import of_records, show
from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.opening import open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.rights import requests
from tms_pipeline.rights.holds import known
from tms_pipeline.rights.traces import person_of
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

_KINDS = ("trainee", "enrolment", "fee", "attendance", "assessment")
# Another person's data inside this one's: that they are kept is said, they are not.
_OF_OTHERS = ("employer_contact_name", "employer_contact_email", "employer_contact_phone")
_NOT_SHOWN = ("_mark", "_hash", "_sealed")
_MOST_AUDIT = 100_000

Rows = list[dict[str, Any]]


def collect(connection: Connection, workplace: Workplace, trainee_ref: str) -> dict[str, Rows]:
    """Everything kept about the trainee, by sheet. Raises LookupError for an unknown or a shredded one."""
    known(connection, trainee_ref)
    found: dict[str, Rows] = {}
    for kind in _KINDS:
        found[kind] = _register(connection, workplace, kind, f"register.{kind}", trainee_ref)
        found[f"{kind} before"] = _register(connection, workplace, kind, f"register.{kind}_history", trainee_ref)
    # What SSG holds and we have no record of is known by the mark of the number alone.
    theirs = "%(ref)s = ANY (string_to_array(key, '|'))"
    marked = f"{theirs} OR nric_mark = (SELECT nric_mark FROM identity.trainee WHERE trainee_ref = %(ref)s)"  # noqa: S608
    references = f"SELECT ssg_ref FROM mirror.enrolment WHERE {marked}"  # noqa: S608  (constants)
    for name, table, which in (
        ("enrolment at SSG", "enrolment", marked),
        ("fee at SSG", "fee", f"{theirs} OR ssg_ref IN ({references})"),
        ("attendance at SSG", "attendance", marked),
        ("assessment at SSG", "assessment", marked),
        ("grants at SSG", "grants", f"enrolment_reference IN ({references})"),
    ):
        found[name] = _plain(connection, f"SELECT * FROM mirror.{table} WHERE {which}", {"ref": trainee_ref})  # noqa: S608
    found["submissions"] = _plain(
        connection,
        "SELECT submission_id, kind, key, action, state, ssg_ref, fields, created_at, finished_at, approved_by, "
        "upload_id, sheet, row_number, sentence FROM outbox.submission s "
        "WHERE %s = ANY (string_to_array(s.key, '|')) ORDER BY submission_id",
        trainee_ref,
    )
    found["calls to SSG"] = _plain(
        connection,
        "SELECT a.submission_id, a.number, a.step, a.started_at, a.finished_at, a.outcome, a.http_status, "
        "a.error_code, a.correlation_id FROM outbox.attempt a JOIN outbox.submission s USING (submission_id) "
        "WHERE %s = ANY (string_to_array(s.key, '|')) ORDER BY a.attempt_id",
        trainee_ref,
    )
    found["files that named them"] = _files(connection, workplace, trainee_ref)
    found["findings"] = _plain(
        connection,
        "SELECT d.rule, d.kind, d.run_code, d.last_day, d.standing, d.sentence FROM ("
        "SELECT rule, kind, run_code, last_day, standing, sentence, trainee_ref, review_id FROM finding.deadline "
        "UNION ALL "
        "SELECT rule, kind, run_code, last_day, standing, sentence, trainee_ref, after_review "
        "FROM finding.settled_deadline"
        ") d "
        "WHERE d.trainee_ref = %s ORDER BY d.review_id DESC LIMIT 1000",
        trainee_ref,
    )
    found["decisions"] = _plain(
        connection,
        "SELECT kind, key, how, until, reason, made_by, made_at, ended_at FROM outbox.resolution "
        "WHERE %s = ANY (string_to_array(key, '|')) ORDER BY made_at",
        trainee_ref,
    )
    found["requests"] = _plain(
        connection,
        "SELECT request_id, about, received_on, due, fields, answered_at, answer FROM rights.request "
        "WHERE trainee_ref = %s ORDER BY request_id",
        trainee_ref,
    )
    found["consent"] = _plain(
        connection,
        "SELECT purpose, withdrawn_on, effective_at, given_again_at FROM rights.withdrawal WHERE trainee_ref = %s "
        "ORDER BY withdrawal_id",
        trainee_ref,
    )
    found["legal holds"] = _plain(
        connection,
        "SELECT held_at, released_at FROM rights.legal_hold WHERE trainee_ref = %s ORDER BY hold_id",
        trainee_ref,
    )
    entries = [*show(connection, entity=trainee_ref, last=_MOST_AUDIT), *of_records(connection, trainee_ref)]
    about = sorted({entry["seq"]: entry for entry in entries}.values(), key=lambda entry: -entry["seq"])
    found["who did and saw what"] = [
        {"at": e["at"], "who": e["actor"], "role": e["role"], "action": e["action"], "about": e["entity_key"],
         "details": json.dumps(e["details"], default=str, ensure_ascii=False)}
        for e in reversed(about)
    ]  # fmt: skip
    return found


def export(workplace: Workplace, trainee_ref: str, path: Path, *, actor: Actor) -> tuple[Path, Path, dict[str, int]]:
    """Write a workbook and a JSON file with everything about the trainee; returns both and the rows of each sheet.

    The export stands in the audit log before anything is written, and answers the open access requests.
    """
    with workplace.db.transaction() as connection:
        append(connection, workplace.rings.audit.key, actor, "subject access exported", "trainee", trainee_ref)
        found = collect(connection, workplace, trainee_ref)
        requests.answered(connection, trainee_ref, "access", "exported", actor=actor)
    book = path.with_suffix(".xlsx")
    text = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"provider": workplace.settings.provider_name, "trainee": trainee_ref,
             "made_at": workplace.now().isoformat(), "made_by": actor.name, "kept": found}  # fmt: skip
    _private(text, (json.dumps(facts, indent=2, default=str, ensure_ascii=False) + "\n").encode())
    _private(book, _workbook(workplace, trainee_ref, actor, found))
    return book, text, {name: len(rows) for name, rows in found.items()}


@opening_for("subject access")
def _register(connection: Connection, workplace: Workplace, name: str, table: str, trainee_ref: str) -> Rows:
    kind = kind_named(name)
    rows = _all(connection, f"SELECT * FROM {table} WHERE trainee_ref = %s ORDER BY key, version", trainee_ref)  # noqa: S608
    keys = data_keys(connection, workplace.rings.data, [f"trainee:{trainee_ref}"], make=False)
    key = keys.get(f"trainee:{trainee_ref}")
    personal = {field.name for field in kind.personal_fields}
    found = []
    for row in rows:
        one: dict[str, Any] = {}
        for column, value in row.items():
            field = column.removesuffix("_sealed")
            if column.endswith("_sealed") and field in personal:
                if field in _OF_OTHERS:
                    one[field] = "kept; it is another person's" if value else None
                elif value and key is not None:
                    where = place(f"register.{name}", field, str(row["key"]))
                    one[field] = open_sealed(key, bytes(value), where).decode()
                else:
                    one[field] = None
            elif not column.endswith(_NOT_SHOWN):
                one[column] = value
        found.append(one)
    return found


def _files(connection: Connection, workplace: Workplace, trainee_ref: str) -> Rows:
    person = person_of(connection, workplace, trainee_ref)
    sources = sql.SQL(" UNION ").join(
        sql.SQL(
            "SELECT upload_id, sheet, row_number, {kind} AS kind FROM register.{table} WHERE trainee_ref = %(ref)s"
        ).format(kind=sql.Literal(kind), table=sql.Identifier(f"{kind}{end}"))
        for kind in _KINDS for end in ("", "_history")
    )  # fmt: skip
    rows = _all(connection, query("rights/files_naming", sources=sources), {"ref": trainee_ref})
    # A file's name may name others; their own stays.
    for row in rows:
        stem = str(row["file_name"])
        row["file_name"] = stem if person.is_in([stem]) or row["source"] == "correction" else f"*{Path(stem).suffix}"
    return rows


def _plain(connection: Connection, statement: str, parameters: Any) -> Rows:
    rows = _all(connection, statement, parameters)
    return [{name: value for name, value in row.items() if not name.endswith(_NOT_SHOWN)} for row in rows]


def _all(connection: Connection, statement: Any, parameters: Any) -> Rows:
    cursor = connection.execute(statement, parameters if isinstance(parameters, dict) else (parameters,))
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _private(path: Path, content: bytes) -> None:
    # A name that nobody can guess, and new: in a folder of many somebody may have laid a link or a file there.
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=".")
    with open(descriptor, "wb") as file:
        file.write(content)
    os.replace(fresh, path)


def _workbook(workplace: Workplace, trainee_ref: str, actor: Actor, found: dict[str, Rows]) -> bytes:
    import io

    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    front = book.add_worksheet("About this file")
    lines = [
        ("What this is", f"Everything that {workplace.settings.provider_name} keeps about one person."),
        ("Reference", trainee_ref),
        ("Made", f"{workplace.now():%d %B %Y, %H:%M} by {actor.name}"),
        ("Left out", "Names and contacts of other people, such as an employer's; that they are kept is said."),
        ("To have something corrected", "Tell us the sheet and the row; the old value stays in the history."),
    ]
    for number, (left, right) in enumerate(lines):
        front.write(number, 0, left, bold)
        front.write(number, 1, right, wrap)
    front.set_column(0, 0, 28)
    front.set_column(1, 1, 80)
    start = len(lines) + 1
    front.write_row(start, 0, ["Sheet", "Rows"], bold)
    for number, (name, rows) in enumerate(found.items(), start=start + 1):
        front.write_row(number, 0, [name, len(rows)])
        page = book.add_worksheet(name[:31])
        if not rows:
            page.write(0, 0, "Nothing of this is kept.")
            continue
        names = list(rows[0])
        page.write_row(0, 0, [title.replace("_", " ") for title in names], bold)
        page.freeze_panes(1, 0)
        page.set_column(0, len(names) - 1, 20)
        for line, row in enumerate(rows, start=1):
            page.write_row(line, 0, [_cell(row[title]) for title in names])
    book.close()
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
