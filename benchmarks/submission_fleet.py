"""A fleet of worker processes against one database and an SSG with 5 % faults: throughput, doubles, losses.

    python -m benchmarks.submission_fleet [--submissions 2000] [--workers 2 8] [--faults 0.05] [--threads 4]
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.harness import Figure, emit, options

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "submission")]

from submission_world import PACE, Site, World, restore, running_site, settings_url  # noqa: E402

from tms_pipeline.identity import keyring  # noqa: E402
from tms_pipeline.store.database import Database  # noqa: E402
from tms_pipeline.store.embedded import EmbeddedPostgres  # noqa: E402
from tms_pipeline.workplace import Workplace  # noqa: E402

FAULTS = ("timeout_after_commit", "reset_before_commit", "reset_after_commit", "503", "500", "truncated")


def worker(home: str, ssg: str, database: str, threads: int) -> None:
    site = Site(Path(home), EmbeddedPostgres(Path(home)), ssg)
    with Database(settings_url(site.settings(database)), max_size=threads + 4) as db:
        world = World(site, database, Workplace(site.settings(database), db, keyring.load(Path(home)), db.url))
        world.work(patience=3.0, pace=PACE, threads=threads, seed=None)
    os._exit(0)


def many(world: World, count: int) -> None:
    """That many attendances of run A: trainees made up by copying one, with marks of their own."""
    from submission_world import attendance, enrolment, session, trainee

    from tms_pipeline.intake.nric import make_nric

    people = count // 20
    names = [f"X{number}" for number in range(people)]
    nrics = {name: make_nric("S", 9990000 - number) for number, name in enumerate(names)}
    days = [
        session(
            "A",
            number,
            "2026-11-16" if number <= 10 else "2026-11-17",
            start_time=f"{8 + (number - 1) % 10:02d}:05",
            end_time=f"{8 + (number - 1) % 10:02d}:50",
        )
        for number in range(1, 20)
    ]
    rows = [
        {**trainee("T1", email=f"{name.lower()}@example.test", full_name=f"Person {name}"), "nric": nrics[name]}
        for name in names
    ]
    for kind, items in (
        ("session", days[2:]),
        ("trainee", rows),
        ("enrolment", [{**enrolment("A", "T1"), "nric": nrics[name]} for name in names]),
        (
            "attendance",
            [{**attendance("A", number, "T1"), "nric": nrics[name]} for name in names for number in range(1, 20)],
        ),
    ):
        upload(world, kind, items)


def upload(world: World, kind: str, rows: list[dict[str, object]]) -> None:
    from submission_world import sheet

    from tms_pipeline.intake.service import receive, take_in

    upload_id, _ = receive(world.workplace, f"{kind}.csv", sheet(kind, rows), source="bench", actor=world.actor())
    taken = take_in(world.workplace, upload_id, actor=world.actor(), hold=False)
    rejected = taken.counts()["rejected"]
    if rejected:
        print(
            f"{rejected} of {len(rows)} {kind} rows rejected: "
            f"{Counter(f.code for items in taken.evaluation.faults.values() for f in items).most_common(3)}"
        )


def main() -> int:
    """Measure, and print the figures; 1 if one was doubled or lost."""
    given = options(__doc__, submissions=2000, workers=[2, 8], threads=2, faults=0.05)
    figures: list[Figure] = []
    from submission_world import keep

    context = multiprocessing.get_context("spawn")
    bad = 0
    with running_site() as site, site.world() as world:
        world.load_term()
        world.execute("UPDATE register.course_run SET intake_size = 5000")
        many(world, given.submissions)
        keep(world, "fleet")
        for fleet in given.workers:
            restore(world, "fleet")
            world.reset_ssg()
            world.mend()
            for kind in FAULTS if given.faults else ():
                world.fault(kind, "*.*", probability=given.faults / len(FAULTS))
            plan_id, plan = world.plan()
            world.approve(plan_id, plan)
            processes = [
                context.Process(target=worker, args=(str(site.home), site.ssg, world.database, given.threads))
                for _ in range(fleet)
            ]
            for process in processes:
                process.start()
            while not world.value("SELECT count(*) FROM outbox.attempt"):
                time.sleep(0.01)
            begun = time.monotonic()
            for process in processes:
                process.join()
            seconds = world.value("SELECT extract(epoch FROM max(finished_at) - min(started_at)) FROM outbox.attempt")
            world.mend()
            world.execute("UPDATE ssg.breaker SET failures = 0, opened_at = NULL")
            for _ in range(5):
                if not set(world.states()) - {"accepted"}:
                    break
                world.execute(
                    "UPDATE outbox.submission SET next_attempt_at = least(next_attempt_at, now() + interval '1s') "
                    "WHERE state IN ('ready', 'retry', 'unknown')"
                )
                world.work(patience=3.0)
            held = world.ssg("GET", "state")
            doubles = (
                sum(
                    count - 1
                    for kind, parts in (
                        ("enrolments", ("runId", "traineeId")),
                        ("attendance", ("sessionId", "traineeId")),
                        ("assessments", ("runId", "traineeId")),
                        ("sessions", ("runId", "startDate", "startTime")),
                    )
                    for count in Counter(tuple(row[p] for p in parts) for row in world.held(kind, state=held)).values()
                )
                + len(held["runs"])
                - 3
            )
            made = sum(
                len(world.held(kind, state=held))
                for kind in ("trainers", "runs", "sessions", "enrolments", "attendance", "assessments")
            )
            losses = len(plan.changes) - made + doubles
            bad += abs(losses) + doubles
            faults = sum(1 for _ in world.rows("SELECT 1 FROM outbox.attempt WHERE error_code IS NOT NULL"))
            figures.append(
                Figure(f"fleet of {fleet} processes, {given.faults:.0%} faults", len(plan.changes), float(seconds),
                       facts={"a_second": round(len(plan.changes) / float(seconds)), "failed_calls": faults,
                              "doubles": doubles, "losses": losses, "wall": round(time.monotonic() - begun, 1)})
            )  # fmt: skip
    emit(figures)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
