"""Migrations: Alembic under ``sql/migrations``, one at a time whoever asks, forward only.

A release only ever expands the schema, so that code of the release before goes on working beside the new. What takes
something away is a *contracting* migration, one release later, and says so: ``tms_pipeline.store.migration_rules``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from tms_pipeline.store.database import DatabaseError
from tms_pipeline.store.queries import SQL_ROOT
from tms_pipeline.store.queries import text as named

if TYPE_CHECKING:
    from alembic.config import Config

# Any constant: two processes that migrate at once take turns on it.
_LOCK = 7_310_001


@dataclass(frozen=True)
class MigrationState:
    """Where the database stands: the revision it has and those still to come, oldest first.

    ``newer``: the schema is of a newer release than this code. ``too_new``: so new that this code may not work with it.
    """

    current: str | None
    pending: tuple[str, ...]
    newer: bool = False
    too_new: bool = False


def _config() -> Config:
    from alembic.config import Config  # only who migrates pays for loading it: every process asks for the state

    config = Config()
    config.set_main_option("script_location", str(SQL_ROOT / "migrations"))
    return config


def known() -> list[str]:
    """The revisions that this code knows, oldest first: a revision is the number of its file, one after the other."""
    return sorted(path.name[:4] for path in (SQL_ROOT / "migrations" / "versions").glob("[0-9][0-9][0-9][0-9]_*.py"))


def state(url: URL) -> MigrationState:
    """Which migrations the database has and lacks."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return _state(connection)


def _state(connection: SqlConnection) -> MigrationState:
    current = None
    if connection.execute(text("SELECT to_regclass('schema_version')")).scalar() is not None:
        current = connection.execute(text("SELECT version_num FROM schema_version")).scalar()
    ours = known()
    if current is None:
        return MigrationState(current=None, pending=tuple(ours))
    if current in ours:
        return MigrationState(current=current, pending=tuple(ours[ours.index(current) + 1 :]))
    # A release that we do not know has migrated: it tells the oldest code that it still works with.
    try:
        oldest = connection.execute(text("SELECT oldest FROM operations.compatibility")).scalar()
    except SQLAlchemyError:
        oldest = None
    return MigrationState(current=current, pending=(), newer=True, too_new=oldest is None or str(oldest) > ours[-1])


def migrate(url: URL, revision: str = "head") -> MigrationState:
    """Bring the database up to the revision; several callers at once take turns.

    A database of a newer release is left as it is. Raises DatabaseError when this code is too old for it.
    """
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            found = _state(connection)
            connection.rollback()
            if found.too_new:
                raise DatabaseError(
                    f"The database is at {found.current}, for which this version of tms is too old; "
                    "install the newer version, as the schema never goes back."
                )
            if not found.newer:
                from alembic import command

                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
                connection.commit()
                _rights(connection)
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
    return state(url)


def _rights(connection: SqlConnection) -> None:
    """Postgres' own roles and row rules, made again after migrations: a fresh table has neither yet."""
    if connection.execute(text("SELECT to_regclass('identity.role_grant')")).scalar() is not None:
        connection.connection.driver_connection.execute(named("roles/database_roles"))  # type: ignore[union-attr]
        connection.commit()
