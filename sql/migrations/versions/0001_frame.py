"""The first frame: identity, intake, registers with history, mirror, outbox, findings, audit."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL file of the same name."""
    sql = (Path(__file__).parents[1] / "0001_frame.sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(sql)


def downgrade() -> None:
    """Drop what the frame made; only for scratch databases."""
    for schema in ("audit", "finding", "ssg", "outbox", "mirror", "register", "intake", "identity"):
        op.get_bind().exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
