"""Benchmark: a workbook from the inbox to canonical frames, beside the bare fast reader on the same file.

    python benchmarks/intake_reading.py [--rows 100000] [--repeats 3] [--json]

Seconds are medians of interleaved repeats. ``ratio`` is ours by bare python-calamine reading (all sheets to Python
rows, no guards, no checks). The file has 25 columns: trainees, enrolments and fees in one sheet, and ten of others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

BARE = """
import sys, time
import python_calamine
begin = time.perf_counter()
book = python_calamine.CalamineWorkbook.from_path(sys.argv[1])
rows = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
print(time.perf_counter() - begin)
"""
OTHERS = (
    "Remarks 1",
    "Remarks 2",
    "Salesperson",
    "Branch",
    "Invoice Date",
    "Outstanding",
    "Batch Remark",
    "Class Day",
    "Consent",
    "Source of Lead",
)


def write_workbook(path: Path, rows: int) -> None:
    """A workbook of ``rows`` enrolments with invented people."""
    import xlsxwriter

    from tms_pipeline.intake.nric import make_nric

    headings = (
        "Course Run*",
        "NRIC/FIN*",
        "Full Name*",
        "Date of Birth (DD/MM/YYYY)*",
        "Email*",
        "Mobile*",
        "Residency",
        "Enrolment Date*",
        "Sponsorship Type*",
        "Employer UEN",
        "Discount Amount",
        "Fee Collection Status",
        "Amount Collected",
        "Collected On",
        "Receipt No",
        *OTHERS,
    )
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet("Enrolments")
    sheet.write_row(0, 0, headings)
    first = date(1960, 1, 1)
    for at in range(rows):
        born = first + timedelta(days=(at * 37) % 15_000)
        paid = at % 3
        sheet.write_row(
            at + 1,
            0,
            (
                f"HYG-{2600 + at % 97}-A",
                make_nric("S", at),
                f"Trainee Number{at} Tan",
                f"{born:%d/%m/%Y}",
                f"trainee{at}@example.com",
                80_000_000 + at,
                "Singaporean" if at % 5 else "PR",
                date(2026, 1, 1) + timedelta(days=at % 300),
                "Employer" if at % 2 else "Individual",
                "201912345K" if at % 2 else "",
                0 if at % 4 else 50.5,
                ("Paid", "Pending", "Deposit")[paid],
                480.0 if paid == 0 else "",
                date(2026, 2, 1) + timedelta(days=at % 200) if paid == 0 else "",
                f"R{at:07d}" if paid == 0 else "",
                "walk in" if at % 10 == 0 else "",
                f"note {at % 1000}",
                f"Sales {at % 20}",
                "Bedok",
                date(2026, 3, 1) + timedelta(days=at % 28),
                at % 500 / 4,
                "",
                "Mon",
                "Yes",
                "Website",
            ),
        )
    book.close()


def bare_seconds(path: Path) -> float:
    """Seconds of the bare reader in a process of its own."""
    answer = subprocess.run([sys.executable, "-c", BARE, str(path)], check=True, capture_output=True, text=True)
    return float(answer.stdout)


def our_seconds(path: Path, rows: int) -> dict[str, float]:
    """Seconds of each step and the peak memory of the reading process."""
    from tms_pipeline.intake.cells import canonicalise
    from tms_pipeline.intake.opening import Limits, open_upload
    from tms_pipeline.intake.tables import find_tables
    from tms_pipeline.records.kinds import KINDS

    limits = Limits(
        max_rows=max(200_000, rows + 10),
        memory_bytes=max(1, rows // 200_000) * 1024**3,
        max_bytes=1024**3,
        max_inflated_bytes=4 * 1024**3,
        cpu_seconds=600,
        wall_seconds=600,
    )
    begin = time.perf_counter()
    opened = open_upload(path, name=path.name, limits=limits)
    read = time.perf_counter()
    tables, _ = find_tables(opened)
    found = time.perf_counter()
    frames = [canonicalise(KINDS[kind], table) for table in tables for kind in table.kinds]
    done = time.perf_counter()
    if sum(len(frame.frame) for frame in frames) != 3 * rows or any(frame.bad.any() for frame in frames):
        raise SystemExit("the rows read are not the rows written")
    return {
        "open": read - begin,
        "tables": found - read,
        "cells": done - found,
        "total": done - begin,
        "reader_peak_mb": opened.reader_peak_bytes / 1e6,
    }


def main() -> None:
    """Runs the benchmark and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "enrolments.xlsx"
        write_workbook(path, options.rows)
        bare, ours = [], []
        for _ in range(options.repeats):
            bare.append(bare_seconds(path))
            ours.append(our_seconds(path, options.rows))
        figures = {key: round(statistics.median(one[key] for one in ours), 3) for key in ours[0]}
        figures |= {
            "rows": options.rows,
            "megabytes": round(path.stat().st_size / 1e6, 1),
            "bare_reader": round(statistics.median(bare), 3),
        }
        figures["ratio"] = round(figures["total"] / figures["bare_reader"], 2)
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:16} {value}")


if __name__ == "__main__":
    main()
