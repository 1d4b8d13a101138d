"""Operations: fingerprints of keys, totals of calls, reports of data migrations, compatibility."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0009_operations.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: production goes forward only."""
    raise NotImplementedError("0009 is not taken back; restore a backup instead")
