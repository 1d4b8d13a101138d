"""Every kind of disagreement is found, none is invented, and each has the right class: one world with all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from disagreements import Fleet, Told, build, came, cases, enrolled, future, ref, sat, teacher
from submission_world import Site, World, session

from tms_pipeline.operations.ssg_access import ssg_client
from tms_pipeline.reconcile.resolutions import CannotResolve, resolve, withdraw
from tms_pipeline.reconcile.review import reconcile
from tms_pipeline.reconcile.trend import trend
from tms_pipeline.submission.holds import hold

CASES = cases()
# What is under way on our side, by name: what a reviewer is told.
UNDER_WAY: dict[str, list[Told]] = {
    "our run, refused by SSG": [("course_run", "W01", "dead letter", "")],
    "a session whose run is not there": [("session", "W01|1", "waiting", "")],
    "an enrolment whose run is not there": [("enrolment", "W01|" + ref(41), "waiting", "")],
    "an enrolment of which no answer came": [("enrolment", f"A|{ref(44)}", "unknown outcome", "")],
    "an enrolment that SSG was too busy for": [("enrolment", "R02|" + ref(43), "waiting", "")],
    "a cancellation withheld by the guard": [("enrolment", "R02|" + ref(23), "withheld", "")],
    "a fee that a person holds": [("fee", f"A|{ref(3)}", "withheld", "")],
    "an assessment that waits for approval": [("assessment", f"A|{ref(9)}|", "waiting", "")],
    "our change, not planned yet": [("trainer", "TR-12", "differs", "domain")],
    "our record, not planned yet": [("trainer", "TR-23", "missing there", "")],
    "both sides changed": [("trainer", "TR-13", "differs", "domain"), ("trainer", "TR-13", "differs", "experience")],
    "resolved for theirs": [],
    "ignored until a day to come": [],
    "ignored until a day that is over": [("assessment", f"A|{ref(12)}|", "differs", "grade")],
    "ignored there, and it is one too many": [],
    "ignored there, and it changed since": [("assessment", f"A|{ref(42)}|Z", "missing here", "")],
}


@pytest.fixture(scope="module")
def fleet(site: Site) -> Iterator[Fleet]:
    options = {"TMS_GUARD_COUNT": 0, "TMS_GUARD_SHARE": 0.0, "TMS_APPROVAL_POLICY": "assessment.update:review,*:auto"}
    with site.world(None, **options) as world, ssg_client(world.workplace) as (client, _):
        world.kept = client  # one for all: each new one tells the simulator of our courses
        made = build(world)
        for act, _told in CASES.values():
            act(made)
        world.pull()
        _put_under_way(made)
        yield made


def _put_under_way(fleet: Fleet) -> None:
    world, actor = fleet.world, fleet.world.actor()
    hold(world.workplace, reason="look first", actor=actor, kind="fee", key=f"A|{ref(3)}")
    world.upload("course_run", future("W01"))
    world.upload("session", session("W01", 1, "2026-12-07"))
    world.upload("enrolment", enrolled(41, "W01"), enrolled(44, "A"), enrolled(43, "R02"),
                 enrolled(23, "R02", enrolment_status="Withdrawn"))  # fmt: skip
    world.upload("fee", {"run_code": "A", "nric": came(3)["nric"], "collection_status": "Partial Payment"})
    world.upload("assessment", sat(9, grade="A"))
    world.fault("error_in_200", "course_run.publish", code="TGS-406 - Invalid course reference number")
    world.fault("429", "enrolment.create", retry_after=0, body_contains=came(43)["nric"])
    world.fault("timeout_before_commit", "enrolment.create", body_contains=came(44)["nric"])
    world.fault("503", "enrolment.search")
    world.submit(rounds=1, patience=0.0)
    world.mend()
    # After the plan: our own changes that nobody planned yet, and changes of both sides.
    world.upload("trainer", teacher(12, experience="Ten years", domain="Ours, new"), teacher(23, experience="Ten years"),
                 teacher(13, experience="Ten years", domain="Ours, new"))  # fmt: skip
    fleet.change("set", "trainer", "TR-13", experience="Theirs, new")
    for number, how, until in ((10, "theirs", None), (11, "ignore", "2026-12-31"), (12, "ignore", "2026-11-21")):
        fleet.change("set", "assessment", f"A|{ref(number)}|", grade="D")
        world.pull()
        resolve(world.workplace, "assessment", f"A|{ref(number)}|", how, reason="agreed by phone", actor=actor,
                until=date.fromisoformat(until) if until else None)  # fmt: skip
    world.execute("UPDATE outbox.resolution SET until = '2026-11-20' WHERE until = '2026-11-21'")
    for grade in ("A", "B"):
        extra = fleet.change("duplicate", "assessment", f"A|{ref(13)}|", grade=grade, **(
            {"traineeId": came(42)["nric"], "skillCode": "Z"} if grade == "B" else {}))  # fmt: skip
        world.pull()
        resolve(world.workplace, "assessment", extra, "ignore", reason="SSG takes it out", actor=actor,
                until=date(2026, 12, 31))  # fmt: skip
    world.edit("assessments", extra, score=11)


def _found(world: World, review: int) -> set[Told]:
    return {
        (kind, key or "", class_, field or "")
        for kind, key, class_, field in world.rows(
            "SELECT kind, key, class, field FROM finding.discrepancy WHERE review_id = %s", review
        )
    }


def _expected() -> set[Told]:
    named = [told for _act, told in CASES.values()] + list(UNDER_WAY.values())
    return {told for many in named for told in many}


def _night(world: World) -> tuple[int, dict[str, dict[str, int]]]:
    done = reconcile(world.workplace, world.pull(), actor=world.actor())
    return done["review_id"], done["counts"]


def test_the_fleet_holds_at_least_forty_kinds() -> None:
    assert len(CASES) + len(UNDER_WAY) >= 80
    assert {told[2] for told in _expected()} == {
        "missing there", "missing here", "differs", "duplicated there", "unknown outcome", "waiting", "withheld",
        "dead letter", "not shown there",
    }  # fmt: skip


def test_every_disagreement_is_found_and_none_is_invented_two_nights_in_a_row(fleet: Fleet) -> None:
    world = fleet.world
    review, counts = _night(world)
    found, expected = _found(world, review), _expected()
    assert found - expected == set(), "invented"
    assert expected - found == set(), "passed over"
    assert counts["resolved"] == {"assessment": 3}
    again, counts_again = _night(world)
    assert _found(world, again) == expected and counts_again == counts
    lines = "SELECT count(*), count(DISTINCT (kind, key, ssg_ref, class, field)) FROM finding.discrepancy WHERE review_id = %s"
    assert len(set(world.rows(lines, again)[0])) == 1, "a finding stands twice"


@pytest.mark.parametrize(
    ("endpoint", "fault", "scopes"),
    [
        ("trainer.list", {"kind": "page_failing", "page": 1}, {("trainer", "all")}),
        ("assessment.search", {"kind": "empty_page", "keep_total": True}, {("assessment", "all")}),
        ("enrolment.search", {"kind": "503"}, {("enrolment", "all"), ("fee", "all")}),
        ("session.list", {"kind": "truncated", "path_contains": "R01"}, set()),
    ],
    ids=["page 2 fails", "the list changed while it was read", "a scope fails", "the sessions of one run fail"],
)
def test_what_was_not_read_is_said_and_nothing_else_changes(
    fleet: Fleet, endpoint: str, fault: dict[str, object], scopes: set[tuple[str, str]]
) -> None:
    world = fleet.world
    options = dict(fault)
    if "path_contains" in options:
        reference = fleet.there("course_run", "R01")
        options["path_contains"], scopes = f"/{reference}/", {("session", reference)}
    world.fault(str(options.pop("kind")), endpoint, **options)
    review, counts = _night(world)
    world.mend()
    unread: set[Told] = {(kind, scope, "not read", "") for kind, scope in scopes}
    assert _found(world, review) - _expected() == unread
    # What was never seen there cannot be called missing there by a read that failed.
    silent = {("trainer", "TR-23", "missing there", "")} if ("trainer", "all") in scopes else set()
    assert _expected() - _found(world, review) == silent
    assert {kind for kind, how in counts["read"].items() if how == "not read"} == {kind for kind, _ in scopes}


def test_a_reviewer_is_told_who_changed_last_and_since_when(fleet: Fleet) -> None:
    world = fleet.world
    review, _ = _night(world)
    told = {
        (kind, key): (by, since, comparison)
        for kind, key, by, since, comparison in world.rows(
            "SELECT kind, key, changed_by, since, comparison FROM finding.discrepancy WHERE review_id = %s", review
        )
    }
    assert told["trainer", "TR-12"][0] == "we" and told["trainer", "TR-12"][2] == "register to SSG"
    assert told["trainer", "TR-13"][0] == "both sides, somebody at SSG last"
    edited = told["enrolment", f"A|{ref(17)}"]
    assert (edited[0], edited[2]) == ("somebody at SSG", "SSG to register")
    (changed,) = [row["updated"] for row in world.held("enrolments") if row["email"] == "else@example.test"]
    assert abs(edited[1].timestamp() - changed) < 2


def test_what_agrees_is_counted_by_record_and_by_field_and_the_trend_is_kept_by_day(fleet: Fleet) -> None:
    world = fleet.world
    review, counts = _night(world)
    fields = dict(world.rows(
        "SELECT field, records FROM finding.tally WHERE review_id = %s AND kind = 'fee' "
        "AND class = 'matched' AND comparison = 'register to SSG'", review
    ))  # fmt: skip
    assert fields[""] == counts["matched"]["fee"] == 2 and fields["collection_status"] == 2
    with world.workplace.db.transaction() as connection:
        lines = trend(connection, today=date(2026, 11, 21))
    assert {line.day for line in lines} == {date(2026, 11, 21)}
    assert {(line.kind, line.class_): line.records for line in lines}["assessment", "duplicated there"] == 1


def test_a_record_that_only_ssg_holds_can_be_left_there_but_not_be_overwritten(fleet: Fleet) -> None:
    world = fleet.world
    review, _ = _night(world)
    (reference,) = world.rows(
        "SELECT ssg_ref FROM finding.discrepancy WHERE review_id = %s AND kind = 'session' AND class = 'missing here'", review
    )[0]  # fmt: skip
    with pytest.raises(CannotResolve, match="nothing of ours"):
        resolve(world.workplace, "session", reference, "ours", reason="r", actor=world.actor())
    resolve(world.workplace, "session", reference, "theirs", reason="SSG knows better", actor=world.actor())
    assert ("session", "", "missing here", "") not in _found(world, _night(world)[0])
    assert withdraw(world.workplace, "session", reference, actor=world.actor())
    assert ("session", "", "missing here", "") in _found(world, _night(world)[0])
