"""Leases: who has a submission in hand, and when that counts no more.

A worker renews its leases as long as it lives. A lease is taken away when its process is known to be dead, or when
it ran out; what was being sent is then unknown.
"""

from __future__ import annotations

import contextlib
import os
import socket
import uuid
from datetime import timedelta
from functools import cache
from pathlib import Path

from tms_pipeline.store.queries import query
from tms_pipeline.submission.verdict import Pace
from tms_pipeline.workplace import Workplace


@cache
def this_machine() -> str:
    """The machine as process ids see it: containers share a host name, or a kernel, but not a pid namespace."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip()[-12:])
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid")[-12:])
    return "/".join(parts).replace(":", "_")


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks: a process id is used again, with another start."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "-"


def new_owner() -> str:
    """A name for a worker, by which others can tell whether it is dead."""
    pid = os.getpid()
    return f"{this_machine()}:{pid}:{_started(pid)}:{uuid.uuid4().hex[:8]}"


def is_dead(owner: str) -> bool:
    """True only if the owner's process surely is gone; a worker of another machine is never known to be."""
    machine, _, rest = owner.partition(":")
    pid, _, rest = rest.partition(":")
    started = rest.partition(":")[0]
    if machine != this_machine() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    now = _started(int(pid))
    return "-" not in (started, now) and now != started


def rescue(workplace: Workplace, pace: Pace, *, abandoned: tuple[str, ...] = ()) -> int:
    """Free the leases of dead workers, and those that ran out; returns how many. ``abandoned``: known to be dead."""
    with workplace.db.transaction() as connection:
        owners = connection.execute(
            "SELECT DISTINCT lease_owner FROM outbox.submission WHERE lease_owner IS NOT NULL"
        ).fetchall()
        gone = [owner for (owner,) in owners if owner in abandoned or is_dead(owner)]
        return connection.execute(
            query("outbox/rescue"), {"gone": gone, "settle": pace.settle, "grace": pace.grace}
        ).rowcount


def renew(workplace: Workplace, owner: str, lease: timedelta) -> int:
    """Renew all leases of this worker; returns how many it has."""
    with workplace.db.transaction() as connection:
        return connection.execute(query("outbox/heartbeat"), {"owners": [owner], "lease": lease}).rowcount
