"""The simulator's switches, clock, control and page (ssg-api 14)."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from simulator_wire import (
    COURSE,
    KEY,
    OTHER_UEN,
    PATH,
    UEN,
    Sim,
    decrypt,
    encrypt,
    enrolment,
    fixture,
    publish,
    put,
    search,
)


def test_strict_switches_on_enrolments(sim: Sim) -> None:
    run = sim.run()
    assert sim.enrol(run) != sim.enrol(run)  # duplicates are taken by default
    sim.control("settings", {"strict_duplicate_enrolments": True})
    assert sim.post(PATH, enrolment(run))[0] == 400
    assert sim.post(PATH, enrolment(run, trainee="S9999107A"))[0] == 200  # wrong check letter, not looked at
    sim.control("settings", {"strict_nric_checksum": True})
    assert sim.post(PATH, enrolment(run, trainee="S9999108A"))[0] == 400
    assert sim.post(PATH, enrolment(run, trainee="T1234567J"))[0] == 200
    sim.control("settings", {"strict_partner_code": True})
    assert sim.post(PATH, enrolment(run, trainee="M1234567K", trainingPartner__code="X-01"))[0] == 400
    sim.control("settings", {"strict_uen_header": True})
    assert sim.post(f"{PATH}/search", search(), uen=OTHER_UEN)[0] == 403
    assert (
        sim.post(
            "/tpg/grants/search", {"grants": search()["enrolment"], "parameters": {"page": 0, "pageSize": 1}}
        )[0]
        == 403
    )


def test_strict_past_dates_and_unique_assessments(sim: Sim) -> None:
    run, past = sim.run(), publish(sim)[1]["data"]["runs"][0]["id"]
    sim.control("settings", {"strict_past_sessions": True, "strict_past_registration": True})
    status, reply = publish(sim)
    assert status == 400 and len(reply["error"]["details"]) == 2
    body = fixture(
        "courserun-edit.request.delete-session", uen=UEN, course=COURSE, session=f"{COURSE}-{past}-S1"
    )
    assert (
        "Past sessions"
        in sim.post(f"/courses/courseRuns/edit/{past}", body)[1]["error"]["details"][0]["message"]
    )
    sim.control("settings", {"strict_completed_runs": True})
    body = fixture("courserun-edit.request.add-session", uen=UEN, course=COURSE)
    assert sim.post(f"/courses/courseRuns/edit/{past}", body)[0] == 400
    sim.enrol(run)
    body = fixture(
        "assessment-create.request", uen=UEN, course=COURSE, run=run, trainee="S9999107J", skill=""
    )
    assert sim.post("/tpg/assessments", body)[0] == sim.post("/tpg/assessments", body)[0] == 200
    sim.control("settings", {"strict_unique_assessments": True})
    assert sim.post("/tpg/assessments", body)[0] == 400
    put(body, "assessment.trainee.id", "S9999105H")
    assert "No enrolment" in sim.post("/tpg/assessments", body)[1]["error"]["details"][0]["message"]


def test_strict_fee_change_after_the_grant(sim: Sim) -> None:
    sim.control("settings", {"strict_fee_after_grant": True})
    ref, body = sim.enrol(sim.run()), {"enrolment": {"fees": {"collectionStatus": "Pending Payment"}}}
    sim.control("clock", {"advance_seconds": 4000})
    assert sim.post(f"{PATH}/feeCollections/{ref}", body)[0] == 400


def test_a_new_run_is_invisible_to_tpg_for_fifteen_minutes(sim: Sim) -> None:
    sim.control("settings", {"visibility_delay_seconds": 900})
    run = publish(sim)[1]["data"]["runs"][0]["id"]
    assert sim.get(f"/courses/courseRuns/id/{run}")[0] == 200
    assert sim.post(PATH, enrolment(run))[1]["error"]["details"][0]["field"] == "enrolment.course.run.id"
    sim.control("clock", {"advance_seconds": 901})
    assert sim.post(PATH, enrolment(run))[0] == 200


def test_references_carry_the_simulated_month_in_singapore(sim: Sim) -> None:
    run = sim.run()
    sim.control("clock", {"set": "2025-10-31T16:30:00+00:00", "frozen": True})  # 1 November in Singapore
    status, reply = sim.post(PATH, enrolment(run))
    ref = reply["data"]["enrolment"]["referenceNumber"]
    assert ref.startswith("ENR-2511-") and reply["meta"]["createdOn"] == "2025-10-31T16:30:00Z"
    assert sim.get(f"{PATH}/details/{ref}")[1]["meta"]["createdOn"] == "2025-11-01 00:30:00"


# Control
def test_control_puts_back_what_was_kept_numbering_and_all(sim: Sim) -> None:
    first = sim.enrol(sim.run())
    before = sim.control("state")
    sim.control("keep", {"name": "one"})
    sim.control("edit", {"kind": "enrolments", "key": first, "action": "cancel"})
    second = sim.enrol(sim.run())
    assert sim.control("counts")["records"]["enrolments"] == 2
    sim.control("faults", {"kind": "503", "endpoint": "*"})
    for _ in range(2):
        sim.control("put-back", {"name": "one"})
        assert sim.control("state") == before and sim.control("faults") == {"faults": []}
        assert sim.control("counts")["writes"] == {}
        assert sim.enrol(sim.run()) == second, "the next number is the next number again"
    assert httpx.post(sim.url + "/_control/put-back", json={"name": "two"}).status_code == 404
    assert httpx.post(sim.url + "/_control/keep", json={}).status_code == 400


def test_control_edit_seed_counts_and_calls(sim: Sim) -> None:
    run = sim.run()
    ref = sim.enrol(run)
    sim.control("edit", {"kind": "enrolments", "key": ref, "set": {"fullName": "Somebody Else"}})
    assert sim.get(f"{PATH}/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fullName"] == "Somebody Else"
    twin = sim.control("edit", {"kind": "enrolments", "key": ref, "action": "duplicate"})["record"][
        "referenceNumber"
    ]
    assert sim.post(f"{PATH}/search", search())[1]["meta"]["totalRecords"] == 2
    sim.control("edit", {"kind": "enrolments", "key": ref, "action": "cancel"})
    assert sim.control("counts")["live"]["enrolments"] == 1
    sim.control("edit", {"kind": "enrolments", "key": twin, "action": "delete"})
    assert sim.get(f"{PATH}/details/{twin}")[0] == 404
    sim.control("edit", {"kind": "runs", "key": run, "action": "cancel"})
    assert sim.get(f"/courses/courseRuns/id/{run}")[0] == 404
    sim.get("/courses/courseRuns/id/1", **{"X-Correlation-Id": "abc-1"})
    calls = sim.control("calls?limit=2")
    assert calls["calls"][0]["correlation"] == {"x-correlation-id": "abc-1"} and len(calls["calls"]) == 2
    assert calls["writes"] == {"enrolment.create": 1} and calls["counts"]["enrolment.view"] == 2
    assert set(sim.control("state?kind=runs")) == {"runs"}
    for body in (
        {"kind": "nonsense", "key": "1", "set": {"a": 1}},
        {"kind": "runs", "key": run, "set": {"nope": 1}},
        {"kind": "runs", "key": run, "set": {"start": "x"}},
        {"kind": "runs", "key": run, "action": "burn"},
    ):
        assert httpx.post(sim.url + "/_control/edit", json=body).status_code in (400, 404)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("settings", {"nonsense": 1}),
        ("settings", {"latency_ms": "fast"}),
        ("settings", {"strict_partner_code": 1}),
        ("clock", {}),
        ("clock", {"set": "yesterday"}),
        ("clock", {"advance_seconds": 1e300}),
        ("seed", {"ghosts": []}),
        ("seed", {"courses": [{}]}),
        ("seed", {"runs": [{"courseReferenceNumber": "none"}]}),
        ("seed", []),
        ("sfc-payment", {}),
        ("faults", {"kind": "meteor"}),
        ("faults", {"endpoint": "x.y", "kind": "slow"}),
    ],
)
def test_control_says_what_is_wrong(sim: Sim, name: str, body: Any) -> None:
    before = sim.control("state")
    reply = httpx.post(f"{sim.url}/_control/{name}", json=body)
    assert reply.status_code in (400, 404) and reply.json()["error"]
    assert sim.control("state") == before


def test_control_and_page_refuse_other_hosts_and_origins(sim: Sim) -> None:
    for path in ("/", "/_control/health", "/_control/state"):
        assert httpx.get(sim.url + path).status_code == 200
        assert httpx.get(sim.url + path, headers={"Host": "evil.example"}).status_code == 403
    assert (
        httpx.post(sim.url + "/_control/reset", headers={"Origin": "https://evil.example"}).status_code == 403
    )
    assert httpx.post(sim.url + "/_control/reset", headers={"Origin": sim.url}).status_code == 200


def test_the_page_shows_records_faults_and_calls_escaped(sim: Sim) -> None:
    sim.enrol(sim.run(), trainee__fullName="<script>x</script>")
    sim.fault("grant.search", "503")
    page = httpx.get(sim.url).text
    assert (
        "<script>" not in page
        and "&lt;script&gt;" in page
        and "grant.search" in page
        and "enrolment.create" in page
    )
    assert 'lang="en"' in page and "<caption>" in page and "http://" not in page and "https://" not in page


def test_the_vectors_of_the_specification() -> None:
    """The helper of these tests agrees with 2.3; the simulator agrees with the helper everywhere else."""
    assert encrypt("hello") == "oy7uWlpoiIULTs1Nfv7KrQ==" and len(base64.b64decode(KEY)) == 32
    text = '{"enrolment":{"fees":{"collectionStatus":"Full Payment"}}}'
    token = "0tq8qKRiUHgrmM6W+GXhhb4oeIgKehVGD4Py28s1laTUh1at5WqDX15UPwLesntOLcgaPK3wNpH7kfJr3caadA=="
    assert encrypt(text) == token and decrypt(token) == text
