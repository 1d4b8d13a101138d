"""Every fault kind, and that it leaves SSG's records as its name says (ssg-api 10; design 7)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from simulator_wire import COURSE, UEN, Sim, Start, decrypt, encrypt, enrolment, fixture

PATH = "/tpg/enrolments"


def body_of(sim: Sim, run: int, **changes: Any) -> str:
    return json.dumps(encrypt(json.dumps(enrolment(run, **changes)), sim.key))


def held(sim: Sim) -> int:
    return int(sim.control("counts")["records"]["enrolments"])


def search(page: int = 0, size: int = 50) -> Any:
    return {"enrolment": {"trainingPartner": {"uen": UEN}}, "parameters": {"page": page, "pageSize": size}}


@pytest.mark.parametrize(("kind", "records"), [("timeout_before_commit", 0), ("timeout_after_commit", 1)])
def test_timeouts(sim: Sim, kind: str, records: int) -> None:
    run = sim.run()
    sim.fault("enrolment.create", kind)
    began = time.perf_counter()
    with pytest.raises(httpx.ReadTimeout):
        sim.http.post(PATH, content=body_of(sim, run), timeout=0.3)
    assert time.perf_counter() - began < 2
    assert held(sim) == records
    assert sim.post(PATH, enrolment(run))[0] == 200  # only the scripted call was struck
    last = sim.control("calls?endpoint=enrolment.create")["calls"]
    assert [c["status"] for c in last] == [200, None] and last[1]["faults"] == [kind]
    assert last[1]["wrote"] is bool(records)


def test_a_timeout_ends_by_itself_without_an_answer(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "timeout_after_commit", seconds=0.2)
    with pytest.raises(httpx.TransportError):
        sim.http.post(PATH, content=body_of(sim, run))
    assert held(sim) == 1


@pytest.mark.parametrize(("kind", "records"), [("reset_before_commit", 0), ("reset_after_commit", 1)])
def test_resets(sim: Sim, kind: str, records: int) -> None:
    run = sim.run()
    sim.fault("enrolment.create", kind)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        sim.http.post(PATH, content=body_of(sim, run))
    assert held(sim) == records
    assert sim.post(PATH, enrolment(run))[0] == 200


def test_slow(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "slow", seconds=0.3)
    began = time.perf_counter()
    assert sim.post(PATH, enrolment(run))[0] == 200
    assert time.perf_counter() - began >= 0.3


@pytest.mark.parametrize("kind", ["429", "500", "502", "503"])
def test_http_failures(sim: Sim, kind: str) -> None:
    run = sim.run()
    sim.fault("enrolment.create", kind, **({"retry_after": 7} if kind == "429" else {}))
    reply = sim.http.post(PATH, content=body_of(sim, run))
    assert reply.status_code == int(kind) and reply.json()["status"] == int(kind)
    assert reply.headers.get("retry-after") == ("7" if kind == "429" else None)
    assert held(sim) == 0
    sim.fault("enrolment.create", f"http_{kind}", commit=True)
    assert sim.http.post(PATH, content=body_of(sim, run)).status_code == int(kind)
    assert held(sim) == 1


def test_error_in_200_is_encrypted_like_the_endpoint(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "error_in_200")
    reply = sim.http.post(PATH, content=body_of(sim, run))
    error = json.loads(decrypt(reply.text))
    assert (
        reply.status_code == 200
        and error["status"] == 400
        and error["error"]["details"]
        and error["data"] == {}
    )
    sim.fault("course_run.by_id", "error_in_200", status=500, message="Broken")
    reply = sim.http.get(f"/courses/courseRuns/id/{run}")
    assert (reply.status_code, reply.json()["status"], reply.json()["error"]["message"]) == (
        200,
        500,
        "Broken",
    )
    assert held(sim) == 0


def test_truncated_both_ways(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        sim.http.post(PATH, content=body_of(sim, run))
    assert held(sim) == 1
    sim.fault("course_run.by_id", "truncated", close=False)
    reply = sim.http.get(f"/courses/courseRuns/id/{run}")
    with pytest.raises(ValueError):
        reply.json()
    sim.fault("enrolment.create", "truncated", commit=False)
    with pytest.raises(httpx.RemoteProtocolError):
        sim.http.post(PATH, content=body_of(sim, run))
    assert held(sim) == 1


def test_non_json(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "non_json")
    reply = sim.http.post(PATH, content=body_of(sim, run))
    assert (
        reply.status_code == 200
        and reply.headers["content-type"].startswith("text/html")
        and "<h1>" in reply.text
    )
    sim.fault("enrolment.create", "non_json", body="gone fishing", content_type="text/plain", status=502)
    reply = sim.http.post(PATH, content=body_of(sim, run))
    assert (reply.status_code, reply.text) == (502, "gone fishing") and held(sim) == 0


def test_wrong_encryption(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "wrong_encryption")
    reply = sim.http.post(PATH, content=body_of(sim, run))
    assert reply.status_code == 200 and held(sim) == 1
    with pytest.raises(ValueError):
        json.loads(decrypt(reply.text))


def test_version_expired(sim: Sim) -> None:
    sim.fault("enrolment.*", "version_expired")
    assert sim.post(f"{PATH}/search", search()) == (403, fixture("gateway.response-403"))
    assert sim.post(f"{PATH}/search", search())[0] == 200


def test_duplicate_commits_twice_and_answers_once(sim: Sim) -> None:
    sim.control("settings", {"strict_duplicate_enrolments": True})
    run = sim.run()
    sim.fault("enrolment.create", "duplicate")
    status, reply = sim.post(PATH, enrolment(run))
    assert status == 200
    references = [e["referenceNumber"] for e in sim.control("state?kind=enrolments")["enrolments"]]
    assert len(references) == 2 and references[0] == reply["data"]["enrolment"]["referenceNumber"]
    assert sim.control("counts")["writes"] == {"enrolment.create": 1}
    sim.fault("course_run.publish", "duplicate")
    sim.post("/courses/courseRuns/publish", fixture("courserun-publish.request", uen=UEN, course=COURSE))
    assert sim.control("counts")["records"]["runs"] == 3


def test_cancelled_elsewhere_before_and_after(sim: Sim) -> None:
    run = sim.run()
    ref = sim.enrol(run)
    sim.fault("enrolment.update", "cancelled_elsewhere")
    status, reply = sim.post(f"{PATH}/details/{ref}", fixture("enrolment-update.request", run=run))
    assert status == 400 and "TGS-439" in reply["error"]["details"][0]["message"]
    sim.fault("enrolment.create", "cancelled_elsewhere", when="after")
    fresh = sim.enrol(run)  # answers Confirmed
    assert sim.get(f"{PATH}/details/{fresh}")[1]["data"]["enrolment"]["status"] == "Cancelled"
    third = sim.enrol(run)
    sim.fault("enrolment.search", "cancelled_elsewhere", reference=third)
    found = sim.post(f"{PATH}/search", search())[1]["data"]
    assert {r["enrolment"]["status"] for r in found} == {"Cancelled"}
    sim.fault("course_run.edit", "cancelled_elsewhere")
    edit = fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)
    assert sim.post(f"/courses/courseRuns/edit/{run}", edit)[0] == 404


def test_edited_elsewhere(sim: Sim) -> None:
    run = sim.run()
    sim.fault("enrolment.create", "edited_elsewhere", when="after", set={"fullName": "Somebody Else"})
    ref = sim.enrol(run)
    assert sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fullName"] == "Somebody Else"
    sim.fault("enrolment.view", "edited_elsewhere")
    seen = sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["trainee"]
    assert seen["email"] == {"full": "changed.elsewhere@example.test"}


def test_page_failing_and_empty_page(sim: Sim) -> None:
    run = sim.run()
    for n in range(5):
        sim.enrol(run, trainee=f"S99991{n:02d}A")
    sim.fault("enrolment.search", "page_failing", page=1, every=1)
    assert [sim.post(f"{PATH}/search", search(page, 2))[0] for page in (0, 1, 2, 1)] == [200, 500, 200, 500]
    sim.control("faults", method="DELETE")
    sim.fault("enrolment.search", "empty_page")
    status, reply = sim.post(f"{PATH}/search", search())
    assert (status, reply["data"], reply["meta"]) == (200, [], {"totalRecords": 0})
    sim.fault("enrolment.search", "empty_page", keep_total=True, page=1)
    assert len(sim.post(f"{PATH}/search", search(0, 3))[1]["data"]) == 3
    reply = sim.post(f"{PATH}/search", search(1, 3))[1]
    assert (reply["data"], reply["meta"]) == ([], {"totalRecords": 5})
    sim.fault("course_run.by_reference", "empty_page")
    path = f"/courses/courseRuns/reference?uen={UEN}&courseReferenceNumber={COURSE}"
    assert sim.get(path) == (404, fixture("courserun.response-404")) and sim.get(path)[0] == 200


def struck(sim: Sim, calls: int) -> list[bool]:
    return [sim.post(f"{PATH}/search", search())[0] != 200 for _ in range(calls)]


def test_on_call_every_times_and_probability(sim: Sim) -> None:
    sim.fault("enrolment.search", "500", on_call=[2, 4])
    assert struck(sim, 5) == [False, True, False, True, False]
    sim.control("faults", method="DELETE")
    sim.fault("enrolment.search", "500", every=2, times=1)
    assert struck(sim, 4) == [False, True, False, False]
    sim.control("faults", method="DELETE")
    sim.fault("*", "503", probability=0.5)
    first = struck(sim, 20)
    assert 3 < sum(first) < 17
    sim.control("faults", method="DELETE")
    sim.fault("*", "503", probability=0.5)
    assert struck(sim, 20) == first  # the same dice
    armed = sim.control("faults")["faults"][0]
    assert armed["seen"] == 20 and armed["fired"] == sum(first)


def test_actions_have_names_of_their_own_and_bodies_can_be_matched(sim: Sim) -> None:
    run = sim.run()
    ref = sim.enrol(run)
    sim.fault("enrolment.cancel", "500")
    assert sim.post(f"{PATH}/details/{ref}", fixture("enrolment-update.request", run=run))[0] == 200
    assert sim.post(f"{PATH}/details/{ref}", fixture("enrolment-cancel.request", run=run))[0] == 500
    sim.fault("enrolment.create", "500", body_contains="S9999105H", every=1)
    assert sim.post(PATH, enrolment(run))[0] == 200
    assert sim.post(PATH, enrolment(run, trainee="S9999105H"))[0] == 500
    sim.fault("enrolment.view", "502", path_contains=ref, every=1)
    assert sim.get(f"{PATH}/details/{ref}")[0] == 502
    assert "S9999105H" not in httpx.get(sim.url + "/_control/faults").text  # ids are not shown


def test_faults_from_a_file_and_the_seed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("- {endpoint: enrolment.search, kind: '503', probability: 0.5}\n")
    runs = []
    for seed in ("7", "7", "8"):
        sim = start("--faults", str(tmp_path / "faults.yaml"), "--seed", seed)
        runs.append(struck(sim, 16))
        sim.kill()
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(
    "bad",
    [
        {"on_call": 0},
        {"every": -1},
        {"probability": 2},
        {"times": "x"},
        {"seconds": -1},
        {"surprise": 1},
        {"status": 99},
        {"when": "never"},
        {"set": 1},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(sim: Sim, bad: Any) -> None:
    reply = httpx.post(sim.url + "/_control/faults", json={"endpoint": "*", "kind": "slow", **bad})
    assert reply.status_code == 400 and reply.json()["error"] and sim.control("faults")["faults"] == []
