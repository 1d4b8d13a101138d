"""A result of an upload with something of everything in it."""

from __future__ import annotations

from datetime import date, datetime, time

from tms_pipeline.intake.upload_result import Cell, ResultRow, ResultTable, UploadResult
from tms_pipeline.records.fault import Fault, fault

HEADINGS = ["NRIC", "Full Name *", "D.O.B.", "E-mail", "HP", "Country Code", "Residency", "Remarks", ""]
TRAP = '=HYPERLINK("http://x.example","click")'


def at(code: str, row: int, column: str | None = None, **words: object) -> Fault:
    return fault(code, sheet="Sheet1", row=row, column=column, **words)


GOOD_CELLS: list[Cell] = ["S9999001A", "A Trainee", datetime(1990, 5, 3), "a@example.sg", "091234567", "65", "PR", TRAP]
BAD_CELLS: list[Cell] = ["S9999002Z", "B Trainee", date(2026, 9, 1), "b(at)example", 81234567, "065", "SC", "+65", "x"]
TORN_CELLS: list[Cell] = ["S9999003Z", "@SUM(A1)", "31/13/1990", None, 6.5, 10**20, "", True]

TRAINEES = ResultTable(
    sheet="Sheet1",
    kinds=("trainee",),
    header_row=3,
    headings=HEADINGS,
    rows=[
        ResultRow(row=4, cells=GOOD_CELLS, status="accepted", note="New.",
                  faults=[at("PHONE_NO_SINGAPORE_MOBILE", 4, "HP")]),
        ResultRow(row=5, cells=BAD_CELLS, status="rejected", faults=[
            at("AGE_UNLIKELY", 5, "D.O.B.", youngest=14, oldest=100),
            at("TEXT_TOO_LONG", 5, "e-mail", limit=100),
            at("PHONE_NO_SINGAPORE_MOBILE", 5, "HP"),
        ]),
        ResultRow(row=6, cells=TORN_CELLS, status="rejected", faults=[
            at("ROWS_CONTRADICT", 6, rows="6 and 9", kind="trainee", columns="'Email'"),
            at("VALUE_MISSING", 6, "E-mail"),
        ]),
        ResultRow(row=7, cells=GOOD_CELLS, status="superseded", faults=[at("ROW_REPEATED", 7, first=4)]),
        ResultRow(row=8, cells=GOOD_CELLS, status="unchanged",
                  changes=[("Email", "", ""), ("Survey Language", "English", "Malay")]),
    ],
)  # fmt: skip
SESSIONS = ResultTable(
    sheet="Plan",
    kinds=("session",),
    header_row=1,
    headings=["Course Run", "Session No", "Session Date", "From", "To", "Mode"],
    rows=[
        ResultRow(row=2, cells=["HYG-1", 1, datetime(2026, 9, 7), time(9, 0), time(8, 30), "Classroom"],
                  status="rejected", faults=[fault("SESSION_ENDS_BEFORE_START", sheet="Plan", row=2, column="To")]),
    ],
)  # fmt: skip


def result(**changes: object) -> UploadResult:
    values: dict[str, object] = {
        "upload_id": "UP-20260901-0001",
        "file_name": "Tan Ah Kow.xlsx",
        "received_at": datetime(2026, 9, 1, 9, 5),
        "state": "taken in",
        "sentence": "2 of 6 rows are in; 3 rows need you.",
        "counts": {"rows": 6, "accepted": 1, "unchanged": 1, "rejected": 3, "superseded": 1},
        "tables": [TRAINEES, SESSIONS],
        "file_faults": [],
        "already": None,
        **changes,
    }
    return UploadResult(**values)  # type: ignore[arg-type]
