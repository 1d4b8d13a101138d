"""What the pipeline adds to a call: submissions through the worker against bare httpx posts to the same endpoint.

python benchmarks/submission_overhead.py [--calls 400] [--concurrency 8]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "submission"), str(ROOT / "benchmarks")]

from submission_fleet import many  # noqa: E402
from submission_world import NRICS, World, running_site  # noqa: E402

LIMIT = 3.0
SLOW_CONCURRENCY, SHARE = 32, 0.80


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--latency", type=int, default=50, help="Milliseconds of the slow server at concurrency 32.")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    from tms_pipeline.records import wire_out
    from tms_pipeline.ssg.crypto import BodyCipher

    with running_site() as site, site.world() as world:
        world.load_term()
        world.execute("UPDATE register.course_run SET intake_size = 5000")
        many(world, given.calls)
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
        world.work(patience=0.2, threads=given.concurrency)
        with world.workplace.db.transaction() as connection:
            connection.execute("CREATE TABLE kept AS TABLE outbox.submission")
        count = world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE kind = 'attendance'")
        begun = time.perf_counter()
        done = world.work(patience=0.0, threads=given.concurrency)
        ours = time.perf_counter() - begun
        run_id, session = world.rows("SELECT ssg_run_id, ssg_ref FROM mirror.session WHERE key = 'A|1'")[0]
        values = {
            "nric": NRICS["T1"],
            "full_name": "Trainee",
            "email": "t@example.test",
            "phone": "90000001",
            "mode_of_training": "1",
            "survey_language": "EL",
        }
        settings = world.workplace.settings
        body = wire_out.attendance(values, session_id=session, course_reference="TGS-2026000101", present=True)
        wire = body.to_body(settings.uen, settings.corppass_id)
        content = f'"{BodyCipher(settings.encryption_key).encrypt(json.dumps(wire))}"'.encode()
        headers = {"content-type": "application/json", "accept": "application/json"}
        url = f"{site.ssg}/courses/runs/{run_id}/sessions/attendance"
        with (
            httpx.Client(limits=httpx.Limits(max_connections=given.concurrency)) as client,
            ThreadPoolExecutor(given.concurrency) as pool,
        ):
            begun = time.perf_counter()
            replies = list(
                pool.map(lambda _: client.post(url, content=content, headers=headers).status_code, range(count))
            )
            bare = time.perf_counter() - begun
        share = slow_share(world, given.latency)
    right = sum(1 for status in replies if status == 200)
    found = {
        "calls": count, "concurrency": given.concurrency, "worker_per_second": round(count / ours),
        "bare_httpx_per_second": round(count / bare), "ratio": round(ours / bare, 2), "bound": LIMIT,
        "slow_server_ms": given.latency, "slow_server_concurrency": SLOW_CONCURRENCY, "share_of_ideal": round(share, 2),
        "share_bound": SHARE,
    }  # fmt: skip
    print(json.dumps(found) if given.json else f"submission overhead: {found}, {dict(done.outcomes)}")
    if right != count:
        raise SystemExit(f"bare httpx: only {right} of {count} were answered 200")
    return 0 if given.json or (ours / bare <= LIMIT and share >= SHARE) else 1


def slow_share(world: World, latency_ms: int) -> float:
    """The same submissions again at a server that takes its time: what was reached of concurrency / latency."""
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM outbox.attempt")
        connection.execute("DELETE FROM outbox.submission WHERE kind = 'attendance'")
        connection.execute(
            "INSERT INTO outbox.submission OVERRIDING SYSTEM VALUE SELECT * FROM kept WHERE kind = 'attendance'"
        )
        connection.execute("DELETE FROM mirror.attendance")
        count = connection.execute(
            "UPDATE outbox.submission SET next_attempt_at = now() WHERE kind = 'attendance'"
        ).rowcount
    world.ssg("POST", "settings", {"latency_ms": latency_ms})
    begun = time.perf_counter()
    world.work(patience=0.0, threads=SLOW_CONCURRENCY)
    seconds = time.perf_counter() - begun
    world.ssg("POST", "settings", {"latency_ms": 0})
    return count / seconds / (SLOW_CONCURRENCY * 1000 / latency_ms)


if __name__ == "__main__":
    sys.exit(main())
