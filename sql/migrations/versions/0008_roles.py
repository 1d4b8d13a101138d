"""Roles of people, reveals; Postgres' own roles follow from sql/roles/database_roles.sql."""

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0008_roles.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Not taken back: production goes forward only."""
    raise NotImplementedError("0008 is not taken back; restore a backup instead")
