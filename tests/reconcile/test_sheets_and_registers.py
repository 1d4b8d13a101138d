"""Sheets against registers: a rejected row is shown until a row that was taken says the same again, and no longer."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
from sheets import book_of
from submission_world import NRICS, World, enrolment, fee, sheet, trainee

from tms_pipeline.intake import results
from tms_pipeline.intake.nric import make_nric
from tms_pipeline.intake.second_look import look_again
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.intake.undo import undo
from tms_pipeline.mirror.pull import PullResult
from tms_pipeline.reconcile.review import reconcile

Shown = dict[tuple[str, int | None], str]


def drop(world: World, content: bytes, name: str = "rows.csv", **options: Any) -> str:
    """Drop a file, whatever is wrong in it."""
    upload, new = receive(world.workplace, name, content, source="inbox", actor=world.actor())
    assert new
    take_in(world.workplace, upload, actor=world.actor(), **options)
    return upload


def shown(world: World) -> Shown:
    """(upload, row) → class, of the rows that a review shows."""
    review = reconcile(world.workplace, PullResult(), actor=world.actor())["review_id"]
    return {
        (upload, row): class_
        for upload, row, class_ in world.rows(
            "SELECT upload_id, row_number, class FROM finding.sheet_row WHERE review_id = %s", review
        )
    }


def corrected(world: World, upload: str, correct: Callable[[Any, dict[str, int]], None]) -> bytes:
    """The result workbook of an upload, as it is after a person's corrections on "Fix these rows"."""
    (path,) = world.workplace.folder("results").glob(f"*{upload}*.xlsx")
    book = openpyxl.load_workbook(path)
    page = book["Fix these rows"]
    correct(page, {str(cell.value): cell.column for cell in page[1]})
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


FAULTY = "Tomorrow perhaps"


def test_a_rejected_row_is_shown_until_its_key_is_taken_and_its_neighbours_answer_for_themselves_only(world: World) -> None:
    first = drop(world, sheet("fee", [fee("B", "T3", FAULTY), fee("A", "T2", FAULTY)]))
    assert shown(world) == {(first, 2): "missing here", (first, 3): "missing here"}
    # As many good rows, of the same kind, of somebody else: they answer nothing.
    drop(world, sheet("fee", [fee("A", "T1", "Partial Payment"), fee("A", "T1", "Partial Payment")]))
    assert shown(world) == {(first, 2): "missing here", (first, 3): "missing here"}
    again = drop(world, sheet("fee", [fee("B", "T3", "Partial Payment")]))
    assert shown(world) == {(first, 3): "missing here"}
    # Found unchanged is an answer as well: we hold it just so.
    drop(world, sheet("fee", [fee("A", "T2", "Pending Payment")]))
    assert shown(world) == {}
    undo(world.workplace, again, actor=world.actor())
    assert shown(world) == {(first, 2): "missing here"}, "what answered it was taken back"


def test_a_row_that_is_rejected_again_answers_nothing_nor_does_an_older_one(world: World) -> None:
    older = drop(world, sheet("fee", [fee("B", "T3", "Partial Payment")]))
    first = drop(world, sheet("fee", [fee("B", "T3", FAULTY)]))
    second = drop(world, sheet("fee", [fee("B", "T3", f"{FAULTY}?")]))
    assert shown(world) == {(first, 2): "missing here", (second, 2): "missing here"} and older
    drop(world, sheet("fee", [fee("B", "T3", "Full Payment")]))
    assert shown(world) == {}


def test_a_row_whose_key_was_mistyped_is_answered_by_the_corrected_sheet_of_the_same_file_only(world: World) -> None:
    headings = ["Course Run", "NRIC/FIN", "Fee Collection Status"]
    rows = [headings, ["B", "S0000000X", "Full Payment"], ["A", NRICS["T1"], FAULTY]]
    upload = drop(world, book_of({"One": rows}), "fees.xlsx")
    results.hand_back(world.workplace, upload)
    assert set(shown(world)) == {(upload, 2), (upload, 3)}
    # The same person, rightly typed in a file of its own: nobody can know that it stands for the mistyped row.
    drop(world, sheet("fee", [fee("B", "T3", "Partial Payment")]))
    assert set(shown(world)) == {(upload, 2), (upload, 3)}

    def correct(page: Any, columns: dict[str, int]) -> None:
        page.cell(2, columns["NRIC/FIN"]).value = NRICS["T3"]

    # Only the first row was corrected; the other one comes back as it was.
    fixed = drop(world, corrected(world, upload, correct), "fixed.xlsx")
    assert shown(world) == {(upload, 3): "missing here", (fixed, 3): "missing here"}


def test_a_row_number_that_two_sheets_of_a_file_have_answers_neither(world: World) -> None:
    headings = ["Course Run", "NRIC/FIN", "Fee Collection Status"]
    rows = [headings, ["B", "S0000000X", "Full Payment"]]
    upload = drop(world, book_of({"One": rows, "Two": rows}), "fees.xlsx")
    results.hand_back(world.workplace, upload)
    drop(world, corrected(
        world, upload, lambda page, columns: setattr(page.cell(2, columns["NRIC/FIN"]), "value", NRICS["T3"])
    ), "fixed.xlsx")  # fmt: skip
    reconcile(world.workplace, PullResult(), actor=world.actor())
    lines = "SELECT sheet FROM finding.sheet_row WHERE review_id = (SELECT max(review_id) FROM finding.review) AND upload_id = %s"
    assert sorted(world.rows(lines, upload)) == [("One",), ("Two",)]


def test_rows_that_wait_are_waiting_until_what_they_wait_for_has_come(world: World) -> None:
    newcomer = {"nric": make_nric("S", 9999004), "run_code": "B", "enrolment_date": "2026-10-01", "sponsorship_type": "Individual"}
    upload = drop(world, sheet("enrolment", [newcomer]))
    assert shown(world) == {(upload, 2): "waiting"}
    world.upload("trainee", {**trainee("T1"), "nric": newcomer["nric"], "full_name": "Somebody New"})
    look_again(world.workplace, actor=world.actor())
    assert shown(world) == {}


def test_a_held_file_is_withheld_as_a_whole_and_a_refused_one_was_not_read(world: World) -> None:
    held = drop(world, sheet("fee", [fee("A", "T1", f"{FAULTY} {n}") for n in range(24)]))
    refused = drop(world, b"nothing that anybody knows,at all\n1,2\n")
    found = shown(world)
    assert found[held, None] == "withheld" and found[refused, None] == "not read"
    assert {class_ for (upload, row), class_ in found.items() if row is not None} == {"withheld"}


def test_nothing_that_was_typed_stands_in_what_ties_rows_together(world: World) -> None:
    upload = drop(world, sheet("enrolment", [{**enrolment("A", "T3"), "run_code": f"A {NRICS['T2']}"}]))
    assert set(shown(world)) == {(upload, 2)}
    kept = world.rows("SELECT r::text, key_mark FROM intake.row_key r WHERE upload_id = %s", upload)
    assert all(NRICS["T2"] not in text and len(mark) == 32 for text, mark in kept) and kept
