"""Submissions through the worker, outbox commits and crypto included, beside bare httpx and one call at a time.

    python -m benchmarks.submission_overhead [--calls 1000]

Two figures are of an SSG that takes 50 ms to answer, at concurrency 32: what of the ideal (32 calls in 50 ms) is
reached. The others are of one that answers at once: wall time, and processor time of this process, a submission.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from benchmarks.harness import Figure, emit, options

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "submission")]

from submission_world import NRICS, World, running_site  # noqa: E402

from benchmarks.submission_fleet import many  # noqa: E402

CLIENTS = 2  # httpx falls behind past some tens of calls in one client (performance.md)
ONE_BY_ONE = 100


def measure(calls: int, concurrency: int, slow_concurrency: int, latency_ms: int) -> list[Figure]:
    """The four figures."""
    with running_site() as site, site.world() as world:
        world.load_term()
        world.execute("UPDATE register.course_run SET intake_size = 5000")
        many(world, calls)
        # Tests run without; what is measured keeps every commit.
        for setting in ("synchronous_commit", "fsync"):
            site.sql(f"ALTER SYSTEM SET {setting} = on")
        site.sql("SELECT pg_reload_conf()")
        plan_id, plan = world.plan()
        world.approve(plan_id, plan)
        # Parents first, so that the measured part is one kind: attendance uploads.
        world.execute(
            "UPDATE outbox.submission SET next_attempt_at = now() + interval '1 hour' WHERE kind = 'attendance'"
        )
        world.work(patience=0.2, threads=concurrency)
        with world.workplace.db.transaction() as connection:
            connection.execute("SET LOCAL ROLE NONE; CREATE TABLE kept AS TABLE outbox.submission; GRANT SELECT ON kept TO public")
        count = again(world)
        ours, ours_cpu = _timed(lambda: world.work(patience=0.0, threads=concurrency))
        url, content, headers = one_call(world)
        bare, bare_cpu = _timed(lambda: post_many(url, content, headers, count, concurrency, 1))
        world.ssg("POST", "settings", {"latency_ms": latency_ms})
        again(world)
        slow, _ = _timed(lambda: world.work(patience=0.0, threads=slow_concurrency))
        peer, _ = _timed(lambda: post_many(url, content, headers, count, slow_concurrency, CLIENTS))
        single, _ = _timed(lambda: post_many(url, content, headers, ONE_BY_ONE, 1, 1))
        world.ssg("POST", "settings", {"latency_ms": 0})
    ideal = count * latency_ms / 1000 / slow_concurrency
    return [
        Figure(f"submission, {latency_ms} ms server, {slow_concurrency} at a time", calls, slow, limit=ideal,
               limit_name="ideal", naive=single / ONE_BY_ONE * count, naive_name="one call at a time", peer=peer,
               peer_name="httpx, two clients", facts={"calls": count, "share_of_ideal": round(ideal / slow, 3), "a_second": round(count / slow)}),
        Figure("submission, processor time of the client", calls, ours_cpu, limit=bare_cpu, limit_name="bare httpx",
               facts={"ms_a_submission": round(ours_cpu / count * 1000, 2), "bare_ms": round(bare_cpu / count * 1000, 2)}),
        Figure(f"submission, server at once, {concurrency} at a time", calls, ours, limit=bare, limit_name="bare httpx",
               bound=3.0, facts={"a_second": round(count / ours), "bare_a_second": round(count / bare)}),
    ]  # fmt: skip


def _timed(work: object) -> tuple[float, float]:
    """Wall and processor seconds of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return time.perf_counter() - wall, time.process_time() - cpu


def again(world: World) -> int:
    """The attendance submissions as they were before any was sent; how many."""
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL ROLE NONE; SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM outbox.attempt")
        connection.execute("DELETE FROM outbox.submission WHERE kind = 'attendance'")
        connection.execute(
            "INSERT INTO outbox.submission OVERRIDING SYSTEM VALUE SELECT * FROM kept WHERE kind = 'attendance'"
        )
        connection.execute("DELETE FROM mirror.attendance")
        return connection.execute(
            "UPDATE outbox.submission SET next_attempt_at = now() WHERE kind = 'attendance'"
        ).rowcount


def one_call(world: World) -> tuple[str, bytes, dict[str, str]]:
    """Address, body and headers of one attendance upload."""
    from tms_pipeline.records import wire_out
    from tms_pipeline.ssg.crypto import BodyCipher

    run_id, session = world.rows("SELECT ssg_run_id, ssg_ref FROM mirror.session WHERE key = 'A|1'")[0]
    values = {
        "nric": NRICS["T1"], "full_name": "Trainee", "email": "t@example.test", "phone": "90000001",
        "mode_of_training": "1", "survey_language": "EL",
    }  # fmt: skip
    settings = world.workplace.settings
    body = wire_out.attendance(values, session_id=session, course_reference="TGS-2026000101", present=True)
    wire = body.to_body(settings.uen, settings.corppass_id)
    content = f'"{BodyCipher(settings.encryption_key).encrypt(json.dumps(wire))}"'.encode()
    headers = {"content-type": "application/json", "accept": "application/json"}
    return f"{world.site.ssg}/courses/runs/{run_id}/sessions/attendance", content, headers


def post_many(url: str, content: bytes, headers: dict[str, str], count: int, concurrency: int, clients: int) -> None:
    """That many posts of one body by plain httpx; each must be answered 200."""
    made = [httpx.Client(limits=httpx.Limits(max_connections=concurrency)) for _ in range(clients)]
    try:
        with ThreadPoolExecutor(concurrency) as pool:
            replies = list(
                pool.map(lambda n: made[n % clients].post(url, content=content, headers=headers).status_code, range(count))
            )
    finally:
        for client in made:
            client.close()
    right = replies.count(200)
    if right != count:
        raise SystemExit(f"bare httpx: only {right} of {count} were answered 200")


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, calls=1000, concurrency=8, slow_concurrency=32, latency_ms=50)
    emit(measure(given.calls, given.concurrency, given.slow_concurrency, given.latency_ms))


if __name__ == "__main__":
    main()
