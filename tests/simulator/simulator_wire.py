"""A small wire client for the simulator's tests; it shares nothing with the simulator or the client."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(__file__).parent / "fixtures"
KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(64, 96))).decode()
UEN, OTHER_UEN = "201912345K", "202054321D"
COURSE, SKILLED, FOREIGN = "TGS-2024000201", "TGS-2024000202", "TGS-2024000299"
SKILL = "FNB-COK-2011-1.1"
DATA: dict[str, Any] = {
    "apps": [
        {
            "uen": UEN,
            "key": KEY,
            "name": "EXAMPLE ACADEMY PTE. LTD.",
            "clientId": "cid",
            "clientSecret": "shh",
        },
        {"uen": OTHER_UEN, "key": OTHER, "name": "OTHER SCHOOL PTE. LTD.", "subscriptions": ["enrolment.*"]},
    ],
    "courses": [
        {"referenceNumber": COURSE, "title": "Hawker Basics", "uen": UEN, "skillCodes": []},
        {
            "referenceNumber": SKILLED,
            "externalReferenceNumber": "TGS-2019000202",
            "title": "Wok Skills",
            "uen": UEN,
            "skillCodes": [SKILL, "FNB-WSH-1004-1.1"],
            "trainingCost": 800,
        },
        {"referenceNumber": FOREIGN, "title": "Not Ours", "uen": OTHER_UEN},
        {"referenceNumber": "PA-EXAMPLE-01-Cook @ 7", "title": "Legacy", "uen": UEN},
        {"referenceNumber": "TGS-2018000001", "title": "Old", "uen": UEN, "expireFlag": True},
        {
            "referenceNumber": "TGS-2018000002",
            "title": "Funding over",
            "uen": UEN,
            "support": [{"from": 20180101, "to": 20191231, "taggingCode": "1", "taggingDescription": "SFC"}],
        },
    ],
    "trainers": [
        {
            "name": "Trainer One",
            "email": "t1@example.test",
            "idNumber": "S9999111I",
            "idType": {"code": "SP"},
            "roles": [{"role": {"id": 1, "description": "Trainer"}}],
            "domainAreaOfPractice": "Cooking",
        }
    ],
    "employers": {"201000372W": "EXAMPLE EMPLOYER"},
}


def encrypt(text: str, key: str = KEY) -> str:
    """Own encryption: padding by the library, unlike the simulator's."""
    padder = padding.PKCS7(128).padder()
    data = padder.update(text.encode()) + padder.finalize()
    made = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(b"SSGAPIInitVector")).encryptor()
    return base64.b64encode(made.update(data) + made.finalize()).decode()


def decrypt(token: str, key: str = KEY) -> str:
    """The other way."""
    made = Cipher(algorithms.AES(base64.b64decode(key)), modes.CBC(b"SSGAPIInitVector")).decryptor()
    unpad = padding.PKCS7(128).unpadder()
    return (unpad.update(made.update(base64.b64decode(token, validate=True))) + unpad.finalize()).decode()


class Sim:
    """One simulator process and a client to it."""

    def __init__(self, process: subprocess.Popen[bytes], ready: dict[str, Any], took: float) -> None:
        self.process, self.ready, self.started_in = process, ready, took
        self.url: str = ready["base_url"]
        self.http = httpx.Client(base_url=self.url, timeout=10)
        self.key = KEY

    def control(self, name: str, body: Any = None, method: str = "") -> Any:
        """A control call that must succeed."""
        url = ready_url(self) + "/_control/" + name
        found = httpx.request(method or ("GET" if body is None else "POST"), url, json=body, timeout=10)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """An encrypted POST, quoted as the official client does."""
        text = encrypt(json.dumps(body), self.key)
        headers = {"content-type": "application/json", **headers}
        return self.read(self.http.post(path, content=json.dumps(text), headers=headers))

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """A GET."""
        return self.read(self.http.get(path, headers=headers))

    def read(self, reply: httpx.Response) -> tuple[int, Any]:
        """Status and body, decrypted when it is no JSON."""
        try:
            return reply.status_code, reply.json()
        except ValueError:
            return reply.status_code, json.loads(decrypt(reply.text, self.key))

    def fault(self, endpoint: str, kind: str, **more: Any) -> None:
        """Arm one fault, for one call unless told otherwise."""
        if not set(more) & {"on_call", "every", "probability", "times"}:
            more["times"] = 1
        self.control("faults", {"endpoint": endpoint, "kind": kind, **more})

    def kill(self) -> None:
        """SIGKILL, as at a crash."""
        self.process.kill()
        self.process.wait(10)

    def run(self, course: str = COURSE, **more: Any) -> int:
        """A fresh run, by the control API."""
        added = self.control("seed", {"runs": [{"courseReferenceNumber": course, **more}]})
        return int(added["added"]["runs"][0])

    def enrol(self, run: int, **changes: Any) -> str:
        """A fresh enrolment; returns its reference."""
        status, reply = self.post("/tpg/enrolments", enrolment(run, **changes))
        assert status == 200, reply
        return str(reply["data"]["enrolment"]["referenceNumber"])


def ready_url(sim: Sim) -> str:
    """Where control answers: the open listener when there is TLS."""
    return str(sim.ready.get("control_url", sim.url))


def fixture(name: str, **values: Any) -> Any:
    """A re-created body with its placeholders filled."""
    text = (FIXTURES / f"{name}.json").read_text()
    for key, value in values.items():
        text = text.replace(f"<{key}>", str(value))
    return json.loads(text)


def enrolment(run: int, course: str = COURSE, trainee: str = "S9999107J", **changes: Any) -> Any:
    """A create body; changes are dotted paths with __ for dots."""
    body = fixture("enrolment-create.request", uen=UEN, course=course, run=run, trainee=trainee)
    for path, value in changes.items():
        put(body["enrolment"], path.replace("__", "."), value)
    return body


def put(body: Any, path: str, value: Any) -> None:
    """Set or (with None) remove a member at a dotted path."""
    *steps, last = path.split(".")
    for step in steps:
        body = body[step]
    if value is None:
        body.pop(last, None)
    else:
        body[last] = value


Start = Callable[..., Sim]


PATH = "/tpg/enrolments"


def search(page: Any = 0, size: Any = 50, **filters: Any) -> Any:
    """The body of a search of enrolments."""
    return {
        "enrolment": {"trainingPartner": {"uen": UEN, "code": f"{UEN}-01"}, **filters},
        "parameters": {"page": page, "pageSize": size},
    }


def publish(sim: Sim, **changes: Any) -> tuple[int, Any]:
    """Publish a run of the sample with changes; its status and reply."""
    body = fixture("courserun-publish.request", uen=UEN, course=changes.pop("course", COURSE))
    for path, value in changes.items():
        put(body["course"]["runs"][0], path.replace("__", "."), value)
    return sim.post("/courses/courseRuns/publish", body)
