"""Bodies, versions, subscriptions and paths at the simulator (ssg-api 3, 14)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from simulator_wire import (
    COURSE,
    OTHER,
    OTHER_UEN,
    PATH,
    Sim,
    decrypt,
    encrypt,
    enrolment,
    fixture,
    search,
)


def test_both_body_forms_are_taken_and_the_object_form_is_not(sim: Sim) -> None:
    run = sim.run()
    token = encrypt(json.dumps(enrolment(run)))
    escaped = json.dumps(token).replace("/", "\\/")  # as PHP writes it
    for body in (token, json.dumps(token), escaped, f"  {token}\n"):
        reply = sim.http.post(PATH, content=body)
        assert reply.status_code == 200 and json.loads(decrypt(reply.text))["status"] == 200
    refused = {"status": 400, "error": {"message": "Unable to perform decryption due invalid request"}}
    for body in (
        json.dumps({"payload": token}),
        json.dumps(enrolment(run)),
        "",
        '""',
        encrypt("{}", OTHER),
        "AAAA",
    ):
        reply = sim.http.post(PATH, content=body)
        assert (reply.status_code, reply.json()) == (400, refused)


def test_ciphertext_of_no_json_is_a_business_400(sim: Sim) -> None:
    for text in ("hello", "[" * 100_000):
        reply = sim.http.post(PATH, content=encrypt(text))
        assert reply.status_code == 400 and json.loads(decrypt(reply.text))["error"]["details"]


@pytest.mark.parametrize(
    "value", [[], 7, "text", None, {}, {"enrolment": []}, {"enrolment": {"course": "x"}}]
)
def test_json_of_another_shape_is_refused_field_by_field(sim: Sim, value: Any) -> None:
    status, reply = sim.post(PATH, value)
    fields = [d["field"] for d in reply["error"]["details"]]
    assert status == 400 and "enrolment.trainee.id" in fields and fields[-1] == "course.referenceNumber"


def test_business_errors_travel_encrypted_and_gateway_errors_plain(sim: Sim) -> None:
    body = json.dumps(encrypt(json.dumps(enrolment(sim.run(), trainingPartner__uen="19203882S"))))
    assert not sim.http.post(PATH, content=body).text.startswith("{")
    sim.control("settings", {"encrypt_business_errors": False})
    assert sim.http.post(PATH, content=body).json() == fixture("forbidden.response-403")
    sim.control("settings", {"business_errors_http_200": True})
    reply = sim.http.post(PATH, content=body)
    assert (reply.status_code, reply.json()["status"]) == (200, 403)
    assert sim.http.post(PATH, content="?").status_code == 400


def test_replies_in_the_other_forms(sim: Sim) -> None:
    body = json.dumps(encrypt(json.dumps(search())))
    bare = sim.http.post(f"{PATH}/search", content=body).text
    sim.control("settings", {"reply_form": "quoted"})
    assert sim.http.post(f"{PATH}/search", content=body).json() == bare
    sim.control("settings", {"reply_form": "plain"})
    assert sim.http.post(f"{PATH}/search", content=body).json()["data"] == []
    sim.control("settings", {"reply_form": "bare", "encrypt_error_member": True})
    refused = sim.http.post(PATH, content=json.dumps(encrypt("{}"))).json()
    assert (
        refused["status"] == 400
        and json.loads(decrypt(refused["error"]))["message"] == "Enrolment cannot be created"
    )


def test_fee_collection_is_taken_unencrypted_unless_switched_off(sim: Sim) -> None:
    ref, body = sim.enrol(sim.run()), {"enrolment": {"fees": {"feeCollectionStatus": "PENDING PAYMENT"}}}
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json=body).status_code == 200
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json={"payload": "x"}).status_code == 400
    sim.control("settings", {"fee_collection_accepts_plain": False})
    assert sim.http.post(f"{PATH}/feeCollections/{ref}", json=body).status_code == 400


# Gateway
@pytest.mark.parametrize("version", ["", "v1", "v1.0", "1", "V3.0", "v3"])
def test_listed_versions_are_taken(sim: Sim, version: str) -> None:
    headers = {"X-API-Version": version} if version else {}
    assert sim.post(f"{PATH}/search", search(), **headers)[0] == 200


def test_unknown_and_expired_versions(sim: Sim) -> None:
    message = {"status": 403, "error": {"message": "This API version does not seem to exist"}}
    assert sim.post(f"{PATH}/search", search(), **{"x-api-version": "v9.9"}) == (403, message)
    expired = fixture("gateway.response-403")
    assert sim.post("/courses/runs", {}) == sim.post("/courses/runs/850001", {}) == (403, expired)
    # the version is judged before the body (14.3)
    assert sim.http.post(PATH, content="nonsense", headers={"x-api-version": "v9.9"}).json() == message


def test_subscription_certificate_and_other_providers(sim: Sim) -> None:
    stranger = {"X-Sim-Cert-Uen": OTHER_UEN}
    disallowed = {"status": 403, "error": {"message": "Access to this API has been disallowed"}}
    assert sim.get("/courses/courseRuns/id/1", **stranger) == (403, disallowed)
    assert sim.get("/courses/courseRuns/id/1", **{"X-Sim-Cert-Uen": "T00XX0000A"}) == (403, disallowed)
    ref = sim.enrol(sim.run())
    reply = sim.http.get(f"{PATH}/details/{ref}", headers=stranger)  # with the other's key
    assert reply.status_code == 403
    assert json.loads(decrypt(reply.text, OTHER)) == fixture("forbidden.response-403")
    body = json.dumps(
        encrypt(json.dumps({**search(), "enrolment": {"trainingPartner": {"uen": OTHER_UEN}}}), OTHER)
    )
    found = sim.http.post(f"{PATH}/search", content=body, headers=stranger)
    assert json.loads(decrypt(found.text, OTHER))["data"] == []


def test_wrong_paths_methods_and_trailing_slashes(sim: Sim) -> None:
    assert sim.get("/tpg/nothing")[0] == 404
    assert sim.http.put(PATH).status_code == 405
    assert sim.get("/courses/courseRuns/id/1/") == (404, fixture("courserun.response-404"))


def test_bearer_for_the_directory(sim: Sim) -> None:
    path = f"/courses/directory/{COURSE}"
    assert sim.get(path)[0] == 403
    form = {"grant_type": "client_credentials"}
    assert sim.http.post("/dp-oauth/oauth/token", data=form, auth=("cid", "wrong")).status_code == 401
    assert sim.http.post("/dp-oauth/oauth/token", data={}, auth=("cid", "shh")).status_code == 400
    reply = sim.http.post("/dp-oauth/oauth/token", data=form, auth=("cid", "shh")).json()
    assert sorted(reply) == ["access_token", "expires_in", "token_type"] and reply["expires_in"] == 1800
    bearer = {"Authorization": f"Bearer {reply['access_token']}"}
    assert sim.get(path, **bearer)[1]["data"]["courses"][0]["title"] == "Hawker Basics"
    assert sim.get(path + "/quality", **bearer)[1]["data"]["quality"]["numberOfRespondents"] == 0
    assert sim.get("/courses/directory?keyword=wok", **bearer)[1]["meta"]["total"] == 1
    assert (
        sim.get(path, **bearer, **{"x-api-version": "v1.1"})[1]["error"]["message"]
        == "Api Version has expired"
    )
    sim.control("clock", {"advance_seconds": 1801})
    assert sim.get(path, **bearer)[0] == 401
