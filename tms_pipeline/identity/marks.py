"""Marks: keyed HMACs of personal values, for joins and comparison without showing or opening them.

An unkeyed hash of an NRIC is broken in seconds (there are forty million), so the key lies outside Postgres.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from tms_pipeline.identity.keyring import KeyRing
from tms_pipeline.identity.versions import marking_version
from tms_pipeline.store.database import Connection

MARK_BYTES = 16


class Marker:
    """Makes marks with the index key. The same canonical field and value always make the same mark.

    Made from a ring, it follows the version that counts in Postgres: call ``follow`` first in each transaction that
    writes or compares marks.
    """

    def __init__(self, key: KeyRing | bytes) -> None:
        """Keep the ring, or one key."""
        self._ring = key if isinstance(key, KeyRing) else None
        self._key = bytes(key.key if isinstance(key, KeyRing) else key)

    def follow(self, connection: Connection) -> Marker:
        """Mark with the version that counts, and hold it still until the end of the transaction."""
        if self._ring is not None:
            version = marking_version(connection)
            self._key = bytes(self._ring.at(version if version is not None else min(self._ring.keys)))
        return self

    def mark(self, field: str, value: str | None) -> bytes | None:
        """The mark of a canonical value of that field; None for no value."""
        if value is None or value == "":
            return None
        return hmac.digest(self._key, f"{field}|{value}".encode(), "sha256")[:MARK_BYTES]

    def marks(self, field: str, values: Iterable[str | None]) -> list[bytes | None]:
        """The marks of many values of one field."""
        key, lead = self._key, f"{field}|".encode()
        digest, listed = hmac.digest, list(values)
        # A person stands in many rows of attendance: each value is marked once.
        made: dict[str | None, bytes | None] = {
            value: digest(key, lead + value.encode(), "sha256")[:MARK_BYTES] if value else None for value in set(listed)
        }
        return [made[value] for value in listed]
