"""One small filled installation with both its webservers and one browser, for all pictures."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import Browser, missing, open_browser, skip_or_fail
from running import PROJECT_ROOT, forget_settings, free_port, killed, listens, short_folder, wait_until
from sheets import workbook

from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.term import Term
from tms_pipeline.operations.up import REVIEW_PREFIX
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace

_RUNS = 2
_PEOPLE = 6


@dataclass(frozen=True)
class Desk:
    """Where everything is."""

    place: Workplace
    review: str
    operators: str
    simulator: str
    uploads: list[str]
    pages: list[Path]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One tab for all tests."""
    skip_or_fail(missing())
    with tempfile.TemporaryDirectory(prefix="tms-b") as folder, open_browser(Path(folder)) as found:
        yield found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: the folder TMS_PICTURES if a person wants to look at them."""
    given = os.environ.get("TMS_PICTURES")
    return Path(given) if given else tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def desk(
    browser: Browser, make_database: Callable[..., str], drop_database: Callable[[str], None], term: Term
) -> Iterator[Desk]:
    """Two course runs through the whole mission: dropped, taken in, sent, reconciled, reported on, alarms raised."""
    from assets.build import build_defs
    from tms_pipeline.operations import dagster_home, dagster_run
    from tms_pipeline.operations.at_work import at_work

    url = make_database()
    with contextlib.ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stack.callback(forget_settings)
        stack.callback(drop_database, url)
        home = stack.enter_context(short_folder()) / "h"
        given = load_settings(
            _env_file=None, tms_home=home, database_url=url, TMS_TODAY=term.today.isoformat(), TMS_STABLE_SECONDS=0,
        )  # fmt: skip
        place = stack.enter_context(at_work(given))
        os.environ.update(
            TMS_HOME=str(home), DATABASE_URL=url, TMS_TODAY=term.today.isoformat(), TMS_STABLE_SECONDS="0",
            SSG_BASE_URL=place.settings.ssg_base_url, TMS_DAGSTER_LOG_LEVEL="CRITICAL",
        )  # fmt: skip
        instance = stack.enter_context(dagster_home.instance(place))
        dagster_run.quiet(given)
        inbox = home / "inbox"
        inbox.mkdir()
        for name, content in _files(term).items():
            (inbox / name).write_bytes(content)
        defs = build_defs()
        # What the browser needs comes up while the runs fill what it shows.
        workspace = stack.enter_context(_code_server(home))
        uploads = dagster_run.take_in_inbox(defs, instance)
        wait_until(lambda: listens(workspace[1]), seconds=60, why="the code server does not come up")
        review = stack.enter_context(_webserver(home, workspace[0], "--read-only", "--path-prefix", REVIEW_PREFIX))
        operators = stack.enter_context(_webserver(home, workspace[0]))
        dagster_run.run_job(defs, instance, "nightly_sync")
        review += REVIEW_PREFIX
        for url in (review, operators):
            wait_until(lambda url=url: _answers(f"{url}/server_info"), seconds=90, why=f"{url} does not come up")
        yield Desk(place, review, operators, place.settings.ssg_base_url, uploads, _pages(place))


def _files(term: Term) -> dict[str, bytes]:
    """Two runs with few people; some of these again with a wrong day; and a file that is no workbook."""
    records = expected(term).records
    unpaid = {(item["run_code"], item["nric"]) for item in records["fee"] if item["collection_status"] != "Full Payment"}
    over = [str(run["run_code"]) for run in records["course_run"] if str(run["end_date"]) < term.today.isoformat()]
    # Those with most fees still open: their last days give reviewers something to look at.
    runs = set(sorted(over, key=lambda code: -sum(run == code for run, _ in unpaid))[:_RUNS])
    people: set[str | None] = set()
    for run in sorted(runs):
        enrolled = [item["nric"] for item in records["enrolment"] if item["run_code"] == run]
        people |= set(sorted(enrolled, key=lambda nric: (run, nric) not in unpaid)[:_PEOPLE])

    def of(kind: str) -> list[Any]:
        return [
            item for item in records[kind]
            if str(item["run_code"]) in runs and ("nric" not in item or item["nric"] in people)
        ]  # fmt: skip

    sheets = {
        "course": records["course"], "trainer": records["trainer"],
        "trainee": [item for item in records["trainee"] if item["nric"] in people],
        **{kind: of(kind) for kind in ("course_run", "session", "enrolment", "fee", "attendance", "assessment")},
    }  # fmt: skip
    spoiled = [{**item, "birth_date": "no day"} for item in sheets["trainee"][:2]]
    return {
        "a.xlsx": workbook(**sheets),
        "b.xlsx": workbook(trainee=[*spoiled, *sheets["trainee"][2:5]]),
        "c.xlsx": b"PK\x03\x04 this is no workbook",
    }


def _pages(place: Workplace) -> list[Path]:
    """Every HTML page that the installation makes: reports, a run's page, results, the plan, the mails."""
    from tms_pipeline.alarms.standing import digest
    from tms_pipeline.operations.desk import rebuild_for_run
    from tms_pipeline.submission.plan_workbook import write_plan

    rebuild_for_run(place, str(place.db.value("SELECT key FROM register.course_run ORDER BY key LIMIT 1")))
    mails = place.folder("mails")
    (mails / "digest.html").write_text(digest(place)["html"], encoding="utf-8")
    (mails / "alarms.html").write_text(_mail(place), encoding="utf-8")
    write_plan(place, place.db.value("SELECT plan_id FROM outbox.plan ORDER BY changes DESC LIMIT 1"), folder=mails)
    return sorted(path for path in place.home.rglob("*.html") if "archive" not in path.parts)


def _mail(place: Workplace) -> str:
    from tms_pipeline.alarms.alarm import Alarm
    from tms_pipeline.alarms.wording import alarm_content

    names = ("topic", "subject", "step", "severity", "role", "sentence", "what_to_do", "link", "urgent", "figures")
    rows = place.db.rows(f"SELECT alarm_id, {', '.join(names)} FROM alarm.alarm ORDER BY alarm_id")
    assert rows, "the small installation has something to tell"
    numbered = [(int(row[0]), Alarm(**dict(zip(names, row[1:], strict=True)))) for row in rows]
    html: str = alarm_content(numbered, links=place.settings.links, provider="Hawker Boys")["html"]
    return html


@contextlib.contextmanager
def _code_server(home: Path) -> Iterator[tuple[Path, int]]:
    """One code server for both webservers; gives the workspace that names it, and its port."""
    port = free_port()
    workspace = home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server: {{host: 127.0.0.1, port: {port}, location_name: tms_pipeline}}\n", encoding="utf-8"
    )
    with _process(home, "dagster", "api", "grpc", "-h", "127.0.0.1", "-p", str(port), "-m", "tms_pipeline.definitions"):
        yield workspace, port


@contextlib.contextmanager
def _webserver(home: Path, workspace: Path, *options: str) -> Iterator[str]:
    """A webserver as `tms up` starts it; gives its address."""
    port = free_port()
    with _process(home, "dagster-webserver", "-h", "127.0.0.1", "-p", str(port), *options, "-w", str(workspace)):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _process(home: Path, program: str, *arguments: str) -> Iterator[None]:
    with (home / f"{program}.log").open("ab") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name(program)), *arguments], cwd=PROJECT_ROOT, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True, env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
        )  # fmt: skip
    try:
        yield
    finally:
        killed(process)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2).status_code == 200
    return False
