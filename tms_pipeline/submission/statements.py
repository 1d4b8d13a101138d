"""Statements that run once a submission, put together once a process."""

from __future__ import annotations

from functools import cache

from tms_pipeline.store.queries import query

# Few rows of large tables, again and again: planned once a connection (they are executed with ``prepare=True``, as the
# plan of a load takes longer than the load), by index, however old the statistics are.
BY_INDEX = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), "
    "set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)"
)


@cache
def statement(name: str, **parts: str) -> bytes:
    """The named query with identifiers filled in, as bytes; only for queries whose parts are identifiers."""
    return query(name, **parts).as_bytes()
