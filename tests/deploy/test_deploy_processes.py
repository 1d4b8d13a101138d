"""deploy/: every process starts as it is written there, answers, does the work of a day by the queue, and stops.

One installation for all: its processes are taken from systemd, compose and Kubernetes in turn, as they are the same.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from running import TMS, free_port, killed, listens, processes_of, wait_until
from submission_world import TODAY, Site, World, sheet, trainee
from test_deploy_files import DEPLOY, compose, written

PORTS = {"code": "4266", "webserver": "3000", "review": "3001", "health": "3002"}
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "tms_pipeline"}
NO_QUEUE = shutil.which("redis-server") is None and "TMS_REQUIRE_REDIS" not in os.environ
needs_queue = pytest.mark.skipif(NO_QUEUE, reason="Redis is not installed (apt: redis-server)")


def plain(words: list[str]) -> list[str]:
    """A command without what a place gives it: where it listens and where the code location is."""
    kept = re.sub(r" --(host|port|code) \S+", "", " ".join(words))
    return kept.split()


def test_systemd_compose_and_kubernetes_run_the_same_processes() -> None:
    found = {where: plain(words) for where, words in written().items()}
    for name in ("code", "webserver", "review", "daemon", "health", "backup"):
        assert found[f"systemd tms-{name}"] == found[f"compose {name}"], name
    for name in ("health", "backup", "drill", "digest"):
        assert found[f"systemd tms-{name}"] == found[f"kubernetes tms-{name}"], name
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    [code] = values["dagster-user-deployments"]["deployments"]
    assert code["dagsterApiGrpcArgs"][:2] == ["-m", "tms_pipeline.definitions"] and code["port"] == 4266
    served = values["dagsterWebserver"]
    assert served["readinessProbe"]["httpGet"]["port"] == served["service"]["port"] > 1024, "no port of root's"


@dataclass
class Installation:
    """What runs here, and what a person does in the UI."""

    world: World
    folder: Path
    environment: dict[str, str]
    ports: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, words: list[str]) -> None:
        """As written; only a port that is taken on this machine gives way to a free one, and a host's name to this."""
        for before, now in self.ports.items():
            words = [re.sub(rf"\b{before}\b", now, word) for word in words]
        words = [re.sub(r"^code:", "127.0.0.1:", word) for word in words]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [str(TMS), *words], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """What a host does that loses its power."""
        process = self.running.pop(name)
        below = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout
        killed(process)
        for pid in map(int, below.split()):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def ask(self, question: str, *, port: str = "3000", prefix: str = "", **variables: Any) -> Any:
        reply = httpx.post(f"http://127.0.0.1:{self.ports[port]}{prefix}/graphql", timeout=30,
                           json={"query": question, "variables": variables}).json()  # fmt: skip
        assert "errors" not in reply, reply
        return reply["data"]

    def sees_the_code(self, port: str, prefix: str = "") -> bool:
        asked = "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"
        with contextlib.suppress(httpx.HTTPError):
            nodes = self.ask(asked, port=port, prefix=prefix)["repositoriesOrError"].get("nodes")
            return bool(nodes and nodes[0]["location"]["name"] == "tms_pipeline")
        return False

    def launch(self, job: str) -> str:
        given = {"selector": {**REPOSITORY, "pipelineName": job}, "mode": "default",
                 "runConfigData": {"loggers": {"console": {"config": {}}}}}  # fmt: skip
        asked = "mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { ... on LaunchRunSuccess { run { runId } } } }"
        return str(self.ask(asked, p=given)["launchRun"]["run"]["runId"])

    def runs(self) -> list[dict[str, Any]]:
        asked = "{ runsOrError(limit: 20) { ... on Runs { results { runId jobName status tags { key value } } } } }"
        return list(self.ask(asked)["runsOrError"]["results"])

    def ended(self, *, job: str = "", run_id: str = "") -> dict[str, Any] | None:
        for run in self.runs():
            if job in ("", run["jobName"]) and run_id in ("", run["runId"]):
                return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None
        return None

    def wait_for(self, seconds: float, **which: str) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while (found := self.ended(**which)) is None:
            assert time.monotonic() < end, (which, [(run["jobName"], run["status"]) for run in self.runs()])
            time.sleep(0.3)
        return found


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of our own; empty where there is none."""
    if NO_QUEUE:
        yield ""
        return
    port = free_port()
    folder = tmp_path_factory.mktemp("redis")
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
                             stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        wait_until(lambda: listens(port), seconds=20, why="Redis does not answer")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        redis.terminate()
        redis.wait(20)


@pytest.fixture(scope="module")
def installation(site: Site, term_template: str, queue: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A term was taken in; everything runs that systemd starts on a host, with a worker where there is a queue."""
    commands = written()
    with site.world(term_template) as world:
        inbox = site.home / "inbox"
        inbox.mkdir(exist_ok=True)
        made = Installation(world, tmp_path_factory.mktemp("processes"), {
            **os.environ, "TMS_HOME": str(site.home), "TMS_DAGSTER_DATABASE": f"{world.database}_dagster",
            "DATABASE_URL": site.server.url(world.database).render_as_string(hide_password=False), "TMS_TODAY": TODAY,
            "SSG_BASE_URL": site.ssg, "TMS_STABLE_SECONDS": "0", "TMS_SCALE_BROKER": queue, "TMS_SCALE_RUNS": "1",
            "SSG_SPACING_SECONDS": "0.3", "SSG_CONCURRENCY": "1", "TMS_LEASE_SECONDS": "6",
        })  # fmt: skip
        made.ports = {port: port if not listens(int(port)) else str(free_port()) for port in PORTS.values()}
        made.environment["TMS_HEALTH_PORT"] = made.ports["3002"]
        try:
            for name in ("code", *(["worker"] if queue else [])):
                made.start(name, commands[f"systemd tms-{name}"])
            wait_until(lambda: listens(int(made.ports["4266"])), seconds=120, why="the code location does not answer")
            for name, where in (("webserver", "systemd tms-webserver"), ("review", "compose review"),
                                ("daemon", "compose daemon"), ("health", "kubernetes tms-health")):  # fmt: skip
                made.start(name, commands[where])
            yield made
        finally:
            for process in made.running.values():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
            for process in made.running.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(30)
                killed(process)
            site.drop(f"{world.database}_dagster")


def test_every_process_answers(installation: Installation) -> None:
    for port, prefix in (("3000", ""), ("3001", "/review")):
        wait_until(lambda port=port, prefix=prefix: installation.sees_the_code(port, prefix), seconds=120,
                   why=f"{port} does not show the code location")  # fmt: skip
    found = installation.ask("mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }",
                             port="3001", prefix="/review", s={**REPOSITORY, "sensorName": "inbox_sensor"})  # fmt: skip
    assert found["startSensor"]["__typename"] == "UnauthorizedError", "reviewers only read"
    # Who is started again with another address of the code, or with none, leaves the others' alone.
    home = installation.world.site.home / "dagster"
    told = {path.name: yaml.safe_load(path.read_text())["load_from"] for path in home.glob("workspace-*")}
    assert set(told) == {"workspace-webserver.yaml", "workspace-review.yaml", "workspace-daemon.yaml"}
    at = {"host": "127.0.0.1", "port": int(installation.ports["4266"]), "location_name": "tms_pipeline"}
    assert all(found == [{"grpc_server": at}] for found in told.values())

    def healthy() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            found = httpx.get(f"http://127.0.0.1:{installation.ports['3002']}/health", timeout=20).json()["checks"]
            return all(found[name]["status"] == "ok" for name in ("db", "migrations", "keys", "dagster"))
        return False

    wait_until(healthy, seconds=90, why="health does not see database, keys and daemon")
    check = compose()["services"]["code"]["healthcheck"]["test"]
    assert check[:2] == ["CMD", "dagster"] and check[-1] == "4266"
    done = subprocess.run([str(Path(TMS).with_name("dagster")), *check[2:-1], installation.ports["4266"]],
                          env=installation.environment, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-300:]


@needs_queue
def test_a_file_in_the_inbox_is_taken_in_by_a_worker_of_the_queue(installation: Installation, queue: str) -> None:
    import redis

    for sensor in ("inbox_sensor", "run_failed"):
        done = installation.ask("mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }",
                                s={**REPOSITORY, "sensorName": sensor})  # fmt: skip
        assert done["startSensor"]["__typename"] == "Sensor", done
    (installation.world.site.home / "inbox" / "trainees.csv").write_bytes(
        sheet("trainee", [trainee("T1", email="later@example.test")])
    )
    run = installation.wait_for(90, job="intake")
    assert run["status"] == "SUCCESS"
    assert set(installation.world.rows("SELECT DISTINCT state FROM intake.upload")) == {("taken in",)}
    # It did not run beside the daemon: the queue knows the run's task, and that a worker ended it well.
    with redis.Redis.from_url(queue) as found:
        tasks = [json.loads(found.get(key)) for key in found.keys("celery-task-meta-*")]
    assert [task["status"] for task in tasks] == ["SUCCESS"]


@needs_queue
def test_a_worker_killed_in_the_night_is_missed_and_another_sends_the_rest_once(installation: Installation) -> None:
    world = installation.world
    world.forget_calls()
    night = installation.launch("nightly_sync")
    wait_until(lambda: world.states().get("accepted", 0) >= 2, seconds=90, why="the night sends nothing")
    installation.kill("worker")
    assert world.states().get("ready"), "it was killed in the middle"
    told = [line for line in (installation.folder / "worker.log").read_text().splitlines() if '"event"' in line]
    assert told and all(json.loads(line)["at"] for line in told), "the log is JSON lines on a worker too"
    installation.start("worker-2", written()["systemd tms-worker"])
    rest = installation.launch("submit")
    assert installation.wait_for(90, run_id=night)["status"] == "FAILURE"
    [waiting] = [run["status"] for run in installation.runs() if run["runId"] == rest]
    assert waiting == "QUEUED", "the pool of those who send holds across workers: the dead one still has its place"
    events = installation.ask("query($r: ID!) { logsForRun(runId: $r) { ... on EventConnection { events { ... on "
                              "MessageEvent { message } } } } }", r=night)["logsForRun"]["events"]  # fmt: skip
    assert any("is gone" in (event.get("message") or "") for event in events), "the reason is told"
    assert installation.wait_for(120, run_id=rest)["status"] == "SUCCESS", "the pool is free again"
    world.submit()  # what the dead one had in hand comes back when its lease ends
    assert set(world.states()) == {"accepted"}
    assert world.writes()["enrolment.create"] == 3 == len(world.held("enrolments"))
    held = Counter((row["runId"], row["traineeId"]) for row in world.held("enrolments"))
    assert set(held.values()) == {1} and world.reconcile() == {}


def test_they_stop_when_asked_and_leave_nothing_behind(installation: Installation) -> None:
    stopping = dict(installation.running)
    for process in stopping.values():
        process.send_signal(signal.SIGTERM)
    ends = {name: process.wait(90) for name, process in stopping.items()}
    installation.running.clear()
    assert ends == dict.fromkeys(stopping, 0)
    assert not any(listens(int(port)) for port in installation.ports.values())
    left = [line for line in processes_of(installation.world.site.home) if "postgres" not in line and "simulator" not in line]
    assert left == [], "nothing stays behind"
