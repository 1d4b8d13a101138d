"""The demo: sample workbooks as ops would make them, dropped, taken in, submitted, reconciled and reported on."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tms_pipeline.operations import dagster_home, dagster_run
from tms_pipeline.operations.at_work import at_work
from tms_pipeline.operations.nightly import Progress
from tms_pipeline.operations.simulator_process import folder
from tms_pipeline.settings import Settings, SettingsError

STAGES = ("setup", "results")


@dataclass
class Demo:
    """What the demo did."""

    uploads: list[str] = field(default_factory=list)
    dropped: int = 0
    runs: list[str] = field(default_factory=list)


def run_demo(settings: Settings, *, rows: int = 2000, seed: int = 2026, progress: Progress) -> Demo:
    """Run the whole mission twice over: the start of a term and its end, each with a nightly sync in Dagster.

    A second demo drops the very same files, so nothing is taken in and nothing is sent.
    Raises SettingsError where SSG is not the simulator.
    """
    if settings.ssg_env != "simulator":
        raise SettingsError(f"SSG_ENV is {settings.ssg_env}; the demo only ever speaks to the simulator.")
    warnings.filterwarnings("ignore", module="dagster.*")
    dagster_run.quiet(settings)
    settings = settings.model_copy(update={"stable_seconds": 0.0, "today": _today(settings).isoformat()})
    os.environ.update(
        TMS_HOME=str(settings.home),
        TMS_STABLE_SECONDS="0",
        TMS_TODAY=settings.today,
        SSG_ENV="simulator",
        TMS_FILES_PER_TICK="50",
        TMS_DAGSTER_LOG_LEVEL=(
            settings.dagster_log_level if "dagster_log_level" in settings.model_fields_set else "ERROR"
        ),
    )
    settings.home.mkdir(mode=0o711, parents=True, exist_ok=True)
    progress("writing sample workbooks")
    files = _files(settings, rows, seed)
    done = Demo()
    with at_work(settings) as workplace:
        os.environ["SSG_BASE_URL"] = workplace.settings.ssg_base_url
        progress("starting Dagster's run storage in Postgres")
        with dagster_home.instance(workplace) as instance:
            from assets.build import build_defs

            dagster_run.end_dead_runs(instance)
            defs = build_defs()
            inbox = Path(workplace.settings.inbox_url)
            inbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            for stage in STAGES:
                for path in files[stage]:
                    shutil.copyfile(path, inbox / path.name)
                    done.dropped += 1
                done.uploads += dagster_run.take_in_inbox(defs, instance, progress=progress)
                done.runs.append(dagster_run.run_job(defs, instance, "nightly_sync", progress=progress))
    return done


def _today(settings: Settings) -> date:
    """The day of the first demo: the term hangs on it, so a later demo makes the very same files."""
    path = settings.home / "demo.json"
    if settings.today:
        return date.fromisoformat(settings.today)
    if path.exists():
        return date.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["today"])
    from datetime import datetime
    from zoneinfo import ZoneInfo

    today = datetime.now(ZoneInfo(settings.timezone)).date()
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    path.write_text(json.dumps({"today": today.isoformat()}), encoding="utf-8")
    return today


def _files(settings: Settings, rows: int, seed: int) -> dict[str, list[Path]]:
    from tms_pipeline.examples.ssg_seed import ssg_data
    from tms_pipeline.examples.term import make_term, trainees_for
    from tms_pipeline.examples.workbooks import write_term

    term = make_term(seed=seed, today=date.fromisoformat(settings.today), trainees=max(240, trainees_for(rows)))
    place = settings.home / "samples"
    found = {}
    for stage in STAGES:
        (place / stage).mkdir(mode=0o700, parents=True, exist_ok=True)
        found[stage] = sorted(write_term(term, place / stage, stage=stage))
    simulator = folder(settings)
    simulator.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = ssg_data(term, uen=settings.uen, key=settings.encryption_key, name=settings.provider_name)
    (simulator / "data.json").write_text(json.dumps(data), encoding="utf-8")
    return found
