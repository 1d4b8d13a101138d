"""A file opened by a child process under limits, to grids of cells, beside the floor, the fastest readers and pandas.

    python -m benchmarks.intake_reading [--rows 100000] [--form xlsx csv] [--repeats 3]

The floor is the bytes: of a CSV read, of a workbook inflated. Ours guards against what a hostile file does, sees error
cells, formulas, hidden rows and merged cells, and hands the cells over to another process; the others read only.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Clock, Figure, emit, fastest, have_peers, in_own_process, in_turns, options, state_folder
from benchmarks.installation import LIMITS
from benchmarks.intake_landing import a_file
from tms_pipeline.intake.opening import Limits, open_upload

READERS = {
    "xlsx": {"fastexcel": "fastexcel_arrow", "polars": "polars_excel", "calamine": "calamine_rows"},
    "csv": {"polars": "polars_csv"},
}


def ours(path: str, rows: int) -> dict[str, Any]:
    """Opened, and the number of rows counted."""
    clock = Clock()
    opened = open_upload(Path(path), name=path, limits=Limits() if rows <= Limits().max_rows else LIMITS)
    seconds = clock.seconds
    if sum(len(grid.numbers) for grid in opened.grids) != rows + 1:
        raise SystemExit("the rows read are not the rows written")
    return {"seconds": seconds, "reader_peak_mb": round(opened.reader_peak_bytes / 1e6)}


def naive(path: str) -> dict[str, Any]:
    """As pandas reads by default."""
    from benchmarks.naive import read

    clock = Clock()
    return {"rows": len(read(path)), "seconds": clock.seconds}


def measure(rows: int, form: str, repeats: int, folder: Path, *, with_naive: bool) -> Figure:
    """All of them in turns, each in a process of its own."""
    path = str(a_file(folder, rows, form))
    cases = {"ours": partial(in_own_process, "benchmarks.intake_reading", "ours", path=path, rows=rows)}
    if have_peers():
        peer = partial(in_own_process, "benchmarks.peers", peers=True, path=path)
        cases["bytes"] = partial(peer, "bytes_of")
        cases |= {name: partial(peer, function) for name, function in READERS[form].items()}
    found = in_turns(cases, repeats)
    if with_naive:  # takes minutes from a million rows on; once is enough to know how many times
        found |= in_turns({"naive": partial(in_own_process, "benchmarks.intake_reading", "naive", path=path)},
                          1 if rows >= 100_000 else repeats)  # fmt: skip
    best = fastest(found, list(READERS[form]))
    return Figure(
        f"reading, {form}", rows, found["ours"]["seconds"], limit=found.get("bytes", {}).get("seconds"),
        limit_name="its bytes, inflated" if form == "xlsx" else "its bytes", naive=found.get("naive", {}).get("seconds"),
        naive_name="pandas, openpyxl" if form == "xlsx" else "pandas", peer=best[0], peer_name=best[1], against="peer",
        peak_mb={**{name: one["peak_mb"] for name, one in found.items() if name != "bytes"},
                 "ours, child": found["ours"]["reader_peak_mb"]},
        facts={name: round(one["seconds"], 3) for name, one in found.items()},
    )  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[100_000], form=["xlsx", "csv"], repeats=3, without_naive=False)
    figures = []
    for rows in given.rows:
        for form in given.form:
            with state_folder() as folder:
                figures.append(measure(rows, form, given.repeats, folder, with_naive=not given.without_naive))
    emit(figures)


if __name__ == "__main__":
    main()
