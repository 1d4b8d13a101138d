"""Every metric: its name, what it counts, its labels. Labels are words of ours with few values, never a person's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Limits of the latency histogram in seconds; a create at SSG may take a minute (anchors A1).
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True)
class Measure:
    """One metric as Prometheus knows it."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    about: str
    labels: tuple[str, ...] = ()


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("tms_build_info", "gauge", "1; the version and environment of this "
                                           "installation", ("version", "environment")),
        Measure("tms_health", "gauge", "How a check of health stands: 0 ok, 1 warning, 2 degraded", ("check",)),
        Measure("tms_degraded", "gauge", "1 if the installation is degraded"),
        Measure("tms_database_up", "gauge", "1 if Postgres answers and is migrated; else what is counted there is "
                                            "missing"),
        Measure("tms_scrape_seconds", "gauge", "How long the questions of one group took", ("group",)),
        Measure("tms_uploads", "gauge", "Uploads by state", ("state",)),
        Measure("tms_rows", "gauge", "Rows of uploads taken in, by outcome", ("outcome",)),
        Measure("tms_submissions", "gauge", "Submissions by kind and state", ("kind", "state")),
        Measure("tms_dead_letters", "gauge", "Submissions that need a person", ("kind",)),
        Measure("tms_queue_due", "gauge", "Submissions that could be sent or searched now"),
        Measure("tms_queue_oldest_seconds", "gauge", "How long the oldest of them is due"),
        Measure("tms_queue_leases_expired", "gauge", "Submissions in the hands of a worker that is gone"),
        Measure("tms_ssg_attempts_total", "counter", "Calls and searches of submissions",
                ("endpoint", "step", "class")),
        Measure("tms_ssg_attempt_seconds", "histogram", "How long they took, from intent to outcome",
                ("endpoint", "step", "class")),
        Measure("tms_ssg_reachable", "gauge", "1 if SSG's host answers"),
        Measure("tms_ssg_breaker_open", "gauge", "1 while the breaker is open"),
        Measure("tms_ssg_calls_stopped", "gauge", "1 while the switch stops all calls"),
        Measure("tms_certificate_expires_timestamp_seconds", "gauge", "When the client certificate expires"),
        Measure("tms_deadlines", "gauge", "Deadlines of the last review, by standing and rule", ("standing", "rule")),
        Measure("tms_discrepancies", "gauge", "Discrepancies of the last reconciliation", ("class", "kind")),
        Measure("tms_alarms_open", "gauge", "Alarms that stand and nobody has acknowledged", ("topic", "severity")),
        Measure("tms_runs", "gauge", "Runs of Dagster that are kept, by job and status", ("job", "status")),
        Measure("tms_runs_stuck", "gauge", "Runs of Dagster that are under way for longer than they may be"),
        Measure("tms_daemon_heartbeat_seconds", "gauge", "Age of the last heartbeat of a part of Dagster's "
                                                         "daemon", ("part",)),
        Measure("tms_postgres_bytes", "gauge", "Size of a database", ("database",)),
        Measure("tms_schema_bytes", "gauge", "Size of the tables of a schema with their indexes", ("schema",)),
        Measure("tms_disk_free_bytes", "gauge", "Free space of the state folder"),
        Measure("tms_folder_bytes", "gauge", "Size of inbox and archive", ("folder",)),
        Measure("tms_last_success_timestamp_seconds", "gauge",
                "When something last went well: nightly, upload, read, submission, reconciliation, "
                "compliance", ("what",)),
        Measure("tms_ssg_calls_last_night", "gauge", "Calls of the last nightly sync", ("direction",)),
    )
}  # fmt: skip
