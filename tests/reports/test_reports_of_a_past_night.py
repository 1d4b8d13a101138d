"""A past day as a user would have lived it: sheets, nights with SSG, reports; and days later the same report again."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_fixtures import bench, site, term_template, world
from submission_world import TODAY, World, enrolment, key

from tms_pipeline.compliance.review import review
from tms_pipeline.mirror.grants import read_grants
from tms_pipeline.reports.build import document_of, look, write_document_forms, write_reports

__all__ = ["bench", "site", "term_template", "world"]

DAY = date.fromisoformat(TODAY)
EVENING = DAY - timedelta(days=1)


def a_night(world: World) -> None:
    world.night()
    with world.client() as client:
        read_grants(world.workplace, client)
    world.reconcile()
    review(world.workplace.db, today=DAY, correlation_id="night")


def days_go_by(world: World) -> None:
    """All that happened so far happened two days ago."""
    columns = world.rows(
        "SELECT table_schema, table_name, string_agg(format('%1$I = %1$I - %2$s', column_name, CASE data_type "
        "WHEN 'date' THEN '2' ELSE $q$interval '2 days'$q$ END), ', ') FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) WHERE table_type = 'BASE TABLE' "
        "AND table_schema IN ('register', 'mirror', 'outbox', 'intake', 'finding') "
        "AND (data_type = 'timestamp with time zone' OR (table_name, column_name) = ('review', 'as_of')) GROUP BY 1, 2"
    )
    with world.workplace.db.transaction() as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        for schema, table, shifted in columns:
            connection.execute(f"UPDATE {schema}.{table} SET {shifted}")  # type: ignore[arg-type]


def written(world: World, folder: Path, *, as_of: date | None = EVENING) -> dict[str, bytes]:
    given = {"today": DAY, "provider": "Hawker Boys", "as_of": as_of}
    paths = write_reports(world.workplace.db, folder, **given)  # type: ignore[arg-type]
    with look(world.workplace.db, **given) as facts:  # type: ignore[arg-type]
        for document in (document_of(facts, "run", run="A"), document_of(facts, "receipts"), document_of(facts, "month")):
            paths += write_document_forms(document, folder)
    return {path.name: path.read_bytes() for path in paths}


def test_the_report_of_a_past_evening_stays_byte_for_byte_through_the_nights_that_follow(
    world: World, tmp_path: Path
) -> None:
    a_night(world)
    days_go_by(world)
    before = written(world, tmp_path / "before")
    assert b"Enrolment" in before["run-A.html"] or b"enrolment" in before["run-A.html"]
    # Somebody withdraws, somebody changes something at SSG, grants are paid, another night passes.
    world.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    world.edit("enrolments", world.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("A", "T1")),
               email="else@example.test")  # fmt: skip
    world.ssg("POST", "settings", {"grant_appears_seconds": 0.0, "grant_completes_seconds": 0.0})
    a_night(world)
    after = written(world, tmp_path / "after")
    assert sorted(before) == sorted(after) and len(before) > 10
    assert [name for name in before if before[name] != after[name]] == []
    now = written(world, tmp_path / "now", as_of=None)
    assert {name for name in now if now[name] != after[name]} >= {"reports.html", "reconciliation.xlsx"}
