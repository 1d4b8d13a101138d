"""Random walks over uploads, edits, cancels, faults, crashes, jumps of the clock, other people's edits and two workers.

The model is the promise list: at every quiescence each accepted change is one live, right record at SSG, what somebody
else did there is shown and not overwritten, and nothing was made twice. Crashes are exceptions that nothing of ours
catches, raised at the named crash points (``raised_instead``); now and then a whole process is killed with SIGKILL instead,
as tests/crash does for every case.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from nursery import Nursery
from submission_world import NRICS, PACE, World, fee, restore, run, trainee

from tms_pipeline.submission import crashpoints, dead_letters
from tms_pipeline.submission.crashpoints import POINTS, Crash
from tms_pipeline.submission.lease import rescue
from tms_pipeline.submission.worker import Worker

STEPS = int(os.environ.get("TMS_STATE_STEPS", "2000"))
SEED = int(os.environ.get("TMS_STATE_SEED", "20261121"))
LENGTH = 50
FAULTS = (
    "timeout_after_commit",
    "reset_after_commit",
    "reset_before_commit",
    "503",
    "500",
    "429",
    "truncated",
    "non_json",
    "error_in_200",
    "wrong_encryption",
    "version_expired",
)
CALLS = (
    "enrolment.create",
    "enrolment.update",
    "enrolment.cancel",
    "enrolment.fees",
    "assessment.*",
    "attendance.*",
    "course_run.*",
    "session.*",
    "trainer.*",
    "enrolment.search",
    "*",
)
TRAINEES = ("HB-00001", "HB-00002", "HB-00003")
RUNS = ("A", "B", "C")
_quick = replace(PACE, settle=0.02, first=0.005, ours=0.005, grace=0.05)
counted: Counter[str] = Counter()
_bench: list[World] = []
_nursery: list[Nursery] = []


class Walk(RuleBasedStateMachine):
    """One provider, one SSG, and everything that may happen to both."""

    def __init__(self) -> None:
        super().__init__()
        self.world = _bench[0]
        self.touched: set[tuple[str, str]] = set()
        self.abandoned: list[str] = []
        self.made: dict[str, int] = {}
        self.since = 0

    @initialize()
    def begin(self) -> None:
        restore(self.world, "term")
        self.world.reset_ssg()
        self.world.ssg("POST", "settings", {"refuse_run_delete_with_enrolments": True})

    # ---- our side ----

    @rule(run=st.sampled_from(RUNS), who=st.sampled_from(TRAINEES), live=st.booleans())
    def enrol_or_withdraw(self, run: str, who: str, live: bool) -> None:
        counted["upload"] += 1
        key = f"{run}|{who}"
        done = self.world.execute(
            "UPDATE register.enrolment SET live = %s, enrolment_status = CASE WHEN %s THEN "
            "'confirmed' ELSE 'withdrawn' END, "
            "version = version + 1 WHERE key = %s",
            live,
            live,
            key,
        )
        if not done and live:
            self.world.execute(
                "INSERT INTO register.enrolment (key, trainee_ref, run_code, enrolment_date, "
                "sponsorship_type, discount_amount, "
                "enrolment_status, live, row_hash, own_hash, ssg_hash, upload_id, sheet, row_number) "
                "SELECT %s, %s, %s, e.enrolment_date, e.sponsorship_type, e.discount_amount, "
                "'confirmed', true, e.row_hash, "
                "e.own_hash, sha256(e.own_hash || t.own_hash), e.upload_id, e.sheet, 90 "
                "FROM register.enrolment e, register.trainee t WHERE e.key = 'A|HB-00001' AND t.key = %s",
                key,
                who,
                run,
                who,
            )

    @rule(who=st.sampled_from(TRAINEES), version=st.sampled_from(["email", "name"]))
    def a_trainee_changes(self, who: str, version: str) -> None:
        """As two uploads made it: the other version of her particulars, back and forth."""
        counted["upload"] += 1
        with self.world.workplace.db.transaction() as connection:
            columns = "full_name_sealed, full_name_mark, email_sealed, email_mark, own_hash, ssg_hash, row_hash"
            connection.execute(
                f"UPDATE register.trainee t SET ({columns}) = (SELECT {columns} FROM "
                f"versions.{version} v WHERE v.key = t.key) "  # type: ignore[arg-type]
                "WHERE t.key = %s",
                (who,),
            )
            connection.execute(
                "UPDATE register.enrolment e SET ssg_hash = sha256(e.own_hash || t.own_hash) FROM register.trainee t "
                "WHERE t.trainee_ref = e.trainee_ref AND e.ssg_hash <> sha256(e.own_hash || t.own_hash)"
            )

    @rule(number=st.integers(1, 2), who=st.sampled_from(TRAINEES[:2]))
    def attendance_is_corrected(self, number: int, who: str) -> None:
        counted["upload"] += 1
        self.world.execute(
            "UPDATE register.attendance SET live = NOT live, mark = CASE WHEN live THEN 'absent' ELSE 'present' END "
            "WHERE key = %s",
            f"A|{number}|{who}",
        )

    @rule(who=st.sampled_from(TRAINEES[:2]))
    def an_assessment_is_voided_or_stands(self, who: str) -> None:
        counted["upload"] += 1
        self.world.execute(
            "UPDATE register.assessment SET live = NOT live, assessment_status = CASE WHEN live THEN 'voided' ELSE "
            "'confirmed' END WHERE key = %s",
            f"A|{who}|",
        )

    @rule(who=st.sampled_from(TRAINEES[:2]), status=st.sampled_from(["full payment", "pending payment"]))
    def a_fee_is_paid_or_not(self, who: str, status: str) -> None:
        """As an upload made it: the other version of her fee."""
        counted["upload"] += 1
        self.world.execute(
            "UPDATE register.fee f SET (collection_status, own_hash, ssg_hash, row_hash) = (SELECT v.collection_status, "
            "v.own_hash, v.ssg_hash, v.row_hash FROM versions.fee v WHERE v.key = f.key AND lower(v.collection_status) "
            "LIKE %s) WHERE key = %s",
            f"{status}%",
            f"A|{who}",
        )

    @rule(run=st.sampled_from(RUNS[1:]), version=st.sampled_from(["email", "name"]))
    def a_run_is_rescheduled(self, run: str, version: str) -> None:
        """As an upload made it: the other version of the run, back and forth."""
        counted["upload"] += 1
        columns = "schedule_info, own_hash, ssg_hash, row_hash"
        self.world.execute(
            f"UPDATE register.course_run r SET ({columns}) = (SELECT {columns} FROM versions.run_{version} v "
            "WHERE v.key = r.key) WHERE key = %s",
            run,
        )

    @rule(dice=st.integers(0, 3), name=st.sampled_from(["T1", "T2", "T3"]))
    def a_sheet_is_dropped(self, dice: int, name: str) -> None:
        """The whole way of an upload, from its bytes; dear, so the dice lets few through."""
        if dice:
            return
        counted["sheet"] += 1
        rows = [trainee(name, email=f"sheet{counted['sheet']}@example.test")]
        self.world.upload("trainee", *rows)

    # ---- SSG's side ----

    @rule(kind=st.sampled_from(FAULTS), call=st.sampled_from(CALLS), times=st.integers(1, 3))
    def ssg_fails(self, kind: str, call: str, times: int) -> None:
        counted["fault"] += 1
        options: dict[str, Any] = {"retry_after": 0} if kind == "429" else {}
        self.world.fault(kind, call, times=times, **options)

    @rule(pick=st.integers(0, 9), cancel=st.booleans())
    def somebody_edits_at_ssg(self, pick: int, cancel: bool) -> None:
        held = self.world.held("enrolments")
        if not held:
            return
        counted["foreign"] += 1
        chosen = sorted(held, key=lambda row: row["referenceNumber"])[pick % len(held)]
        if cancel:
            self.world.cancel_there("enrolments", chosen["referenceNumber"])
        else:
            self.world.edit("enrolments", chosen["referenceNumber"], email="foreign@example.test")
        self.touched.add((str(chosen["runId"]), chosen["traineeId"]))

    # ---- the pipeline ----

    @rule()
    def plan_and_approve(self) -> None:
        counted["plan"] += 1
        self.world.approve(*self.world.plan())

    @rule()
    def pull(self) -> None:
        counted["pull"] += 1
        self.world.pull()

    @rule(threads=st.integers(1, 2))
    def work(self, threads: int) -> None:
        counted["work"] += 1
        self.world.work(patience=0.0, pace=_quick, threads=threads)

    @rule()
    def two_workers(self) -> None:
        counted["two workers"] += 1
        both = [
            threading.Thread(target=self.world.work, kwargs={"patience": 0.0, "pace": _quick, "threads": 1})
            for _ in range(2)
        ]
        for one in both:
            one.start()
        self.world.approve(*self.world.plan())
        for one in both:
            one.join()

    @rule(
        point=st.sampled_from([name for name in POINTS if name not in ("after_plan", "after_approval")]),
        count=st.sampled_from([1, 1, 1, 2, 3]),
        who=st.sampled_from(TRAINEES[:2]),
    )
    def a_worker_dies(self, point: str, count: int, who: str) -> None:
        self.attendance_is_corrected(1, who)  # so that there is something to do
        self.world.approve(*self.world.plan())
        crashpoints.raised_instead.append(Crash)
        os.environ["TMS_CRASH_AT"] = f"{point}:{count}"
        try:
            with self.world.client() as client:
                worker = Worker(self.world.workplace, client, actor=self.world.actor(), pace=_quick, threads=1, seed=1)
                try:
                    worker.run(patience=0.0)
                except Crash:
                    counted["crash"] += 1
                    self.abandoned.append(worker.owner)
        finally:
            crashpoints.raised_instead.clear()
            os.environ.pop("TMS_CRASH_AT", None)

    @rule(dice=st.integers(0, 9), point=st.sampled_from(sorted(POINTS)))
    def a_process_is_killed(self, dice: int, point: str) -> None:
        """The same with SIGKILL, in a process of its own; dear, so the dice lets few through."""
        if dice:
            return
        self.attendance_is_corrected(2, TRAINEES[0])
        counted["kill"] += _nursery[0].killed(self.world, point)

    @rule()
    def the_dead_are_rescued(self) -> None:
        rescue(self.world.workplace, _quick, abandoned=tuple(self.abandoned))

    @rule(hours=st.sampled_from([-2, 2, 30]))
    def the_clock_jumps(self, hours: int) -> None:
        """Everything that Postgres has dated moves the other way."""
        counted["clock"] += 1
        self.world.execute(
            "UPDATE outbox.submission SET next_attempt_at = next_attempt_at - %(h)s * interval '1 hour', "
            "lease_until = lease_until - %(h)s * interval '1 hour', approved_until = approved_until "
            "- %(h)s * interval '1 hour', "
            "first_sent_at = first_sent_at - %(h)s * interval '1 hour', last_sent_at = last_sent_at "
            "- %(h)s * interval '1 hour'".replace(
                "%(h)s", str(hours)
            )
        )

    @invariant()
    def never_two_live_of_one_change(self) -> None:
        """At every moment, not only at rest; a second enrolment would be paid for twice."""
        counted["step"] += 1
        self.since += 1
        made = self.world.ssg("GET", "counts")["records"]
        if made == self.made:
            return  # nothing was made since the last look
        self.made = made
        state = self.world.ssg("GET", "state")
        for kind, parts in (("enrolments", ("runId", "traineeId")), ("assessments", ("runId", "traineeId"))):
            seen = Counter(tuple(str(row[name]) for name in parts) for row in self.world.held(kind, state=state))
            assert not [key for key, count in seen.items() if count > 1], f"{kind} made twice"
        assert len(state["trainers"]) <= 2 and len(state["runs"]) <= 3 and len(state["sessions"]) <= 5

    @precondition(lambda self: self.since > 12)
    @rule()
    def quiescence(self) -> None:
        self._settle()

    def teardown(self) -> None:
        if self.world.value("SELECT count(*) FROM register.course_run"):
            self._settle()
        crashpoints.raised_instead.clear()

    def _left(self, waiting: set[str]) -> list[tuple[Any, ...]]:
        rows = self.world.rows(
            "SELECT kind || ':' || key, state, error_code FROM outbox.submission "
            "WHERE state NOT IN ('accepted', 'superseded')"
        )
        return [row for row in rows if row[0] not in waiting]

    def _waiting_for_a_decision(self) -> set[str]:
        """What hangs on an enrolment that somebody took away at SSG: it waits until a person has decided."""
        gone = {
            f"enrolment:{key}"
            for (key,) in self.world.rows(
                "SELECT agreed_key FROM mirror.enrolment WHERE NOT live AND agreed_hash <> '\\x00'"
            )
        }
        return {
            name
            for name, parents in self.world.rows(
                "SELECT kind || ':' || key, parents FROM outbox.submission WHERE state IN ('planned', 'ready')"
            )
            if gone & set(parents)
        }

    def _settle(self) -> None:
        """SSG is well again, the nights follow each other, a person sees to the dead letters: both sides agree."""
        counted["quiescence"] += 1
        self.since = 0
        world = self.world
        world.mend()
        world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL, paused_until = NULL")
        for _ in range(12):
            rescue(world.workplace, _quick, abandoned=tuple(self.abandoned))
            world.execute(
                "UPDATE outbox.submission SET next_attempt_at = least(next_attempt_at, now()) WHERE state <> 'unknown'"
            )
            world.execute(
                "UPDATE outbox.submission SET next_attempt_at = least(next_attempt_at, now() + interval '1 second') "
                "WHERE state = 'unknown'"
            )
            world.pull()
            _, plan = world.plan(keep=False)
            waiting = self._waiting_for_a_decision()
            if not self._left(waiting) and not {change.name for change in plan.changes} - waiting:
                break
            for letter in dead_letters.dead_letters(world.workplace):
                dead_letters.retry(world.workplace, letter.submission_id, reason="settling", actor=world.actor())
            world.approve(*world.plan())
            world.work(patience=0.05, pace=_quick)
            time.sleep(_quick.settle)
        left = self._left(self._waiting_for_a_decision())
        assert not left, f"stuck: {left}"
        wanted = {
            tuple(row)
            for row in world.rows(
                "SELECT m.ssg_ref, t.key FROM register.enrolment e JOIN mirror.course_run m ON m.key "
                "= e.run_code AND m.live "
                "JOIN register.trainee t ON t.trainee_ref = e.trainee_ref WHERE e.live"
            )
        }
        names = dict(zip(NRICS.values(), TRAINEES, strict=True))
        there = {(str(row["runId"]), names[row["traineeId"]]) for row in world.held("enrolments")}
        foreign = {(run, names[nric]) for run, nric in self.touched}
        assert there - foreign == wanted - foreign, "SSG holds other enrolments than the register"
        found = world.reconcile()
        shown = {
            key
            for (key,) in world.rows(
                "SELECT DISTINCT key FROM finding.discrepancy WHERE review_id = (SELECT "
                "max(review_id) FROM finding.review)"
            )
        }
        trainees = {who for _, who in foreign}
        assert all(any(who in key for who in trainees) for key in shown if key), f"{found} where nobody touched SSG"
        # What differs is shown: nobody's edit is lost in silence.
        hidden = (there ^ wanted) - {
            (
                world.value("SELECT ssg_ref FROM mirror.course_run WHERE key = %s AND live", key.split("|")[0]),
                key.split("|")[1],
            )
            for key in shown
            if key
        }
        assert not hidden, "a difference that nobody is told of"


@pytest.fixture
def walking(bench: World) -> Iterator[World]:
    restore(bench, "term")
    if not bench.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'versions'"):
        bench.execute("CREATE SCHEMA versions")
        for version, change in (
            ("email", {"email": "walk{}@example.test"}),
            ("name", {"full_name": "Walker Number {}"}),
        ):
            bench.upload(
                "trainee",
                *[trainee(name, **{field: text.format(name[-1]) for field, text in change.items()}) for name in NRICS],
            )
            bench.execute(f"CREATE TABLE versions.{version} AS TABLE register.trainee")
            bench.upload(
                "course_run",
                *[run(code, "2026-12-07", "2026-12-08", schedule_info=f"Version {version}") for code in RUNS[1:]],
            )
            bench.execute(f"CREATE TABLE versions.run_{version} AS TABLE register.course_run")
        bench.execute("CREATE TABLE versions.fee AS TABLE register.fee")
        bench.upload("fee", fee("A", "T1", "Pending Payment"), fee("A", "T2", "Full Payment"))
        bench.execute("INSERT INTO versions.fee TABLE register.fee")
        restore(bench, "term")
    _bench[:] = [bench]
    nursery = Nursery()
    _nursery[:] = [nursery]
    with bench.client() as client:
        bench.kept = client
        yield bench
        bench.kept = None
    nursery.close()


def test_random_walks(
    walking: World, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    counted.clear()
    begun = time.monotonic()
    walk = seed(SEED)(Walk)
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call]
            walk,
            settings=settings(
                max_examples=max(2, STEPS * 6 // (5 * LENGTH)),
                stateful_step_count=LENGTH,
                deadline=None,
                database=None,
                phases=(Phase.generate, Phase.shrink) if os.environ.get("TMS_STATE_SHRINK") else (Phase.generate,),
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            ),
        )
    finally:
        # A walk that failed is walked again by TMS_STATE_SEED.
        record_property("random walks", (SEED, counted["step"]))
        with capsys.disabled():
            print(
                f"\nrandom walks: TMS_STATE_SEED={SEED}, {sum(counted.values()) - counted['step']} actions in "
                f"{counted['step']} steps, {dict(counted)}, {time.monotonic() - begun:.0f} s"
            )
    assert counted["step"] >= STEPS and counted["crash"] and counted["kill"] and counted["sheet"]
