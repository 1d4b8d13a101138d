"""Versions: which version of each ring makes new values, kept in Postgres, so that every process goes by the same.

The keys themselves are never in Postgres; only their numbers are.
"""

from __future__ import annotations

from tms_pipeline.store.database import Connection

# Any constants: writers of marks and of data keys share them, a rotation's last step and a retirement take them alone.
MARKING_LOCK = 7_310_103
WRAPPING_LOCK = 7_310_104

_ACTIVE = "SELECT version FROM identity.ring_version WHERE ring = %s AND state = 'active'"


def active_version(connection: Connection, ring: str) -> int | None:
    """The version that makes new values; None for a ring that was never rotated."""
    row = connection.execute(_ACTIVE, (ring,)).fetchone()
    return int(row[0]) if row else None


def marking_version(connection: Connection) -> int | None:
    """The version of marks that counts, held still until the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (MARKING_LOCK,))
    return active_version(connection, "index")


def wrapping_version(connection: Connection) -> int | None:
    """The version that wraps new data keys, held still until the end of the transaction."""
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (WRAPPING_LOCK,))
    return active_version(connection, "data")


def set_active(connection: Connection, ring: str, version: int) -> None:
    """From now on this version makes new values of that ring; those before it stay valid."""
    connection.execute(
        "UPDATE identity.ring_version SET state = 'valid', since = now() WHERE ring = %s AND state = 'active' "
        "AND version <> %s",
        (ring, version),
    )
    connection.execute(
        "INSERT INTO identity.ring_version (ring, version, state) VALUES (%s, %s, 'active') "
        "ON CONFLICT (ring, version) DO UPDATE SET state = 'active', since = now() "
        "WHERE identity.ring_version.state <> 'active'",
        (ring, version),
    )


def set_retired(connection: Connection, ring: str, version: int) -> None:
    """That version is gone for good."""
    connection.execute(
        "INSERT INTO identity.ring_version (ring, version, state) VALUES (%s, %s, 'retired') "
        "ON CONFLICT (ring, version) DO UPDATE SET state = 'retired', since = now()",
        (ring, version),
    )
