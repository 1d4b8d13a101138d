"""Rows of one upload that share a key: said twice, contradicting, or answered again later."""

from __future__ import annotations

import pandas as pd

from tms_pipeline.records.checks import Repeats, check_repeats
from tms_pipeline.records.fault import fault
from tms_pipeline.records.kinds import kind_named

from .frames import frame_of


def repeats(kind: str, *rows: dict[str, str | None], keys: list[str | None], newer_by: str | None = None) -> Repeats:
    frame = frame_of(kind, *rows)
    hashes = pd.Series([str(row) for row in frame.itertuples(index=False)], dtype=object)
    numbers = pd.Series(range(10, 10 + len(frame)))
    return check_repeats(kind_named(kind), pd.Series(keys, dtype=object), hashes, frame, numbers, newer_by=newer_by)


def sentences(found: Repeats) -> list[str]:
    return [fault(item.code, row=10 + item.line, **item.words).sentence for item in found.faults]


def test_row_repeated() -> None:
    found = repeats("fee", {}, {"amount_collected": "1.00"}, {}, {}, keys=["a", "b", "a", "a"])
    assert found.repeated.tolist() == [2, 3]
    assert [(item.line, item.code, item.severity) for item in found.faults] == [
        (2, "ROW_REPEATED", "warning"), (3, "ROW_REPEATED", "warning"),
    ]  # fmt: skip
    assert "row 10" in sentences(found)[0]


def test_rows_contradict_names_rows_and_columns() -> None:
    found = repeats("fee", {}, {"amount_collected": "1.00", "receipt_no": "R-1"}, {}, keys=["a", "a", "a"])
    assert found.contradicting.tolist() == [0, 1, 2]
    assert not len(found.repeated)
    assert {item.code for item in found.faults} == {"ROWS_CONTRADICT"}
    assert all(item.severity == "error" for item in found.faults)
    said = sentences(found)[0]
    assert "10, 11 and 12" in said
    assert "'Amount Collected' and 'Receipt No'" in said
    assert "1.00" not in said and "R-1" not in said


def test_rows_contradict_counts_what_it_does_not_name() -> None:
    rows: list[dict[str, str | None]] = [{"amount_collected": f"{number}.00"} for number in range(9)]
    found = repeats("fee", *rows, keys=["a"] * 9)
    assert "10, 11, 12, 13, 14, 15 and 3 more" in sentences(found)[0]


def test_answer_superseded_by_a_later_one() -> None:
    early, late = "2026-09-01T09:00:00", "2026-09-01T10:00:00"
    found = repeats(
        "attendance",
        {"mark": "present", "marked_at": late},
        {"mark": "absent", "marked_at": early},
        keys=["a", "a"],
        newer_by="marked_at",
    )
    assert found.superseded.tolist() == [1]
    assert [(item.line, item.code, item.severity) for item in found.faults] == [(1, "ANSWER_SUPERSEDED", "warning")]
    assert "Row 10" in sentences(found)[0]


def test_equal_times_or_a_missing_time_contradict() -> None:
    at = "2026-09-01T09:00:00"
    for first, second in ((at, at), (at, None), (None, None)):
        found = repeats(
            "attendance",
            {"mark": "present", "marked_at": first},
            {"mark": "absent", "marked_at": second},
            keys=["a", "a"],
            newer_by="marked_at",
        )
        assert found.contradicting.tolist() == [0, 1]


def test_rows_without_a_key_are_left_alone() -> None:
    found = repeats("fee", {}, {}, {}, keys=[None, None, "a"])
    assert found.faults == []


def test_no_rows() -> None:
    assert check_repeats(
        kind_named("fee"),
        pd.Series([], dtype=object),
        pd.Series([], dtype=object),
        frame_of("fee"),
        pd.Series([], dtype=int),
        newer_by=None,
    ).faults == []  # fmt: skip
