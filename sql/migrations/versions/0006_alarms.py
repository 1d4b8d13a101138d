"""Alarms: raised once a step and subject, and the messages that tell people of them."""

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0006_alarms.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: production goes forward only."""
    raise NotImplementedError("0006 is not taken back; restore a backup instead")
