"""The process: start, stop, ports, state after SIGKILL, mutual TLS, speed, independence."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_wire import COURSE, DATA, ROOT, UEN, Sim, Start, encrypt, enrolment, fixture

FOLDER = ROOT / "tms_pipeline" / "ssg" / "simulator"
PATH = "/tpg/enrolments"


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tms_pipeline.ssg.simulator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=15)


def test_it_answers_within_two_seconds_and_stops_within_one(start: Start) -> None:
    sim = start(data=None)
    assert sim.started_in < 2
    health = sim.control("health")
    assert health["status"] == "ok" and health["uens"] == [UEN]
    run = sim.run("TGS-2024000101")
    sim.fault("enrolment.create", "timeout_before_commit")
    body = json.dumps(encrypt(json.dumps(enrolment(run))))
    with pytest.raises(httpx.ReadTimeout):  # the held connection must not delay the end
        sim.http.post(PATH, content=body, timeout=0.1)
    other = socket.create_connection(("127.0.0.1", sim.ready["port"]))  # nor an idle one
    began = time.perf_counter()
    sim.process.send_signal(signal.SIGTERM)
    assert sim.process.wait(5) == 0
    assert time.perf_counter() - began < 1
    other.close()


def test_a_taken_port_is_one_sentence_and_exit_code_three(sim: Sim) -> None:
    ended = cli("--port", str(sim.ready["port"]))
    assert ended.returncode == 3 and len(ended.stderr.splitlines()) == 1
    assert str(sim.ready["port"]) in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--host", "0.0.0.0"),
        ("--host", "192.0.2.1"),
        ("--data", "/nonexistent.json"),
        ("--key", "c2hvcnQ="),
        ("--faults", "DATA"),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_two(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    ended = cli("--port", "0", *(str(tmp_path / "data.json") if a == "DATA" else a for a in arguments))
    assert ended.returncode == 2 and len(ended.stderr.splitlines()) == 1 and "Traceback" not in ended.stderr


def test_an_acknowledged_write_survives_sigkill(start: Start, tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    sim = start("--state-file", str(state))
    sim.control("clock", {"advance_seconds": 86400})
    sim.control("settings", {"grant_appears_seconds": 5})
    run = sim.run()
    references = [sim.enrol(run, trainee=f"S99991{n:02d}A") for n in range(20)]
    before = sim.control("state")
    sim.kill()
    with state.open("ab") as journal:
        journal.write(b'[["enrolments","ENR-half')  # a write cut short
    again = start("--state-file", str(state))
    second = cli("--port", "0", "--state-file", str(state))
    assert second.returncode == 2 and "another simulator" in second.stderr
    after = again.control("state")
    for kind in ("courses", "runs", "sessions", "enrolments", "trainers"):
        assert {json.dumps(r) for r in after[kind]} == {json.dumps(r) for r in before[kind]}, kind
    assert again.control("clock")["offset_seconds"] == 86400
    fresh = again.enrol(run)
    assert fresh not in references and int(fresh[-6:]) == 21  # numbers go on
    again.control("clock", {"advance_seconds": 10})
    assert again.control("counts")["records"]["grants"] >= 21  # what was to come still comes
    again.kill()
    third = start("--state-file", str(state))
    assert third.control("counts")["records"]["enrolments"] == 21
    third.kill()
    state.write_text("nonsense\n")
    ended = cli("--port", "0", "--state-file", str(state))
    assert ended.returncode == 2 and state.read_text() == "nonsense\n"


def test_kills_in_the_middle_of_writes_lose_nothing(start: Start, tmp_path: Path) -> None:
    for delay in (0.05, 0.1, 0.2):
        state = tmp_path / f"{delay}.jsonl"
        sim = start("--state-file", str(state))
        run, seen = sim.run(), []
        killer = subprocess.Popen(["sh", "-c", f"sleep {delay}; kill -9 {sim.process.pid}"])
        body = json.dumps(encrypt(json.dumps(enrolment(run))))
        try:
            while True:
                reply = sim.read(sim.http.post(PATH, content=body))[1]
                seen.append(reply["data"]["enrolment"]["referenceNumber"])
        except httpx.TransportError:
            killer.wait()
        again = start("--state-file", str(state))
        kept = {e["referenceNumber"] for e in again.control("state?kind=enrolments")["enrolments"]}
        again.kill()
        assert set(seen) <= kept and len(kept) <= len(seen) + 1


def test_mutual_tls(start: Start, tmp_path: Path) -> None:
    sim = start("--tls", str(tmp_path / "tls"))
    folder, url = tmp_path / "tls", sim.ready["base_url"]
    assert url.startswith("https://")

    def client(name: str) -> httpx.Client:
        context = ssl.create_default_context(cafile=folder / "server.crt")
        if name:
            context.load_cert_chain(folder / f"{name}.crt", folder / f"{name}.key")
        return httpx.Client(base_url=url, verify=context, timeout=10)

    run = sim.run()
    with client(f"client-{UEN}") as mine:
        reply = mine.post(PATH, content=json.dumps(encrypt(json.dumps(enrolment(run)))))
        assert reply.status_code == 200
        ref = sim.read(reply)[1]["data"]["enrolment"]["referenceNumber"]
        # the certificate decides, not the stand-in header
        assert mine.get(f"{PATH}/details/{ref}", headers={"X-Sim-Cert-Uen": "202054321D"}).status_code == 200
    with client("client-202054321D") as other:
        assert other.get(f"{PATH}/details/{ref}").status_code == 403
        assert other.get(f"/courses/courseRuns/id/{run}").status_code == 403  # not subscribed
    with client("") as bare, pytest.raises(httpx.TransportError):
        bare.get(f"/courses/courseRuns/id/{run}")
    made = subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            f"/CN={UEN}",
            "-days",
            "1",
            "-keyout",
            folder / "liar.key",
            "-out",
            folder / "liar.crt",
        ],
        capture_output=True,
    )
    assert made.returncode == 0
    with client("liar") as liar, pytest.raises(httpx.TransportError):
        liar.get(f"/courses/courseRuns/id/{run}")
    public = sim.ready["public_base_url"]
    form = {"grant_type": "client_credentials"}
    token = httpx.post(f"{public}/dp-oauth/oauth/token", data=form, auth=("cid", "shh")).json()[
        "access_token"
    ]
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{public}/courses/directory/{COURSE}", headers=bearer).status_code == 200
    refused = httpx.get(f"{public}/courses/courseRuns/id/{run}", headers=bearer)
    assert (refused.status_code, refused.json()["error"]["message"]) == (
        403,
        "Access to this API has been disallowed",
    )
    sim.fault("enrolment.view", "reset_before_commit")
    with client(f"client-{UEN}") as mine, pytest.raises(httpx.TransportError):
        mine.get(f"{PATH}/details/{ref}")
    assert oct((folder / f"client-{UEN}.key").stat().st_mode)[-3:] == "600"
    sim.process.send_signal(signal.SIGTERM)
    assert sim.process.wait(5) == 0
    assert start("--tls", str(folder)).ready["base_url"]  # the same certificates again


def test_a_provider_brings_its_own_certificate(start: Start, tmp_path: Path) -> None:
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=own",
            "-days",
            "1",
            "-keyout",
            tmp_path / "own.key",
            "-out",
            tmp_path / "own.crt",
        ],
        capture_output=True,
        check=True,
    )
    apps = [{**DATA["apps"][0], "certificate": str(tmp_path / "own.crt")}]
    sim = start("--tls", str(tmp_path / "tls"), data={**DATA, "apps": apps, "courses": DATA["courses"][:1]})
    context = ssl.create_default_context(cafile=tmp_path / "tls" / "server.crt")
    context.load_cert_chain(tmp_path / "own.crt", tmp_path / "own.key")
    with httpx.Client(base_url=sim.url, verify=context) as mine:
        assert mine.get("/courses/courseRuns/id/1").json() == fixture("courserun.response-404")


def test_thousands_of_enrolments_stay_quick(start: Start, tmp_path: Path) -> None:
    sim = start("--state-file", str(tmp_path / "state"))
    run = sim.run()
    bodies = [json.dumps(encrypt(json.dumps(enrolment(run, trainee=f"S{n:07d}A")))) for n in range(1000)]

    def cpu() -> float:
        ticks = Path(f"/proc/{sim.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    began, clock = cpu(), time.perf_counter()
    for body in bodies:
        assert sim.http.post(PATH, content=body).status_code == 200
    each = (cpu() - began) / len(bodies) * 1000
    wall = (time.perf_counter() - clock) / len(bodies) * 1000
    began = cpu()
    for n in range(200):
        wanted = {
            "enrolment": {"trainingPartner": {"uen": UEN}, "trainee": {"id": f"S{n:07d}A"}},
            "parameters": {"page": 0, "pageSize": 10},
        }
        assert sim.post(f"{PATH}/search", wanted)[1]["meta"]["totalRecords"] == 1
    found = (cpu() - began) / 200 * 1000
    print(f"create {wall:.2f} ms, {each:.2f} ms CPU, search {found:.2f} ms CPU")
    assert wall < 25, "answers wait for something (Nagle's algorithm costs 40 ms)"
    assert each < 3 and found < 3  # the aim is 1.5; twice that for a busy machine


def test_it_shares_no_code_with_the_rest() -> None:
    modules = sorted(FOLDER.glob("*.py"))
    assert len(modules) > 20
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names: list[Any] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else []
                assert node.level <= 1, module
            assert not [name for name in names if name.split(".")[0] == "tms_pipeline"], module


def test_every_public_function_has_a_docstring() -> None:
    for module in FOLDER.glob("*.py"):
        tree = ast.parse(module.read_text())
        assert ast.get_docstring(tree), module
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module}: {node.name}"


def test_no_private_person_is_in_the_fixtures() -> None:
    ids = set()
    for path in (Path(__file__).parent / "fixtures").glob("*.json"):
        ids |= set(re.findall(r"\b[STFGM]\d{7}[A-Z]\b", path.read_text()))
    assert ids and all(re.match(r"[ST]9999\d{3}[A-Z]", found) for found in ids), ids
    for found in ids:
        total = sum(int(d) * w for d, w in zip(found[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True)) + 4 * (
            found[0] == "T"
        )
        assert "JZIHGFEDCBA"[total % 11] == found[8], found
