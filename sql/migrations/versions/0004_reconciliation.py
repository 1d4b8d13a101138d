"""Reconciliation both ways and with the sheets, reads of changes, grants."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0004_reconciliation.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: production goes forward only."""
    raise NotImplementedError("0004 is not taken back; restore a backup instead")
