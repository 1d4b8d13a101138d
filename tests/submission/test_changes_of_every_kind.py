"""Changes of every kind arrive at SSG field for field."""

from __future__ import annotations

from submission_world import World, key


def test_the_whole_term_arrives_once(published: World) -> None:
    counts = {kind: len(published.held(kind)) for kind in ("runs", "sessions", "trainers", "enrolments", "attendance", "assessments")}
    assert counts == {"runs": 3, "sessions": 5, "trainers": 2, "enrolments": 3, "attendance": 3, "assessments": 2}
    assert published.reconcile() == {}
