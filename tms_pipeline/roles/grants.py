"""Grants: who has which role, in Postgres, each change of it in the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import errors

from tms_pipeline.audit.log import append
from tms_pipeline.roles.guard import needs
from tms_pipeline.roles.matrix import matrix
from tms_pipeline.roles.person import SERVICES, WAYS, Person
from tms_pipeline.store.database import Connection, Database

if TYPE_CHECKING:
    from tms_pipeline.workplace import Workplace

# Any constant: two who change roles take turns, so that the last admin cannot go twice.
_LOCK = 7_310_008


@dataclass(frozen=True)
class Grant:
    """One role of one person."""

    person: str
    role: str
    ways: tuple[str, ...]
    trainer_code: str | None
    granted_by: str
    granted_at: datetime


def grants(db: Database) -> list[Grant] | None:
    """The grants in force; None when the database has no table of them yet."""
    try:
        rows = db.rows(
            "SELECT person, role, ways, trainer_code, granted_by, granted_at FROM identity.role_grant "
            "WHERE revoked_at IS NULL ORDER BY person"
        )
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return None
    return [Grant(person, role, tuple(ways), code, by, at) for person, role, ways, code, by, at in rows]


@needs("roles list")
def list_grants(workplace: Workplace) -> list[Grant]:
    """The grants in force."""
    return grants(workplace.db) or []


@needs("roles grant")
def grant(
    workplace: Workplace,
    person: str,
    role: str,
    *,
    ways: tuple[str, ...] = ("system", "token"),
    trainer_code: str | None = None,
) -> None:
    """Give the person this role in place of the one they have.

    With the first grant the maker of the installation gets the role admin in the same step, so that nobody locks
    themselves out. Raises ValueError with one sentence for a role, way or trainer that is not there.
    """
    person = person.strip()
    if role not in matrix().roles:
        raise ValueError(f"There is no role '{role}'; the roles are {', '.join(matrix().roles)}.")
    if not ways or not set(ways) <= set(WAYS):
        raise ValueError(f"A name is proven by {', '.join(WAYS)}; give at least one of them.")
    if not person or person in SERVICES or not person.isprintable():
        raise ValueError("A role is given to a person; name one as the system, a token or the proxy names them.")
    if (role == "trainer") != bool(trainer_code):
        raise ValueError("A trainer, and nobody else, needs --trainer with the Trainer Code of the workbooks.")
    maker = workplace.person
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if (
            trainer_code
            and not connection.execute("SELECT 1 FROM register.trainer WHERE key = %s", (trainer_code,)).fetchone()
        ):
            raise ValueError(f"The register knows no trainer {trainer_code}; see the Trainer Code in the workbook.")
        first = not connection.execute("SELECT 1 FROM identity.role_grant WHERE revoked_at IS NULL").fetchone()
        if first and maker.name != person:
            _give(connection, workplace, maker.name, "admin", ("system", "token"), None)
        elif first and role != "admin":
            raise ValueError("The first role is that of an admin: give yourself 'admin' first.")
        _take(connection, workplace, person)
        _give(connection, workplace, person, role, ways, trainer_code)
        _keep_an_admin(connection)


@needs("roles revoke")
def revoke(workplace: Workplace, person: str) -> None:
    """Take the person's role and every token of theirs away. Raises ValueError for nobody or the last admin."""
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if not _take(connection, workplace, person):
            raise ValueError(f"{person} has no role; see 'tms roles list'.")
        _keep_an_admin(connection)


def _give(
    connection: Connection, workplace: Workplace, person: str, role: str, ways: tuple[str, ...], code: str | None
) -> None:
    by: Person = workplace.person
    connection.execute(
        "INSERT INTO identity.role_grant (person, role, ways, trainer_code, granted_by) VALUES (%s, %s, %s, %s, %s)",
        (person, role, list(ways), code, by.name),
    )
    append(
        connection,
        workplace.rings.audit.key,
        workplace.actor(),
        "role granted",
        "person",
        person,
        given=role,
        ways=list(ways),
        trainer=code,
    )


def _take(connection: Connection, workplace: Workplace, person: str) -> bool:
    row = connection.execute(
        "UPDATE identity.role_grant SET revoked_at = now(), revoked_by = %s "
        "WHERE person = %s AND revoked_at IS NULL RETURNING role",
        (workplace.person.name, person),
    ).fetchone()
    if row is None:
        return False
    append(connection, workplace.rings.audit.key, workplace.actor(), "role revoked", "person", person, had=row[0])
    return True


def _keep_an_admin(connection: Connection) -> None:
    if not connection.execute(
        "SELECT 1 FROM identity.role_grant WHERE revoked_at IS NULL AND role = 'admin' AND 'system' = ANY(ways)"
    ).fetchone():
        raise ValueError("That would leave no admin on this machine; give somebody else 'admin' first.")
