"""Grants are read from SSG and shown beside each enrolment, with what SSG says and nothing else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from submission_world import World, enrolment, key

from tms_pipeline.mirror.grants import EnrolmentGrant, enrolment_grants, grant_totals, read_grants


def _read(world: World, **options: Any) -> Any:
    with world.client() as client:
        return read_grants(world.workplace, client, **options)


def _lines(world: World) -> dict[str, list[EnrolmentGrant]]:
    found: dict[str, list[EnrolmentGrant]] = {}
    with world.workplace.db.transaction() as connection:
        for line in enrolment_grants(connection):
            found.setdefault(line.enrolment_key or "", []).append(line)
    return found


def _totals(world: World) -> dict[str, dict[str, Any]]:
    with world.workplace.db.transaction() as connection:
        return grant_totals(connection)


@pytest.fixture
def granted(published: World) -> World:
    """SSG has made the grants of the term."""
    published.ssg("POST", "settings", {"grant_appears_seconds": 0.0})
    assert _read(published).state == "read"
    return published


def test_an_enrolment_expects_a_grant_until_ssg_has_made_it(published: World) -> None:
    assert _read(published).state == "read"
    (line,) = _lines(published)[key("A", "T1")]
    assert (line.standing, line.status, line.grant_reference, line.paid) == ("expected", None, None, None)
    published.ssg("POST", "settings", {"grant_appears_seconds": 0.0})
    _read(published)
    lines = _lines(published)[key("A", "T1")]
    assert {line.standing for line in lines} == {"processing"} and {line.status for line in lines} == {"Grant Processing"}
    assert all(line.grant_reference.startswith("GRN-") and line.estimated > 0 for line in lines)


def test_paid_and_cancelled_grants_with_their_amounts(granted: World) -> None:
    held = {row["enrolment"]: row["referenceNumber"] for row in granted.held("grants")}
    reference = granted.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s", key("B", "T3"))
    granted.cancel_there("grants", held[reference])
    granted.ssg("POST", "settings", {"grant_completes_seconds": 0.0})
    read = _read(granted)
    assert read.mode == "changes" and read.state == "read"
    totals = _totals(granted)
    assert set(totals) == {"cancelled", "paid"} and totals["paid"]["paid"] == totals["paid"]["estimated"] > 0
    (line,) = [line for line in _lines(granted)[key("B", "T3")] if line.standing == "cancelled"]
    assert line.paid == Decimal("0.00") and "Ask SSG why" in line.what_to_do


def test_a_status_and_a_reason_that_nobody_knows_are_shown_as_they_came(granted: World) -> None:
    reference = granted.held("grants")[0]["referenceNumber"]
    granted.ssg("POST", "settings", {"grant_reason_member": "subStatus"})
    granted.edit("grants", reference, status="Under Appeal", reason="Enrolment Fees Not Paid")
    _read(granted)
    (line,) = [line for lines in _lines(granted).values() for line in lines if line.grant_reference == reference]
    assert (line.standing, line.status) == ("other", "Under Appeal")
    assert line.reason == "subStatus: Enrolment Fees Not Paid" and "Full Payment" in line.what_to_do


def test_a_course_without_support_expects_no_grant(published: World) -> None:
    published.execute("DELETE FROM mirror.course_support")
    _read(published)
    assert set(_totals(published)) == {"none expected"}


@pytest.mark.parametrize("fault", [{"kind": "500"}, {"kind": "truncated"}, {"kind": "empty_page"}])
def test_a_failed_or_empty_read_changes_nothing_and_says_not_read(granted: World, fault: dict[str, Any]) -> None:
    before = granted.rows("SELECT * FROM mirror.grants ORDER BY ssg_ref")
    assert len(before) > 3
    granted.fault(fault["kind"], "grant.search")
    assert _read(granted).state == "not read"
    totals = _totals(granted)
    assert "not read" in totals and totals["not read"]["sentence"] and totals["processing"]["lines"] == len(before)
    assert granted.rows("SELECT * FROM mirror.grants ORDER BY ssg_ref") == before
    granted.mend()
    assert _read(granted).state == "read" and "not read" not in _totals(granted)


def test_a_grant_that_is_no_longer_there_is_missed_by_the_next_read(granted: World) -> None:
    reference = granted.held("grants")[0]["referenceNumber"]
    before = _totals(granted)["processing"]["lines"]
    granted.ssg("POST", "edit", {"kind": "grants", "key": reference, "action": "delete"})
    read = _read(granted)
    assert read.mode == "whole"  # the number of grants told that changes alone were not enough
    assert _totals(granted)["processing"]["lines"] == before - 1


def test_the_grants_of_a_cancelled_enrolment_are_cancelled(granted: World) -> None:
    granted.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    granted.night()
    _read(granted)
    lines = _lines(granted)[key("B", "T3")]
    assert {line.standing for line in lines} == {"cancelled"} and lines[0].enrolment_status == "Cancelled"
    assert "Nothing" in lines[0].what_to_do
