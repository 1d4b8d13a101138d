"""Data keys: one a subject (trainee, trainer, upload), kept in Postgres wrapped by the data ring."""

from __future__ import annotations

from collections.abc import Iterable

from tms_pipeline.identity.keyring import KeyRing
from tms_pipeline.identity.opening import open_sealed
from tms_pipeline.identity.sealing import new_data_key, place, seal
from tms_pipeline.identity.versions import wrapping_version
from tms_pipeline.store.database import Connection, copy_rows


class KeyShredded(Exception):
    """The subject's data key was shredded: what it sealed is gone for good."""


def where(subject: str) -> bytes:
    """The place that a wrapped data key is bound to."""
    return place("identity.data_key", "wrapped", subject)


def data_keys(connection: Connection, ring: KeyRing, subjects: Iterable[str], *, make: bool) -> dict[str, bytes]:
    """The data keys of the subjects. With ``make``, missing ones are made.

    Raises KeyShredded for a subject whose key was shredded; a missing one without ``make`` is left out.
    """
    wanted = sorted(set(subjects))
    if not wanted:
        return {}
    if make:
        # Two processes may meet a new subject at once; the loser's key is dropped and the winner's read.
        missing = _missing(connection, wanted)
        if missing:
            # Never with a version that is about to be retired: this process may have slept through a rotation.
            version = wrapping_version(connection) or ring.active
            wrapping = ring.at(version)
            fresh = [(subject, seal(wrapping, new_data_key(), where(subject)), version) for subject in missing]
            connection.execute(
                "CREATE TEMP TABLE IF NOT EXISTS fresh_data_key (subject text, wrapped bytea, ring_version integer) "
                "ON COMMIT DELETE ROWS"
            )
            connection.execute("TRUNCATE fresh_data_key")
            copy_rows(connection, "fresh_data_key", ("subject", "wrapped", "ring_version"), fresh)
            connection.execute(
                "INSERT INTO identity.data_key (subject, wrapped, ring_version) "
                "SELECT subject, wrapped, ring_version FROM fresh_data_key ON CONFLICT (subject) DO NOTHING"
            )
    found = connection.execute(
        "SELECT subject, wrapped, ring_version FROM identity.data_key WHERE subject = ANY(%s)", (wanted,)
    ).fetchall()
    keys = {}
    for subject, wrapped, version in found:
        if wrapped is None:
            raise KeyShredded(f"the data key of {subject} was shredded")
        keys[subject] = open_sealed(ring.at(version), bytes(wrapped), where(subject))
    return keys


def _missing(connection: Connection, wanted: list[str]) -> list[str]:
    have = {
        row[0] for row in connection.execute("SELECT subject FROM identity.data_key WHERE subject = ANY(%s)", (wanted,))
    }
    return [subject for subject in wanted if subject not in have]


def replace_data_key(connection: Connection, ring: KeyRing, subject: str) -> bytes:
    """A fresh data key in the place of the subject's, whose old one is gone: what it sealed must be sealed again."""
    version = wrapping_version(connection) or ring.active
    key = new_data_key()
    connection.execute(
        "UPDATE identity.data_key SET wrapped = %s, ring_version = %s, created_at = now() "
        "WHERE subject = %s AND wrapped IS NOT NULL",
        (seal(ring.at(version), key, where(subject)), version, subject),
    )
    return key


def shred(connection: Connection, subjects: Iterable[str]) -> int:
    """Destroy the data keys of the subjects; returns how many there were. What they sealed cannot be opened again."""
    return connection.execute(
        "UPDATE identity.data_key SET wrapped = NULL, shredded_at = now() WHERE subject = ANY(%s) "
        "AND wrapped IS NOT NULL",
        (sorted(set(subjects)),),
    ).rowcount
