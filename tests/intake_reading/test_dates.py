"""One order of day and month per column."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tms_pipeline.intake.dates import Order, parse, prove, settle

from .held import codes, read
from .workbooks import ENROLMENT_HEADINGS, TRAINEE_HEADINGS, TRAINEE_ROW


def column(*dates: Any, heading: str = "Enrolment Date") -> Any:
    headings = [*ENROLMENT_HEADINGS[:2], heading, "Sponsorship Type"]
    return read("enrolment", [headings, *[["HYG", "S1234567D", cell, "Self"] for cell in dates]])


def test_one_day_past_twelve_proves_the_column() -> None:
    assert column("05/06/2026", "13/06/2026").frame["enrolment_date"].tolist() == ["2026-06-05", "2026-06-13"]
    assert column("05/06/2026", "06/13/2026").frame["enrolment_date"].tolist() == ["2026-05-06", "2026-06-13"]


def test_the_heading_proves_the_column() -> None:
    assert column("05/06/2026", heading="Enrolment Date (DD/MM/YYYY)").frame["enrolment_date"].tolist() == [
        "2026-06-05"
    ]
    assert column("05/06/2026", heading="Enrolment Date (mm/dd/yyyy)").frame["enrolment_date"].tolist() == [
        "2026-05-06"
    ]


def test_a_date_against_the_stated_order_is_impossible_and_not_turned() -> None:
    canonical = column("05/13/2026", "01/02/2026", heading="Enrolment Date (DD/MM/YYYY)")
    assert codes(canonical) == ["DATE_IMPOSSIBLE"]
    assert canonical.frame["enrolment_date"].tolist() == [None, "2026-02-01"]


def test_an_unproven_column_is_rejected_with_both_readings() -> None:
    canonical = column("05/06/2026", "07/08/2026", "2026-09-01", "9/9/2026")
    assert codes(canonical) == ["DATE_ORDER_UNPROVEN"] * 2
    assert "5 Jun 2026" in canonical.faults[0].sentence
    assert "6 May 2026" in canonical.faults[0].sentence
    assert canonical.frame["enrolment_date"].tolist() == [None, None, "2026-09-01", "2026-09-09"]


def test_words_true_dates_and_iso_prove_themselves_and_nothing_else() -> None:
    canonical = column("12 Sep 2026", date(2026, 9, 13), "2026-09-14", "05/06/2026")
    assert codes(canonical) == ["DATE_ORDER_UNPROVEN"]


def test_a_mixed_column_is_rejected_with_its_rows() -> None:
    canonical = column("25/09/2026", "09/26/2026", "05/06/2026", "1 Sep 2026")
    assert codes(canonical) == ["DATE_ORDER_MIXED"] * 3
    assert "(rows 2 and 3)" in canonical.faults[0].sentence
    assert canonical.frame["enrolment_date"].tolist() == [None, None, None, "2026-09-01"]


def test_birth_dates_are_never_printed() -> None:
    canonical = read("trainee", [TRAINEE_HEADINGS, [*TRAINEE_ROW[:2], "05/06/1980", *TRAINEE_ROW[3:]]])
    assert codes(canonical) == ["DATE_ORDER_UNPROVEN_PERSONAL"]
    assert not any(character.isdigit() for character in canonical.faults[0].sentence)


@pytest.mark.parametrize(
    ("text", "birth", "expected"),
    [
        ("25/12/79", False, 2079),
        ("25/12/80", False, 1980),
        ("25/12/05", True, 2005),
        ("25/12/99", True, 1999),
        ("25/12/60", True, 1960),
    ],
)
def test_years_of_two_digits(text: str, birth: bool, expected: int) -> None:
    pair = parse(text, birth=birth).pair
    assert pair is not None
    assert pair[2] == expected


def test_dates_that_a_spreadsheet_may_have_turned_are_warned_of() -> None:
    """Typed day first, opened month first: days to 12 became true dates, with day and month swapped."""
    canonical = column(date(2026, 5, 6), date(2026, 7, 8), date(2026, 11, 12), "13/09/2026", "25/09/2026")
    assert codes(canonical) == ["DATES_MAYBE_SWAPPED"]
    assert canonical.faults[0].severity == "warning"
    assert not canonical.bad.any()
    assert codes(column(date(2026, 5, 6), date(2026, 7, 28), date(2026, 11, 12), "13/09/2026")) == []


@settings(max_examples=300, deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2100, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%-d %m %Y", "%d%m%Y"]),
)
def test_every_day_survives_its_column(day: date, form: str) -> None:
    text = f"{day:{form}}"
    cell = parse(text)
    reading = settle(cell, prove([(1, cell)], "DMY"), personal=False)
    if form == "%d%m%Y" and cell.pair is None:
        return  # also reads as year, month, day: 20102010
    assert reading.text == day.isoformat()


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=30), st.from_regex(r"[0-9a-zA-Z/.\- ,:']{1,24}", fullmatch=True), st.floats(), st.integers()
    )
)
def test_nothing_breaks_the_reading_of_dates(value: Any) -> None:
    for order in (Order(), Order(stated="DMY"), Order(stated="MDY"), Order(stated="YMD")):
        for epoch in (False, True):
            settle(parse(value, epoch_1904=epoch), order, personal=False)
            settle(parse(value, birth=True, epoch_1904=epoch), order, personal=True, moment=True)
