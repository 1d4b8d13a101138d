"""Where the time of the whole job goes: a profile of our Python by pyinstrument, and the plans of the slow statements.

    python -m benchmarks.profiling [--rows 100000] [--form csv xlsx] [--slow-ms 150]

Writes ``results/profile-FORM-ROWS.md``: what each part took, the tree of calls from one percent on, and the statements
from ``--slow-ms`` on with EXPLAIN ANALYZE, the slowest first (by auto_explain in the embedded server).
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import psycopg

from benchmarks import whole_job
from benchmarks.harness import ROOT, in_own_process, options, state_folder
from benchmarks.installation import installation
from benchmarks.yes_server import yes_server
from tms_pipeline.store.embedded import EmbeddedPostgres

RESULTS = Path(__file__).parent / "results"
_ENTRY = re.compile(r"duration: ([\d.]+) ms  plan:\n(.*?)(?=\n\d{4}-\d\d-\d\d |\Z)", re.DOTALL)
LONGEST_PLAN, LONGEST_QUERY, WIDEST = 45, 14, 150
_PLAN = re.compile(r"^[A-Z][A-Za-z ]+(?: on \S+(?: \S+)?| using .*)?  \(cost=", re.MULTILINE)


def profiled(folder: str, path: str, ssg: str) -> dict[str, object]:
    """The job under pyinstrument; its parts and the tree of calls."""
    from pyinstrument import Profiler

    profiler = Profiler(interval=0.005)
    profiler.start()
    found = whole_job.ours(folder, path, ssg)
    profiler.stop()
    return {**found, "tree": profiler.output_text(unicode=True, show_all=False).replace(f"{ROOT}/", "")}


def explain_slow(home: Path, slow_ms: int) -> None:
    """Let the server log the plan of each statement that takes so long."""
    with contextlib.closing(_owner(home)) as connection:
        connection.execute("LOAD 'auto_explain'")
        for name, value in (
            ("session_preload_libraries", "'auto_explain'"),
            ("auto_explain.log_min_duration", str(slow_ms)),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_buffers", "on"),
            ("auto_explain.log_nested_statements", "on"),
        ):
            connection.execute(f"ALTER SYSTEM SET {name} = {value}")  # type: ignore[arg-type]
        connection.execute("SELECT pg_reload_conf()")


def _owner(home: Path) -> psycopg.Connection:
    return psycopg.connect(host=str(EmbeddedPostgres(home).socket), user="tms", dbname="postgres", autocommit=True)


def slowest(log: str) -> list[tuple[float, str]]:
    """Plans of the server's log, the slowest first; each statement once."""
    seen: dict[str, tuple[float, str]] = {}
    for found in _ENTRY.finditer(log):
        duration, text = float(found[1]), "\n".join(line.strip("\t") for line in found[2].splitlines())
        name = text[:160]
        if name not in seen or seen[name][0] < duration:
            seen[name] = (duration, text)
    return sorted(seen.values(), reverse=True)


def shortened(text: str) -> list[str]:
    """The first lines of the statement, without what it was asked, and the first of its plan."""
    begin = _PLAN.search(text)
    statement, plan = (text[: begin.start()], text[begin.start() :]) if begin else (text, "")
    said = [line for line in statement.split("Query Parameters:", 1)[0].splitlines() if line.strip()]
    steps = [line for line in plan.splitlines() if "Buffers:" not in line or "temp" in line]
    cut = [f"… {len(said) - LONGEST_QUERY} more lines"] if len(said) > LONGEST_QUERY else []
    rest = [f"… {len(steps) - LONGEST_PLAN} more lines"] if len(steps) > LONGEST_PLAN else []
    return [line[:WIDEST] for line in (*said[:LONGEST_QUERY], *cut, *steps[:LONGEST_PLAN], *rest)]


def report(rows: int, form: str, slow_ms: int, folder: Path) -> str:
    """The page of one run."""
    home = folder / "h"
    in_own_process("benchmarks.whole_job", "prepare", folder=str(folder), rows=rows)
    with installation(folder), yes_server() as ssg:
        log = EmbeddedPostgres(home).data / "server.log"
        explain_slow(home, slow_ms)
        path = whole_job.a_file(folder, rows, 1, form)
        before = log.stat().st_size
        found = in_own_process("benchmarks.profiling", "profiled", folder=str(folder), path=str(path), ssg=ssg)
        plans = slowest(log.read_bytes()[before:].decode("utf-8", "replace"))
    lines = [
        f"# Profile of the whole job: {form}, {rows:,} rows × 25 columns, 2 % changed",
        "",
        f"Seconds under the profiler {found['seconds']:.1f}, of which {json.dumps(found['parts'])}. "
        f"Peak {found['peak_mb']} MB, reading child {found['child_peak_mb']} MB. "
        f"rows {found['rows']}, accepted {found['accepted']}, outcomes {found['outcomes']}.",
        "",
        "## Calls",
        "```",
        *(line.rstrip() for line in found["tree"].strip().splitlines() if line.strip()),
        "```",
        f"## Statements from {slow_ms} ms on",
    ]
    for duration, plan in plans[:16]:
        lines += [f"### {duration:.0f} ms", "```", *shortened(plan), "```"]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Profile, and say where the pages are."""
    given = options(__doc__, rows=100_000, form=["csv", "xlsx"], slow_ms=150)
    for form in given.form:
        with state_folder() as folder:
            page = RESULTS / f"profile-{form}-{given.rows}.md"
            page.write_text(report(given.rows, form, given.slow_ms, folder), encoding="utf-8")
            print(f"benchmarks/results/{page.name}")


if __name__ == "__main__":
    main()
