"""Keys that are rotated and retired, an audit log that knows its keys, and the rights of people."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0007_keys_audit_rights.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: production goes forward only."""
    raise NotImplementedError("0007 is not taken back; restore a backup instead")
