"""Marks: keyed HMACs of personal values, for joins and comparison without showing or opening them.

An unkeyed hash of an NRIC is broken in seconds (there are forty million), so the key lies outside Postgres.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

MARK_BYTES = 16


class Marker:
    """Makes marks with the index key. The same field and value always make the same mark."""

    def __init__(self, key: bytes) -> None:
        """Keep the key."""
        self._key = key

    def mark(self, field: str, value: str | None) -> bytes | None:
        """The mark of a canonical value of that field; None for no value."""
        if value is None or value == "":
            return None
        return hmac.digest(self._key, f"{field}|{value}".encode(), "sha256")[:MARK_BYTES]

    def marks(self, field: str, values: Iterable[str | None]) -> list[bytes | None]:
        """The marks of many values of one field."""
        key, lead = self._key, f"{field}|".encode()
        digest = hmac.digest
        return [digest(key, lead + value.encode(), "sha256")[:MARK_BYTES] if value else None for value in values]
