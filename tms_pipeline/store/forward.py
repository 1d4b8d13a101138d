"""Migrations go forward: each runs the SQL file of its name, and none is taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import op

from tms_pipeline.store.database import DatabaseError


def forward(version_file: str) -> Callable[[], None]:
    """The upgrade of a version: it runs the SQL file of the same name, beside the folder of versions."""
    version = Path(version_file)

    def upgrade() -> None:
        sql = version.parents[1] / f"{version.stem}.sql"
        op.get_bind().connection.driver_connection.execute(sql.read_text(encoding="utf-8"))  # type: ignore[union-attr]

    return upgrade


def refuse_to_go_back(revision: str) -> Callable[[], None]:
    """The downgrade of a version. It raises DatabaseError: what a migration learned or moved cannot be found again."""

    def downgrade() -> None:
        raise DatabaseError(f"Migration {revision} is not taken back; restore a backup from before it instead.")

    return downgrade
