"""From a file landing in the inbox to its result workbook, with the daemon running: what ops wait for, and for what.

    python -m benchmarks.ops_latency [--files 20] [--rows 500] [--json]

Files are dropped one after the other at moments that do not beat with the daemon's ticks. Targets: median 15 s, of
which our own work 2 s (performance.md).
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.harness import Figure, emit
from benchmarks.provider import Provider, write_xlsx
from benchmarks.whole_job import drop
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

TMS = Path(sys.executable).with_name("tms")
_SENSOR = """mutation { startSensor(sensorSelector: {repositoryName: "__repository__",
 repositoryLocationName: "%s", sensorName: "inbox_sensor"}) { __typename } }"""


def switch_on(port: int) -> None:
    """Start the inbox sensor as a person does under Automation."""
    url = f"http://127.0.0.1:{port}/graphql"
    asked = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
    found = httpx.post(url, json={"query": asked}, timeout=60).json()
    location = found["data"]["repositoriesOrError"]["nodes"][0]["location"]["name"]
    answer = httpx.post(url, json={"query": _SENSOR % location}, timeout=60).json()
    if answer["data"]["startSensor"]["__typename"] != "Sensor":
        raise RuntimeError(f"the sensor did not start: {answer}")


def wait_for_result(workplace: Workplace, name: str, before: set[Path]) -> Path:
    """The result workbook that was not there before."""
    folder = workplace.folder("results")
    for _ in range(1200):
        fresh = [path for path in folder.rglob("*.xlsx") if path not in before]
        if fresh:
            return fresh[0]
        time.sleep(0.05)
    raise RuntimeError(f"no result workbook for {name} within a minute")


def measure(files: int, rows: int, folder: Path, port: int) -> list[Figure]:
    """Drop the files one by one into a running installation."""
    home, rng = folder / "h", random.Random(5)
    settings = load_settings(_env_file=None, tms_home=home)
    environment = {
        **os.environ, "TMS_HOME": str(home), "TMS_DAGSTER_PORT": str(port), "TMS_SIMULATOR_PORT": str(port + 50),
    }  # fmt: skip
    waits, parts = [], {"until received": [], "until the run begins": [], "our work": []}  # type: ignore[var-annotated]
    with open_workplace(settings) as workplace:
        provider = Provider(folder, files * rows)
        for path in provider.setup():
            drop(workplace, path)
        marks = provider.attendance()
        up = subprocess.Popen([str(TMS), "up"], env=environment, stdout=subprocess.PIPE, text=True)
        try:
            for line in up.stdout or ():
                if "Ctrl-C" in line:
                    break
            switch_on(port)
            time.sleep(8)
            for number in range(files):
                made = write_xlsx(marks.iloc[number * rows : (number + 1) * rows], folder / f"marks {number}.xlsx")
                before = set(workplace.folder("results").rglob("*.xlsx"))
                time.sleep(rng.uniform(0, 5))
                target = Path(workplace.settings.inbox_url) / made.name
                dropped = time.time()
                made.rename(target)
                done = wait_for_result(workplace, made.name, before).stat().st_mtime
                waits.append(done - dropped)
                received, finished = workplace.db.rows(
                    "SELECT extract(epoch FROM received_at)::float, extract(epoch FROM finished_at)::float "
                    "FROM intake.upload ORDER BY received_at DESC LIMIT 1"
                )[0]
                began = _run_began(workplace)
                parts["until received"].append(received - dropped)
                parts["until the run begins"].append(began - received)
                parts["our work"].append(max(done, finished) - began)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
    middle = {name: round(statistics.median(values), 2) for name, values in parts.items()}
    waits.sort()
    late = round(waits[max(0, round(len(waits) * 0.95) - 1)], 2)
    return [
        Figure(f"inbox to result workbook, {rows} rows", files, round(statistics.median(waits), 2), bound=15,
               against="seconds", facts={"95th percentile": late, **middle}),
        Figure(f"our share of it, {rows} rows", files, middle["our work"], bound=2, against="seconds"),
    ]  # fmt: skip


def _run_began(workplace: Workplace) -> float:
    import psycopg

    url = workplace.dagster_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT start_time FROM runs ORDER BY id DESC LIMIT 1").fetchone()
    return float(row[0]) if row and row[0] else time.time()


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--port", type=int, default=3710)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tms-b-") as folder:
        Path(folder).chmod(0o711)
        emit(measure(options.files, options.rows, Path(folder), options.port))


if __name__ == "__main__":
    main()
