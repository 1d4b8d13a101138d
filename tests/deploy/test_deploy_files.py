"""deploy/: what is written there is well-formed by the tools made for it, hardened, and starts as it is written."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tms_pipeline.cli.main import app
from tms_pipeline.settings import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
HARDENED = ("NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=true", "PrivateTmp=true", "User=tms",
            "CapabilityBoundingSet=", "UMask=0077")  # fmt: skip


# What the chart's schema names (and it forbids all else in these parts), of what we set: dagster-io/dagster,
# helm/dagster/schema, read 2026-11-21. The chart itself is no package that tests could install.
CHART = {
    "": {"global", "dagsterWebserver", "dagsterDaemon", "dagster-user-deployments", "runLauncher", "concurrency", "postgresql",
         "additionalInstanceConfig", "computeLogManager", "telemetry", "rabbitmq", "redis"},
    "global": {"postgresqlSecretName"},
    "dagsterWebserver": {"replicaCount", "image", "enableReadOnly", "service", "readinessProbe", "podSecurityContext",
                         "securityContext", "envConfigMaps", "envSecrets", "resources"},
    "dagsterDaemon": {"enabled", "image", "podSecurityContext", "securityContext", "envConfigMaps", "envSecrets", "resources",
                      "runCoordinator", "sensors", "schedules", "runMonitoring", "runRetries"},
    "dagsterDaemon.runCoordinator": {"enabled", "type", "config"},
    "dagsterDaemon.runCoordinator.config.queuedRunCoordinator": {"maxConcurrentRuns", "dequeueIntervalSeconds"},
    "dagsterDaemon.runMonitoring": {"enabled", "startTimeoutSeconds", "maxResumeRunAttempts", "pollIntervalSeconds",
                                    "freeSlotsAfterRunEndSeconds"},
    "dagsterDaemon.runRetries": {"enabled", "maxRetries", "retryOnAssetOrOpFailure"},
    "runLauncher.config.k8sRunLauncher": {"imagePullPolicy", "runK8sConfig"},
    "runLauncher.config.k8sRunLauncher.runK8sConfig": {"podSpecConfig"},
    "concurrency": {"enabled", "pools"},
    "concurrency.pools": {"defaultLimit", "granularity"},
    "postgresql": {"enabled", "postgresqlHost", "postgresqlUsername", "postgresqlDatabase", "postgresqlScheme",
                   "postgresqlParams"},
}  # fmt: skip


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
            found[f"compose {name}"] = of_tms(service["command"])
    for item in manifests():
        spec = item.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec).get("template", {}).get("spec", {})
        for container in spec.get("containers", []):
            found[f"kubernetes {item['metadata']['name']}"] = of_tms(container["args"])
    return found


def of_tms(words: list[str]) -> list[str]:
    # The image has no entry point, as Dagster's chart begins its programs by name.
    assert words[0] == "tms", words
    return words[1:]


def test_the_container_file_passes_its_linter_and_runs_as_nobody_special() -> None:
    hadolint = BIN / "hadolint"
    file = DEPLOY / "Containerfile"
    done = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    text = file.read_text()
    stages = text.split("\nFROM ")
    assert len(stages) == 3 and "\nUSER 10001:10001\n" in stages[-1] and "HEALTHCHECK" in stages[-1]
    assert re.search(r"^ARG BASE=python:3\.11\.\d+-slim-bookworm$", text, re.MULTILINE), "pinned to a patch release"
    assert "ENTRYPOINT" not in stages[-1], "Dagster's chart begins 'dagster api grpc …' in it"
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
    # Production refuses Postgres over a network without a checked certificate: here it is a socket file.
    socket = "socket:/var/run/postgresql"
    assert all(socket in services[name]["volumes"] for name in ("postgres", "migrate", "code", "daemon", "health", "backup"))
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


def test_the_values_are_what_dagsters_chart_knows_and_say_what_dagster_yaml_says_here() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    for path, known in CHART.items():
        part = values
        for name in filter(None, path.split(".")):
            part = part[name]
        assert set(part) <= known, path
    assert values["dagsterDaemon"]["runMonitoring"]["maxResumeRunAttempts"] == 0, "nothing is resumed behind our back"
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert values["concurrency"]["pools"] == {"defaultLimit": 1, "granularity": "op"}, "one run sends at a time"
    assert "serviceAccountName" not in values["global"], "the chart would make the account that tms.yaml makes"
    assert "dagster-k8s==" in (DEPLOY.parent / "requirements-deploy.lock").read_text(), "its launcher is in the image"


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
