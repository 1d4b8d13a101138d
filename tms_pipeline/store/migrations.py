"""Migrations: Alembic under ``sql/migrations``, one at a time whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from tms_pipeline.store.queries import SQL_ROOT

# Any constant: two processes that migrate at once take turns on it.
_LOCK = 7_310_001


@dataclass(frozen=True)
class MigrationState:
    """Where the database stands: the revision it has and those still to come, oldest first."""

    current: str | None
    pending: tuple[str, ...]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SQL_ROOT / "migrations"))
    return config


def state(url: URL) -> MigrationState:
    """Which migrations the database has and lacks."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        current = MigrationContext.configure(
            connection, opts={"version_table": "schema_version"}
        ).get_current_revision()
    script = ScriptDirectory.from_config(_config())
    known = [revision.revision for revision in script.walk_revisions()][::-1]
    start = known.index(current) + 1 if current in known else 0
    return MigrationState(current=current, pending=tuple(known[start:]))


def migrate(url: URL, revision: str = "head") -> MigrationState:
    """Bring the database up to the revision; several callers at once take turns."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        try:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()
    return state(url)
