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
from submission_world import NRICS, running_site  # noqa: E402

LIMIT = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=8)
    given = parser.parse_args()
    from tms_pipeline.records import wire_out
    from tms_pipeline.ssg.crypto import BodyCipher

    with running_site() as site, site.world() as world:
        world.load_term()
        world.execute("UPDATE register.course_run SET intake_size = 5000")
        many(world, given.calls)
        plan_id, plan = world.plan()
        world.approve(plan_id, plan)
        # Parents first, so that the measured part is one kind: attendance uploads.
        world.execute(
            "UPDATE outbox.submission SET next_attempt_at = now() + interval '1 hour' WHERE kind = 'attendance'"
        )
        world.work(patience=0.2, threads=given.concurrency)
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
    right = sum(1 for status in replies if status == 200)
    print(
        f"{count} attendance uploads at concurrency {given.concurrency}: worker {count / ours:.0f}/s "
        f"({ours / count * 1000:.2f} ms each, {dict(done.outcomes)}), bare httpx {count / bare:.0f}/s "
        f"({bare / count * 1000:.2f} ms each, {right} answered 200), ratio {ours / bare:.2f} (limit {LIMIT})"
    )
    return 0 if ours / bare <= LIMIT and right == count else 1


if __name__ == "__main__":
    sys.exit(main())
