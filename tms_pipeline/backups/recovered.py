"""A database that was brought back by other means: recovery to a point in time, a snapshot of a disk, a dump of one's
own. It believes that less was sent, as an older backup does, and is made safe in the same way, where it lies.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups.after import cut_anchors, make_safe
from tms_pipeline.backups.destroyed import note_keys, stay_gone
from tms_pipeline.backups.scratch import alone
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.standstill import Tell, go_on, still
from tms_pipeline.backups.watching import KEPT_STOPPED, RECOVERING, RESTORING
from tms_pipeline.identity.key_export import rejoin, standing_export
from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.roles.guard import needs
from tms_pipeline.store.database import DatabaseError
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

SAFE = "a recovered database was made safe"
# Entries of the audit log with these reasons are of this verb itself, not of what was recovered.
OURS = [RECOVERING, RESTORING, KEPT_STOPPED, SAFE]


@dataclass
class Recovered:
    """What was done. ``as_of``: the last entry of the recovered audit log."""

    as_of: str
    moved: dict[str, int]
    anchors_set_aside: int
    shredded: int
    calls_stopped: bool


@needs("restore")
def make_recovered_safe(
    workplace: Workplace, *, actor: Actor, keep_stopped: bool = False, tell: Tell = lambda _: None
) -> Recovered:
    """Bring the database of ``DATABASE_URL`` into a state from which nothing can be sent twice.

    Doing it again, or to a database that was not recovered, only costs a whole read of SSG and new approvals. Until it
    succeeds, calls stay stopped: what fails leaves them so. Raises BackupError.
    """
    with workplace.whole_db.transaction() as connection:
        row = connection.execute(query("backups/as_recovered"), {"ours": OURS, "begun": RECOVERING}).fetchone()
    last, as_of = (int(row[0]), row[1]) if row else (0, datetime.now(UTC))
    with alone(workplace), _told(), still(workplace, actor, tell, why=RECOVERING):
        tell("making it safe")
        with workplace.whole_db.transaction() as connection:
            gone: list[str] = []
            if standing_export(workplace.home).exists():
                note_keys(connection)
                gone = rejoin(connection, workplace.rings, standing_export(workplace.home)).shredded
                stay_gone(connection, gone)
            moved = make_safe(connection, workplace, as_of)
            connection.execute(query("backups/numbers_leap"))
            append(connection, workplace.rings.audit.key, actor, "database recovered", "installation", "database",
                   as_of=as_of.isoformat(), **moved)  # fmt: skip
        aside = cut_anchors(workplace, last, f"{datetime.now(UTC):%Y%m%d%H%M%S}")
    stays = go_on(workplace, actor, was=RECOVERING, reason=SAFE, keep_stopped=keep_stopped)
    return Recovered(as_of.isoformat(timespec="seconds"), moved, aside, len(gone), stays)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """What fails says that calls stay stopped, and why."""
    try:
        yield
    except Exception as error:
        known = isinstance(error, BackupError | DatabaseError | KeyringError)
        why = str(error) if known else f"The cause: {type(error).__name__}."
        raise BackupError(
            f"{why} The recovered database is not safe yet, so calls to SSG stay stopped; run 'tms restore "
            "--recovered' again."
        ) from None
