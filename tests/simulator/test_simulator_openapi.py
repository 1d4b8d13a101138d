"""The OpenAPI document, and thousands of requests made from it: no 5xx that nobody scripted."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from simulator_wire import COURSE, KEY, OTHER_UEN, UEN, Sim, decrypt, encrypt, enrolment

EXAMPLES = 12


def test_the_document_describes_every_call(sim: Sim) -> None:
    document = httpx.get(sim.url + "/openapi.json").json()
    assert document["openapi"].startswith("3.")
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert len(operations) > 40 and len({op["operationId"] for op in operations}) == len(operations)
    posts = [path["post"] for path in document["paths"].values() if "post" in path]
    without = [op["operationId"] for op in posts if "requestBody" not in op]
    assert without == ["course_run.legacy_add", "course_run.legacy_edit"]
    create = document["paths"]["/tpg/enrolments"]["post"]
    assert create["x-encrypted-request"] and create["x-encrypted-reply"]


def _fill(value: Any, run: int) -> Any:
    """Steer half-way into the business rules: our own UEN, course and run instead of random text."""
    if isinstance(value, dict):
        known = {"uen": UEN, "referenceNumber": COURSE, "courseReferenceNumber": COURSE, "trainingPartnerUen": UEN}
        filled = {k: known[k] if k in known and isinstance(v, str) else _fill(v, run) for k, v in value.items()}
        if isinstance(value.get("run"), dict) and "id" in value["run"]:
            filled["run"] = {**filled["run"], "id": str(run)}
        return filled
    return [_fill(item, run) for item in value] if isinstance(value, list) else value


def test_schemathesis_finds_no_unscripted_5xx(sim: Sim) -> None:
    run = sim.run()
    ref = sim.enrol(run)
    token = httpx.post(sim.url + "/dp-oauth/oauth/token", data={"grant_type": "client_credentials"}, auth=("cid", "shh"))
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    schema = schemathesis.openapi.from_url(sim.url + "/openapi.json")
    statuses: dict[str, set[int]] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        raw = operation.definition.raw

        @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                  phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=operation.as_strategy(), steered=st.booleans())
        def attempt(case: Any, steered: bool, raw: Any = raw) -> None:
            body = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
            params = dict(case.path_parameters or {})
            if steered:
                body = _fill(body, run)
                params |= {"ref": ref, "run_id": str(run), "uen": UEN}
                params = {k: v for k, v in params.items() if k in (case.path_parameters or {})}
            path = case.path
            for name, value in params.items():
                path = path.replace("{" + name + "}", httpx.URL("", params={"x": str(value)}).query.decode()[2:])
            text = json.dumps(body)
            content = json.dumps(encrypt(text)) if raw["x-encrypted-request"] else text
            query = {k: v for k, v in (case.query or {}).items() if isinstance(v, str | int | bool)}
            if steered and "courseReferenceNumber" in query:
                query |= {"uen": UEN, "courseReferenceNumber": COURSE}
            reply = sim.http.request(case.method, path, params=query, headers=bearer if raw["security"] and "bearer" in raw["security"][-1] else {},
                                     content=content if raw.get("requestBody") else None)  # fmt: skip
            assert reply.status_code < 500, (case.method, path, reply.text[:300])
            statuses.setdefault(raw["operationId"], set()).add(reply.status_code)
            if reply.text[:1] not in "{[" and reply.status_code != 405:
                json.loads(decrypt(reply.text))

        attempt()
    assert len(statuses) > 40
    reached = {name for name, found in statuses.items() if 200 in found}
    assert {"enrolment.view", "enrolment.search", "grant.estimate", "course_run.by_id", "directory.list",
            "registry.search", "session.list", "attendance.view"} <= reached, statuses  # fmt: skip


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8)  # fmt: skip
TARGETS = ["trainee", "trainee.id", "trainee.idType", "trainee.contactNumber", "trainee.fees", "trainee.employer",
           "trainee.fees.discountAmount", "course", "course.run", "course.run.id", "trainingPartner",
           "trainee.dateOfBirth", "trainee.fullName", "trainee.emailAddress"]  # fmt: skip


@settings(max_examples=120, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(TARGETS), value=JSONISH)
def test_any_json_anywhere_in_an_enrolment_is_taken_or_refused(shared: Sim, path: str, value: Any) -> None:
    run = shared.__dict__.setdefault("fuzz_run", None) or shared.run()
    shared.__dict__["fuzz_run"] = run
    body = enrolment(run)
    *steps, last = path.split(".")
    place = body["enrolment"]
    for step in steps:
        place = place[step]
    place[last] = value
    status, reply = shared.post("/tpg/enrolments", body)
    assert status in (200, 400, 403), reply
    if status == 200:  # whatever was taken can be read back
        ref = reply["data"]["enrolment"]["referenceNumber"]
        assert shared.get(f"/tpg/enrolments/details/{ref}")[0] == 200


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_refused_plainly(shared: Sim, raw: bytes) -> None:
    reply = shared.http.post("/tpg/enrolments", content=raw)
    assert reply.status_code == 400
    if reply.text.startswith("{"):
        assert reply.json()["error"]["message"] == "Unable to perform decryption due invalid request"


@pytest.mark.parametrize("uen", [UEN, OTHER_UEN])
def test_the_page_survives_odd_texts(sim: Sim, uen: str) -> None:
    run = sim.run()
    sim.enrol(run, trainee__fullName="\ud800 \u202e <b>&\x00", trainee__id="")if False else sim.enrol(run, trainee__fullName="\ud800 <b>&\x00")
    assert httpx.get(sim.url).status_code == 200 and KEY not in httpx.get(sim.url).text
    assert sim.control("state?kind=enrolments")["enrolments"][0]["fullName"] == "\ud800 <b>&\x00"
