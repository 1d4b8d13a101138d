"""xlsx to checked landing rows in Postgres, guards on, beside bare reading of the same file (bound 2.5 at 100k × 25)."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from python_calamine import CalamineWorkbook

from benchmarks.row_checks import TODAY, frame_of
from tms_pipeline.intake import landing
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import Limits, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.kinds import kind_named
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace


def write_workbook(path: Path, rows: int) -> None:
    """A sheet of course runs with 25 columns: texts, codes, real dates, numbers, blanks."""
    import xlsxwriter

    kind = kind_named("course_run")
    frame = frame_of(rows)
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Runs")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    titles = [field.title for field in kind.fields] + ["Remarks"]
    sheet.write_row(0, 0, titles[:25])
    dates = {place for place, field in enumerate(kind.fields) if field.type.value == "date"}
    columns = [frame[name].tolist() for name in kind.names]
    for number in range(rows):
        for place, column in enumerate(columns):
            value = column[number]
            if value is None:
                continue
            if place in dates:
                sheet.write_datetime(number + 1, place, date.fromisoformat(value), day)
            else:
                sheet.write_string(number + 1, place, value)
    book.close()


def ours(workplace: Workplace, path: Path, upload_id: str) -> tuple[float, int]:
    """Seconds from the file to committed landing rows, checked; and the reader's peak in bytes."""
    started = time.perf_counter()
    opened = open_upload(path, name=path.name, limits=Limits(max_rows=2_000_000, memory_bytes=4 << 30))
    tables, _ = find_tables(opened)
    kind = kind_named("course_run")
    with workplace.db.transaction() as connection:
        connection.execute(
            "INSERT INTO intake.upload (upload_id, sha256, file_name, received_at, received_by, bytes, state, "
            "correlation_id) VALUES (%s, %s, 'bench', now(), 'bench', 0, 'received', 'bench')",
            (upload_id, upload_id),
        )
        for table in tables:
            canonical = canonicalise(kind, table)
            check_rows(kind, canonical.frame[list(kind.names)], today=TODAY)
        statuses = {(n, row): ("accepted", False) for n, table in enumerate(tables) for row in table.rows.tolist()}
        landing.land(connection, workplace.rings, upload_id, tables, statuses)
    return time.perf_counter() - started, opened.reader_peak_bytes


def main() -> None:
    """Time both, in turns, and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / "runs.xlsx"
        write_workbook(path, options.rows)
        bare, mine, peaks = [], [], []
        with open_workplace(load_settings(_env_file=None, tms_home=Path(folder) / "h")) as workplace:
            for number in range(options.repeats):
                started = time.perf_counter()
                CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
                bare.append(time.perf_counter() - started)
                seconds, peak = ours(workplace, path, f"bench-{number}")
                mine.append(seconds)
                peaks.append(peak)
    found = {
        "rows": options.rows,
        "columns": 25,
        "ours_seconds": round(statistics.median(mine), 2),
        "bare_reading_seconds": round(statistics.median(bare), 2),
        "ratio": round(statistics.median(mine) / statistics.median(bare), 2),
        "bound": 2.5,
        "reader_peak_mb": round(max(peaks) / 1e6),
        "parent_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
    print(json.dumps(found) if options.json else f"intake to landing rows: {found}")


if __name__ == "__main__":
    main()
