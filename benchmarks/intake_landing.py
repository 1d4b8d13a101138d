"""A workbook or CSV to checked landing rows in Postgres, guards on, beside the fastest bare way with the same file.

For .xlsx the bare way is reading it by calamine alone (bound 2.5 at 100,000 rows × 25 columns); for .csv it is COPY of
the same file into a table of text columns (aim 3 at 1,000,000 rows).
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
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

COLUMNS = 25
BOUNDS = {"xlsx": 2.5, "csv": 3.0}


def titles() -> list[str]:
    """The headings of the file: those of course runs, and one of nobody's."""
    return [*(field.title for field in kind_named("course_run").fields), "Remarks"][:COLUMNS]


def write_workbook(path: Path, rows: int) -> None:
    """A sheet of course runs with 25 columns: texts, codes, real dates, numbers, blanks."""
    import xlsxwriter

    kind = kind_named("course_run")
    frame = frame_of(rows)
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Runs")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, titles())
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


def write_csv(path: Path, rows: int) -> None:
    """The same as CSV, with dates as YYYY-MM-DD."""
    frame = frame_of(rows)
    columns = [frame[name].tolist() for name in kind_named("course_run").names][:COLUMNS]
    columns += [[None] * rows] * (len(titles()) - len(columns))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles())
        writer.writerows(zip(*columns, strict=True))


def read_bare(_: Workplace, path: Path) -> None:
    """The workbook to Python rows by calamine, and nothing else."""
    CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()


def copy_bare(workplace: Workplace, path: Path) -> None:
    """The CSV into a table of text columns by COPY, committed."""
    names = ", ".join(f"c{number} text" for number in range(len(titles())))
    with workplace.db.transaction() as connection:
        connection.execute("DROP TABLE IF EXISTS bare_copy")
        connection.execute(f"CREATE TABLE bare_copy ({names})")
        with (
            connection.cursor().copy("COPY bare_copy FROM STDIN (FORMAT CSV, HEADER)") as copy,
            path.open("rb") as file,
        ):
            while piece := file.read(1 << 20):
                copy.write(piece)


def ours(workplace: Workplace, path: Path, upload_id: str, rows: int) -> tuple[float, int]:
    """Seconds from the file to committed landing rows, checked; and the reader's peak in bytes."""
    # Under a million rows the limits of every day hold; past them the file is larger than they allow.
    larger = Limits(
        max_rows=2_000_000, memory_bytes=8 << 30, max_bytes=1 << 30, max_inflated_bytes=4 << 30, cpu_seconds=600
    )
    started = time.perf_counter()
    opened = open_upload(path, name=path.name, limits=Limits() if rows <= Limits().max_rows else larger)
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
            if len(canonical.frame) != rows or canonical.bad.any():
                raise SystemExit("the rows read are not the rows written")
            check_rows(kind, canonical.frame[list(kind.names)], today=TODAY)
        statuses = {(n, row): ("accepted", False) for n, table in enumerate(tables) for row in table.rows.tolist()}
        landing.land(connection, workplace.rings, upload_id, tables, statuses)
    return time.perf_counter() - started, opened.reader_peak_bytes


def main() -> None:
    """Time both, in turns, and print the medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--format", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    write: Callable[[Path, int], None] = write_workbook if options.format == "xlsx" else write_csv
    bare_way: Callable[[Workplace, Path], None] = read_bare if options.format == "xlsx" else copy_bare
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        path = Path(folder) / f"runs.{options.format}"
        write(path, options.rows)
        bare, mine, peaks = [], [], []
        with open_workplace(load_settings(_env_file=None, tms_home=Path(folder) / "h")) as workplace:
            for number in range(options.repeats):
                started = time.perf_counter()
                bare_way(workplace, path)
                bare.append(time.perf_counter() - started)
                seconds, peak = ours(workplace, path, f"bench-{number}", options.rows)
                mine.append(seconds)
                peaks.append(peak)
        megabytes = path.stat().st_size / 1e6
    found = {
        "file": options.format,
        "rows": options.rows,
        "columns": COLUMNS,
        "megabytes": round(megabytes, 1),
        "ours_seconds": round(statistics.median(mine), 2),
        "bare_seconds": round(statistics.median(bare), 2),
        "ratio": round(statistics.median(mine) / statistics.median(bare), 2),
        "bound": BOUNDS[options.format],
        "reader_peak_mb": round(max(peaks) / 1e6),
        "parent_peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }
    print(json.dumps(found) if options.json else f"intake to landing rows: {found}")


if __name__ == "__main__":
    main()
