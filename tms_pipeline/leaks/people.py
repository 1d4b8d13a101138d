"""What to search for: every personal value that the registers hold, opened in memory; the installation's secrets."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from psycopg import sql

from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.opening import CannotOpen, open_sealed, opening_for
from tms_pipeline.identity.sealing import place
from tms_pipeline.leaks.patterns import Known
from tms_pipeline.records.kinds import KINDS
from tms_pipeline.registers.staging import subject_of
from tms_pipeline.store.database import Connection
from tms_pipeline.workplace import Workplace

_MANY = 2_000


def sort_of(field: str) -> str:
    """The sort of a personal field, as the report names it."""
    for end, sort in (("nric", "nric"), ("birth_date", "birth date"), ("phone", "phone"), ("email", "e-mail")):
        if field.endswith(end):
            return sort
    return "name"


def _known(sort: str, value: str, whose: str) -> Known:
    # A phone's digits and a short name stand inside other words by chance; a number or an address does not.
    return Known(sort, value, whose, word=sort in ("phone", "name", "birth date"))


def of_registers(workplace: Workplace) -> list[Known]:
    """Every sealed value of the registers and their history, opened in memory and nowhere kept."""
    found: set[Known] = set()
    with workplace.whole_db.transaction() as connection:
        for kind in KINDS.values():
            fields = [f.name for f in kind.fields if f.personal and (f.name != "nric" or kind.name == "trainee")]
            for table in (kind.name, f"{kind.name}_history") if fields else ():
                found |= set(_of_table(connection, workplace, kind.name, table, fields))
    return sorted(found, key=lambda item: (item.sort, item.value))


@opening_for("leak scan")
def _opened(
    workplace: Workplace, kind: str, rows: list[tuple[Any, ...]], keys: dict[str, bytes], fields: list[str]
) -> list[Known]:
    found = []
    for key, ref, *sealed in rows:
        subject = subject_of(KINDS[kind], key, ref)
        for field, value in zip(fields, sealed, strict=True):
            if value is None or subject not in keys:
                continue
            try:
                plain = open_sealed(keys[subject], bytes(value), place(f"register.{kind}", field, key)).decode()
            except CannotOpen:
                continue  # a value that does not open is nobody's; 'tms keys' and drills say so
            found.append(_known(sort_of(field), plain, str(ref or key)))
    return found


def _of_table(
    connection: Connection, workplace: Workplace, kind: str, table: str, fields: list[str]
) -> Iterator[Known]:
    ref = sql.Identifier("trainee_ref") if "nric" in KINDS[kind].names else sql.SQL("NULL")
    statement = sql.SQL("SELECT key, {}, {} FROM {}").format(
        ref,
        sql.SQL(", ").join(sql.Identifier(f"{field}_sealed") for field in fields),
        sql.Identifier("register", table),
    )
    with connection.cursor(name=f"people_{table}") as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_MANY):
            subjects = [subject_of(KINDS[kind], row[0], row[1]) for row in rows]
            yield from _opened(workplace, kind, rows, _keys(connection, workplace, subjects), fields)


def _keys(connection: Connection, workplace: Workplace, subjects: list[str]) -> dict[str, bytes]:
    alive = [
        row[0]
        for row in connection.execute(
            "SELECT subject FROM identity.data_key WHERE subject = ANY(%s) AND wrapped IS NOT NULL", (subjects,)
        )
    ]
    try:
        return data_keys(connection, workplace.rings.data, alive, make=False)
    except KeyShredded:  # shredded between the two statements
        return {}


def of_file(path: Path) -> list[Known]:
    """Values of a file: JSON (a list of objects) or CSV with a heading, ``sort`` by heading, one person a row.

    Raises ValueError with one sentence for anything else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text) if path.suffix.lower() == ".json" else list(csv.DictReader(text.splitlines()))
        return [
            _known(sort_of(str(name).lower().replace(" ", "_").replace("-", "")), str(value), f"row {number}")
            for number, row in enumerate(rows, 1)
            for name, value in row.items()
            if value
        ]
    except (OSError, ValueError, AttributeError, TypeError):
        raise ValueError(
            f"{path} is no list of people; give CSV with a heading, or JSON with a list of objects."
        ) from None


def of_term(today: date) -> list[Known]:
    """Everybody of the made-up term of the demo, those included whom no register took."""
    from tms_pipeline.examples.term import make_term

    term = make_term(today=today)
    found = []
    for person in (*term.trainees, *term.spares):
        found += [
            _known("nric", person.nric, "term"),
            _known("name", person.name, "term"),
            _known("e-mail", person.email, "term"),
            _known("phone", person.phone, "term"),
            _known("birth date", person.birth, "term"),
        ]
    for trainer in term.trainers:
        found += [
            _known("nric", trainer.nric, "term"),
            _known("name", trainer.name, "term"),
            _known("e-mail", trainer.email, "term"),
        ]
    for employer in term.employers:
        found += [
            _known("name", employer.contact, "term"),
            _known("e-mail", employer.email, "term"),
            _known("phone", employer.phone, "term"),
        ]
    return found


def secrets_of(workplace: Workplace) -> list[Known]:
    """The installation's own secrets: they belong into the environment and the key folder, and nowhere else."""
    settings = workplace.settings
    given = {
        "SSG_CLIENT_SECRET": settings.ssg_client_secret.get_secret_value(),
        "SSG_ENCRYPTION_KEY": settings.ssg_encryption_key.get_secret_value(),
        "TMS_PROXY_SECRET": settings.proxy_secret.get_secret_value(),
        "TMS_TOKEN": settings.token.get_secret_value(),
        "DATABASE_URL": str(workplace.whole_db.url.password or ""),
    }
    for ring in (workplace.rings.data, workplace.rings.index, workplace.rings.audit):
        given |= {
            f"key ring {ring.name} {version}": base64.b64encode(key).decode() for version, key in ring.keys.items()
        }
    return [Known("secret", value, name, word=False) for name, value in given.items() if len(value) >= 8]
