"""Somebody changes SSG's side: it is shown, never overwritten blindly, and a person's decision counts."""

from __future__ import annotations

from datetime import date

import pytest
from submission_world import NRICS, World, assessment, enrolment, fee, key, trainee

from tms_pipeline.reconcile.resolutions import CannotResolve, resolutions, resolve, withdraw


def _ref(world: World, kind: str, record: str) -> str:
    return world.value(f"SELECT ssg_ref FROM mirror.{kind} WHERE key = %s AND live", record)


def _edit_email(world: World, record: str = "A", name: str = "T1", email: str = "theirs@example.test") -> str:
    reference = _ref(world, "enrolment", key(record, name))
    world.edit("enrolments", reference, email=email)
    return reference


def _email(world: World, reference: str) -> str:
    (row,) = [row for row in world.held("enrolments") if row["referenceNumber"] == reference]
    return row["email"]


@pytest.mark.parametrize(
    ("kind", "there", "record", "values"),
    [
        ("enrolment", "enrolments", key("A", "T1"), {"email": "theirs@example.test"}),
        ("enrolment", "enrolments", key("A", "T1"), {"fullName": "Another Name"}),
        ("fee", "enrolments", key("A", "T1"), {"collection": "Pending Payment"}),
        ("assessment", "assessments", key("A", "T1") + "|", {"grade": "C"}),
        ("course_run", "runs", "B", {"scheduleInfo": "Changed elsewhere"}),
        ("session", "sessions", "B|1", {"startTime": "08:00"}),
    ],
)
def test_a_foreign_edit_is_a_discrepancy_and_nothing_is_sent(
    published: World, kind: str, there: str, record: str, values: dict[str, str]
) -> None:
    published.edit(there, _ref(published, kind, record), **values)
    for _ in range(2):
        assert not published.night().outcomes and published.writes() == {}
    assert published.reconcile() == {"differs": {kind: 1}}
    todo = published.value("SELECT what_to_do FROM finding.discrepancy ORDER BY review_id DESC LIMIT 1")
    assert "tms resolve" in todo


@pytest.mark.parametrize(
    ("kind", "there", "record"),
    [
        ("enrolment", "enrolments", key("A", "T1")),
        ("assessment", "assessments", key("A", "T1") + "|"),
        ("attendance", "attendance", key("A", 1, "T1")),
        ("session", "sessions", "B|1"),
        ("course_run", "runs", "C"),
    ],
)
def test_what_somebody_took_away_is_not_sent_again_unasked(
    published: World, kind: str, there: str, record: str
) -> None:
    reference = _ref(published, kind, record)
    place = f"{reference.partition(':')[0]}/{NRICS['T1']}" if kind == "attendance" else reference
    published.cancel_there(there, place)
    assert not published.night().outcomes and published.writes() == {}
    assert published.reconcile()["missing there"][kind] == 1
    resolve(published.workplace, kind, record, "ours", reason="it was a slip", actor=published.actor())
    published.night()
    assert published.reconcile() == {} and set(published.states()) == {"accepted"}


def test_our_own_change_is_sent_all_the_same(published: World) -> None:
    reference = _edit_email(published)
    published.pull()
    published.upload("trainee", trainee("T1", email="ours@example.test"))
    published.night()
    assert _email(published, reference) == "ours@example.test" and published.reconcile() == {}


def test_a_cancelled_enrolment_is_not_made_again_by_a_change_of_its_trainee(published: World) -> None:
    reference = _ref(published, "enrolment", key("A", "T1"))
    published.cancel_there("enrolments", reference)
    published.pull()
    published.upload("trainee", trainee("T1", email="ours@example.test"))
    assert not published.night().outcomes
    assert "enrolment" in published.reconcile()["missing there"]


def test_ours_wins(published: World) -> None:
    reference = _edit_email(published)
    published.pull()
    resolve(published.workplace, "enrolment", key("A", "T1"), "ours wins", reason="typo there", actor=published.actor())
    published.night()
    assert _email(published, reference) == "trainee1@example.test" and published.reconcile() == {}


@pytest.mark.parametrize(
    ("kind", "there", "record", "values"),
    [
        ("enrolment", "enrolments", key("A", "T1"), [{"email": "one@example.test"}, {"email": "two@example.test"}]),
        ("fee", "enrolments", key("A", "T1"), [{"collection": "Pending Payment"}, {"collection": "Partial Payment"}]),
        ("course_run", "runs", "B", [{"scheduleInfo": "Evenings"}, {"scheduleInfo": "Mornings"}]),
    ],
)
def test_ours_wins_over_what_was_looked_at_and_over_nothing_that_came_later(
    published: World, kind: str, there: str, record: str, values: list[dict[str, str]]
) -> None:
    reference = _ref(published, kind, record)
    published.edit(there, reference, **values[0])
    published.pull()
    resolve(published.workplace, kind, record, "ours", reason="typo there", actor=published.actor())
    published.edit(there, reference, **values[1])
    assert not published.night().outcomes and published.writes() == {}
    assert published.reconcile() == {"differs": {kind: 1}}
    resolve(published.workplace, kind, record, "ours", reason="that too", actor=published.actor())
    published.night()
    assert sum(published.writes().values()) == 1 and published.reconcile() == {}


def test_theirs_is_right_until_the_register_changes(published: World) -> None:
    reference = _edit_email(published)
    published.pull()
    record = key("A", "T1")
    resolve(published.workplace, "enrolment", record, "theirs is right", reason="newer", actor=published.actor())
    assert not published.night().outcomes and published.reconcile() == {}
    assert [(one.key, one.how) for one in resolutions(published.workplace)] == [(record, "theirs")]
    published.upload("trainee", trainee("T1", email="third@example.test"))
    published.night()
    assert _email(published, reference) == "third@example.test" and published.reconcile() == {}


def test_theirs_holds_against_an_ordinary_difference_too(published: World) -> None:
    published.upload("trainee", trainee("T1", email="ours@example.test"))
    resolve(published.workplace, "enrolment", key("A", "T1"), "theirs", reason="leave it", actor=published.actor())
    assert not published.night().outcomes
    assert withdraw(published.workplace, "enrolment", key("A", "T1"), actor=published.actor())
    assert published.night().outcomes == {"accepted": 1}


def test_ignore_until_a_day(published: World) -> None:
    _edit_email(published)
    published.pull()
    resolve(
        published.workplace,
        "enrolment",
        key("A", "T1"),
        "ignore",
        until=date(2026, 11, 30),
        reason="they call back",
        actor=published.actor(),
    )
    assert published.reconcile() == {}
    published.execute("UPDATE outbox.resolution SET until = '2026-11-20'")
    assert published.reconcile() == {"differs": {"enrolment": 1}}


def test_what_cannot_be_resolved(published: World) -> None:
    for kind, record, how, options in (
        ("enrolment", "nobody", "ours", {}),
        ("course", "x", "ours", {}),
        ("enrolment", key("A", "T1"), "mine", {}),
        ("enrolment", key("A", "T1"), "ignore", {}),
        ("enrolment", key("A", "T1"), "ours", {"until": date(2030, 1, 1)}),
        ("enrolment", key("A", "T1"), "ignore", {"until": date(2020, 1, 1)}),
    ):
        with pytest.raises(CannotResolve):
            resolve(published.workplace, kind, record, how, reason="r", actor=published.actor(), **options)
    with pytest.raises(CannotResolve, match="reason"):
        resolve(published.workplace, "enrolment", key("A", "T1"), "ours", reason=" ", actor=published.actor())


def test_an_enrolment_that_comes_back_there_after_our_cancel_is_shown(published: World) -> None:
    published.upload(
        "assessment", assessment("A", "T2", result="Fail", score="30", grade="F", assessment_status="Void")
    )
    published.upload("enrolment", enrolment("B", "T3", enrolment_status="Withdrawn"))
    published.night()
    published.forget_calls()
    reference = published.submission("enrolment", key("B", "T3"))["ssg_ref"]
    published.edit("enrolments", reference, status="Confirmed")
    assert not published.night().outcomes and published.writes() == {}
    assert published.reconcile() == {"differs": {"enrolment": 1}}


def test_an_enrolment_is_not_replaced_over_a_fee_status_that_somebody_changed_there(published: World) -> None:
    """A name is corrected by cancelling and enrolling anew, and the new one would carry our fee status."""
    reference = _ref(published, "enrolment", key("A", "T1"))
    published.edit("enrolments", reference, collection="Partial Payment")
    published.upload("trainee", trainee("T1", full_name="Trainee Number One"))
    assert not published.night().outcomes and published.writes() == {}
    assert published.reconcile() == {"differs": {"enrolment": 1, "fee": 1}}
    published.upload("fee", fee("A", "T1", "Partial Payment"))
    published.night()
    (made,) = [row for row in published.held("enrolments") if row["fullName"] == "Trainee Number One"]
    assert made["collection"] == "Partial Payment" and published.reconcile() == {}
