"""Statements that run once a submission, put together once a process."""

from __future__ import annotations

from functools import cache

from tms_pipeline.store.queries import query


@cache
def statement(name: str, **parts: str) -> bytes:
    """The named query with identifiers filled in, as bytes; only for queries whose parts are identifiers."""
    return query(name, **parts).as_bytes()
