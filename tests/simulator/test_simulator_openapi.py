"""The OpenAPI document, and thousands of requests made from it: no 5xx that nobody scripted."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from simulator_wire import COURSE, KEY, UEN, Sim, decrypt, encrypt, enrolment

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
        known = {
            "uen": UEN,
            "referenceNumber": COURSE,
            "courseReferenceNumber": COURSE,
            "trainingPartnerUen": UEN,
        }
        filled: dict[str, Any] = {
            k: known[k] if k in known and isinstance(v, str) else _fill(v, run) for k, v in value.items()
        }
        if isinstance(value.get("run"), dict) and "id" in value["run"]:
            filled["run"] = {**filled["run"], "id": str(run)}
        return filled
    return [_fill(item, run) for item in value] if isinstance(value, list) else value


def _quoted(value: Any) -> str:
    return quote(str(value).encode("utf-8", "replace"), safe="") or "x"


def _attack(
    sim: Sim,
    operation: Any,
    raw: Any,
    run: int,
    ref: str,
    bearer: dict[str, str],
    statuses: dict[str, set[int]],
) -> None:
    """A handful of requests to one operation, half of them steered; each must end below 500."""
    secured = bool(raw["security"]) and "bearer" in raw["security"][-1]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), steered=st.booleans())
    def attempt(case: Any, steered: bool) -> None:
        body = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
        params, query = dict(case.path_parameters or {}), dict(case.query or {})
        if steered:
            body = _fill(body, run)
            ours = {"ref": ref, "run_id": run, "uen": UEN, "area": "grants", "parameter": "fundingScheme"}
            if "directory" in case.path or "registry" in case.path:
                ours["ref"] = COURSE
            params = {name: ours.get(name, value) for name, value in params.items()}
            query = {"uen": UEN, "courseReferenceNumber": COURSE} if "courseReferenceNumber" in query else {}
        path = case.path
        for name, value in params.items():
            path = path.replace("{" + name + "}", _quoted(value))
        text = json.dumps(body)
        reply = sim.http.request(
            case.method,
            path,
            params={k: str(v).encode("utf-8", "replace") for k, v in query.items()},
            headers=bearer if secured else {},
            content=(json.dumps(encrypt(text)) if raw["x-encrypted-request"] else text)
            if raw.get("requestBody")
            else None,
        )
        assert reply.status_code < 500, (case.method, path, reply.text[:300])
        statuses.setdefault(raw["operationId"], set()).add(reply.status_code)
        if not reply.text.startswith(("{", "[")):
            json.loads(decrypt(reply.text))

    attempt()


def test_schemathesis_finds_no_unscripted_5xx(sim: Sim) -> None:
    token = httpx.post(
        sim.url + "/dp-oauth/oauth/token", data={"grant_type": "client_credentials"}, auth=("cid", "shh")
    )
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    schema = schemathesis.openapi.from_url(sim.url + "/openapi.json")
    statuses: dict[str, set[int]] = {}
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        run = sim.run()  # of its own: one operation's cancels and deletes are not the next one's
        ref = sim.enrol(run)
        _attack(sim, operation, operation.definition.raw, run, ref, bearer, statuses)
    assert len(statuses) > 40
    reached = {name for name, found in statuses.items() if 200 in found}
    assert {
        "enrolment.view",
        "enrolment.search",
        "grant.estimate",
        "course_run.by_id",
        "directory.list",
        "registry.search",
        "session.list",
        "attendance.view",
    } <= reached, statuses


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TARGETS = [
    "trainee",
    "trainee.id",
    "trainee.idType",
    "trainee.contactNumber",
    "trainee.fees",
    "trainee.employer",
    "trainee.fees.discountAmount",
    "course",
    "course.run",
    "course.run.id",
    "trainingPartner",
    "trainee.dateOfBirth",
    "trainee.fullName",
    "trainee.emailAddress",
]


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


def test_the_page_and_the_state_survive_odd_texts(sim: Sim) -> None:
    odd = "\ud800 \u202e <b>&\x00"
    ref = sim.enrol(sim.run(), trainee__fullName=odd)
    assert (
        sim.get(f"/tpg/enrolments/details/{ref}")[1]["data"]["enrolment"]["trainee"]["fullName"]
        == odd.strip()
    )
    page = httpx.get(sim.url)
    assert page.status_code == 200 and KEY not in page.text
    assert sim.control("state?kind=enrolments")["enrolments"][0]["fullName"] == odd.strip()
