"""Shredding: people leave for good, from the database, the files and every backup.

Their data keys are destroyed, what names them is emptied, and at the end the ring that wraps data keys is rotated and
its old versions leave it: a backup made before holds wrapped data keys that nothing unwraps any more. The data keys of
everybody else are in the key export, in their present form. A destruction that was killed is gone on with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.identity.data_keys import shred
from tms_pipeline.identity.key_export import export, standing_export
from tms_pipeline.identity.retiring import need, retire
from tms_pipeline.identity.rotation import rotate
from tms_pipeline.intake import archive, landing
from tms_pipeline.rights import certificate
from tms_pipeline.rights.erasing import erase, forget_file_name
from tms_pipeline.rights.traces import blank_landing, person_of, result_files
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# Attendance that is deleted by its own rule.
_ATTENDANCE = ("register.attendance", "register.attendance_history", "mirror.attendance", "mirror.attendance_history")


@dataclass
class Work:
    """What is to be destroyed in one go."""

    trainees: list[str] = field(default_factory=list)
    attendance: list[str] = field(default_factory=list)
    attendance_until: date | None = None  # the last day of the sessions whose attendance goes
    uploads_landed: list[str] = field(default_factory=list)
    originals: list[tuple[str, str]] = field(default_factory=list)  # (upload id, sha256)
    results: list[Path] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to destroy."""
        return not (self.trainees or self.attendance or self.uploads_landed or self.originals or self.results)


def destroy(workplace: Workplace, work: Work, *, actor: Actor) -> dict[str, Any]:
    """Destroy it and certify it; returns the facts of the certificate."""
    number = f"C-{datetime.now(UTC):%Y%m%d%H%M%S}-{uuid4().hex[:8]}"
    counts: Counter[str] = Counter()
    with workplace.db.transaction() as connection:
        _refuse_what_changed(connection, work)
        people = [person_of(connection, workplace, ref) for ref in work.trainees]
        touched, named = blank_landing(connection, workplace, people) if people else ({}, [])
        _refuse_held_files(connection, [*touched, *named])
        for upload_id in {*touched, *named}:
            for person in people:
                counts["file names"] += forget_file_name(connection, upload_id, person.words)
        for ref in work.trainees:
            counts.update(erase(connection, ref, by=actor.name))
            connection.execute(
                "INSERT INTO rights.shredded (trainee_ref, certificate_id, rule) VALUES (%s, %s, %s) "
                "ON CONFLICT (trainee_ref) DO NOTHING",
                (ref, number, work.rules.get("trainee", "request")),
            )
        counts["typed rows"] += sum(touched.values())
        originals = {*work.originals, *_originals(connection, [*touched, *named])}
        counts["typed rows"] += _forget_landing(connection, work.uploads_landed)
        _forget_originals(connection, [upload_id for upload_id, _ in originals], named)
        for table in _ATTENDANCE if work.attendance else ():
            counts[table] += connection.execute(
                f"DELETE FROM {table} WHERE key = ANY(%s)",  # noqa: S608  (constants)
                (work.attendance,),
            ).rowcount
        files = [str(archive.path_of(workplace.folder("archive"), sha256)) for _, sha256 in sorted(originals)]
        files += [str(path) for path in {*work.results, *result_files(workplace, [*touched, *named])}]
        plan = {
            "trainees": work.trainees, "rules": work.rules, "uploads": sorted({*touched, *named, *work.uploads_landed}),
            "files": sorted(files), "counts": {name: count for name, count in sorted(counts.items()) if count},
            # Compliance asks for no marks of these sessions any more.
            **({"attendance_until": str(work.attendance_until)} if work.attendance and work.attendance_until else {}),
            "rotate": bool(work.trainees or touched or named or work.uploads_landed or originals),
        }  # fmt: skip
        connection.execute(
            "INSERT INTO rights.destruction (certificate_id, destroyed_at, destroyed_by, sha256, counts) "
            "VALUES (%s, now(), %s, '', %s)",
            (number, actor.name, Jsonb(plan)),
        )
        append(connection, workplace.rings.audit.key, actor, "destruction begun", "certificate", number,
               trainees=work.trainees, rules=work.rules)  # fmt: skip
    return finish(workplace, number, actor=actor)


def _refuse_what_changed(connection: Connection, work: Work) -> None:
    """Between the look and the word of a person minutes may pass: a hold of meanwhile counts, and a submission too."""
    connection.execute("LOCK TABLE rights.legal_hold IN SHARE MODE")
    kept = [
        ref for ref, _, held, under_way, _ in connection.execute(
            query("rights/trainees_due"), {"day": None, "only": work.trainees}
        ).fetchall() if held or under_way
    ]  # fmt: skip
    kept += [
        row[0] for row in connection.execute(
            "SELECT h.trainee_ref FROM rights.legal_hold h WHERE h.released_at IS NULL AND (EXISTS (SELECT FROM "
            "register.attendance a WHERE a.trainee_ref = h.trainee_ref AND a.key = ANY(%s)) OR EXISTS (SELECT FROM "
            "rights.uploads_of(h.trainee_ref) AS o (upload_id) WHERE o.upload_id = ANY(%s)))",
            (work.attendance, [*work.uploads_landed, *(upload_id for upload_id, _ in work.originals)]),
        )
    ]  # fmt: skip
    if kept:
        raise ValueError(
            f"Nothing was destroyed: {kept[0]} came under a legal hold meanwhile, or something of theirs is on its way "
            "to SSG; look with 'tms retention' again."
        )


def _refuse_held_files(connection: Connection, uploads: list[str]) -> None:
    """A row that was rejected may name somebody of whom the registers know nothing from that file: it is seen here."""
    held = connection.execute(
        "SELECT upload_id, trainee_ref FROM rights.held_original WHERE upload_id = ANY(%s) ORDER BY 1, 2", (uploads,)
    ).fetchall()
    if held:
        raise ValueError(
            f"Nothing was destroyed: the file of upload {held[0][0]} names one of them and {held[0][1]}, who is under "
            "a legal hold, and it cannot be split; release the hold first, or leave that person out with --trainee."
        )


def unfinished(workplace: Workplace) -> list[str]:
    """Destructions that were begun and killed."""
    return [
        row[0] for row in workplace.db.rows(
            "SELECT certificate_id FROM rights.destruction WHERE finished_at IS NULL ORDER BY destroyed_at"
        )
    ]  # fmt: skip


def finish(workplace: Workplace, number: str, *, actor: Actor) -> dict[str, Any]:
    """Delete the files, make old backups unreadable, write the certificate. Doing it again does no harm."""
    row = workplace.db.rows(
        "SELECT counts, destroyed_at, destroyed_by FROM rights.destruction WHERE certificate_id = %s", (number,)
    )[0]
    plan, destroyed_at, destroyed_by = row
    files = 0
    places = [workplace.folder(name).resolve() for name in ("archive", "results")]
    for name in plan["files"]:
        # The list comes out of Postgres: whoever can write there may not have any other file deleted.
        path = Path(name)
        if not any(place in path.resolve().parents for place in places):
            raise ValueError(f"The destruction {number} names a file that is no original or result.")
        files += path.exists()
        path.unlink(missing_ok=True)
    backups = "not touched: no data key was destroyed"
    if plan["rotate"]:
        backups = _lock_out_backups(workplace, actor)
    facts = {
        "certificate": number,
        "provider": workplace.settings.provider_name,
        "destroyed_at": destroyed_at.astimezone(UTC).isoformat(timespec="seconds"),
        "destroyed_by": destroyed_by,
        "trainees": plan["trainees"],
        "rules": plan["rules"],
        "uploads": plan["uploads"],
        "emptied": plan["counts"],
        "files_deleted": len(plan["files"]),
        "backups": backups,
    }
    path, sha256 = certificate.write(workplace.rings.audit, workplace.home, facts)
    with workplace.db.transaction() as connection:
        # The names of result files may hold the name of the file they answer.
        connection.execute(
            "UPDATE rights.destruction SET finished_at = now(), sha256 = %s, counts = counts - 'files' "
            "WHERE certificate_id = %s",
            (sha256, number),
        )
        append(connection, workplace.rings.audit.key, actor, "destruction certified", "certificate", number,
               trainees=plan["trainees"], sha256=sha256, files=files)  # fmt: skip
    return {**facts, "file": str(path)}


def _lock_out_backups(workplace: Workplace, actor: Actor) -> str:
    """Rotate the ring that wraps data keys and take its old versions out, so that backups' data keys open no more."""
    settings, rings = workplace.settings, workplace.rings
    if settings.key_source == "environment":
        return (
            "still readable with the present ring: it comes from the environment; add a version to TMS_KEYS_DATA, run "
            "'tms keys rotate data', and take the old version out"
        )
    rotate(workplace.db, settings, rings, "data", actor=actor)
    with workplace.db.transaction() as connection:
        export(connection, rings, standing_export(workplace.home))
    gone = []
    for version in sorted(set(rings.data.keys) - {rings.data.active}):
        with workplace.db.transaction() as connection:
            found = need(connection, rings, "data", version)
        if not found.needed_by:
            retire(workplace.db, settings, rings, "data", version, actor=actor)
            gone.append(version)
    return (
        f"made before this moment: their data keys open no more (version {', '.join(map(str, gone)) or 'none'} of the "
        "ring 'data' was destroyed); copies of the ring elsewhere must be replaced"
    )


def _originals(connection: Connection, uploads: Iterable[str]) -> list[tuple[str, str]]:
    return [
        (row[0], row[1]) for row in connection.execute(
            "SELECT upload_id, sha256 FROM intake.upload WHERE upload_id = ANY(%s) AND archive_name IS NOT NULL",
            (list(uploads),),
        ).fetchall()
    ]  # fmt: skip


def _forget_originals(connection: Connection, uploads: list[str], only_original: list[str]) -> None:
    connection.execute(
        "UPDATE intake.upload SET archive_name = NULL, state = CASE WHEN state IN ('received', 'held') THEN 'refused' "
        "ELSE state END, sentence = CASE WHEN state IN ('received', 'held') THEN "
        "'The file was destroyed by the rule of retention before it was taken in.' ELSE sentence END "
        "WHERE upload_id = ANY(%s)",
        (uploads,),
    )
    shred(connection, [landing.subject_of(upload_id) for upload_id in only_original])


def _forget_landing(connection: Connection, uploads: list[str]) -> int:
    if not uploads:
        return 0
    rows = connection.execute(
        "UPDATE intake.landing_row SET waiting = false, note = 'removed by the rule of retention' "
        "WHERE upload_id = ANY(%s)",
        (uploads,),
    ).rowcount
    connection.execute("DELETE FROM intake.landing_block WHERE upload_id = ANY(%s)", (uploads,))
    shred(connection, [landing.subject_of(upload_id) for upload_id in uploads])
    for upload_id in uploads:
        forget_file_name(connection, upload_id)
    return rows
