"""Backups: made of one snapshot, refused when they are not what was written, restored without sending twice."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from restorable import Restorable, backup, later_files, live, settle
from submission_world import NRICS, trainee

from tms_pipeline.audit.anchors import anchor, anchors
from tms_pipeline.audit.verification import walk
from tms_pipeline.backups.drill import drill
from tms_pipeline.backups.making import bring_export
from tms_pipeline.backups.places import Place
from tms_pipeline.backups.scratch import alone, place_of
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.backups.watching import last_backup
from tms_pipeline.identity import keyring
from tms_pipeline.identity.key_export import export, standing_export
from tms_pipeline.identity.retiring import retire
from tms_pipeline.identity.rotation import rotate
from tms_pipeline.intake.landing import landed
from tms_pipeline.rights import retention
from tms_pipeline.rights.access import collect
from tms_pipeline.submission.approvals import approve_plan
from tms_pipeline.submission.holds import hold, release


@pytest.mark.parametrize("at_the_dump", ["approved, nothing sent", "half sent"])
def test_promise_12_restoring_an_older_dump_creates_nothing_twice(ours: Restorable, at_the_dump: str) -> None:
    """Sync, dump, more files, sync, the older dump comes back, the same files again, sync: each record once."""
    world = ours.world
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    if at_the_dump == "half sent":
        world.fault("reset_after_commit", "enrolment.create", times=2)
        world.fault("503", "enrolment.search")
        world.work(patience=0.1)
        world.mend()
        # Failures enough to open the breaker, on a slow machine: SSG is well again.
        world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL, probe_at = NULL")
    name = backup(ours)
    later_files(ours)
    settle(ours)
    before = live(ours)
    assert set(world.states()) <= {"accepted", "superseded"} and before["runs"] and world.reconcile() == {}
    world.forget_calls()

    done = ours.restore(name)
    # Nothing goes out before SSG was read again: neither what the dump holds as approved, nor a new plan.
    assert world.work(patience=0.1).outcomes.keys() <= {"accepted", "unknown"}
    assert world.writes() == {}
    if at_the_dump == "approved, nothing sent":
        assert done.moved["searched_first"] and done.moved["planned_anew"]
    later_files(ours)
    settle(ours)
    assert world.reconcile() == {}
    after = live(ours)
    assert after == before, "SSG holds what it held"
    assert {
        kind: [one for one, many in found.items() if many > 1] for kind, found in after.items() if kind != "runs"
    } == {kind: [] for kind in after if kind != "runs"}
    assert not [call for call in world.writes() if call.endswith((".create", ".publish", ".add"))], (
        "nothing was made again"
    )
    assert set(world.states()) <= {"accepted", "superseded"}


def test_what_was_held_in_the_dump_and_sent_since_is_not_sent_again_by_its_old_approval(ours: Restorable) -> None:
    world = ours.world
    actor = world.actor("admin", "admin")
    hold(world.workplace, kind="enrolment", reason="the term is checked", actor=actor)
    plan_id, plan = world.plan()
    world.approve(plan_id, plan)
    world.work(patience=0.3)
    name = backup(ours)

    def release_and_approve() -> int:
        release(world.workplace, kind="enrolment", reason="it is right", actor=actor)
        return approve_plan(world.workplace, plan_id, plan.hash, actor=actor).ready

    assert release_and_approve() == 3
    world.work(patience=0.3)
    before = live(ours)
    assert sum(before["enrolments"].values()) == 3
    ours.restore(name, backup_first=False)
    world.forget_calls()
    release_and_approve()
    world.work(patience=0.3)
    assert "enrolment.create" not in world.writes()
    settle(ours)
    assert live(ours)["enrolments"] == before["enrolments"] and world.reconcile() == {}


def test_after_a_restore_work_goes_on_and_the_audit_log_says_what_happened(ours: Restorable) -> None:
    world = ours.world
    world.night()
    with world.workplace.db.transaction() as connection:
        anchor(connection, world.workplace.rings.audit, world.workplace.home)
    name = backup(ours)
    original, lost, *_ = (world.workplace.home / "archive").rglob("*.sealed")
    taken = original.read_bytes()
    original.unlink()
    lost.unlink()
    ours.place.remove(f"archive/{lost.parent.name}/{lost.name}")
    refs = world.value("SELECT last_value FROM identity.trainee_number")
    world.upload("trainee", trainee("T1", phone="90000009"))
    with world.workplace.db.transaction() as connection:
        late = anchor(connection, world.workplace.rings.audit, world.workplace.home)
    assert late is not None
    ended = world.rows("SELECT seq, mac FROM audit.entry ORDER BY seq DESC LIMIT 1")
    done = ours.restore(name)
    assert done.before is not None and done.before.endswith("-before-restore.tmsbackup")
    assert done.originals_unknown == 1 and original.read_bytes() == taken and done.originals_missing == 1
    assert done.anchors_set_aside == 1 and list((world.workplace.home / "anchors").glob("anchors-before-restore-*"))
    with world.workplace.db.transaction() as connection:
        verdict = walk(
            connection, world.workplace.rings.audit.key, anchors(world.workplace.rings.audit, world.workplace.home)
        )
    assert verdict.holds and verdict.anchors == 1
    entry = world.value("SELECT details FROM audit.entry WHERE action = 'backup restored'")
    # The switch and the backup before the restore were noted after we looked.
    assert int(entry["replaced_log_ended"].split(":")[0]) > ended[0][0]
    assert world.value("SELECT bool_or(stopped) FROM ssg.switch") is False, "calls are allowed again"
    assert world.value("SELECT last_value FROM identity.trainee_number") >= refs
    with world.workplace.db.transaction() as connection:
        assert anchor(connection, world.workplace.rings.audit, world.workplace.home)
    world.night()
    # And what the restore replaced comes back as easily, with its own anchors.
    again = ours.restore(done.before, backup_first=False)
    assert again.before is None and again.anchors_set_aside == 1
    with world.workplace.db.transaction() as connection:
        verdict = walk(
            connection, world.workplace.rings.audit.key, anchors(world.workplace.rings.audit, world.workplace.home)
        )
    assert verdict.holds and verdict.anchors == 2
    assert world.value("SELECT count(*) FROM audit.entry WHERE seq = %s AND mac = %s", *ended[0]) == 1


def test_a_corrupt_truncated_edited_or_foreign_backup_is_refused_with_one_sentence(
    ours: Restorable, tmp_path: Path
) -> None:
    name = backup(ours)
    file = tmp_path / "backups" / name
    whole = file.read_bytes()
    entries = ours.world.value("SELECT count(*) FROM audit.entry")
    spoilt = {
        "a byte in the middle": whole[: len(whole) // 2]
        + bytes([whole[len(whole) // 2] ^ 1])
        + whole[len(whole) // 2 + 1 :],
        "cut off": whole[:-100],
        "cut off at its beginning": whole[:20],
        "another manifest": whole.replace(b'"program": "0.1.0"', b'"program": "0.1.1"', 1),
        "no backup at all": b"PK" + whole[2:],
        "empty": b"",
    }
    assert all(content != whole for content in spoilt.values())
    sums = (file.parent / f"{name}.sha256").read_text()
    for what, content in spoilt.items():
        for with_sum in (True, False):
            file.write_bytes(content)
            sidecar = file.parent / f"{name}.sha256"
            sidecar.write_text(sums) if with_sum else sidecar.unlink(missing_ok=True)
            with pytest.raises(BackupError) as refused:
                ours.restore(name)
            told = str(refused.value)
            assert told.endswith(".") and "\n" not in told and name in told, what
    file.write_bytes(whole)
    with pytest.raises(BackupError, match="something behind") as refused:  # such a name would stand in the audit log
        place_of(f"https://kept.example.test/{name}?signature=hush", "")
    assert "hush" not in str(refused.value)
    foreign = keyring.create(tmp_path / "other") and keyring.load(tmp_path / "other")
    ours.world.workplace = replace(ours.world.workplace, rings=foreign)
    with pytest.raises(BackupError, match="another installation's keys"):
        ours.restore(name)
    with pytest.raises(BackupError, match="is not the one that this database was made with"):
        backup(ours)  # which our own rings would never open
    assert ours.world.value("SELECT count(*) FROM audit.entry") == entries, "nothing of it touched the installation"


def test_a_backup_holds_no_keys_and_names_nobody_and_says_what_it_holds(ours: Restorable, tmp_path: Path) -> None:
    world = ours.world
    name = backup(ours)
    place = Place(str(tmp_path / "backups"))
    content = (tmp_path / "backups" / name).read_bytes()
    header = json.loads(content.split(b"\n", 2)[1])["facts"]
    assert header["counts"]["register.trainee"] == world.value("SELECT count(*) FROM register.trainee")
    assert header["schema"] == world.value("SELECT version_num FROM schema_version") and header["anchor"]
    ring = json.loads((world.workplace.home / "keys" / "data.ring.json").read_text())["keys"]["1"]
    lying = b"".join(path.read_bytes() for path in (tmp_path / "backups").rglob("*") if path.is_file())
    for secret in (ring, *NRICS.values(), "Trainee Number 1", "trainee1@example.test"):
        assert secret.encode() not in lying
    assert place.names("archive").keys() == {
        f"{sha[:2]}/{sha}.sealed" for (sha,) in world.rows("SELECT sha256 FROM intake.upload")
    }


def test_whoever_was_shredded_after_a_backup_does_not_come_back_with_it(ours: Restorable) -> None:
    world = ours.world
    own, actor = world.workplace, world.actor("officer", "admin")
    # The ring is being rotated while the backup is made.
    keyring.add_version(own.settings, own.rings.data)
    world.execute("INSERT INTO identity.rotation (ring, from_version, to_version, started_by) VALUES ('data', 1, 2, '')")
    name = backup(ours)
    found = retention.due(world.workplace, only=["HB-00001"])
    (facts,) = retention.apply(world.workplace, found, actor=world.actor("officer", "admin"))
    certificate = facts["certificate"]
    uploads = world.rows("SELECT upload_id, archive_name, file_name FROM intake.upload ORDER BY 1")
    originals = len(list((world.workplace.home / "archive").rglob("*.sealed")))
    assert originals == sum(archived is not None for _, archived, _ in uploads) < len(uploads)
    # Shredding destroys the old versions of the ring: what lies beside the backup would open for nobody elsewhere.
    with pytest.raises(BackupError, match="wrapped by a version of the ring 'data' that is not in this ring"):
        drill(world.workplace, ours.place, name, actor=world.actor("admin", "admin"))
    assert "rotated after the last backup" in last_backup(world.workplace.settings).sentence
    rotate(own.db, own.settings, own.rings, "data", actor=actor)
    with own.db.transaction() as connection:
        export(connection, own.rings, standing_export(own.home))
    retire(own.db, own.settings, own.rings, "data", 2, actor=actor)
    assert bring_export(world.workplace)
    assert f"The last drill, of {name}, did not go well" in last_backup(world.workplace.settings).sentence
    assert drill(world.workplace, ours.place, name, actor=world.actor("admin", "admin")).well
    for what, where in (("Another restore", name), ("no such file", "mistyped.tmsbackup")):
        with alone(world.workplace) if where == name else nullcontext(), pytest.raises(BackupError, match=what):
            drill(world.workplace, ours.place, where, actor=world.actor("admin", "admin"))
        assert last_backup(world.workplace.settings).fine, "that says nothing of any backup"
    ours.restore(name)
    with world.workplace.db.transaction() as connection:
        assert "Trainee Number 2" in json.dumps(collect(connection, world.workplace, "HB-00002"), default=str)
    assert world.rows(
        "SELECT full_name_sealed, full_name_mark FROM register.trainee WHERE trainee_ref = 'HB-00001'"
    ) == [(None, None)]
    # The files that named the person stay away; the rows of others in them are there as they were typed.
    assert len(list((world.workplace.home / "archive").rglob("*.sealed"))) == originals
    assert world.rows("SELECT upload_id, archive_name, file_name FROM intake.upload ORDER BY 1") == uploads
    (people,) = (upload_id for upload_id, _, file_name in uploads if file_name == "removed.csv")
    with world.workplace.db.transaction() as connection:
        ((_, grid, _),) = landed(connection, world.workplace.rings, people)
    typed = {str(cell) for _, cells in grid.rows for cell in cells}
    assert {"Trainee Number 2", "Trainee Number 3"} <= typed and "Trainee Number 1" not in typed
    # Certified once; and the next one can be shredded.
    assert world.rows("SELECT certificate_id, finished_at IS NOT NULL FROM rights.destruction") == [(certificate, True)]
    assert world.rows("SELECT trainee_ref, certificate_id FROM rights.shredded") == [("HB-00001", certificate)]
    assert retention.due(world.workplace, only=["HB-00001"]).work.empty
    late = retention.due(world.workplace, only=["HB-00003"])
    assert retention.apply(world.workplace, late, actor=world.actor("officer", "admin"))
    # A new key is made and wrapped with the ring of today, though the dump knows an older one.
    world.upload("trainee", trainee("T2", phone="90000077"))
