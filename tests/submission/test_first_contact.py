"""First contact with an SSG that holds records already: adopted by key, what differs is shown, nothing is overwritten."""

from __future__ import annotations

import pytest
from submission_world import World, key

from tms_pipeline.reconcile.resolutions import resolve


@pytest.fixture
def met(published: World) -> World:
    """SSG holds the term, one e-mail address and one fee in other words; this installation has never met it."""
    reference = published.value("SELECT ssg_ref FROM mirror.enrolment WHERE key = %s AND live", key("A", "T1"))
    published.edit("enrolments", reference, email="there.before@example.test", collection="Cancelled")
    published.execute("DELETE FROM outbox.attempt")
    published.execute("DELETE FROM outbox.submission")
    for kind in ("trainer", "course_run", "session", "enrolment", "fee", "attendance", "assessment"):
        published.execute(f"DELETE FROM mirror.{kind}")
    published.execute("DELETE FROM mirror.read")
    return published


def _emails(world: World) -> set[str]:
    return {row["email"] for row in world.held("enrolments") if row["fullName"] == "Trainee Number 1"}


def test_what_is_there_already_is_adopted_and_what_differs_is_shown_not_sent(met: World) -> None:
    for _ in range(2):
        met.night()
        assert met.writes() == {}, "every record was known by its key, and none was overwritten"
    assert met.value("SELECT count(*) FROM mirror.live WHERE kind = 'enrolment'") == 3
    found = met.reconcile()
    assert found["differs"] == {"enrolment": 1, "fee": 1}, found
    assert _emails(met) == {"there.before@example.test"}


@pytest.mark.parametrize(("how", "email"), [("ours", "trainee1@example.test"), ("theirs", "there.before@example.test")])
def test_a_person_decides_which_side_counts(met: World, how: str, email: str) -> None:
    met.night()
    met.reconcile()
    resolve(met.workplace, "enrolment", key("A", "T1"), how, reason="looked at both", actor=met.actor())
    met.night()
    assert _emails(met) == {email}
    assert "enrolment" not in met.reconcile().get("differs", {})
