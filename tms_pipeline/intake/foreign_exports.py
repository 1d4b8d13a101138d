"""Foreign exports: reports of programs that know no trainee by NRIC/FIN, told apart so that ops hear what they hold.

The headings are those that the programs write (Microsoft Teams attendance report, Zoom usage report, Moodle grade
export, Google Classroom grade export, Xero and Zoho invoice exports). They are only named here, never read.
"""

from __future__ import annotations

from collections.abc import Iterable

from tms_pipeline.intake.grid import Grid
from tms_pipeline.intake.headings import heading_key
from tms_pipeline.records.fault import Fault, fault

LINES, SHEETS = 60, 20
_MARKS = "attendance marks (Course Run, Session No, NRIC/FIN, Attendance)"
_RESULTS = "results (Course Run, NRIC/FIN, Assessment Date, Result)"
_FEES = "fees (Course Run, NRIC/FIN, Fee Collection Status, Amount Collected)"
# What the program is called, all the headings that one row must have, what ops would drop instead.
_EXPORTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("an attendance report of Microsoft Teams", ("Name", "First Join", "Last Leave"), _MARKS),
    ("an attendance report of Microsoft Teams", ("Full Name", "User Action", "Timestamp"), _MARKS),
    ("an attendance report of Microsoft Teams", ("Full Name", "Join Time", "Leave Time"), _MARKS),
    ("a usage report of Zoom", ("Join Time", "Leave Time", "Duration (Minutes)"), _MARKS),
    ("a usage report of Zoom", ("Meeting ID", "Topic", "Duration (Minutes)"), _MARKS),
    ("an attendance report of Google Meet", ("First name", "Time in call"), _MARKS),
    ("a grade export of Moodle", ("ID number", "Email address", "Last downloaded from this course"), _RESULTS),
    ("a grade export of Google Classroom", ("Last Name", "First Name", "Email Address", "Points"), _RESULTS),
    ("an invoice export of Xero", ("ContactName", "InvoiceNumber", "DueDate"), _FEES),
    ("an invoice export of Zoho", ("Invoice Number", "Customer Name", "Balance"), _FEES),
)
_KEYS = tuple((name, frozenset(map(heading_key, headings)), wanted) for name, headings, wanted in _EXPORTS)


def foreign_export(grids: Iterable[Grid]) -> Fault | None:
    """The fault that names the program whose export this is, or None."""
    for grid in list(grids)[:SHEETS]:
        for place in range(min(LINES, len(grid.numbers)) if not grid.hidden else 0):
            # Classroom writes the dates and the points of its columns into the first two rows.
            below = [grid.columns[0][at] for at in range(place + 1, min(place + 3, len(grid.numbers)))]
            cells = [*grid.line(place), *below]
            said = {heading_key(cell) for cell in cells if isinstance(cell, str) and len(cell) <= 60}
            for name, keys, wanted in _KEYS:
                if keys <= said:
                    row = int(grid.numbers[place])
                    return fault("FOREIGN_EXPORT", sheet=grid.sheet, row=row, export=name, wanted=wanted)
    return None
