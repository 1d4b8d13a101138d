"""The whole job: a file of N attendance marks, 2 % of them changed, to registers, plan, SSG and reports.

Beside it the naive pipeline on the same file. Registers and mirror hold the N marks of the file before.

    python -m benchmarks.whole_job [--rows 100000] [--form xlsx csv] [--repeats 1] [--json]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.agreement import agree, analyse
from benchmarks.harness import Figure, emit, in_own_process
from benchmarks.provider import Provider, write_xlsx
from benchmarks.yes_server import yes_server
from tms_pipeline.audit.log import Actor
from tms_pipeline.intake.opening import Limits
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

ACTOR = Actor(name="bench", role="ops admin", correlation_id="bench")
LIMITS = Limits(
    max_bytes=1 << 30, max_rows=2_000_000, max_inflated_bytes=8 << 30, memory_bytes=8 << 30, cpu_seconds=600, wall_seconds=900
)
AT_LEAST = {"xlsx": 10.0, "csv": 7.0}  # times faster than naive: performance.md, targets


def drop(workplace: Workplace, path: Path) -> dict[str, int]:
    """Receive a file and take it in; its counts."""
    upload_id, _ = receive(workplace, path.name, path.read_bytes(), source="bench", actor=ACTOR)
    return take_in(workplace, upload_id, actor=ACTOR, hold=False, limits=LIMITS).counts()


def prepare(home: str, folder: str, rows: int) -> dict[str, Any]:
    """Registers with everything up to the first file of marks, and a mirror that agrees."""
    provider = Provider(Path(folder), rows)
    with open_workplace(load_settings(_env_file=None, tms_home=Path(home))) as workplace:
        for path in provider.setup():
            drop(workplace, path)
        first = Path(folder) / "marks-0.csv"
        provider.attendance(wide=True).to_csv(first, index=False)
        started = time.perf_counter()
        counts = drop(workplace, first)
        loaded = time.perf_counter() - started
        with workplace.db.transaction() as connection:
            agree(connection)
            analyse(connection)
    return {"first_load_seconds": round(loaded, 2), **counts}


def ours(home: str, path: str, ssg: str) -> dict[str, Any]:
    """The file dropped, taken in, planned, submitted and reported on; says what each part took."""
    from tms_pipeline.compliance.review import review
    from tms_pipeline.operations.nightly import submit_changes
    from tms_pipeline.operations.ssg_access import ssg_client
    from tms_pipeline.reports.build import write_reports

    parts: dict[str, float] = {}
    settings = load_settings(_env_file=None, tms_home=Path(home), ssg_base_url=ssg, ssg_concurrency=32)
    with open_workplace(settings) as workplace:
        clock = time.perf_counter()

        def took(name: str) -> None:
            nonlocal clock
            now = time.perf_counter()
            parts[name] = round(now - clock, 2)
            clock = now

        begun = clock
        counts = drop(workplace, Path(path))
        took("intake")
        with ssg_client(workplace) as (client, calls):
            done = submit_changes(workplace, client, actor=ACTOR, not_read=set())
        took("plan and submit")
        review(workplace.db, today=workplace.today(), correlation_id="bench")
        took("compliance")
        write_reports(workplace.db, workplace.folder("reports"), today=workplace.today(), provider="Bench")
        took("reports")
        seconds = time.perf_counter() - begun
    return {"seconds": seconds, **counts, "outcomes": dict(done.work.outcomes), "writes": calls.writes, "parts": parts}


def measure(rows: int, form: str, repeats: int, folder: Path, *, with_naive: bool) -> Figure:
    """One figure: medians of ours and of the naive way on the same files."""
    import statistics

    home = folder / "h"
    set_up = in_own_process("benchmarks.whole_job", "prepare", home=str(home), folder=str(folder), rows=rows)
    mine, theirs, facts = [], [], {"first_load_seconds": set_up["first_load_seconds"]}
    peaks: dict[str, int] = {}
    with open_workplace(load_settings(_env_file=None, tms_home=home)) as workplace, yes_server() as ssg:
        database = workplace.db.url.render_as_string(hide_password=False)
        before = folder / "marks-0.csv"
        for turn in range(1, repeats + 1):
            frame = Provider(folder, rows).attendance(turn=turn, wide=True)
            path = folder / f"marks-{turn}.{form}"
            if form == "csv":
                frame.to_csv(path, index=False)
            else:
                write_xlsx(frame, path)
            found = in_own_process("benchmarks.whole_job", "ours", home=str(home), path=str(path), ssg=ssg)
            mine.append(found.pop("seconds"))
            peaks["ours"] = max(peaks.get("ours", 0), found.pop("peak_mb"))
            peaks["ours, reading child"] = max(peaks.get("ours, reading child", 0), found.pop("child_peak_mb"))
            facts["ours"] = found
            if with_naive:
                in_own_process("benchmarks.naive", "prepare", database=database, path=str(before))
                other = in_own_process(
                    "benchmarks.naive", "run", database=database, path=str(path), ssg=ssg, report=str(folder)
                )
                theirs.append(other.pop("seconds"))
                peaks["naive"] = max(peaks.get("naive", 0), other.pop("peak_mb"))
                other.pop("child_peak_mb")
                facts["naive"] = other
            before = path
    return Figure(
        stage=f"whole job, {form}",
        size=rows,
        ours=round(statistics.median(mine), 2),
        naive=round(statistics.median(theirs), 2) if theirs else None,
        bound=AT_LEAST[form],
        against="naive",
        peak_mb=peaks,
        facts=facts,
    )


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--form", nargs="+", default=["xlsx", "csv"], choices=["xlsx", "csv"])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--without-naive", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = []
    for rows in options.rows:
        for form in options.form:
            with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
                Path(folder).chmod(0o711)
                figures.append(
                    measure(rows, form, options.repeats, Path(folder), with_naive=not options.without_naive)
                )
    emit(figures)


if __name__ == "__main__":
    main()
