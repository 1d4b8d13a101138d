"""Metrics: what is counted is right, cheap and without anybody's value; dashboard and alerts ask for what exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tms_pipeline.health.site import site
from tms_pipeline.metrics.collection import ROLL_UP_FROM
from tms_pipeline.metrics.exposition import text, write
from tms_pipeline.metrics.measures import BUCKETS, MEASURES
from tms_pipeline.settings import PROJECT_ROOT
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

MONITORING = PROJECT_ROOT / "deploy" / "monitoring"
SEED = """
INSERT INTO intake.upload (upload_id, sha256, file_name, received_at, received_by, bytes, state, correlation_id, rows,
    accepted, unchanged, rejected, finished_at)
SELECT 'U-' || n, n::text, 'S9999101A of 91234567.xlsx', now(), 'a person', 1, 'taken in', 'c', 10, 7, 2, 1, now()
FROM generate_series(1, 3) n;
INSERT INTO intake.upload (upload_id, sha256, file_name, received_at, received_by, bytes, state, correlation_id)
VALUES ('U-held', 'h', 'x', now(), 'a person', 1, 'held', 'c');
INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts)
VALUES ('P', 'h', 'c', 1, 0, 0, '{{}}');
INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, correlation_id)
SELECT 'P', CASE n % 2 WHEN 0 THEN 'enrolment' ELSE 'fee' END, n::text, CASE n % 2 WHEN 0 THEN 'create' ELSE 'update' END, 1, 'x',
       n::text, 'c'
FROM generate_series(1, {submissions}) n;
ALTER TABLE outbox.submission DISABLE TRIGGER USER;
UPDATE outbox.submission SET state = 'accepted' WHERE submission_id % 10 <> 0;
UPDATE outbox.submission SET state = 'dead' WHERE submission_id % 10 = 0;
ALTER TABLE outbox.submission ENABLE TRIGGER USER;
INSERT INTO outbox.attempt (submission_id, number, step, correlation_id, started_at, finished_at, outcome, error_class, seconds)
SELECT submission_id, 1, 'send', 'c', now() - interval '10 minutes', now() - interval '9 minutes', state,
       CASE state WHEN 'dead' THEN 'permanent' END, 0.3
FROM outbox.submission;
INSERT INTO outbox.nightly (correlation_id, finished_at, state, ssg_writes, ssg_reads) VALUES ('n', now(), 'finished', 5, 6);
INSERT INTO finding.review (about, as_of, correlation_id)
VALUES ('reconciliation', current_date, 'c'), ('compliance', current_date, 'c');
INSERT INTO finding.discrepancy (review_id, class, kind, key, since, what_to_do)
SELECT review_id, 'differs', 'fee', 'k', now(), '' FROM finding.review WHERE about = 'reconciliation';
INSERT INTO finding.deadline (review_id, rule, kind, standing, sentence, what_to_do)
SELECT review_id, 'enrolment', 'enrolment', 'missed', '', '' FROM finding.review WHERE about = 'compliance';
INSERT INTO mirror.read (kind, scope, started_at, finished_at, state) VALUES ('fee', 'all', now(), now(), 'read');
INSERT INTO alarm.alarm (dedup_key, topic, subject, step, severity, role, sentence, what_to_do, link, correlation_id, raised_at)
VALUES ('d', 'queue', 's', 1, 'error', 'on-call', '', '', '', 'c', now());
"""


@pytest.fixture
def counted(place: Workplace) -> Iterator[Workplace]:
    """An installation with something of everything."""
    with place.owner_db.transaction() as connection:
        for statement in SEED.format(submissions=40).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    yield place


def scrape(place: Workplace) -> str:
    with site(place.settings, start=False) as found:
        return text(found)


def values(told: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


def value(told: str, name: str, **labels: str) -> float:
    return values(told)[name, tuple(sorted(labels.items()))]


def test_what_is_counted_is_what_postgres_holds(counted: Workplace) -> None:
    told = scrape(counted)
    assert value(told, "tms_rows", outcome="accepted") == 21 and value(told, "tms_rows", outcome="rejected") == 3
    assert value(told, "tms_uploads", state="held") == 1
    held = dict(counted.db.rows("SELECT kind || ' ' || state, count(*) FROM outbox.submission GROUP BY 1"))
    assert {f"{k} {s}": value(told, "tms_submissions", kind=k, state=s) for k, s in (key.split() for key in held)} == held
    assert sum(v for (name, _), v in values(told).items() if name == "tms_dead_letters") == 4
    create = {"endpoint": "enrolments.create", "step": "send"}
    ok, permanent = (value(told, "tms_ssg_attempts_total", **create, **{"class": word}) for word in ("ok", "permanent"))
    assert (ok, permanent) == (held["enrolment accepted"], held["enrolment dead"])
    assert value(told, "tms_ssg_attempt_seconds_bucket", le="0.5", **create, **{"class": "ok"}) == ok
    assert value(told, "tms_ssg_attempt_seconds_bucket", le="0.25", **create, **{"class": "ok"}) == 0
    assert value(told, "tms_ssg_attempt_seconds_sum", **create, **{"class": "ok"}) == pytest.approx(0.3 * ok)
    assert value(told, "tms_deadlines", standing="missed", rule="enrolment") == 1
    assert value(told, "tms_discrepancies", kind="fee", **{"class": "differs"}) == 1
    assert value(told, "tms_alarms_open", topic="queue", severity="error") == 1
    assert value(told, "tms_ssg_calls_last_night", direction="write") == 5
    assert value(told, "tms_database_up") == 1 and value(told, "tms_postgres_bytes", database="tms") > 1e6


def test_only_known_metrics_are_told_and_no_label_holds_anybodys_value(counted: Workplace) -> None:
    with counted.db.transaction() as connection:
        connection.execute("UPDATE finding.discrepancy SET class = 'S9999101A of o''neil@example.com'")
    told = scrape(counted)
    assert not re.search(r"S9999101A|91234567|example\.com", told)
    for (name, labels), _ in values(told).items():
        measure = MEASURES[re.sub(r"_(bucket|sum|count)$", "", name)]
        assert {label for label, _ in labels} - {"le"} == set(measure.labels)
    assert value(told, "tms_discrepancies", kind="fee", **{"class": "other"}) == 1
    assert len(values(told)) < 400, "few series, whatever is in the database"


def test_attempts_are_summed_up_and_counted_once_whatever_comes_later(counted: Workplace) -> None:
    before = {key: v for key, v in values(scrape(counted)).items() if key[0].startswith("tms_ssg_attempt")}
    with counted.db.transaction() as connection:
        connection.execute(query("metrics/roll_up"), {"limits": list(BUCKETS)})
    upto = counted.db.value("SELECT upto FROM operations.rolled_up")
    assert upto == counted.db.value("SELECT max(attempt_id) FROM outbox.attempt")
    assert {key: v for key, v in values(scrape(counted)).items() if key[0].startswith("tms_ssg_attempt")} == before
    with counted.db.transaction() as connection:
        # One under way, one that ended after it, one of just now: none of them may be skipped.
        connection.execute(
            "INSERT INTO outbox.attempt (submission_id, number, step, correlation_id, started_at, finished_at, seconds) VALUES "
            "(1, 2, 'search', 'c', now() - interval '5 minutes', NULL, NULL), "
            "(1, 3, 'search', 'c', now() - interval '5 minutes', now(), 1.5), (1, 4, 'search', 'c', now(), now(), 2)"
        )
        connection.execute(query("metrics/roll_up"), {"limits": list(BUCKETS)})
    assert counted.db.value("SELECT upto FROM operations.rolled_up") == upto
    search = {"step": "search", "class": "ok", "endpoint": "enrolments.view"}
    assert value(scrape(counted), "tms_ssg_attempts_total", **search) == 2
    with counted.db.transaction() as connection:
        connection.execute("UPDATE outbox.attempt SET finished_at = now(), seconds = 3, started_at = now() - interval '2 minutes' "
                           "WHERE attempt_id > %s", (upto,))  # fmt: skip
        connection.execute(query("metrics/roll_up"), {"limits": list(BUCKETS)})
    assert value(scrape(counted), "tms_ssg_attempts_total", **search) == 3
    assert counted.db.value("SELECT upto FROM operations.rolled_up") == upto + 3


def test_many_attempts_are_summed_up_by_a_look(place: Workplace) -> None:
    with place.owner_db.transaction() as connection:
        for statement in SEED.format(submissions=ROLL_UP_FROM + 10).split(";\n"):
            if statement.strip():
                connection.execute(statement)
    told = scrape(place)
    assert place.db.value("SELECT sum(calls) FROM operations.attempt_total") == ROLL_UP_FROM + 10
    total = sum(v for (name, _), v in values(told).items() if name == "tms_ssg_attempts_total")
    assert total == ROLL_UP_FROM + 10


def test_a_file_for_the_textfile_collector_is_whole_and_readable(counted: Workplace, tmp_path: Path) -> None:
    target = tmp_path / "made" / "tms.prom"
    with site(counted.settings, start=False) as found:
        write(found, target)
    assert value(target.read_text(), "tms_database_up") == 1
    assert [path.name for path in target.parent.iterdir()] == ["tms.prom"] and target.stat().st_mode & 0o444 == 0o444


def rules() -> list[dict]:  # type: ignore[type-arg]
    found = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\btms_[a-z_]+", expression)}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_asks_for_what_exists_and_leads_to_its_page(rule: dict) -> None:  # type: ignore[type-arg]
    assert names_in(rule["expr"]) and names_in(rule["expr"]) <= set(MEASURES)
    assert rule["labels"]["severity"] in {"P1", "P2", "P3", "P4"}
    page = PROJECT_ROOT / rule["annotations"]["runbook_url"]
    assert page.is_file(), page
    assert f"`{rule['alert']}`" in (page.parent / "README.md").read_text(), "the index lists it"
    assert rule["annotations"]["summary"].endswith(".")
    for label, known in {"check": CHECKS, "what": LAST, "state": STATES}.items():
        for asked in re.findall(rf'{label}="([^"]+)"', rule["expr"]):
            assert asked in known, (label, asked)


CHECKS = {"db", "migrations", "keys", "dagster", "runs", "pools", "ssg", "clock", "certificate", "queue", "nightly", "uploads", "disk"}
LAST = {"nightly", "upload", "read", "submission", "reconciliation", "compliance"}
STATES = {"received", "held", "unknown"}


def test_the_dashboard_is_one_that_grafana_takes_and_asks_for_what_exists() -> None:
    board = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    assert board["schemaVersion"] >= 36 and board["title"] and board["uid"] and board["templating"]["list"]
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    asked: set[str] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] == "row":
            continue
        assert panel["type"] in {"timeseries", "stat", "table", "bargauge"} and panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        for target in panel["targets"]:
            assert names_in(target["expr"]) <= set(MEASURES) and names_in(target["expr"]), target["expr"]
            assert target["expr"].count("(") == target["expr"].count(")")
            asked |= names_in(target["expr"])
    assert set(MEASURES) - asked <= {"tms_build_info"}, "every metric has a panel"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (apt: prometheus) is not installed")
@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")], ids=" ".join)
def test_promtool_takes_the_alerts(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
