"""The templates: every field, its drop-down, its note and its format, and no row that would be taken in."""

from __future__ import annotations

from typing import Any

import openpyxl
import pytest

from tms_pipeline.intake.templates import fields_of, shown_choice, write_template
from tms_pipeline.records.kinds import KINDS, kind_named


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    lists = {"run_code": ["HYG-1", "HYG-2"], "trainer_code": ["TR-01"], "course_reference": ["TGS-2026000101"]}
    write_template(list(KINDS.values()), path, lists=lists)
    return openpyxl.load_workbook(path)


def rules(sheet: Any) -> dict[str, Any]:
    return {str(rule.sqref).split(":")[0][:-1]: rule for rule in sheet.data_validations.dataValidation}


@pytest.mark.parametrize("kind", list(KINDS))
def test_sheet_has_every_field_with_a_note_and_no_row(book: Any, kind: str) -> None:
    sheet = book[KINDS[kind].plural]
    assert sheet.max_row == 1
    for cell, item in zip(sheet[1], KINDS[kind].fields, strict=True):
        assert cell.value == item.title + (" *" if item.required else "")
        assert item.help in cell.comment.text and item.example in cell.comment.text
        assert (cell.fill.fgColor.rgb == "FF1F3A5F") is item.required
    # The headings are known again by what reads them.
    assert fields_of([cell.value for cell in sheet[1]], [KINDS[kind]]) == list(KINDS[kind].fields)


def test_sheets_and_hidden_lists(book: Any) -> None:
    assert book.sheetnames == [*(kind.plural for kind in KINDS.values()), "Guidance", "_lists"]
    assert book["_lists"].sheet_state == "hidden"


def test_drop_downs_offer_words_and_known_codes(book: Any) -> None:
    names = kind_named("enrolment").names
    sheet = book["Enrolments"]
    found = rules(sheet)
    letter = sheet.cell(1, names.index("sponsorship_type") + 1).column_letter
    words = book["_lists"][found[letter].formula1.removeprefix("_lists!").replace("$", "")]
    assert [row[0].value for row in words] == ["Individual", "Employer"]
    assert found[letter].errorStyle in {None, "stop"}
    assert found["A"].errorStyle == "information", "a code that is not known yet can be typed"
    assert "A" not in rules(book["Course runs"]), "a new course run has a new code"


def test_text_columns_keep_zeros_and_dates_are_dates(book: Any) -> None:
    sheet = book["Trainees"]
    # Neighbours of one format share an entry.
    formats = {
        kind_named("trainee").names[place - 1]: shared.number_format
        for shared in sheet.column_dimensions.values()
        for place in range(shared.min, shared.max + 1)
    }
    assert formats["nric"] == formats["phone"] == formats["phone_country"] == "@"
    assert formats["birth_date"] == "dd/mm/yyyy"
    letter = sheet.cell(1, kind_named("trainee").names.index("birth_date") + 1).column_letter
    assert rules(sheet)[letter].type == "date"


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_word_shown_is_a_word_that_is_understood(kind: str) -> None:
    for item in KINDS[kind].fields:
        for key, words in item.choices.items():
            assert shown_choice(key, words).casefold() in {key.casefold(), *(word.casefold() for word in words)}


def test_guidance_lists_every_column(book: Any) -> None:
    titles = {row[0] for row in book["Guidance"].iter_rows(values_only=True)}
    assert {item.title for kind in KINDS.values() for item in kind.fields} <= titles
