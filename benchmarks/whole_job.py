"""The whole job: a file of N attendance marks, 2 % of them changed, to registers, plan, SSG and reports.

    python -m benchmarks.whole_job [--rows 100000] [--form xlsx csv] [--repeats 1] [--latency-ms 50] [--without-naive]

Beside it the naive pipeline and the best blocks (best_blocks.py) on the same files and the same SSG, which takes 50 ms
to answer, as performance.md measured. Registers and mirror hold the N marks of the file before. A second figure leaves
submission out, as 20,000 calls of 50 ms one after the other would hide everything else. A million rows take a quarter of an hour: with
``--home DIR --part set-up``, then ``ours``, ``best blocks``, ``naive`` and ``figures``, they are done one by one.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.harness import Clock, Figure, emit, have_peers, in_own_process, options, state_folder
from benchmarks.installation import ACTOR, drop, installation, with_marks
from benchmarks.provider import Provider, write_xlsx
from benchmarks.yes_server import yes_server

SUBMISSION = {"ours": "plan and submit", "naive": "submit", "best blocks": "submit"}


def prepare(folder: str, rows: int) -> dict[str, Any]:
    """Registers with everything up to the first file of marks, and a mirror that agrees."""
    clock = Clock()
    with installation(Path(folder)) as workplace:
        clock.took("set-up")
        with_marks(workplace, Path(folder), rows, agreed=True, wide=True)
    return {"set_up_seconds": round(clock.seconds, 2)}


def ours(folder: str, path: str, ssg: str) -> dict[str, Any]:
    """The file dropped, taken in, planned, submitted and reported on; says what each part took."""
    from tms_pipeline.compliance.review import review
    from tms_pipeline.operations.nightly import submit_changes
    from tms_pipeline.operations.ssg_access import ssg_client
    from tms_pipeline.reports.build import write_reports

    with installation(Path(folder), ssg_base_url=ssg, ssg_concurrency=32) as workplace:
        clock = Clock()
        counts = drop(workplace, Path(path))
        clock.took("intake")
        with ssg_client(workplace) as (client, calls):
            done = submit_changes(workplace, client, actor=ACTOR, not_read=set())
        clock.took("plan and submit")
        review(workplace.db, today=workplace.today(), correlation_id="bench")
        clock.took("compliance")
        write_reports(workplace.db, workplace.folder("reports"), today=workplace.today(), provider="Bench")
        clock.took("reports")
        seconds = clock.seconds
    return {
        "seconds": seconds, **counts, "outcomes": dict(done.work.outcomes), "writes": calls.writes, "parts": clock.parts,
    }  # fmt: skip


def a_file(folder: Path, rows: int, turn: int, form: str) -> Path:
    """The marks of that turn as a file of 25 columns."""
    frame = Provider(folder, rows).attendance(turn=turn, wide=True)
    path = folder / f"marks-{turn}.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    else:
        write_xlsx(frame, path)
    return path


def measure(rows: int, form: str, repeats: int, folder: Path, *, latency_ms: int, with_naive: bool) -> list[Figure]:
    """Medians of ours, of the naive way and of the best blocks on the same files."""
    in_own_process("benchmarks.whole_job", "prepare", folder=str(folder), rows=rows)
    runs: dict[str, list[dict[str, Any]]] = {}
    for turn in range(1, repeats + 1):
        a_file(folder, rows, turn, form)
        for name in ("ours", *(["best blocks"] if have_peers() else []), *(["naive"] if with_naive else [])):
            runs.setdefault(name, []).append(one_way(name, folder, turn, form, latency_ms))
    return figures_of(runs, rows, form)


def one_way(name: str, folder: Path, turn: int, form: str, latency_ms: int) -> dict[str, Any]:
    """One of the ways on the file of that turn, in a process of its own."""
    path, before = folder / f"marks-{turn}.{form}", folder / ("marks-0.csv" if turn == 1 else f"marks-{turn - 1}.{form}")
    with installation(folder) as workplace, yes_server(latency_ms) as ssg:
        if name == "ours":
            return in_own_process("benchmarks.whole_job", "ours", folder=str(folder), path=str(path), ssg=ssg)
        database = workplace.db.url.render_as_string(hide_password=False)
        conninfo = workplace.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
        given = {"path": str(path), "ssg": ssg, "report": str(folder)}
        in_own_process("benchmarks.naive", "prepare", database=database, path=str(before))
        if name == "naive":
            return in_own_process("benchmarks.naive", "run", database=database, **given)
        return in_own_process("benchmarks.best_blocks", "run", peers=True, conninfo=conninfo, **given)


def piece(name: str, rows: int, form: str, latency_ms: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """One part of a long run whose state is kept: set-up, or one of the ways once. All that ran so far."""
    kept = folder / f"runs-{form}.json"
    runs: dict[str, list[dict[str, Any]]] = json.loads(kept.read_text()) if kept.exists() else {}
    if name == "set-up":
        if not (folder / "marks-0.csv").exists():
            in_own_process("benchmarks.whole_job", "prepare", folder=str(folder), rows=rows)
        a_file(folder, rows, 1, form)
    elif name != "figures":
        runs.setdefault(name, []).append(one_way(name, folder, 1, form, latency_ms))
        kept.write_text(json.dumps(runs))
    return runs


def figures_of(runs: dict[str, list[dict[str, Any]]], rows: int, form: str) -> list[Figure]:
    """The whole, the whole without submission, and memory."""

    def middle(name: str, *, submitting: bool) -> float | None:
        times = [one["seconds"] - (0 if submitting else one["parts"][SUBMISSION[name]]) for one in runs.get(name, ())]
        return statistics.median(times) if times else None

    def figure(stage: str, *, submitting: bool, **more: Any) -> Figure:
        return Figure(
            stage, rows, middle("ours", submitting=submitting) or 0.0, limit=middle("best blocks", submitting=submitting),
            limit_name="best blocks", naive=middle("naive", submitting=submitting), naive_name="pandas and to_sql", **more,
        )  # fmt: skip

    peaks = {name: max(one["peak_mb"] for one in found) for name, found in runs.items()}
    peaks["ours, reading child"] = max(one["child_peak_mb"] for one in runs["ours"])
    last = {name: {key: value for key, value in found[-1].items() if "peak" not in key} for name, found in runs.items()}
    whole = f"whole job, {form}"
    return [
        figure(whole, submitting=True, peak_mb=peaks, facts=last),
        figure(f"{whole}, beside the best blocks", submitting=True),
        figure(f"{whole}, without submission", submitting=False, against="naive"),
        Figure(f"{whole}, memory of the largest process", rows, max(peaks["ours"], peaks["ours, reading child"]),
               naive=peaks.get("naive"), naive_name="pandas and to_sql", limit=peaks.get("best blocks"),
               limit_name="best blocks", against="itself", unit="MB"),
    ]  # fmt: skip


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, rows=[100_000], repeats=1, form=["xlsx", "csv"], latency_ms=50, without_naive=False, home="", part="figures")
    figures: list[Figure] = []
    if given.home:
        folder = Path(given.home)
        folder.mkdir(mode=0o711, exist_ok=True)
        for form in given.form:
            runs = piece(given.part, given.rows[0], form, given.latency_ms, folder)
            figures += figures_of(runs, given.rows[0], form) if given.part == "figures" else []
        emit(figures)
        return
    for rows in given.rows:
        for form in given.form:
            with state_folder() as folder:
                figures += measure(
                    rows, form, given.repeats, folder, latency_ms=given.latency_ms, with_naive=not given.without_naive
                )
    emit(figures)


if __name__ == "__main__":
    main()
