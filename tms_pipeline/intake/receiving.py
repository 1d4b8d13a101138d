"""Receiving: from the inbox into the sealed archive, with a note for what could not be taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tms_pipeline.intake.inbox import Looks, look, note, read
from tms_pipeline.intake.opening import FileRefused, limits_of
from tms_pipeline.intake.service import receive, receive_again
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
    quiet = workplace.settings.stable_seconds if stable_seconds is None else stable_seconds
    limit = workplace.settings.files_per_tick
    url = workplace.settings.inbox_url
    largest = limits_of(workplace.settings).max_bytes
    found = Received()
    if "://" in url:
        from tms_pipeline.intake import remote_inbox  # loads fsspec: only who has such an inbox pays for it

        remote, found.looks = remote_inbox.look(url, before, at_once=quiet == 0, limit=limit)
        found.waiting = len(found.looks) - len(remote)
        for item in remote:
            _receive(
                workplace,
                found,
                item.name,
                item.source,
                item.size,
                content=partial(remote_inbox.read, item, max_bytes=largest),
                remove=partial(remote_inbox.remove, item),
                note=partial(remote_inbox.note, item),
            )
    else:
        inbox = Path(url)
        inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready, found.looks = look(inbox, before, stable_seconds=quiet, limit=limit)
        found.waiting = len(found.looks) - len(ready)
        for dropped in ready:
            _receive(
                workplace,
                found,
                dropped.path.name,
                dropped.source,
                dropped.size,
                content=partial(read, dropped, max_bytes=largest),
                remove=partial(dropped.path.unlink, missing_ok=True),
                note=partial(note, dropped),
            )
    if found.again:
        from tms_pipeline.intake.results import say_already  # writes workbooks: only loaded when there is one to write

        for upload_id in found.again:
            say_already(workplace, upload_id)
    return found


def _receive(
    workplace: Workplace,
    found: Received,
    name: str,
    source: str,
    size: int,
    *,
    content: Callable[[], bytes],
    remove: Callable[[], None],
    note: Callable[[str], None],
) -> None:
    """Receive one file: archive and upload first, out of the inbox last, so that a crash leaves it in one of both."""
    largest = limits_of(workplace.settings).max_bytes
    if size > largest:
        note(
            f"This file is larger than {largest // 1_000_000} MB and was not taken. "
            "Split it and drop the parts."
        )
        found.failed += 1
        return
    actor = workplace.actor(name=f"inbox: {source}")
    try:
        upload_id, new = receive(workplace, name, content(), source=source, actor=actor)
        remove()
    except OSError as error:
        note(
            f"This file could not be read ({error.strerror or type(error).__name__}) and was not taken. "
            "Close it, check that it may be read, and drop it again."
        )
        found.failed += 1
        return
    except FileRefused as refusal:
        note(f"{refusal.fault.sentence} {refusal.fault.fix}")
        found.failed += 1
        return
    new = new or receive_again(workplace, upload_id, actor=actor)
    (found.uploads if new else found.again).append(upload_id)


def received_uploads(workplace: Workplace) -> list[tuple[str, int]]:
    """(upload id, attempt) of uploads that were received and not taken in yet, oldest first."""
    return [
        (row[0], row[1])
        for row in workplace.db.rows(
            "SELECT upload_id, attempt FROM intake.upload WHERE state = 'received' ORDER BY received_at, upload_id"
        )
    ]
