"""Stopped meanwhile: what a person held or decided while it was being sent or searched for is not sent again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tms_pipeline.store.database import Connection
from tms_pipeline.submission.statements import statement


def keep_stopped(connection: Connection, again: Iterable[tuple[str, int]], *, today: date) -> None:
    """Hold, or give up, what came back to be sent again and a person stopped meanwhile. ``again``: kinds and numbers
    of submissions that were just made ready."""
    by_kind: dict[str, list[int]] = {}
    for kind, number in again:
        by_kind.setdefault(kind, []).append(number)
    for kind, numbers in by_kind.items():
        connection.execute(
            statement("outbox/decided_meanwhile", register=f"register.{kind}"),
            {"ids": numbers, "kind": kind, "today": today},
        )
    if by_kind:
        ids = [number for numbers in by_kind.values() for number in numbers]
        connection.execute(statement("outbox/held_meanwhile"), {"ids": ids})
