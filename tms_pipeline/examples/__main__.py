"""``python -m tms_pipeline.examples --out DIR``: write the sample files of a term."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tms_pipeline.examples.layout import ALL, STAGES
from tms_pipeline.examples.term import DEFAULT_SEED, DEFAULT_TRAINEES, make_term, trainees_for
from tms_pipeline.examples.workbooks import write_term


def main(arguments: list[str] | None = None) -> int:
    """Write the files and name each on standard output."""
    parser = argparse.ArgumentParser(prog="python -m tms_pipeline.examples", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files; made if it is not there")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="another seed gives another term")
    parser.add_argument("--rows", type=int, default=0, help="at least so many attendance marks (default about 2,200)")
    parser.add_argument("--today", help="the day around which the term lies, YYYY-MM-DD (default: today in Singapore)")
    parser.add_argument("--stage", choices=STAGES, default=ALL, help="which files: set-up, results or all")
    options = parser.parse_args(arguments)
    try:
        today = (datetime.strptime(options.today, "%Y-%m-%d") if options.today
                 else datetime.now(ZoneInfo("Asia/Singapore"))).date()
    except ValueError:
        parser.error(f"--today must look like 2026-11-21, not {options.today}")
    trainees = trainees_for(options.rows) if options.rows else DEFAULT_TRAINEES
    term = make_term(seed=options.seed, today=today, trainees=trainees)
    try:
        paths = write_term(term, options.out, stage=options.stage)
    except OSError as problem:
        print(f"Cannot write to {options.out}: {problem.strerror}", file=sys.stderr)  # noqa: T201 - a command
        return 3
    for path in paths:
        print(path)  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
