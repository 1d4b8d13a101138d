"""A scrape of the metrics beside counting everything anew, at 1,000,000 submissions and attempts: seconds and ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks.harness import Figure, emit, options, state_folder
from tms_pipeline.health.report import look
from tms_pipeline.health.site import site
from tms_pipeline.metrics.exposition import text
from tms_pipeline.metrics.measures import BUCKETS
from tms_pipeline.settings import load_settings
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import open_workplace

SEED = """
INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) VALUES ('P', 'h', 'c', 1, 0, 0, '{{}}');
ALTER TABLE outbox.submission DISABLE TRIGGER USER;
INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, correlation_id, state,
    ssg_ref, upload_id, sheet, row_number, finished_at, approved_until)
SELECT 'P', (ARRAY['enrolment', 'fee', 'attendance', 'assessment'])[n % 4 + 1], 'T-' || n || ':RUN-2611-A', 'update', n % 7,
       decode(md5(n::text), 'hex'), md5(n::text), md5(n::text), CASE WHEN n % 200 = 0 THEN 'ready' WHEN n % 333 = 0 THEN 'dead'
       ELSE 'accepted' END, 'ENR-2611-' || n, 'U-1', 'Enrolments', n, now(), now() + interval '1 day'
FROM generate_series(1, {rows}) n;
ALTER TABLE outbox.submission ENABLE TRIGGER USER;
INSERT INTO outbox.attempt (submission_id, number, step, correlation_id, started_at, finished_at, outcome, error_class, seconds)
SELECT submission_id, 1, 'send', correlation_id, now() - interval '1 hour', now() - interval '59 minutes', 'accepted',
       CASE WHEN submission_id % 50 = 0 THEN 'retryable' END, (submission_id % 1000) / 200.0
FROM outbox.submission;
ANALYZE outbox.submission;
ANALYZE outbox.attempt
"""
ANEW = """
SELECT s.kind, s.action, a.step, coalesce(a.error_class, 'ok'), width_bucket(a.seconds, %(limits)s::float8[]), count(*), sum(a.seconds)
FROM outbox.attempt a JOIN outbox.submission s USING (submission_id) GROUP BY 1, 2, 3, 4, 5
"""


def timed(work: Callable[[], object], times: int = 5) -> float:
    """The median of a few runs, in seconds."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main() -> None:
    """Seed, scrape, compare."""
    rows = options(__doc__, rows=1_000_000).rows
    with state_folder() as folder:
        settings = load_settings(_env_file=None, tms_home=folder / "h")
        with open_workplace(settings) as place:
            with place.db.as_login.transaction() as connection:
                for statement in SEED.format(rows=rows).split(";\n"):
                    connection.execute(statement)
            with site(settings, start=False) as found:
                with found.connect() as connection:
                    connection.execute("VACUUM outbox.submission")
                first = timed(lambda: text(found), 1)
                health = timed(lambda: look(found))
                scrape = timed(lambda: text(found))
                with found.connect() as connection:
                    parts = {
                        name: timed(lambda name=name: connection.execute(query(f"metrics/{name}"), {"limits": list(BUCKETS)} if name == "attempts" else None).fetchall())
                        for name in ("uploads", "submissions", "attempts", "deadlines", "discrepancies", "last_success", "sizes")
                    }
                    anew = timed(lambda: connection.execute(ANEW, {"limits": list(BUCKETS)}).fetchall(), 3)
    ms = {name: round(seconds * 1000, 1) for name, seconds in parts.items()}
    emit([Figure("scrape of the metrics", rows, scrape, limit=anew, limit_name="counting all attempts anew", bound=1.0,
                 facts={"first_scrape_seconds": round(first, 3), "of_which_health_seconds": round(health, 3),
                        "questions_ms": ms})])  # fmt: skip


if __name__ == "__main__":
    main()
