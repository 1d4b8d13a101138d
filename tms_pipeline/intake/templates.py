"""Templates for ops: a sheet a record kind with drop-downs and notes, and what the result workbook shares with them.

Everything comes from the record kinds, so that a new field or choice is in the next template by itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tms_pipeline.intake.headings import fields_of as known_as
from tms_pipeline.records.field import Field, FieldType, RecordKind

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

LISTS_SHEET = "_lists"
#: Drop-downs and formats reach down to this row of a template; more rows work all the same.
TEMPLATE_ROWS = 5000
A4 = 9
FONT = "Arial"

# Dark enough on light grounds to read in print and for weak eyes (WCAG AAA), and not by colour alone.
INK, DARK, PALE, LINE = "#1B2733", "#1F3A5F", "#DCE6F0", "#B8C4CE"

WANTED = {
    FieldType.TEXT: "Text",
    FieldType.CODE: "A code; capitals, no spaces",
    FieldType.NRIC: "NRIC or FIN, nine characters",
    FieldType.DATE: "A date, day first: 31/12/2026",
    FieldType.TIME: "A time of the 24-hour clock: 14:30",
    FieldType.MOMENT: "A date and a time: 31/12/2026 14:30",
    FieldType.INTEGER: "A whole number",
    FieldType.AMOUNT: "Dollars: 480.00",
    FieldType.HOURS: "Hours: 7.5",
    FieldType.YES_NO: "Yes or No",
    FieldType.CHOICE: "One of the words of the list",
    FieldType.EMAIL: "An e-mail address",
    FieldType.PHONE: "A phone number, without the country code",
    FieldType.POSTAL: "A postal code, six digits",
    FieldType.UEN: "A UEN, nine or ten characters",
    FieldType.CODES: "Codes, with a semicolon between: TR-01; TR-02",
}
NUMBER_FORMATS = {
    FieldType.DATE: "dd/mm/yyyy",
    FieldType.TIME: "hh:mm",
    FieldType.MOMENT: "dd/mm/yyyy hh:mm",
    FieldType.INTEGER: "0",
    FieldType.AMOUNT: "#,##0.00",
    FieldType.HOURS: "0.0",
}
#: Which of the given lists a field offers, beside the one of its own name.
LISTED_AS = {"trainer_codes": "trainer_code", "assessor_code": "trainer_code"}


def number_format(item: Field | None) -> str:
    """The number format of a column: text for everything that is no date or number, so that zeros stay."""
    return NUMBER_FORMATS.get(item.type, "@") if item else "General"


def shown_choice(key: str, words: Sequence[str]) -> str:
    """The word that ops see for a choice: the key if it is readable, else the first word for it."""
    for word in words:
        if word.casefold() == key.casefold():
            return word
    return key if len(key) > 2 or not words else words[0]


def shown_choices(item: Field) -> list[str]:
    """The words of a field's drop-down, empty if it has none."""
    if item.type is FieldType.YES_NO:
        return ["Yes", "No"]
    return [shown_choice(key, words) for key, words in item.choices.items()]


def fields_of(headings: Sequence[object], kinds: Sequence[RecordKind]) -> list[Field | None]:
    """The field of these kinds that each heading stands for, read as intake reads it; None where it stands for none."""
    own = {item.name: item for kind in kinds for item in kind.fields}
    return [next((own[item.name] for item in known_as(heading) if item.name in own), None) for heading in headings]


def note_of(item: Field) -> str:
    """What the note on a heading says: what the column wants, whether it must be there, help and example."""
    lines = ["Must be filled in." if item.required else "May stay empty.", WANTED[item.type] + "."]
    if item.help:
        lines.append(item.help)
    if item.minimum is not None and item.maximum is not None:
        lines.append(f"From {item.minimum:g} to {item.maximum:.10g}.")
    if item.max_length and item.type is FieldType.TEXT:
        lines.append(f"At most {item.max_length} characters.")
    if item.example:
        lines.append(f"Example: {item.example}")
    if item.default and not item.required:
        lines.append(f"Empty means: {shown_choice(item.default, item.choices.get(item.default, ()))}.")
    return "\n".join(lines)


class Styles:
    """The formats of one workbook, made when first asked for."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: Any) -> Format:
        """A format with these properties over the common ones."""
        every = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "top", **properties}
        key = tuple(sorted(every.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(every)
        return self._made[key]

    @cached_property
    def text(self) -> Format:
        """The format of a cell that stays the text that it is."""
        return self.get(num_format="@")

    def heading(self, *, must: bool) -> Format:
        """A heading: dark for a column that must be there, pale for one that may."""
        ground, ink = (DARK, "#FFFFFF") if must else (PALE, INK)
        return self.get(bold=True, bg_color=ground, font_color=ink, border=1, border_color=LINE, text_wrap=True,
                        valign="vcenter")  # fmt: skip


class Lists:
    """The lists behind the drop-downs, which end up on a hidden sheet, for a cell rule holds only 255 characters."""

    def __init__(self) -> None:
        self._lists: list[tuple[str, ...]] = []

    def range_of(self, words: Sequence[str]) -> str:
        """The place of a list, as a formula; the same words have one place."""
        from xlsxwriter.utility import xl_col_to_name

        wanted = tuple(words)
        if wanted not in self._lists:
            self._lists.append(wanted)
        letter = xl_col_to_name(self._lists.index(wanted))
        return f"={LISTS_SHEET}!${letter}$1:${letter}${len(wanted)}"

    def write(self, book: Workbook) -> None:
        """Add the hidden sheet, if any drop-down needs it."""
        if not self._lists:
            return
        sheet = book.add_worksheet(LISTS_SHEET)
        sheet.hide()
        for row, words in enumerate(zip_longest(*self._lists)):
            for column, word in enumerate(words):
                if word is not None:
                    sheet.write_string(row, column, word)


def offer(
    sheet: Worksheet,
    item: Field,
    place: tuple[int, int, int],
    lists: Lists,
    known: Sequence[str] = (),
    *,
    strict: bool = True,
) -> None:
    """Put the drop-down or date rule of a field on ``place``: column, first row, last row.

    A list of ``known`` codes only helps to type: another code may be new, and is never stopped.
    """
    column, first, last = place
    choices = shown_choices(item)
    rule: dict[str, Any] | None = None
    if choices:
        rule = {
            "validate": "list",
            "source": lists.range_of(choices),
            "error_type": "stop" if strict else "warning",
            "error_title": item.title[:32],
            "error_message": "Please choose a word of the list.",
        }
    elif known:
        rule = {
            "validate": "list",
            "source": lists.range_of(known),
            "error_type": "information",
            "error_title": item.title[:32],
            "error_message": "This code is not known yet. It is taken if it is right.",
        }
    elif item.type is FieldType.DATE:
        from datetime import date

        rule = {
            "validate": "date",
            "criteria": "between",
            "minimum": date(1900, 1, 1),
            "maximum": date(2099, 12, 31),
            "error_type": "stop" if strict else "warning",
            "error_title": item.title[:32],
            "error_message": "Please type a date, day first: 31/12/2026.",
        }
    if rule:
        sheet.data_validation(first, column, last, column, rule)


def print_setup(sheet: Worksheet, *, landscape: bool = True, repeat: int | None = 0) -> None:
    """A4, one page wide, page numbers, headings on every page."""
    if landscape:
        sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&L&8&A&R&8Page &P of &N")
    if repeat is not None:
        sheet.repeat_rows(repeat)


GUIDANCE_COLUMNS = (("Column", 26), ("Needed", 9), ("What it wants", 34), ("Help", 46), ("Example", 20),
                    ("Words of the list", 44), ("Also known as", 52))  # fmt: skip


def write_guidance(book: Workbook, styles: Styles, kinds: Sequence[RecordKind]) -> None:
    """The sheet *Guidance*: what each column of these kinds wants."""
    sheet = book.add_worksheet("Guidance")
    print_setup(sheet, repeat=None)
    sheet.hide_gridlines(2)
    for column, (_, width) in enumerate(GUIDANCE_COLUMNS):
        sheet.set_column(column, column, width)
    cell = styles.get(text_wrap=True, border=1, border_color=LINE)
    row = 0
    for kind in kinds:
        sheet.write_string(row, 0, kind.plural, styles.get(bold=True, font_size=14))
        sheet.write_string(row + 1, 0, kind.guidance, styles.get(italic=True))
        for column, (title, _) in enumerate(GUIDANCE_COLUMNS):
            sheet.write_string(row + 2, column, title, styles.heading(must=True))
        row += 3
        for item in kind.fields:
            texts = (
                item.title,
                "Yes" if item.required else "No",
                WANTED[item.type],
                item.help,
                item.example,
                ", ".join(shown_choices(item)),
                ", ".join(item.aliases),
            )
            lines = max(1 + len(text) // width for text, (_, width) in zip(texts, GUIDANCE_COLUMNS, strict=True))
            sheet.set_row(row, 15 + 13 * (lines - 1))
            for column, text in enumerate(texts):
                sheet.write_string(row, column, text, styles.get(bold=True, text_wrap=True, border=1, border_color=LINE)
                                   if column == 0 else cell)  # fmt: skip
            row += 1
        row += 1


def open_book(path: Path, *, epoch_1904: bool = False) -> Workbook:
    """A workbook in which text stays text, and whose days begin in 1904 where ops' own do.

    What is buffered lies beside ``path``, never in a shared temp folder.
    """
    from xlsxwriter import Workbook

    return Workbook(
        os.fspath(path),
        {
            "constant_memory": True,
            "tmpdir": os.fspath(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "dd/mm/yyyy",
            "remove_timezone": True,
            "date_1904": epoch_1904,
        },
    )


def write_template(
    kinds: Sequence[RecordKind], path: Path, *, lists: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write an empty workbook for these kinds, ready to be filled in and dropped.

    ``lists`` holds known codes by field name (run_code, course_reference, trainer_code) for the drop-downs.
    """
    offered = lists or {}
    book = open_book(path)
    book.set_properties({"title": "Template: " + ", ".join(kind.plural for kind in kinds), "author": "TMS pipeline"})
    styles, drop_downs = Styles(book), Lists()
    for kind in kinds:
        sheet = book.add_worksheet(kind.plural)
        print_setup(sheet)
        sheet.freeze_panes(1, 0)
        sheet.set_row(0, 32)
        sheet.autofilter(0, 0, TEMPLATE_ROWS, len(kind.fields) - 1)
        for column, item in enumerate(kind.fields):
            width = min(max(len(item.title) + 4, len(item.example) + 2, 12), 40)
            sheet.set_column(column, column, width, styles.get(num_format=number_format(item)))
            sheet.write_string(0, column, item.title + (" *" if item.required else ""),
                               styles.heading(must=item.required))  # fmt: skip
            sheet.write_comment(0, column, note_of(item), note_size(note_of(item)))
            own_code = kind.key == (item.name,)
            known = () if own_code else offered.get(LISTED_AS.get(item.name, item.name), ())
            offer(sheet, item, (column, 1, TEMPLATE_ROWS), drop_downs, known)
    write_guidance(book, styles, kinds)
    drop_downs.write(book)
    book.close()


def note_size(text: str) -> dict[str, Any]:
    """The options of a cell comment that shows all of ``text``."""
    lines = sum(1 + len(line) // 38 for line in text.split("\n"))
    return {"author": "TMS", "font_name": FONT, "font_size": 9, "width": 260, "height": 22 + 15 * lines,
            "color": "#FFFBE6"}  # fmt: skip
