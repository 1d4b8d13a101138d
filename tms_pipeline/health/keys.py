"""The key rings: are they there, ours alone, and the ones that this database was sealed with."""

from __future__ import annotations

import hmac

from tms_pipeline.health.check import Check, degraded, ok
from tms_pipeline.identity import keyring
from tms_pipeline.identity.belonging import fingerprint
from tms_pipeline.identity.data_keys import data_keys
from tms_pipeline.identity.keyring import KeyringError, KeyRings
from tms_pipeline.identity.opening import CannotOpen
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

_REMEDY = (
    "Stop all work ('tms down'; 'tms stop' before it, unless the ring 'audit' is the wrong one), bring the ring of "
    "this installation back from its copy, and look again; never make a new one for a database that holds data."
)


def keys(settings: Settings, connection: Connection | None) -> Check:
    """Read the rings; with a database, see that they are the ones it was sealed with."""
    if settings.key_source == "files" and not (settings.home / "keys").exists():
        return _missing(settings, connection)
    try:
        rings = keyring.rings_of(settings)
    except KeyringError as error:
        return degraded("keys", str(error), _REMEDY, "keys")
    return fit(rings, connection)


def fit(rings: KeyRings, connection: Connection | None) -> Check:
    """Whether these rings are the ones that the database was made with."""
    versions = {ring.name: sorted(ring.keys) for ring in (rings.data, rings.index, rings.audit)}
    if connection is None:
        return ok("keys", "all rings can be read", versions=versions)
    wrong = _swapped(connection, rings)
    if not wrong and not _opens(connection, rings):
        wrong = "data"
    if wrong:
        return degraded(
            "keys", f"The key ring '{wrong}' is not the one that this database was made with.", _REMEDY, "keys",
            versions=versions,
        )  # fmt: skip
    return ok("keys", "all rings are there, for their owner only, and fit this database", versions=versions)


def must_fit(workplace: Workplace) -> None:
    """Seal, mark and send nothing with another installation's rings: our own would never open it.

    Raises KeyringError with what is wrong and what to do.
    """
    with workplace.whole_db.transaction() as connection:
        found = fit(workplace.rings, connection)
    if not found.fine:
        raise KeyringError(f"{found.sentence} {found.remedy}")


def _missing(settings: Settings, connection: Connection | None) -> Check:
    used = connection is not None and connection.execute(query("health/wrapped_key")).fetchone() is not None
    if not used:
        return ok("keys", "none yet; the first verb makes them", versions={})
    return degraded(
        "keys",
        f"The folder {settings.home / 'keys'} is missing, and this database holds sealed values.",
        _REMEDY,
        "keys",
    )


def _swapped(connection: Connection, rings: KeyRings) -> str | None:
    """The ring whose key is another than at the first look."""
    for ring in (rings.data, rings.index, rings.audit):
        for version, key in ring.keys.items():
            mark = fingerprint(key)
            row = connection.execute(
                query("health/key_check"), {"ring": ring.name, "version": version, "mark": mark}
            ).fetchone()
            if row is not None and not hmac.compare_digest(bytes(row[0]), mark):
                return ring.name
    return None


def _opens(connection: Connection, rings: KeyRings) -> bool:
    """Whether the data ring opens the newest data key: its own proof, from before there were fingerprints."""
    row = connection.execute(query("health/wrapped_key")).fetchone()
    if row is None:
        return True
    try:
        data_keys(connection, rings.data, [row[0]], make=False)
    except (CannotOpen, KeyringError):
        return False
    return True
