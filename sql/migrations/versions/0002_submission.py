"""Submission: what both sides agreed on, order by dependency, expiring approvals, holds, resolutions."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0002_submission.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: what was agreed on cannot be found out again."""
    raise NotImplementedError("0002 is not taken back; restore a backup instead")
