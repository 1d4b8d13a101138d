"""From a file landing in the inbox to its result workbook, with the daemon running: what ops wait for, and for what.

    python -m benchmarks.ops_latency [--files 20] [--rows 500] [--port 3710]

Files are dropped one after the other, at moments that do not beat with the daemon's ticks, into an installation that
``tms up`` runs. The parts are those of Dagster's own event log: the sensor sees that the file stands still and receives
it; the run waits in the queue; its process starts and loads the code; our work.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psycopg

from benchmarks.harness import Figure, emit, options, state_folder
from benchmarks.installation import drop, installation
from benchmarks.provider import Provider, write_xlsx
from tms_pipeline.workplace import Workplace

TMS = Path(sys.executable).with_name("tms")
_SENSOR = """mutation { startSensor(sensorSelector: {repositoryName: "__repository__",
 repositoryLocationName: "%s", sensorName: "inbox_sensor"}) { __typename } }"""
_LOCATION = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
PARTS = (
    "sensor: stands still, received", "asked for a run", "queue", "process starts, code loads", "our work",
)  # fmt: skip


def switch_on(port: int) -> None:
    """Start the inbox sensor as a person does under Automation."""
    url = f"http://127.0.0.1:{port}/graphql"
    found = httpx.post(url, json={"query": _LOCATION}, timeout=60).json()
    location = found["data"]["repositoriesOrError"]["nodes"][0]["location"]["name"]
    answer = httpx.post(url, json={"query": _SENSOR % location}, timeout=60).json()
    if answer["data"]["startSensor"]["__typename"] != "Sensor":
        raise RuntimeError(f"the sensor did not start: {answer}")


def wait_for_result(workplace: Workplace, before: set[Path]) -> Path:
    """The result workbook that was not there before."""
    folder = workplace.folder("results")
    for _ in range(2400):
        fresh = [path for path in folder.rglob("*.xlsx") if path not in before]
        if fresh:
            return fresh[0]
        time.sleep(0.05)
    raise RuntimeError("no result workbook within two minutes")


def moments(workplace: Workplace) -> dict[str, float]:
    """When the last run was asked for, taken from the queue and begun (seconds since 1970)."""
    url = workplace.dagster_url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT dagster_event_type, extract(epoch FROM timestamp AT TIME ZONE 'UTC')::float FROM event_logs "
            "WHERE run_id = (SELECT run_id FROM runs ORDER BY id DESC LIMIT 1) AND dagster_event_type IN "
            "('PIPELINE_ENQUEUED', 'PIPELINE_STARTING', 'PIPELINE_START')"
        ).fetchall()
    return dict(rows)


def measure(files: int, rows: int, folder: Path, port: int) -> list[Figure]:
    """Drop the files one by one into a running installation."""
    rng = random.Random(5)
    environment = {
        **os.environ, "TMS_HOME": str(folder / "h"), "TMS_DAGSTER_PORT": str(port), "TMS_SIMULATOR_PORT": str(port + 50),
        "TMS_HEALTH_PORT": str(port + 51),
    }  # fmt: skip
    waits: list[float] = []
    parts: dict[str, list[float]] = {name: [] for name in PARTS}
    with installation(folder) as workplace:
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
                dropped = time.time()
                made.rename(Path(workplace.settings.inbox_url) / made.name)
                done = wait_for_result(workplace, before).stat().st_mtime
                received = workplace.db.value(
                    "SELECT extract(epoch FROM received_at)::float FROM intake.upload ORDER BY received_at DESC LIMIT 1"
                )
                at = moments(workplace)
                points = [dropped, received, at["PIPELINE_ENQUEUED"], at["PIPELINE_STARTING"], at["PIPELINE_START"], done]
                for name, first, second in zip(PARTS, points[:-1], points[1:], strict=True):
                    parts[name].append(second - first)
                waits.append(done - dropped)
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(60)
    middle = {name: round(statistics.median(values), 2) for name, values in parts.items()}
    late = sorted(waits)[max(0, -(-len(waits) * 95 // 100) - 1)]
    name = f"inbox to result workbook, {rows} rows"
    return [
        Figure(name, 1, statistics.median(waits), facts={"files": files, "95th percentile": round(late, 2), **middle}),
        Figure(f"{name}, 95th percentile", 1, late),
        *(Figure(f"inbox to result workbook, {part}", 1, seconds) for part, seconds in middle.items()),
    ]


def main() -> None:
    """Measure, and print the figures."""
    given = options(__doc__, files=20, rows=500, port=3710)
    with state_folder() as folder:
        emit(measure(given.files, given.rows, folder, given.port))


if __name__ == "__main__":
    main()
