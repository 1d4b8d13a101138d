"""deploy/: what is written there is well-formed by the tools made for it, hardened, and starts as it is written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from running import free_port, listens, wait_until

from tms_pipeline.cli.main import app
from tms_pipeline.settings import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
HARDENED = ("NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=true", "PrivateTmp=true", "User=tms",
            "CapabilityBoundingSet=", "UMask=0077")  # fmt: skip


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
    return found


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "tms.yaml").read_text()))


def written() -> dict[str, list[str]]:
    """Every command line of ours in deploy/, by where it stands, from ``tms`` on."""
    found = {}
    for unit in UNITS:
        line = re.search(r"^ExecStart=/opt/tms/\.venv/bin/tms (.+)$", unit.read_text(), re.MULTILINE)
        assert line, unit.name
        found[f"systemd {unit.stem}"] = shlex.split(line.group(1))
    for name, service in compose()["services"].items():
        if service["image"].startswith("tms-pipeline:"):
            found[f"compose {name}"] = service["command"]
    for item in manifests():
        spec = item.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec", {})
        for container in spec.get("containers", []):
            found[f"kubernetes {item['metadata']['name']}"] = container["args"]
    return found


def test_the_container_file_passes_its_linter_and_runs_as_nobody_special() -> None:
    hadolint = BIN / "hadolint"
    file = DEPLOY / "Containerfile"
    done = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    text = file.read_text()
    stages = text.split("\nFROM ")
    assert len(stages) == 3 and "\nUSER 10001:10001\n" in stages[-1] and "HEALTHCHECK" in stages[-1]
    assert re.search(r"^ARG BASE=python:3\.11\.\d+-slim-bookworm$", text, re.MULTILINE), "pinned to a patch release"
    assert "--require-hashes" in text and not re.search(r"SECRET|PASSWORD|TOKEN", text)
    copied = re.findall(r"^COPY (?:--\S+ )*(.+) \S+$", stages[1], re.MULTILINE)
    assert all((PROJECT_ROOT / name).exists() for line in copied for name in line.split())


def test_the_compose_file_is_what_the_compose_specification_allows() -> None:
    import compose_spec

    found = compose_spec.PyCompose.from_json(json.dumps(compose()))
    found.validate()
    services = compose()["services"]
    assert {"postgres", "code", "webserver", "review", "daemon", "proxy"} <= set(services)
    for name, service in services.items():
        assert re.search(r":\d+\.\d+", service["image"]), f"{name} is not pinned"
        if service["image"].startswith("tms-pipeline:"):
            assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["user"] == "10001:10001", name
    assert "ports" not in services["postgres"] and "ports" not in services["webserver"], "only the proxy is outside"


def test_kubernetes_takes_the_manifests_and_no_pod_is_root() -> None:
    import kubernetes_validate

    for item in manifests():
        kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)
        spec = item.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec", {})
        if spec.get("containers"):
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert all(not one["securityContext"]["allowPrivilegeEscalation"] for one in spec["containers"])
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    assert values["dagsterDaemon"]["runMonitoring"]["maxResumeRunAttempts"] == 0
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed (apt: systemd)")
def test_systemd_takes_the_units_and_they_are_hardened(tmp_path: Path) -> None:
    for path in (DEPLOY / "systemd").iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("/opt/tms/.venv/bin/tms", str(BIN / "tms")))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("*.*")))], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for unit in UNITS:
        assert [line for line in HARDENED if line not in unit.read_text().splitlines()] == [], unit.name
    for timer in (DEPLOY / "systemd").glob("*.timer"):
        assert timer.with_suffix(".service").exists()


def test_every_command_in_deploy_is_one_that_tms_understands() -> None:
    import typer

    group = typer.main.get_command(app)
    found = written()
    assert len(found) >= 18
    for where, arguments in found.items():
        with group.make_context("tms", list(arguments), resilient_parsing=False) as context:
            name, command, rest = group.resolve_command(context, list(arguments))  # type: ignore[attr-defined]
            while hasattr(command, "commands"):
                name, command, rest = command.resolve_command(context, rest)
            assert command is not None, where
            command.make_context(str(name), list(rest), parent=context).close()


@contextlib.contextmanager
def running(arguments: list[str], home: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    log = (home.parent / f"{'-'.join(arguments[:2])}.log").open("wb")
    process = subprocess.Popen(
        [str(BIN / "tms"), *arguments], env={**os.environ, "TMS_HOME": str(home), **environment}, stdout=log, stderr=log,
        cwd=home.parent, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free(arguments: list[str], ports: dict[str, str]) -> list[str]:
    """As written; only a port that is taken on this machine gives way to a free one."""
    return [re.sub(r"\b(4266|3000|3001|3002)\b", lambda found: ports[found.group(1)], part) for part in arguments]


def test_the_processes_of_systemd_start_answer_and_stop_as_they_are_written(
    folder: Path, make_database: Any, drop_database: Any
) -> None:
    url = make_database()
    commands = written()
    ports = {port: port if not listens(int(port)) else str(free_port()) for port in ("4266", "3000", "3001", "3002")}
    environment = {"DATABASE_URL": url, "TMS_HEALTH_PORT": ports["3002"]}
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        with contextlib.ExitStack() as stack:
            for name in ("code", "webserver", "review", "daemon", "health"):
                arguments = free(commands[f"systemd tms-{name}"], ports)
                started[name] = stack.enter_context(running(arguments, folder / "h", **environment))
                if name == "code":
                    wait_until(lambda: listens(int(ports["4266"])), seconds=90, why="the code location does not answer")
            asked = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
            for port, prefix in ((ports["3000"], ""), (ports["3001"], "/review")):
                address = f"http://127.0.0.1:{port}{prefix}"

                def answers(address: str = address) -> bool:
                    with contextlib.suppress(httpx.HTTPError):
                        reply = httpx.post(f"{address}/graphql", json={"query": asked}, timeout=20).json()
                        return bool(reply["data"]["repositoriesOrError"]["nodes"][0]["location"]["name"] == "tms_pipeline")
                    return False

                wait_until(answers, seconds=90, why=f"{address} does not show the code location")

            def healthy() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    found = httpx.get(f"http://127.0.0.1:{ports['3002']}/health", timeout=20).json()["checks"]
                    return all(found[name]["status"] == "ok" for name in ("db", "migrations", "keys", "dagster"))
                return False

            wait_until(healthy, seconds=60, why="health does not see database, keys and daemon")
            for process in started.values():
                process.send_signal(signal.SIGTERM)
            assert {name: process.wait(60) for name, process in started.items()} == dict.fromkeys(started, 0)
    finally:

        drop_database(url)
    assert not any(listens(int(port)) for port in ports.values()), "nothing stays behind"
