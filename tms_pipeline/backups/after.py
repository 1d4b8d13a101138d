"""After a restore: an older dump believes that less was sent. Nothing it believes is acted on before SSG was asked.

What was under way is searched at SSG before it is sent; every approval has ended; nothing is planned before SSG was
read again, whole; and nothing is called before a record that was sent last can be seen.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from tms_pipeline.audit.anchors import AnchorError, anchors, file_of
from tms_pipeline.identity.versions import set_active
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import credential_of
from tms_pipeline.workplace import Workplace


def make_safe(connection: Connection, workplace: Workplace, made_at: datetime) -> dict[str, int]:
    """Bring a restored database into a state from which nothing can be sent twice; returns what was moved, by what."""
    searched, anew, letters = _look_first(connection, made_at)
    connection.execute(query("backups/approvals_end"))
    unread = connection.execute(query("backups/reads_end"), {"days": workplace.settings.full_read_days + 1}).rowcount
    connection.execute(query("backups/trainee_number"))
    # The ring may have been rotated since: what the dump calls active may be gone for good, and so may be the version
    # to which a rotation was under way. Data keys that it left behind are wrapped again by the next one.
    connection.execute("UPDATE identity.rotation SET finished_at = now() WHERE ring = 'data' AND finished_at IS NULL")
    if connection.execute("SELECT FROM identity.ring_version WHERE ring = 'data' AND state = 'active'").fetchone():
        set_active(connection, "data", workplace.rings.data.active)
    rest = workplace.settings.visibility_minutes * 60
    if rest:
        connection.execute(query("outbox/pause"), {"credential": credential_of(workplace), "seconds": rest})
    return {"searched_first": searched, "planned_anew": anew, "dead_letters": letters, "reads_again": unread}


def _look_first(connection: Connection, made_at: datetime) -> tuple[int, int, int]:
    rows = connection.execute(query("backups/live_submissions")).fetchall()

    def ids(*states: str, searchable: bool | None = None) -> list[int]:
        return [number for number, state, can in rows
                if state in states and (searchable is None or bool(can) is searchable)]  # fmt: skip

    def move(numbers: list[int], state: str, reason: str = "") -> None:
        if numbers:
            connection.execute(query("backups/move"), {"ids": numbers, "state": state, "reason": reason})

    # What is held may have been let go and sent since; the hold itself stays, and holds what is planned then.
    anew = [*ids("planned", "ready", "retry", searchable=False), *ids("held")]
    move(anew, "superseded", "a backup was restored; planned anew after SSG was read")
    # Only legal moves: ready and retry lead to unknown by way of dead.
    move(ids("planned", searchable=True), "ready")
    waiting = ids("planned", "ready", "retry", searchable=True)
    move(waiting, "dead")
    move(waiting, "unknown")
    move(ids("sending"), "unknown")
    # Dead letters wait for a person as before; the person's retry searches first.
    refused = ids("rejected")
    move(refused, "ready")
    move(refused, "dead")
    searched = [*waiting, *ids("sending", "unknown")]
    letters = [*refused, *ids("dead")]
    if searched or letters:
        connection.execute(query("backups/look_first"), {"ids": [*searched, *letters], "made_at": made_at})
    return len(searched), len(anew), len(letters)


def cut_anchors(workplace: Workplace, last: int, stamp: str, of_backup: Path | None = None) -> int:
    """Anchors of entries behind ``last`` belong to the log that was replaced: the file is kept under another name, and
    begins anew with those that still count. Returns how many were set aside.

    ``of_backup``: the file that lay in the backup, which may know more of the restored log. Nothing is hidden by it:
    the restored log's next entry names where the replaced one ended.
    """
    path = file_of(workplace.home)
    try:
        found = anchors(workplace.rings.audit, workplace.home)
    except AnchorError:
        return 0  # a file that was changed stays as it is: 'tms audit verify' tells
    # Numbers only grow, so what still counts is the beginning of the file, and its signatures hold.
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    still = lines[: sum(1 for item in found if item.seq <= last)]
    if of_backup is not None and of_backup.exists():
        theirs = of_backup.read_text(encoding="utf-8").splitlines(keepends=True)
        if theirs[: len(still)] == still:
            still = theirs
    if lines[: len(still)] != lines:
        shutil.copy2(path, path.with_name(f"anchors-before-restore-{stamp}.jsonl"))
    if still != lines:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text("".join(still), encoding="utf-8")
        fresh.chmod(0o600)
        os.replace(fresh, path)
    return len(set(lines) - set(still))


def common_end(ours: Connection, restored: Connection) -> int:
    """The last entry that both audit logs have: each chains all before it, so what comes later in one of them only
    belongs to that one."""
    def mac(connection: Connection, seq: int) -> bytes | None:
        row = connection.execute("SELECT mac FROM audit.entry WHERE seq = %s", (seq,)).fetchone()
        return bytes(row[0]) if row else None

    sides = (ours, restored)
    ends = [connection.execute("SELECT min(seq), max(seq) FROM audit.entry").fetchone() for connection in sides]
    begin, end = (pick(int(row[at] or 0) for row in ends if row) for pick, at in ((max, 0), (min, 1)))
    if begin > end:
        return end  # the older entries of one went by the rule of retention: there is nothing to compare
    low = begin - 1
    while low < end:
        middle = (low + end + 1) // 2
        if mac(ours, middle) == mac(restored, middle):
            low = middle
        else:
            end = middle - 1
    return low if low >= begin else 0


def end_of_log(connection: Connection) -> str:
    """Number and HMAC of the last audit entry, or nothing."""
    row = connection.execute("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
    return f"{row[0]}:{bytes(row[1]).hex()}" if row else ""
