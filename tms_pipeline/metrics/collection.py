"""The collection: each metric from one cheap question to Postgres; what cannot be asked is left out, never zero."""

from __future__ import annotations

import re
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tms_pipeline import __version__
from tms_pipeline.health.check import State
from tms_pipeline.health.report import Report
from tms_pipeline.health.site import Site
from tms_pipeline.metrics.measures import BUCKETS, MEASURES
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.sending import ENDPOINTS
from tms_pipeline.submission.states import DEAD_LETTER

#: More attempts than these since the last sum, and they are summed up (sql/metrics/roll_up.sql).
ROLL_UP_FROM = 2_000
_ROLL_UP_LOCK = 7_310_009
#: The call by which a record is looked for (submission/looking.py).
_LOOKS = {
    "trainer": "trainers.list", "course_run": "course_runs.by_reference", "session": "course_runs.sessions",
    "enrolment": "enrolments.search", "fee": "enrolments.view", "attendance": "attendance.view",
    "assessment": "assessments.search",
}  # fmt: skip
#: A label value of ours: a word or a few. Anything else, whatever it is, becomes "other".
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]{0,63}")
_HEALTH = {State.OK: 0, State.WARNING: 1, State.DEGRADED: 2}

Samples = dict[str, list[tuple[tuple[str, ...], Any]]]


class Collection(Collector):
    """Collects when it is asked. ``report``: the health that goes with it."""

    def __init__(self, site: Site, report: Callable[[], Report]) -> None:
        """Ask nothing yet."""
        self._site, self._report = site, report

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask Postgres."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every metric of ``MEASURES`` that can be told now."""
        samples: Samples = defaultdict(list)
        self._of_health(samples)
        up = 0
        try:
            with self._site.connect() as connection:
                for group, ask in _GROUPS.items():
                    began = time.perf_counter()
                    ask(connection, samples)
                    samples["tms_scrape_seconds"].append(((group,), time.perf_counter() - began))
            up = 1
        except psycopg.Error:
            pass  # told by tms_database_up and the check 'db'; what was asked before it broke off is told
        samples["tms_database_up"].append(((), up))
        self._of_dagster(samples)
        for name, values in samples.items():
            yield _family(name, values)

    def _of_health(self, samples: Samples) -> None:
        report = self._report()
        settings = self._site.settings
        samples["tms_build_info"].append(((__version__, settings.environment), 1))
        samples["tms_degraded"].append(((), int(report.status is State.DEGRADED)))
        for check in report.checks:
            if check.name not in report.skipped:
                samples["tms_health"].append(((check.name,), _HEALTH[check.state]))
            facts = check.facts
            if check.name == "ssg":
                if facts.get("reachable") is not None:
                    samples["tms_ssg_reachable"].append(((), int(facts["reachable"])))
                if facts.get("breaker") in ("open", "closed"):
                    samples["tms_ssg_breaker_open"].append(((), int(facts["breaker"] == "open")))
                    samples["tms_ssg_calls_stopped"].append(((), int(bool(facts["calls_stopped"]))))
            elif check.name == "certificate" and "expires_at" in facts:
                moment = datetime.fromisoformat(facts["expires_at"]).timestamp()
                samples["tms_certificate_expires_timestamp_seconds"].append(((), moment))
            elif check.name == "dagster":
                for part, age in facts.get("heartbeats", {}).items():
                    samples["tms_daemon_heartbeat_seconds"].append(((part,), age))
            elif check.name == "runs":
                samples["tms_runs_stuck"].append(((), facts.get("stuck", 0)))
            elif check.name == "queue" and "depth" in facts:
                samples["tms_queue_due"].append(((), facts["depth"]))
                samples["tms_queue_oldest_seconds"].append(((), facts["oldest_seconds"]))
                samples["tms_queue_leases_expired"].append(((), facts["leases_expired"]))
            elif check.name in ("archive", "inbox"):
                samples["tms_folder_bytes"].append(((check.name,), facts["mb"] * 1e6))
        place = settings.home
        while not place.exists():
            place = place.parent
        samples["tms_disk_free_bytes"].append(((), shutil.disk_usage(place).free))

    def _of_dagster(self, samples: Samples) -> None:
        try:
            with self._site.connect(dagster=True) as connection:
                size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
                samples["tms_postgres_bytes"].append((("dagster",), size[0] if size else 0))
                for job, status, count in connection.execute(query("metrics/runs")):
                    samples["tms_runs"].append(((word(job), word(status)), count))
        except psycopg.Error:
            return  # Dagster's own database is not there or down: told by the check 'dagster'


def _uploads(connection: Connection, samples: Samples) -> None:
    outcomes = dict.fromkeys(("accepted", "unchanged", "rejected", "superseded"), 0)
    for state, count, *rows in connection.execute(query("metrics/uploads")):
        samples["tms_uploads"].append(((word(state),), count))
        if state == "taken in":
            for outcome, number in zip(outcomes, rows, strict=True):
                outcomes[outcome] += number
    samples["tms_rows"] += [((outcome,), number) for outcome, number in outcomes.items()]


def _submissions(connection: Connection, samples: Samples) -> None:
    dead: dict[str, int] = {}
    for kind, state, count in connection.execute(query("metrics/submissions")):
        samples["tms_submissions"].append(((word(kind), word(state)), count))
        dead[kind] = dead.get(kind, 0) + (count if state in DEAD_LETTER else 0)
    samples["tms_dead_letters"] += [((word(kind),), count) for kind, count in dead.items()]


def _attempts(connection: Connection, samples: Samples) -> None:
    limits = {"limits": list(BUCKETS)}
    waiting = connection.execute(query("metrics/waiting_attempts")).fetchone()
    if waiting and waiting[0] > ROLL_UP_FROM:
        with connection.transaction():
            free = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_ROLL_UP_LOCK,)).fetchone()
            if free and free[0]:
                connection.execute(query("metrics/roll_up"), limits)
    series: dict[tuple[str, ...], list[tuple[int, int, float]]] = defaultdict(list)
    for kind, action, step, class_, bucket, calls, seconds in connection.execute(query("metrics/attempts"), limits):
        endpoint = _LOOKS.get(kind, "other") if step == "search" else ENDPOINTS.get((kind, action), "other")
        series[endpoint, word(step), word(class_)].append((bucket, calls, seconds))
    for labels, found in series.items():
        counts = [0] * (len(BUCKETS) + 1)
        for bucket, calls, _ in found:
            counts[bucket] += calls
        running, cumulative = 0, []
        for limit, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
            running += count
            cumulative.append((limit, running))
        samples["tms_ssg_attempt_seconds"].append((labels, (cumulative, sum(seconds for _, _, seconds in found))))
        samples["tms_ssg_attempts_total"].append((labels, running))


def _findings(connection: Connection, samples: Samples) -> None:
    for name, ask in (("tms_deadlines", "metrics/deadlines"), ("tms_discrepancies", "metrics/discrepancies"),
                      ("tms_alarms_open", "metrics/alarms")):  # fmt: skip
        counts: dict[tuple[str, ...], int] = defaultdict(int)
        for first, second, count in connection.execute(query(ask)):
            counts[word(first), word(second)] += count
        samples[name] += list(counts.items())


def _times(connection: Connection, samples: Samples) -> None:
    for what, moment in connection.execute(query("metrics/last_success")):
        if moment is not None:
            samples["tms_last_success_timestamp_seconds"].append(((what,), moment))
    row = connection.execute(query("metrics/last_night")).fetchone()
    if row is not None:
        samples["tms_ssg_calls_last_night"] += [(("write",), row[0]), (("read",), row[1])]


def _sizes(connection: Connection, samples: Samples) -> None:
    row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    samples["tms_postgres_bytes"].append((("tms",), row[0] if row else 0))
    for schema, size in connection.execute(query("metrics/sizes")):
        samples["tms_schema_bytes"].append(((word(schema),), size))


_GROUPS: dict[str, Callable[[Connection, Samples], None]] = {
    "uploads": _uploads, "submissions": _submissions, "attempts": _attempts, "findings": _findings, "times": _times,
    "sizes": _sizes,
}  # fmt: skip


def word(value: object) -> str:
    """A label value: a word of ours, else "other", so that no value of a person and no new series can slip in."""
    text = str(value)
    return text if _WORD.fullmatch(text) else "other"


def _family(name: str, samples: list[tuple[tuple[str, ...], Any]]) -> Metric:
    measure = MEASURES[name]
    labels = list(measure.labels)
    if measure.type == "histogram":
        histogram = HistogramMetricFamily(name, measure.about, labels=labels)
        for values, (buckets, total) in samples:
            histogram.add_metric(list(values), buckets=buckets, sum_value=total)
        return histogram
    counter = measure.type == "counter"
    made = CounterMetricFamily if counter else GaugeMetricFamily
    family = made(name.removesuffix("_total") if counter else name, measure.about, labels=labels)
    for values, number in samples:
        family.add_metric(list(values), number)
    return family
