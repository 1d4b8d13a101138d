"""A workbook or CSV to checked landing rows in Postgres, guards on, beside reading alone, COPY alone and the naive way.

    python -m benchmarks.intake_landing [--rows 100000] [--form xlsx csv] [--repeats 3]

For .xlsx the limit is the sheet's XML inflated, and the peer that the target names is polars or calamine reading the
same file and nothing else; for .csv the limit is COPY of the file into a table of text columns. The best blocks do the
same work without guards: polars, pandera on polars, COPY.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Clock, Figure, emit, fastest, have_peers, in_own_process, in_turns, options, state_folder
from benchmarks.installation import LIMITS, installation
from benchmarks.row_checks import TODAY, frame_of
from tms_pipeline.intake import landing
from tms_pipeline.intake.cells import canonicalise
from tms_pipeline.intake.opening import Limits, open_upload
from tms_pipeline.intake.tables import find_tables
from tms_pipeline.records.checks import check_rows
from tms_pipeline.records.kinds import kind_named

COLUMNS = 25


def titles() -> list[str]:
    """The headings of the file: those of course runs, and one of nobody's."""
    return [*(field.title for field in kind_named("course_run").fields), "Remarks"][:COLUMNS]


def a_file(folder: Path, rows: int, form: str) -> Path:
    """A file of course runs of that form."""
    path = folder / f"runs.{form}"
    (write_workbook if form == "xlsx" else write_csv)(path, rows)
    return path


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


def copied(folder: str, path: str) -> dict[str, Any]:
    """The CSV into a table of text columns by COPY, committed."""
    names = ", ".join(f"c{number} text" for number in range(len(titles())))
    with installation(Path(folder)) as workplace:
        clock = Clock()
        with workplace.db.transaction() as connection:
            connection.execute("SET LOCAL ROLE NONE; DROP TABLE IF EXISTS bare_copy")
            connection.execute(f"CREATE TABLE bare_copy ({names})")
            with (
                connection.cursor().copy("COPY bare_copy FROM STDIN (FORMAT CSV, HEADER)") as copy,
                Path(path).open("rb") as file,
            ):
                while piece := file.read(1 << 20):
                    copy.write(piece)
        return {"seconds": clock.seconds}


def ours(folder: str, path: str, rows: int) -> dict[str, Any]:
    """From the file to committed landing rows, checked."""
    # The limits of every day hold as long as the file is one of every day.
    limits = Limits() if rows <= Limits().max_rows else LIMITS
    kind = kind_named("course_run")
    with installation(Path(folder)) as workplace:
        clock = Clock()
        opened = open_upload(Path(path), name=path, limits=limits)
        clock.took("read")
        tables, _ = find_tables(opened)
        with workplace.db.transaction() as connection:
            upload_id = f"bench-{connection.execute('SELECT count(*) FROM intake.upload').fetchone()[0]}"  # type: ignore[index]
            connection.execute(
                "INSERT INTO intake.upload (upload_id, sha256, file_name, received_at, received_by, bytes, state, "
                "correlation_id) VALUES (%s, %s, 'bench', now(), 'bench', 0, 'received', 'bench')",
                (upload_id, upload_id),
            )
            clock.took("tables")
            for table in tables:
                canonical = canonicalise(kind, table)
                if len(canonical.frame) != rows or canonical.bad.any():
                    raise SystemExit("the rows read are not the rows written")
                clock.took("cells")
                check_rows(kind, canonical.frame[list(kind.names)], today=TODAY)
                clock.took("check")
            statuses = {(n, row): ("accepted", False) for n, table in enumerate(tables) for row in table.rows.tolist()}
            landing.land(connection, workplace.rings, upload_id, tables, statuses)
        clock.took("load")
        return {"seconds": clock.seconds, "parts": clock.parts, "reader_peak_mb": round(opened.reader_peak_bytes / 1e6)}


def measure(rows: int, form: str, repeats: int, folder: Path, *, with_naive: bool) -> list[Figure]:
    """Ours, the limit, the peers and the naive way, in turns."""
    path = str(a_file(folder, rows, form))
    with installation(folder) as workplace:
        database = workplace.db.url.render_as_string(hide_password=False)
        conninfo = workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        here = "benchmarks.intake_landing"
        cases = {"ours": partial(in_own_process, here, "ours", folder=str(folder), path=path, rows=rows)}
        if form == "csv":
            cases["COPY alone"] = partial(in_own_process, here, "copied", folder=str(folder), path=path)
        if have_peers():
            peer = partial(in_own_process, "benchmarks.peers", peers=True, path=path)
            cases["polars, pandera, COPY"] = partial(peer, "polars_landing", conninfo=conninfo, kind="course_run")
            if form == "xlsx":
                cases["inflate alone"] = partial(peer, "bytes_of")
                for name, function in (("calamine alone", "calamine_rows"), ("polars alone", "polars_excel"),
                                       ("fastexcel alone", "fastexcel_arrow")):  # fmt: skip
                    cases[name] = partial(peer, function)
        found = in_turns(cases, repeats)
        if with_naive:  # takes minutes from a million rows on; once is enough to know how many times
            naive = partial(in_own_process, "benchmarks.naive", "land", database=database, path=path, kind="course_run")
            found |= in_turns({"naive": naive}, 1 if rows >= 100_000 else repeats)
    limit = "COPY alone" if form == "csv" else "inflate alone"
    # The target for a workbook is of polars or calamine reading it, for a CSV of COPY.
    alone = fastest(found, ["polars alone", "calamine alone"] if form == "xlsx" else ["polars, pandera, COPY"])
    mine = found["ours"]
    theirs = found.get("naive", {})
    peaks = {"ours": mine["peak_mb"], "reading child": mine["reader_peak_mb"]}
    peaks |= {"naive": theirs["peak_mb"]} if theirs else {}
    return [
        Figure(f"file to checked landing rows, {form}", rows, mine["seconds"],
               limit=found.get(limit, {}).get("seconds"), limit_name=limit,
               naive=theirs.get("seconds"), naive_name="pandas, pandera, to_sql", peer=alone[0], peer_name=alone[1],
               peak_mb=peaks, facts={"parts": mine["parts"], "parts of the naive way": theirs.get("parts"),
                                     **{name: round(one["seconds"], 3) for name, one in found.items()}}),
        Figure(f"memory of the child that reads, {form}", rows, mine["reader_peak_mb"],
               naive=theirs.get("peak_mb"), naive_name="pandas", against="itself", unit="MB"),
    ]  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[100_000], form=["xlsx", "csv"], repeats=3, without_naive=False)
    figures = []
    for rows in given.rows:
        for form in given.form:
            with state_folder() as folder:
                figures += measure(rows, form, given.repeats, folder, with_naive=not given.without_naive)
    emit(figures)


if __name__ == "__main__":
    main()
