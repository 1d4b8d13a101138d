"""Run the benchmarks one after the other and keep their figures: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run what is named, or all; keep the JSON with facts of the machine; non-zero if one could not run."""
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("[a-z]*.py"))
    results: dict[str, object] = {
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    }
    failed = 0
    for name in names:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", "--json"], capture_output=True, text=True, cwd=HERE.parent
        )
        if done.returncode != 0:
            failed += 1
            print(f"{name}: could not run: {done.stderr.strip().splitlines()[-1:]}")
            continue
        figures = json.loads(done.stdout.strip().splitlines()[-1])
        results[name] = figures
        print(f"{name}: {json.dumps(figures)}")
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "latest.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
