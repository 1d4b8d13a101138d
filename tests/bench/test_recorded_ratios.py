"""``make bench-check``: what a run says beside what was recorded, and the page that is made from it."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import USUAL, WHOLE
from benchmarks.comparison import bound_of, worse
from benchmarks.harness import ROOT, Figure, growth
from benchmarks.page import measured, whole
from benchmarks.picture import used
from benchmarks.targets import TARGETS


def figure(ours: float, *, against: str = "limit", limit: float | None = 1.0, naive: float | None = 30.0) -> dict[str, object]:
    return Figure("a stage", 1000, ours, limit=limit, naive=naive, against=against).as_dict()


def recorded(**given: object) -> dict[str, dict[str, object]]:
    return {"a stage @ 1000": bound_of(figure(3.0, **given))}  # type: ignore[arg-type, dict-item]


@pytest.mark.parametrize("ours", [0.5, 2.9, 3.0, 3.9])
def test_a_run_within_a_third_of_what_was_recorded_passes(ours: float) -> None:
    assert worse([figure(ours)], recorded()) == []


def test_a_run_that_is_slower_by_more_than_a_third_is_named_with_both_ratios() -> None:
    assert worse([figure(4.1)], recorded()) == ["a stage @ 1000: 4.1, recorded 3 (less is better)"]


def test_beside_the_naive_way_less_is_worse() -> None:
    before = recorded(against="naive")  # ten times faster
    assert worse([figure(3.9, against="naive")], before) == []
    assert worse([figure(4.5, against="naive")], before) == ["a stage @ 1000: 6.67, recorded 10 (more is better)"]


def test_a_recorded_ratio_that_can_no_longer_be_told_is_named() -> None:
    assert worse([figure(3.0, limit=None)], recorded()) == ["a stage @ 1000: no ratio, recorded 3"]


def test_a_new_stage_or_size_is_held_against_nothing() -> None:
    assert worse([{**figure(99.0), "size": 10}], recorded()) == []


def test_what_is_over_in_a_moment_is_not_recorded() -> None:
    assert bound_of(figure(0.02)) is None


def test_seconds_and_megabytes_by_themselves_are_recorded_as_their_target_at_least() -> None:
    start = Figure("tms --help", 1, 0.09)
    assert bound_of(start.as_dict()) == {"ratio": 0.3, "better": "less"}
    assert worse([Figure("tms --help", 1, 0.39).as_dict()], {"tms --help @ 1": bound_of(start.as_dict())}) == []  # type: ignore[dict-item]


def test_a_target_holds_at_its_own_size_only() -> None:
    large = Figure("row checks", 1_000_000, 1.3, limit=1.0)
    small = Figure("row checks", 10_000, 1.3, limit=1.0)
    assert (large.bound, large.met) == (1.2, False)
    assert (small.bound, small.met) == (None, None)
    assert [name for name, *_ in used([large.as_dict(), small.as_dict()])] == ["row checks (1,000,000)"]


def test_seconds_that_grow_with_the_square_have_the_exponent_two() -> None:
    assert growth([(10, 1.0), (1_000, 40.0), (10_000, 4_000.0)]) == 2.0


def test_every_benchmark_that_there_is_can_be_run_and_the_other_way_round() -> None:
    have = {
        path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py")
        if "emit(" in path.read_text(encoding="utf-8") and path.stem != "harness"
    }  # fmt: skip
    assert have == set(USUAL) == set(WHOLE)


def test_the_page_of_performance_says_what_was_measured() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert page == whole(), "run python -m benchmarks.page --write"
    assert all(f"| {target.words} |" in page for target in TARGETS)


def test_a_missed_target_is_told_with_what_it_would_take() -> None:
    results = json.loads((ROOT / "benchmarks" / "results" / "latest.json").read_text(encoding="utf-8"))
    slow = Figure("register upsert, 5 % changed", 1_000_000, 2.0, limit=1.0).as_dict()
    text = measured({**results, "figures": [slow]})
    assert "≤ 1.3 × | 1 s | 2 s |  |  | 2.00 × | **missed** |" in text
    assert "- *register upsert, by the anti-join form on bare tables*: Ours writes each replaced version" in text
