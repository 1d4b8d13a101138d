"""Intake: receive a dropped file, take it in, hand it back, look again at rows that waited.

Receiving is quick and safe to repeat: the original is sealed into the archive and known by its sha256 before it
leaves the inbox. Taking in happens in one transaction: killed at any moment, it has happened or it has not.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tms_pipeline.audit.log import Actor, append
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.health.keys import must_fit
from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.masking import redact
from tms_pipeline.intake import answers, archive, landing
from tms_pipeline.intake.evaluation import Change, Evaluation, evaluate
from tms_pipeline.intake.inbox import legible
from tms_pipeline.intake.looked_at import keep_faults
from tms_pipeline.intake.lookups import known_mappings, resolver
from tms_pipeline.intake.opening import FileRefused, Limits, OpenedFile, limits_of, open_upload
from tms_pipeline.intake.said_too import yield_to_newer
from tms_pipeline.intake.tables import Table, find_tables
from tms_pipeline.records.fault import Fault, fault
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# Any constant: uploads are taken in one after the other, as each may answer what another waits for.
INTAKE_LOCK = 7_310_003
# Below this many rows a share says little: two faults in five rows are two rows to fix, not a wrong file.
HOLD_FROM_ROWS = 20


@dataclass
class Taken:
    """What became of an upload."""

    upload_id: str
    state: str
    sentence: str
    tables: list[Table]
    evaluation: Evaluation
    file_faults: list[Fault]

    def counts(self) -> dict[str, int]:
        """rows = accepted + unchanged + rejected + superseded."""
        counted = {name: self.evaluation.count(name) for name in ("accepted", "unchanged", "rejected", "superseded")}
        return {"rows": len(self.evaluation.statuses), **counted}


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Without the search for cycles of objects: it would walk over the cells of a large upload again and again."""
    searching = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searching:
            gc.enable()


def upload_id_of(sha256: str) -> str:
    """The upload id: known by the bytes, never by the file name, which may hold people's names."""
    return f"U-{sha256[:12]}"


def receive(workplace: Workplace, name: str, content: bytes, *, source: str, actor: Actor) -> tuple[str, bool]:
    """Keep the original and open an upload for it; returns (upload id, whether it is new).

    Raises KeyringError when the rings are another installation's, FileRefused for a file that was destroyed with
    somebody who was named in it: a restore of an older backup may have forgotten the upload, but never that.
    """
    must_fit(workplace)
    name = legible(name)
    sha256 = hashlib.sha256(content).hexdigest()
    upload_id = upload_id_of(sha256)
    with workplace.db.transaction() as connection:
        known = connection.execute("SELECT 1 FROM intake.upload WHERE upload_id = %s", (upload_id,)).fetchone()
        if known:
            append(connection, workplace.rings.audit.key, actor, "upload seen again", "upload", upload_id)
            return upload_id, False
        subject = landing.subject_of(upload_id)
        try:
            key = data_keys(connection, workplace.rings.data, [subject], make=True)[subject]
        except KeyShredded:
            raise FileRefused(fault("FILE_DESTROYED")) from None
        archive.keep(workplace.folder("archive"), sha256, key, content)
        connection.execute(
            "INSERT INTO intake.upload (upload_id, sha256, file_name, source, received_at, received_by, bytes, state, "
            "correlation_id, archive_name) VALUES (%s, %s, %s, %s, %s, %s, %s, 'received', %s, %s)",
            (
                upload_id,
                sha256,
                redact(name),
                redact(source),
                datetime.now(UTC),
                actor.name,
                len(content),
                actor.correlation_id,
                f"{sha256}.sealed",
            ),
        )
        append(
            connection,
            workplace.rings.audit.key,
            actor,
            "upload received",
            "upload",
            upload_id,
            bytes=len(content),
            source=redact(source),
        )
    return upload_id, True


def receive_again(workplace: Workplace, upload_id: str, *, actor: Actor) -> bool:
    """Let a refused upload whose bytes came again be taken in once more; False for any other.

    The mapping that was missing may be there now, a limit may be another, or the machine was busy. Called when the
    file is out of the inbox, so that one that cannot be removed is not opened again and again.
    """
    with workplace.db.transaction() as connection:
        again = connection.execute(
            query("intake/receive_again"),
            {"upload_id": upload_id, "actor": actor.name, "correlation_id": actor.correlation_id},
        ).rowcount
        if again:
            append(connection, workplace.rings.audit.key, actor, "upload received again", "upload", upload_id)
    return bool(again)


@undisturbed()
def take_in(
    workplace: Workplace,
    upload_id: str,
    *,
    actor: Actor,
    mapping: str | None = None,
    hold: bool = True,
    limits: Limits | None = None,
) -> Taken:
    """Take an upload in: open, land, check, write the registers, count.

    Raises LookupError for an upload that nobody received or that was taken in already.
    """
    name, sha256, state = _upload(workplace, upload_id)
    if state not in ("received", "held"):
        raise LookupError(f"Upload {upload_id} is {state} already.")
    try:
        original = _original(workplace, upload_id, sha256)
        opened = opened_upload(workplace, name, original, limits or limits_of(workplace.settings))
        tables, file_faults = find_tables(
            opened, mapping=mapping, resolve=resolver(workplace), mappings=known_mappings(workplace)
        )
    except FileRefused as refusal:
        return _refuse(workplace, upload_id, refusal.fault, actor)
    with workplace.db.transaction() as connection:
        _take_turn(connection, upload_id)
        return take_in_tables(
            connection, workplace, upload_id, tables, file_faults, actor, hold=hold,
            corrects=answers.corrected_upload(opened),
        )


def take_in_tables(
    connection: Connection,
    workplace: Workplace,
    upload_id: str,
    tables: list[Table],
    file_faults: list[Fault],
    actor: Actor,
    *,
    hold: bool,
    corrects: str | None = None,
) -> Taken:
    """Land, check and write the tables of one upload within the caller's transaction, which holds the intake's lock."""
    connection.execute("DELETE FROM intake.landing_table WHERE upload_id = %s", (upload_id,))
    connection.execute("DELETE FROM intake.rejection WHERE upload_id = %s", (upload_id,))
    connection.execute("SAVEPOINT before_registers")
    today = workplace.today()
    evaluation = evaluate(
        connection,
        workplace.rings,
        tables,
        upload_id=upload_id,
        today=today,
        priority=workplace.settings.source_priority,
        rules=rules_of(workplace.settings),
    )
    rows = len(evaluation.statuses)
    # A row that only waits for a file still to come is no fault of this one.
    waiting = {place for place in evaluation.rejected() if evaluation.waiting(place)}
    faulty = evaluation.count("rejected") - len(waiting)
    taken = Taken(upload_id, "taken in", "", tables, evaluation, file_faults)
    if hold and rows >= HOLD_FROM_ROWS and faulty > workplace.settings.hold_share * rows:
        connection.execute("ROLLBACK TO SAVEPOINT before_registers")
        taken.state = "held"
        evaluation.written, evaluation.changes = {}, {}
        taken.sentence = (
            f"{faulty} of {rows} rows have faults, more than {workplace.settings.hold_share:.0%}, so nothing was "
            f"taken in yet. Correct the file and drop it again, or let the good rows in with 'tms release {upload_id}'."
        )
    else:
        yield_to_newer(connection, workplace, upload_id, tables, evaluation, actor=actor)
        taken.sentence = _sentence(taken)
    alone = {status: (status, False) for status in set(evaluation.statuses.values())}
    landed = dict(zip(evaluation.statuses, map(alone.__getitem__, evaluation.statuses.values()), strict=True))
    if taken.state != "held":
        landed.update(dict.fromkeys(waiting, ("rejected", True)))
    landing.land(connection, workplace.rings, upload_id, tables, landed)
    answers.keep(connection, workplace.rings, upload_id, tables, evaluation, corrects=corrects)
    keep_faults(connection, upload_id, [*file_faults, *(f for fs in evaluation.faults.values() for f in fs)])
    counts = taken.counts()
    kinds = sorted({kind for table in tables for kind in table.kinds})
    connection.execute(
        "UPDATE intake.upload SET state = %s, sentence = %s, kinds = %s, rows = %s, accepted = %s, unchanged = %s, "
        "rejected = %s, superseded = %s, warnings = %s, finished_at = now() WHERE upload_id = %s",
        (
            taken.state,
            taken.sentence,
            kinds,
            counts["rows"],
            counts["accepted"],
            counts["unchanged"],
            counts["rejected"],
            counts["superseded"],
            _warnings(taken),
            upload_id,
        ),
    )
    append(
        connection,
        workplace.rings.audit.key,
        actor,
        f"upload {taken.state}",
        "upload",
        upload_id,
        **counts,
        written={kind: list(pair) for kind, pair in evaluation.written.items() if sum(pair)},
    )
    return taken


def changes_of(taken: Taken) -> Iterable[Change]:
    """Every field that the upload changed."""
    for items in taken.evaluation.changes.values():
        yield from items


def _upload(workplace: Workplace, upload_id: str) -> tuple[str, str, str]:
    found = workplace.db.rows("SELECT file_name, sha256, state FROM intake.upload WHERE upload_id = %s", (upload_id,))
    if not found:
        raise LookupError(f"There is no upload {upload_id}; 'tms summary' lists them.")
    return found[0][0], found[0][1], found[0][2]


def _original(workplace: Workplace, upload_id: str, sha256: str) -> bytes:
    with workplace.db.transaction() as connection:
        subject = landing.subject_of(upload_id)
        key = data_keys(connection, workplace.rings.data, [subject], make=False)[subject]
    return archive.original(workplace.folder("archive"), sha256, key)


def opened_upload(workplace: Workplace, name: str, content: bytes, limits: Limits) -> OpenedFile:
    """Open the bytes in the reading child. Raises FileRefused."""
    # The reader is a child process and needs a file; its name is ours, so that no person's name shows in a listing.
    with tempfile.TemporaryDirectory(dir=workplace.folder("tmp")) as folder:
        path = Path(folder) / f"upload{Path(name).suffix.lower()[:6]}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
        return open_upload(path, name=name, limits=limits)


def _take_turn(connection: Connection, upload_id: str) -> None:
    """Wait for the intake's lock. Raises LookupError when somebody else has dealt with the upload meanwhile."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (INTAKE_LOCK,))
    current = connection.execute(
        "SELECT state FROM intake.upload WHERE upload_id = %s FOR UPDATE", (upload_id,)
    ).fetchone()
    if current is None or current[0] not in ("received", "held"):
        raise LookupError(f"Upload {upload_id} is {current[0] if current else 'unknown'} already.")


def _refuse(workplace: Workplace, upload_id: str, item: Fault, actor: Actor) -> Taken:
    taken = Taken(upload_id, "refused", f"{item.sentence} {item.fix}", [], Evaluation(), [item])
    with workplace.db.transaction() as connection:
        _take_turn(connection, upload_id)
        connection.execute("DELETE FROM intake.rejection WHERE upload_id = %s", (upload_id,))
        keep_faults(connection, upload_id, [item])
        connection.execute(
            "UPDATE intake.upload SET state = 'refused', sentence = %s, finished_at = now() WHERE upload_id = %s",
            (taken.sentence, upload_id),
        )
        append(connection, workplace.rings.audit.key, actor, "upload refused", "upload", upload_id, code=item.code)
    return taken


def _warnings(taken: Taken) -> int:
    rows = sum(1 for item in taken.file_faults if item.severity == "warning")
    return rows + sum(1 for fs in taken.evaluation.faults.values() for f in fs if f.severity == "warning")


def _sentence(taken: Taken) -> str:
    counts = taken.counts()
    if not counts["rows"]:
        return "The file has headings but no rows."
    new = sum(1 for place in taken.evaluation.made if taken.evaluation.statuses.get(place) == "accepted")
    changed = counts["accepted"] - new
    split = f" ({new} new, {changed} changed)" if changed else ""
    parts = [f"{counts['accepted']} of {counts['rows']} rows were taken in{split}"]
    if counts["unchanged"]:
        parts.append(f"{counts['unchanged']} were known already")
    if counts["superseded"]:
        parts.append(f"{counts['superseded']} were replaced by another row")
    if counts["rejected"]:
        parts.append(f"{counts['rejected']} need{'s' if counts['rejected'] == 1 else ''} fixing")
    return ", ".join(parts) + "."
