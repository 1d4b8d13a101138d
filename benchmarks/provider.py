"""A made-up provider of any size, as files that ops would drop: 25 trainees a run, 20 sessions, a mark for each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tms_pipeline.examples.people import make_nric

TODAY = date(2026, 11, 21)
TRAINEES_A_RUN = 25
SESSIONS = 20
COURSE = "TGS-2026000101"
WORDS = np.array(["Present", "P", "Late", "present", "Absent"])


@dataclass(frozen=True)
class Provider:
    """Files of what stands before attendance, in the order in which they are dropped."""

    folder: Path
    marks: int

    @property
    def runs(self) -> int:
        """How many course runs hold that many marks."""
        return -(-self.marks // (TRAINEES_A_RUN * SESSIONS))

    @property
    def trainees(self) -> int:
        """People: each is enrolled in up to five runs."""
        return max(TRAINEES_A_RUN, self.runs * TRAINEES_A_RUN // 5)

    def nric(self, number: int) -> str:
        """A made-up, never issued number (the top of a series)."""
        return make_nric("STFGM"[number % 5], 9_999_999 - number // 5)

    def setup(self) -> list[Path]:
        """Write and name the files of courses, trainers, runs, sessions, trainees and enrolments."""
        runs = [f"B-{number:05d}" for number in range(self.runs)]
        first, last = date(2026, 11, 10), date(2026, 11, 20)
        day = [first + timedelta(days=number % 10) for number in range(SESSIONS)]
        people = [self.nric(number) for number in range(self.trainees)]
        files = {
            "01-courses": (
                ["Course Reference", "Course Title", "Skill Code", "Full Course Fee", "Duration (Hours)"],
                [[COURSE, "Food Hygiene", "FSS-FNB-1001-1.1", "480.00", "40"]],
            ),
            "02-trainers": (
                ["Trainer Code", "Trainer Name", "Trainer NRIC/FIN", "Trainer Email", "Salutation", "Role",
                 "Domain Area of Practice", "Experience"],
                [["TR-1", "Trainer One", make_nric("S", 1_000_001), "trainer@example.com", "Mr", "trainer",
                  "Food", "Ten years"]],
            ),
            "03-runs": (
                ["Course Run", "Course Reference", "Registration Opening", "Registration Closing", "Start Date",
                 "End Date", "Schedule", "Mode of Training", "Floor", "Unit", "Postal Code", "Room", "Intake Size",
                 "Course Admin Email", "Trainer Codes"],
                [[run, COURSE, "2026-10-01", "2026-11-09", first.isoformat(), last.isoformat(), "Evenings", "Classroom",
                  "03", "12", "048616", "Kitchen", "40", "courses@example.com", "TR-1"] for run in runs],
            ),
            "04-sessions": (
                ["Course Run", "Session No", "Session Date", "Start Time", "End Time", "Mode of Training"],
                [[run, n + 1, day[n].isoformat(), *(("09:00", "11:00") if n < 10 else ("14:00", "16:00")), "Classroom"]
                 for run in runs for n in range(SESSIONS)],
            ),
            "05-trainees": (
                ["NRIC/FIN", "Full Name", "Date of Birth", "Email", "Mobile", "Residency"],
                [[nric, f"Made Up {number}", "1980-02-03", f"p{number}@example.com", f"9{1000000 + number}", "Citizen"]
                 for number, nric in enumerate(people)],
            ),
            "06-enrolments": (
                ["Course Run", "NRIC/FIN", "Enrolment Date", "Sponsorship Type"],
                [[run, nric, "2026-11-01", "Individual"]
                 for place, run in enumerate(runs) for nric in self._of_run(place, people)],
            ),
        }  # fmt: skip
        return [self._write(name, head, rows) for name, (head, rows) in files.items()]

    def attendance(self, *, turn: int = 0, changed: float = 0.02, wrong: float = 0.0, wide: bool = False) -> pd.DataFrame:
        """All marks as ops type them. Each turn, a share differs from the turn before; a share may be wrong.

        ``wide`` adds twenty columns of the provider's own, as exports of learning systems have them.
        """
        people = [self.nric(number) for number in range(self.trainees)]
        runs = [f"B-{number:05d}" for number in range(self.runs)]
        nrics = np.array([nric for place in range(len(runs)) for nric in self._of_run(place, people)])
        size = min(self.marks, len(nrics) * SESSIONS)
        mark = WORDS[np.random.default_rng(7).integers(0, len(WORDS), size)]
        for seed in range(1, turn + 1):
            at = np.random.default_rng(seed).random(size) < changed
            mark = np.where(at & (mark == "Absent"), "Present", np.where(at, "Absent", mark))
        frame = pd.DataFrame(
            {
                "Course Run": np.repeat(np.array(runs), TRAINEES_A_RUN * SESSIONS)[:size],
                "Session No": np.tile(np.arange(1, SESSIONS + 1), len(nrics))[:size],
                "NRIC/FIN": np.repeat(nrics, SESSIONS)[:size],
                "Attendance": mark,
                "Hours": np.where(np.isin(mark, ("Absent",)), "", "2"),
            }
        )
        if wrong:
            frame.loc[np.random.default_rng(9).random(size) < wrong, "Attendance"] = "perhaps"
        return frame.assign(**_others(size)) if wide else frame

    def _of_run(self, place: int, people: list[str]) -> list[str]:
        start = place * TRAINEES_A_RUN % len(people)
        return [people[(start + n) % len(people)] for n in range(TRAINEES_A_RUN)]

    def _write(self, name: str, head: list[str], rows: list[list[object]]) -> Path:
        path = self.folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows(rows)
        return path


def _others(size: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(11)
    words = np.array(["", "North", "South", "Hall 3", "Evening", "Noted by coach", "Blue", "A-12", "Bus", "Vegetarian"])
    names = [
        "Campus", "Coach", "Weekday", "Slot", "Hall", "Note", "Device", "Scan In", "Scan Out", "Shelf", "Cohort", "Tier",
        "Locker", "Meal", "Uniform", "Transport", "Group", "Helper", "Bench", "Sticker",
    ]  # fmt: skip
    return {name: words[rng.integers(0, len(words), size)] for name in names}


def write_xlsx(frame: pd.DataFrame, path: Path) -> Path:
    """The frame as one sheet, written as Excel writes it: shared strings, numbers as numbers."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Attendance")
    sheet.write_row(0, 0, list(frame.columns))
    for place, name in enumerate(frame.columns):
        numeric = name in ("Session No",)
        for row, value in enumerate(frame[name].tolist(), start=1):
            if value == "":
                continue
            if numeric:
                sheet.write_number(row, place, value)
            else:
                sheet.write_string(row, place, str(value))
    book.close()
    return path
