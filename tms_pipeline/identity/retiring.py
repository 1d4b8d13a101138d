"""Retirement: an old key leaves its ring for good, once nothing needs it; what is lost with it is said before."""

from __future__ import annotations

from dataclasses import dataclass

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.keyring import KeyringError, KeyRings, drop_version
from tms_pipeline.identity.versions import WRAPPING_LOCK, active_version, set_retired
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection, Database

_LOST = {
    "data": "Backups from before the last rotation of 'data' can be opened only after 'tms keys rejoin' with a newer "
    "key export; whom it shows as shredded stays lost, which is what shredding is for.",
    "index": "A backup from before the last rotation of 'index' has marks of the old key: after it is restored, nobody "
    "in it is recognised, and the same trainees would get new references.",
    "audit": "Entries of the audit log that this key chained, in backups too, could not be verified any more.",
}


@dataclass(frozen=True)
class Need:
    """What still needs a version of a ring, and what is lost with it."""

    ring: str
    version: int
    needed_by: str
    lost: str


def need(connection: Connection, rings: KeyRings, name: str, version: int) -> Need:
    """What still needs that version; ``needed_by`` is empty when nothing does.

    Raises KeyringError for an unknown version.
    """
    ring = rings.named(name)
    if version not in ring.keys:
        raise KeyringError(
            f"The key ring '{name}' has no version {version}; it has {', '.join(map(str, sorted(ring.keys)))}."
        )
    return Need(name, version, _needed_by(connection, name, version, ring.active), _LOST[name])


def _needed_by(connection: Connection, name: str, version: int, newest: int) -> str:
    if version == newest or version == active_version(connection, name):
        return f"It is the active version; rotate the ring first with 'tms keys rotate {name}'."
    if _count(
        connection, "SELECT count(*) FROM identity.rotation WHERE ring = %s AND finished_at IS NULL", name
    ) or (name == "index" and active_version(connection, name) is None):
        return f"A rotation of '{name}' is not finished; finish it with 'tms keys rotate {name}'."
    if name == "data":
        keys = _count(
            connection,
            "SELECT count(*) FROM identity.data_key WHERE wrapped IS NOT NULL AND ring_version = %s",
            version,
        )
        if keys:
            return f"{keys} data keys are still wrapped by it; run 'tms keys rotate data'."
    if name == "audit":
        entries = _count(connection, "SELECT count(*) FROM audit.entry WHERE key_version = %s", version)
        if entries:
            return f"{entries} entries of the audit log are chained by it; only the rule of retention removes them."
    return ""


def _count(connection: Connection, statement: str, value: object) -> int:
    row = connection.execute(statement, (value,)).fetchone()
    return int(row[0]) if row else 0


def retire(db: Database, settings: Settings, rings: KeyRings, name: str, version: int, *, actor: Actor) -> Need:
    """Take the version out of its ring. Raises KeyringError, with what needs it, when something does."""
    with db.transaction() as connection:
        # Nobody wraps a data key meanwhile.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRAPPING_LOCK,))
        found = need(connection, rings, name, version)
        if found.needed_by:
            raise KeyringError(f"Version {version} of '{name}' cannot be retired. {found.needed_by}")
        if settings.key_source == "files":
            set_retired(connection, name, version)
            append(connection, rings.audit.key, actor, "key retired", "key ring", name, version=version)
    # Postgres first: killed here, the key is still there, unused, and is retired by the next try.
    drop_version(settings, rings.named(name), version)
    return found
