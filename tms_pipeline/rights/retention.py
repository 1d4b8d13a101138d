"""Retention: what its rule keeps no longer, looked at first and destroyed when told so; holds go before any rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tms_pipeline.audit.log import LOCK, Actor, append
from tms_pipeline.audit.verification import beginning_signature
from tms_pipeline.identity.keyring import Key
from tms_pipeline.rights import keeping
from tms_pipeline.rights.keeping import Keep
from tms_pipeline.rights.shredding import Work, destroy, finish, unfinished
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# A day is over at midnight in Singapore, not eight hours later.
_END_OF_DAY = "(%s::date + 1)::timestamp AT TIME ZONE 'Asia/Singapore'"


@dataclass
class Due:
    """What the rules would destroy today, and what keeps the rest."""

    work: Work
    rules: dict[str, Keep]
    held: list[str] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)
    # Who stays because an original names them beside somebody under a hold, and whom.
    beside_held: dict[str, list[str]] = field(default_factory=dict)
    audit_entries: int = 0
    unfinished: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How much of each kind is due."""
        return {
            "trainee": len(self.work.trainees), "attendance": len(self.work.attendance),
            "landing": len(self.work.uploads_landed), "original": len(self.work.originals),
            "result": len(self.work.results), "audit": self.audit_entries,
        }  # fmt: skip


def due(workplace: Workplace, *, only: list[str] | None = None) -> Due:
    """What is kept no longer as of today; with ``only`` these trainees whatever their age, and nothing else."""
    settings, today = workplace.settings, workplace.today()
    rules = keeping.in_force(
        keeping.load(settings.retention_rules, result_days=settings.result_days), today
    )
    days = {kind: rule.last_day_gone(today) for kind, rule in rules.items()}
    found = Due(Work(), rules, unfinished=unfinished(workplace))
    with workplace.db.transaction() as connection:
        for ref, _, held, under_way, beside in connection.execute(
            query("rights/trainees_due"), {"day": days["trainee"], "only": only}
        ).fetchall():
            if held:
                found.held.append(ref)
            elif under_way:
                found.under_way.append(ref)
            elif beside:
                found.beside_held[ref] = list(beside)
            else:
                found.work.trainees.append(ref)
        if only is None:
            found.work.attendance_until = days["attendance"]
            found.work.attendance = [
                row[0] for row in connection.execute(query("rights/attendance_due"), {"day": days["attendance"]})
            ]
            for upload_id, sha256, _, original, landed, day in connection.execute(
                query("rights/uploads_due"), {"day": max(days["original"], days["landing"])}
            ).fetchall():
                if original and day <= days["original"]:
                    found.work.originals.append((upload_id, sha256))
                if landed and day <= days["landing"]:
                    found.work.uploads_landed.append(upload_id)
            row = connection.execute(
                f"SELECT count(*) FROM audit.entry WHERE at < {_END_OF_DAY}",  # noqa: S608  (a constant)
                (days["audit"],),
            ).fetchone()
            found.audit_entries = int(row[0]) if row else 0
    if only is None:
        held = [row[0] for row in workplace.db.rows(query("rights/uploads_held"))]
        found.work.results = [
            path for path in _old_results(workplace, days["result"])
            if not any(upload_id in path.name for upload_id in held)
        ]  # fmt: skip
    found.work.rules = {
        kind: f"{rules[kind].keep} after {rules[kind].after}" for kind, count in found.counts().items() if count
    }
    if only is not None:
        found.work.rules = {"trainee": "on request"} if found.work.trainees else {}
    return found


def apply(workplace: Workplace, found: Due, *, actor: Actor) -> list[dict[str, Any]]:
    """Destroy what is due; returns the certificates, those of destructions that had been killed first."""
    certificates = [finish(workplace, number, actor=actor) for number in found.unfinished]
    if not found.work.empty:
        certificates.append(destroy(workplace, found.work, actor=actor))
    if found.audit_entries:
        remove_old_audit(workplace, found.rules["audit"], actor=actor)
    return certificates


def remove_old_audit(workplace: Workplace, rule: Keep, *, actor: Actor) -> int:
    """Remove the entries that are older than the rule keeps, from the beginning; the chain goes on from a signed mark.

    The only way past the trigger, and only for the owner of the table.
    """
    day = rule.last_day_gone(workplace.today())
    with workplace.owner_db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        row = connection.execute(
            "SELECT seq, mac, key_version FROM audit.entry WHERE seq < (SELECT coalesce(min(seq), 9223372036854775807) "  # noqa: S608
            f"FROM audit.entry WHERE at >= {_END_OF_DAY}) ORDER BY seq DESC LIMIT 1",
            (day,),
        ).fetchone()
        if row is None:
            return 0
        seq, mac, version = int(row[0]), bytes(row[1]), int(row[2])
        signature = beginning_signature(Key.of(workplace.rings.audit, version), seq, mac)
        connection.execute(
            "INSERT INTO audit.beginning (seq, mac, key_version, removed_at, signature) VALUES (%s, %s, %s, now(), %s)",
            (seq, mac, version, signature),
        )
        connection.execute("ALTER TABLE audit.entry DISABLE TRIGGER refuse_change")
        gone = connection.execute("DELETE FROM audit.entry WHERE seq <= %s", (seq,)).rowcount
        connection.execute("ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER refuse_change")
        append(connection, workplace.rings.audit.key, actor, "old audit entries removed", "audit log", str(seq),
               entries=gone, rule=f"{rule.keep} after {rule.after}")  # fmt: skip
    return gone


def _old_results(workplace: Workplace, day: Any) -> list[Path]:
    end = datetime.combine(day, datetime.min.time(), tzinfo=workplace.now().tzinfo or UTC) + timedelta(days=1)
    return sorted(
        path for path in workplace.folder("results").iterdir()
        if path.is_file() and path.stat().st_mtime < end.timestamp()
    )  # fmt: skip

