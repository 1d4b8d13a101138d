"""What ops are told about an upload: rows with their status and faults, what to do next. Both forms show this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from tms_pipeline.records.fault import Fault

Cell = str | int | float | bool | Decimal | date | datetime | time | timedelta | None
RowStatus = Literal["accepted", "unchanged", "rejected", "superseded"]
UploadState = Literal["taken in", "held", "refused", "already taken in", "preview", "undone"]

#: Custom document property and hidden sheet by which a result workbook is known when it is dropped back whole:
#: then only the sheets whose names begin with FIX_SHEET are to be read.
RESULT_MARK = "tms_result_of"
MARK_SHEET = "_tms"
FIX_SHEET = "Fix these rows"
ALL_SHEET = "All rows"
WHAT_TO_DO = "What to do"
ROW_IN_FILE = "Row in your file"


@dataclass(frozen=True, kw_only=True)
class ResultRow:
    """One sheet row as it was typed, and what became of it.

    ``changes`` holds (field title, old, new); for a personal field old and new are empty and it reads "changed".
    ``made`` names the records that were new.
    """

    row: int
    cells: Sequence[Cell]
    status: RowStatus
    faults: Sequence[Fault] = ()
    note: str = ""
    changes: Sequence[tuple[str, str, str]] = ()
    made: Sequence[str] = ()


@dataclass(kw_only=True)
class ResultTable:
    """One table of the file: its headings as typed, and its rows. ``faults`` are about the table as a whole."""

    sheet: str
    kinds: tuple[str, ...]
    header_row: int
    headings: Sequence[str]
    rows: Sequence[ResultRow]
    faults: Sequence[Fault] = ()
    epoch_1904: bool = False  # plain numbers that are dates count from there


@dataclass(kw_only=True)
class UploadResult:
    """What became of one upload. ``counts`` holds rows, accepted, unchanged, rejected and superseded."""

    upload_id: str
    file_name: str
    received_at: datetime
    state: UploadState
    sentence: str
    counts: dict[str, int]
    tables: list[ResultTable] = field(default_factory=list)
    file_faults: list[Fault] = field(default_factory=list)
    already: str | None = None
    #: Rows of a huge table that are listed although there is nothing to say about them.
    plain_rows_listed: int = 200_000

    def faults(self) -> list[Fault]:
        """Every fault of the file, its tables and its rows, in that order; once though two tables share the row."""
        found = {id(fault): fault for fault in self.file_faults}
        for table in self.tables:
            found |= {id(fault): fault for fault in table.faults}
            for row in table.rows:
                if row.faults:
                    found |= {id(fault): fault for fault in row.faults}
        return list(found.values())


@dataclass(kw_only=True)
class FaultGroup:
    """All faults of one code: how often, where first, and the sentence of the first."""

    first: Fault
    count: int = 0
    places: list[str] = field(default_factory=list)


#: So many places of one fault are named; the rest is counted.
PLACES_NAMED = 6


def grouped(faults: Sequence[Fault]) -> list[FaultGroup]:
    """Faults by code and column, errors first, the most frequent first."""
    groups: dict[tuple[str, str | None], FaultGroup] = {}
    for fault in faults:
        group = groups.setdefault((fault.code, fault.column), FaultGroup(first=fault))
        group.count += 1
        place = fault.where()
        if len(group.places) < PLACES_NAMED and place and place not in group.places:
            group.places.append(place)
    return sorted(groups.values(), key=lambda group: (group.first.severity != "error", -group.count, group.first.code))


def next_steps(result: UploadResult) -> list[str]:
    """What ops do now, in order."""
    rejected = result.counts.get("rejected", 0)
    if result.state == "already taken in":
        return ["Nothing to do. If you meant to send other rows, save them in a file of their own and drop that."]
    if result.state == "undone":
        return ["Nothing to do: the rows below count no more. To take them in after all, drop the corrected file."]
    if result.state == "refused":
        return ["Do what is said below.", "Save the file and drop it in the inbox again."]
    fix = (
        [
            f"Open the sheet '{FIX_SHEET}' of the result workbook. Red cells are wrong; point at one to read why.",
            f"Correct the cells. Leave the headings and the column '{WHAT_TO_DO}' as they are.",
            "Save the workbook and drop it in the inbox. Only the corrected rows take effect.",
        ]
        if rejected
        else []
    )
    if result.state == "preview":
        return ["This was a preview: nothing has been written.", *fix, "Drop the file in the inbox to take it in."]
    if result.state == "held":
        return ["The whole file waits for a person, because so many rows are wrong. Ask your ops admin.", *fix]
    return fix or ["Nothing to do."]


MEANINGS = {
    "accepted": "taken into our records",
    "unchanged": "we already had them just so",
    "rejected": "not taken: something has to be corrected first",
    "superseded": "said again, or answered later, by another row",
}
