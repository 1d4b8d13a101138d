"""Postgres' own roles and its row rules: made after migrations, and again by ``tms roles database``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import text

if TYPE_CHECKING:
    from tms_pipeline.workplace import Workplace

# owner: makes and alters tables; app: the pipeline; reader: figures without people; auditor: all but sealed values;
# trainer, finance: reads under row rules.
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
    with workplace.db.transaction() as connection:
        return make(connection)


def there(db: Database, role: str) -> bool:
    """Whether the role exists and this user may take it."""
    return bool(
        db.value(
            # From Postgres 16 on a member may be one without the right to take the role.
            "SELECT pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' "
            "ELSE 'MEMBER' END) FROM pg_roles WHERE rolname = %s",
            (role,),
        )
    )


def missing(db: Database) -> list[str]:
    """The roles that this database lacks or that its user may not take."""
    return [role for role in ROLES if not there(db, role)]
