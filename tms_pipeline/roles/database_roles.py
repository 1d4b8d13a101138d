"""Postgres' own roles and its row rules: made after migrations, and again by ``tms roles database``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import text

if TYPE_CHECKING:
    from tms_pipeline.workplace import Workplace

# owner: makes and alters tables; app: the pipeline; reader: figures without people; auditor: all but sealed values;
# trainer, finance: reads under row rules.
APP = "tms_app"
ROLES = ("tms_owner", "tms_app", "tms_reader", "tms_auditor", "tms_trainer", "tms_finance")


def make(connection: Connection) -> list[str]:
    """Make the roles, their rights and the row rules, on every table there is; safe to run again.

    Returns what Postgres had to say: a user that may not make roles leaves them out, and says so in a notice.
    """
    said: list[str] = []

    def keep(diagnostic: object) -> None:
        message = getattr(diagnostic, "message_primary", "") or ""
        if message.startswith("tms: "):
            said.append(message.removeprefix("tms: "))

    connection.add_notice_handler(keep)
    try:
        connection.execute(text("roles/database_roles"))
    finally:
        connection.remove_notice_handler(keep)
    return said


@needs("roles database")
def make_again(workplace: Workplace) -> list[str]:
    """Make the roles after the fact, with a user of Postgres that may."""
    with workplace.owner_db.transaction() as connection:
        return make(connection)


def there(db: Database, role: str) -> bool:
    """Whether the role exists and this user may take it."""
    return bool(
        db.value(
            # Of the user who logged in, whatever role it has taken. From Postgres 16 on a member may be one without the
            # right to take the role.
            "SELECT pg_has_role(session_user, oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN "
            "'SET' ELSE 'MEMBER' END) FROM pg_roles WHERE rolname = %s",
            (role,),
        )
    )


def role_of_app(db: Database) -> str | None:
    """The role as which the pipeline works: tms_app, if it is there with the rights of this very release; else None.

    None is the user of DATABASE_URL: a user who may not make roles, or may not exempt one from the row rules, which
    COPY needs; or rights of another release, until the next migration or ``tms roles database``.
    """
    row = db.rows(
        "SELECT r.rolbypassrls AND pg_has_role(session_user, r.oid, "
        "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) "
        # A dump that was restored without its grants has the mark all the same.
        "AND has_schema_privilege(r.oid, to_regnamespace('register'), 'USAGE') "
        "AND has_table_privilege(r.oid, to_regclass('register.trainee'), 'INSERT') "
        "AND has_table_privilege(r.oid, to_regclass('audit.entry'), 'INSERT'), "
        "obj_description(to_regnamespace('identity'), 'pg_namespace') "
        "FROM pg_roles r WHERE r.rolname = %s",
        (APP,),
    )
    mark = "rights " + hashlib.md5(text("roles/database_roles").encode(), usedforsecurity=False).hexdigest()
    return APP if row and row[0][0] and row[0][1] == mark else None


def missing(db: Database) -> list[str]:
    """The roles that this database lacks or that its user may not take."""
    return [role for role in ROLES if not there(db, role)]
