"""Runs whole demos: a plain one twice, and one with faults and a crash."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from running import as_json, processes_of, tms

from tms_pipeline.examples.ssg_seed import ssg_data
from tms_pipeline.examples.term import Term, make_term
from tms_pipeline.operations.simulator_process import folder as simulator_folder
from tms_pipeline.operations.simulator_process import simulator, state
from tms_pipeline.settings import Settings, load_settings

Done = subprocess.CompletedProcess[str]


@dataclass
class DemoRun:
    """What a demo left behind."""

    home: Path
    term: Term
    first: Done
    second: Done
    state: dict[str, Any]
    writes_of_second: dict[str, int]
    summary: dict[str, Any]
    summary_after_second: dict[str, Any]
    state_after_second: dict[str, Any]
    output: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load_settings(_env_file=None, tms_home=self.home)


def _counts(url: str) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{url}/_control/counts", timeout=10).json()["writes"]
    return found


def plain(home: Path) -> DemoRun:
    first = tms(home, "demo")
    left_behind = processes_of(home)
    assert first.returncode == 0, first.stdout + first.stderr
    summary = as_json(tms(home, "summary", "--json"))
    today = date.fromisoformat(json.loads((home / "demo.json").read_text())["today"])
    # Read back from a fresh process on the state that the first one left: what SSG holds, not what we think it holds.
    with simulator(load_settings(_env_file=None, tms_home=home)) as url:
        held = state(url)
        second = tms(home, "demo")
        writes, after = _counts(url), state(url)
    return DemoRun(
        home, make_term(today=today), first, second, held, writes, summary, as_json(tms(home, "summary", "--json")), after,
        left_behind=left_behind,
    )  # fmt: skip


def faulty(home: Path) -> DemoRun:
    """A demo whose SSG times out, fails, lies and echoes people, and which is killed while it submits."""
    settings = load_settings(_env_file=None, tms_home=home)
    term = make_term(today=date.today())
    person = term.trainees[5]
    echo = f"{person.name} ({person.nric}, {person.phone}, {person.email}, born {person.birth})"
    faults = [
        {"endpoint": "enrolment.create", "kind": "timeout_after_commit", "on_call": [7, 60], "seconds": 6},
        {"endpoint": "enrolment.create", "kind": "500", "on_call": [11, 90], "message": f"cannot save {echo}"},
        {"endpoint": "enrolment.create", "kind": "error_in_200", "on_call": [20], "status": 500, "message": echo},
        {"endpoint": "attendance.upload", "kind": "502", "on_call": [40, 300], "body": f"<html>{echo}</html>"},
        {"endpoint": "attendance.upload", "kind": "non_json", "on_call": [55], "body": f"<p>{echo}</p>"},
        {"endpoint": "attendance.upload", "kind": "truncated", "on_call": [70]},
        {"endpoint": "assessment.create", "kind": "error_in_200", "on_call": [30], "status": 400, "message": echo},
        {"endpoint": "assessment.search", "kind": "503", "on_call": [1], "message": echo},
    ]
    place = simulator_folder(settings)
    place.mkdir(mode=0o700, parents=True)
    data = ssg_data(term, uen=settings.uen, key=settings.encryption_key, name=settings.provider_name)
    (place / "data.json").write_text(json.dumps(data))
    output = []
    with simulator(settings) as url:
        httpx.post(f"{url}/_control/faults", json={"faults": faults}, timeout=10).raise_for_status()
        quick = {"SSG_TIMEOUT_SECONDS": "2", "TMS_TODAY": term.today.isoformat()}
        crashed = tms(home, "demo", TMS_CRASH_AT="after_call:150", **quick)
        assert crashed.returncode == -signal.SIGKILL, crashed.stdout + crashed.stderr
        second = tms(home, "demo", LOG_LEVEL="DEBUG", TMS_DAGSTER_LOG_LEVEL="DEBUG", **quick)
        assert second.returncode == 0, second.stdout + second.stderr
        struck = {item["id"]: item["fired"] for item in httpx.get(f"{url}/_control/faults").json()["faults"]}
        assert all(struck.values()), f"a fault never struck: {struck}"
        held, writes = state(url), _counts(url)
        asked = [tms(home, *words) for words in (["summary"], ["summary", "--json"], ["audit", "show", "--last", "999"])]
        for done in (crashed, second, *asked):
            output += [done.stdout, done.stderr]
    return DemoRun(home, term, crashed, second, held, writes, {}, as_json(asked[1]), held, output)
