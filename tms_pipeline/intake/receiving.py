"""Receiving: from the inbox into the sealed archive, with a note for what could not be taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tms_pipeline.intake.inbox import Looks, look, note
from tms_pipeline.intake.opening import Limits
from tms_pipeline.intake.service import receive_dropped
from tms_pipeline.workplace import Workplace


@dataclass
class Received:
    """What one look into the inbox brought."""

    uploads: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    failed: int = 0
    waiting: int = 0
    looks: Looks = field(default_factory=dict)


def receive_inbox(
    workplace: Workplace, before: Mapping[str, tuple[int, int]], *, stable_seconds: float | None = None
) -> Received:
    """Receive every file of the inbox that stands still; the same bytes again are answered, not taken in again.

    Raises OSError when the inbox itself cannot be read.
    """
    inbox = Path(workplace.settings.inbox_url)
    inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
    quiet = workplace.settings.stable_seconds if stable_seconds is None else stable_seconds
    ready, looks = look(inbox, before, stable_seconds=quiet, limit=workplace.settings.files_per_tick)
    found = Received(looks=looks, waiting=len(looks) - len(ready))
    limits = Limits()
    for dropped in ready:
        if dropped.size > limits.max_bytes:
            note(
                dropped,
                f"This file is larger than {limits.max_bytes // 1_000_000} MB and was not taken. "
                "Split it and drop the parts.",
            )
            found.failed += 1
            continue
        try:
            upload_id, new = receive_dropped(workplace, dropped, actor=workplace.actor(name="inbox"))
        except OSError as error:
            note(
                dropped,
                f"This file could not be read ({error.strerror or type(error).__name__}) and was not taken. "
                "Close it, check that it may be read, and drop it again.",
            )
            found.failed += 1
            continue
        (found.uploads if new else found.again).append(upload_id)
    if found.again:
        from tms_pipeline.intake.results import say_already  # writes workbooks: only loaded when there is one to write

        for upload_id in found.again:
            say_already(workplace, upload_id)
    return found


def received_uploads(workplace: Workplace) -> list[tuple[str, int]]:
    """(upload id, attempt) of uploads that were received and not taken in yet, oldest first."""
    return [
        (row[0], row[1])
        for row in workplace.db.rows(
            "SELECT upload_id, attempt FROM intake.upload WHERE state = 'received' ORDER BY received_at, upload_id"
        )
    ]
