"""A database that was brought back by other means: recovery to a point in time, a snapshot of a disk, a dump of one's
own. It believes that less was sent, as an older backup does, and is made safe in the same way, where it lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.backups.after import cut_anchors, make_safe
from tms_pipeline.backups.restoring import Tell, still
from tms_pipeline.backups.scratch import alone
from tms_pipeline.identity.key_export import rejoin, standing_export
from tms_pipeline.rights.erasing import erase
from tms_pipeline.roles.guard import needs
from tms_pipeline.submission.gate import set_switch
from tms_pipeline.workplace import Workplace


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

    Doing it again, or to a database that was not recovered, only costs a whole read of SSG and new approvals. Raises
    BackupError.
    """
    with workplace.whole_db.transaction() as connection:
        row = connection.execute("SELECT seq, at FROM audit.entry ORDER BY seq DESC LIMIT 1").fetchone()
    last, as_of = (int(row[0]), row[1]) if row else (0, datetime.now(UTC))
    with alone(workplace), still(workplace, actor, tell) as (stopped_before, _):
        tell("making it safe")
        with workplace.whole_db.transaction() as connection:
            gone: list[str] = []
            if standing_export(workplace.home).exists():
                gone = rejoin(connection, workplace.rings, standing_export(workplace.home)).shredded
            for trainee in gone:
                erase(connection, trainee, by="restore")
            moved = make_safe(connection, workplace, as_of)
            append(connection, workplace.rings.audit.key, actor, "database recovered", "installation", "database",
                   as_of=as_of.isoformat(), **moved)  # fmt: skip
        aside = cut_anchors(workplace, last, f"{datetime.now(UTC):%Y%m%d%H%M%S}")
    stays = keep_stopped or stopped_before is not None
    if not stays:
        set_switch(workplace, stopped=False, reason="a recovered database was made safe", actor=actor)
    return Recovered(as_of.isoformat(timespec="seconds"), moved, aside, len(gone), stays)
