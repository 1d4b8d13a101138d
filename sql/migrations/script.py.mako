"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """${message}"""
    ${upgrades if upgrades else "raise RuntimeError('write the migration')"}


def downgrade() -> None:
    """Take it back; only for scratch databases."""
    ${downgrades if downgrades else "raise RuntimeError('forward only')"}
