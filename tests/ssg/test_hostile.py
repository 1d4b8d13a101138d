"""The client against a hostile server: each fault ends in the right class, and nothing leaks."""

import datetime as dt
import gc
import json
import logging
import traceback
from collections.abc import Callable
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest

from tms_pipeline.ssg.client import CallRecord, SsgClient
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.enrolment import EnrolmentQuery
from tms_pipeline.ssg.errors import ErrorClass, SsgError

from .hostile import Answer, drip, hang_up, hostile, raw_bytes, reply, reset, silence
from .world import (
    EMAIL,
    KEY,
    NAME,
    NRIC,
    OTHER_KEY,
    SECRETS,
    attendance,
    client,
    config,
    course_run,
    enrolment,
)

C = ErrorClass
PERSON = json.dumps({"made": "up", "nric": NRIC, "fullName": NAME, "email": EMAIL})
GOOD = json.dumps(
    {
        "status": 200,
        "data": {"enrolment": {"referenceNumber": "ENR-2610-000001", "status": "Confirmed"}},
        "meta": {"createdOn": "2026-10-01T04:01:54Z", "updatedOn": "2026-10-01T04:01:54Z"},
        "error": {},
    }
)
EMPTY = json.dumps({"status": "200", "data": [], "meta": {"totalRecords": 0}, "error": {}})


def sealed(text: str, key: str = KEY) -> str:
    return BodyCipher(key).encrypt(text)


def error_body(message: str, details: list[dict[str, str]] | None = None, status: int = 400) -> str:
    return json.dumps(
        {"status": status, "data": {}, "meta": {}, "error": {"message": message, "details": details or []}}
    )


CODED = [{"field": "enrolment.trainee.id", "message": f"TGS-441 - Required fields cannot be blank {NRIC}"}]
LEAKY = [{"field": NRIC, "message": NAME}, {"field": f"enrolment.{NRIC}", "message": EMAIL}]
HTML = f"<html><body>Sorry {NAME} {NRIC}</body></html>"

# name -> answer, class of a create, class of a search
FAULTS: dict[str, tuple[Answer, ErrorClass, ErrorClass]] = {
    "silence": (silence, C.UNKNOWN, C.RETRYABLE),
    "drip": (drip, C.UNKNOWN, C.RETRYABLE),
    "reset after the request": (reset, C.UNKNOWN, C.RETRYABLE),
    "hang up after the request": (hang_up, C.UNKNOWN, C.RETRYABLE),
    "truncated body": (reply(sealed(GOOD)[:40], declared=900), C.UNKNOWN, C.RETRYABLE),
    "half a body in good HTTP": (reply(sealed(GOOD)[:64]), C.UNKNOWN, C.RETRYABLE),
    "half a JSON": (reply(GOOD[:60]), C.UNKNOWN, C.RETRYABLE),
    "no HTTP at all": (raw_bytes(f"{NRIC} {NAME}\r\n\r\n".encode()), C.UNKNOWN, C.RETRYABLE),
    "broken chunks": (
        raw_bytes(f"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{NRIC}\r\n".encode()),
        C.UNKNOWN,
        C.RETRYABLE,
    ),
    "two lengths": (
        raw_bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
        C.UNKNOWN,
        C.RETRYABLE,
    ),
    "false gzip": (reply(PERSON, headers="content-encoding: gzip\r\n"), C.UNKNOWN, C.RETRYABLE),
    "html": (reply(HTML), C.UNKNOWN, C.RETRYABLE),
    "plain text": (reply(f"OK {NRIC}"), C.UNKNOWN, C.RETRYABLE),
    "empty": (reply(""), C.UNKNOWN, C.RETRYABLE),
    "204": (reply("", "204 No Content"), C.UNKNOWN, C.RETRYABLE),
    "no UTF-8": (reply(b"\xff\xfe" + NAME.encode()), C.UNKNOWN, C.RETRYABLE),
    "wrong key": (reply(sealed(GOOD, OTHER_KEY)), C.UNKNOWN, C.RETRYABLE),
    "a person instead of an envelope": (reply(PERSON), C.UNKNOWN, C.RETRYABLE),
    "a list instead of an envelope": (reply(f"[{PERSON}]"), C.UNKNOWN, C.RETRYABLE),
    "very deep": (reply("[" * 100_000), C.UNKNOWN, C.RETRYABLE),
    "a number of 5000 digits": (reply('{"status": ' + "1" * 5000 + "}"), C.UNKNOWN, C.RETRYABLE),
    "data of another shape": (
        reply(json.dumps({"status": 200, "data": NRIC, "meta": [], "error": {}})),
        C.UNKNOWN,
        C.PERMANENT,
    ),
    "error in a 200": (
        reply(sealed(error_body("Enrolment cannot be created", CODED))),
        C.PERMANENT,
        C.PERMANENT,
    ),
    "unknown error in a 200": (
        reply(json.dumps({"status": 200, "data": {}, "error": {"message": f"Hm {NRIC}"}})),
        C.UNKNOWN,
        C.RETRYABLE,
    ),
    "encrypted error text": (
        reply(
            json.dumps({"status": 403, "data": {}, "error": sealed("Api Version has expired")}),
            "403 Forbidden",
        ),
        C.CONFIGURATION,
        C.CONFIGURATION,
    ),
    "encrypted error object": (
        reply(
            json.dumps(
                {"status": 400, "data": {}, "error": sealed(json.dumps({"message": "x", "details": CODED}))}
            ),
            "400 Bad Request",
        ),
        C.PERMANENT,
        C.PERMANENT,
    ),
    "business error": (reply(error_body("Forbidden", CODED), "400 Bad Request"), C.PERMANENT, C.PERMANENT),
    "business error, bare ciphertext": (
        reply(sealed(error_body("Forbidden", CODED)), "400 Bad Request"),
        C.PERMANENT,
        C.PERMANENT,
    ),
    "fields that are people": (reply(error_body("no", LEAKY), "400 Bad Request"), C.PERMANENT, C.PERMANENT),
    "gateway decryption": (
        reply('{"error":{"message":"Unable to perform decryption due invalid request"}}', "400 Bad Request"),
        C.CONFIGURATION,
        C.CONFIGURATION,
    ),
    "gateway text": (
        reply("Access to this API has been disallowed", "403 Forbidden"),
        C.CREDENTIALS,
        C.CREDENTIALS,
    ),
    "401": (reply(PERSON, "401 Unauthorized"), C.CREDENTIALS, C.CREDENTIALS),
    "404 without an envelope": (reply(HTML, "404 Not Found"), C.CONFIGURATION, C.CONFIGURATION),
    "302": (reply("", "302 Found", "location: http://127.0.0.1:9/\r\n"), C.UNKNOWN, C.PERMANENT),
    "418": (reply(HTML, "418 I'm a teapot"), C.UNKNOWN, C.PERMANENT),
    "429": (reply(HTML, "429 Too Many Requests", "retry-after: 7\r\n"), C.RETRYABLE, C.RETRYABLE),
    "500": (reply(PERSON, "500 Internal Server Error"), C.UNKNOWN, C.RETRYABLE),
    "500 middleware": (reply('{"error":"Middleware error"}', "500 Oh"), C.UNKNOWN, C.RETRYABLE),
    "502": (reply(HTML, "502 Bad Gateway"), C.UNKNOWN, C.RETRYABLE),
    "503": (reply(HTML, "503 Service Unavailable", "retry-after: 7\r\n"), C.UNKNOWN, C.RETRYABLE),
    "504": (reply("", "504 Gateway Timeout"), C.UNKNOWN, C.RETRYABLE),
}


def failed(call: Callable[[], Any]) -> SsgError:
    with pytest.raises(SsgError) as caught:
        call()
    return caught.value


def everything_said(error: SsgError, caplog: pytest.LogCaptureFixture, records: list[CallRecord]) -> str:
    chain: list[str] = []
    link: BaseException | None = error
    while link is not None:
        chain += [str(link), repr(link), repr(vars(link)), repr(link.args)]
        link = link.__cause__ or link.__context__
    return "\n".join(
        [*chain, *traceback.format_exception(error), caplog.text, *map(repr, caplog.records), repr(records)]
    )


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_ends_in_its_class_and_nothing_leaks(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "h11"):
        caplog.set_level(logging.DEBUG, logger=logger)
    answer, write_class, read_class = FAULTS[name]
    records: list[CallRecord] = []
    with (
        hostile(answer) as server,
        SsgClient(config(server.url, timeout_seconds=0.4), on_call=records.append) as ssg,
    ):
        write = failed(lambda: ssg.enrolments.create(enrolment(), correlation_id="made-up-1"))
        read = failed(lambda: ssg.enrolments.search(EnrolmentQuery(trainee_id=NRIC)))
    assert (write.error_class, read.error_class) == (write_class, read_class)
    assert write.correlation_id == "made-up-1"
    assert [r.endpoint for r in records] == ["enrolments.create", "enrolments.search"]
    assert [r.error_code for r in records] == [write.code, read.code]
    assert [r.http_status for r in records] == [write.http_status, read.http_status]
    for error in (write, read):
        said = everything_said(error, caplog, records)
        for secret in SECRETS:
            assert secret not in said
        assert error.__cause__ is None
    if name in ("429", "503"):
        assert write.retry_after_seconds == 7
    sent = [request.body for request in server.received]
    assert not any(NRIC.encode() in body for body in sent)


def test_nothing_was_sent_without_a_connection() -> None:
    with hostile(silence) as server:
        url = server.url
    with client(url) as ssg:
        error = failed(lambda: ssg.enrolments.create(enrolment()))
    assert (error.error_class, error.code) == (C.RETRYABLE, "SSG-NET-CONNECT")


def test_reset_before_the_request_was_read_is_unknown() -> None:
    """Bytes were written; nobody knows how far they came."""
    with hostile(reset, read_request=False) as server, client(server.url) as ssg:
        error = failed(lambda: ssg.enrolments.create(enrolment()))
    assert error.error_class is C.UNKNOWN or error.code == "SSG-NET-CONNECT"  # the reset may win the race


@pytest.mark.parametrize("quoted", [True, False])
def test_both_body_forms_go_out(quoted: bool) -> None:
    with hostile(reply(sealed(GOOD))) as server, client(server.url, quoted_body=quoted) as ssg:
        assert ssg.enrolments.create(enrolment()).reference == "ENR-2610-000001"
    body = server.received[0].body.decode()
    assert body.startswith('"') == quoted
    document = json.loads(BodyCipher(KEY).decrypt(body.strip('"')))
    assert document["enrolment"]["trainee"]["id"] == NRIC
    headers = server.received[0].headers
    assert headers["uen"] == "201912345K"
    assert headers["content-type"] == "application/json"
    assert "x-api-version" not in headers
    assert headers["x-correlation-id"]


@pytest.mark.parametrize(
    "body",
    [GOOD, json.dumps(GOOD), sealed(GOOD), json.dumps(sealed(GOOD)), f"  {sealed(GOOD)}\n", "\ufeff" + GOOD],
    ids=["object", "quoted object", "bare ciphertext", "quoted ciphertext", "spaces", "byte order mark"],
)
def test_every_reply_form_is_understood(body: str) -> None:
    with hostile(reply(body)) as server, client(server.url) as ssg:
        answer = ssg.enrolments.create(enrolment())
    assert answer.status == "Confirmed"
    assert answer.created_on == dt.datetime(2026, 10, 1, 4, 1, 54, tzinfo=dt.UTC)
    assert server.connections == 1


def test_connections_are_reused() -> None:
    with hostile(reply(sealed(GOOD))) as server, client(server.url) as ssg:
        for _ in range(5):
            ssg.enrolments.create(enrolment())
    assert server.connections == 1


def test_success_needs_a_reference() -> None:
    empty: list[Any] = [
        {},
        {"enrolment": {}},
        {"enrolment": {"referenceNumber": ""}},
        {"runs": []},
        {"runs": [{}]},
    ]
    for data in empty:
        body = json.dumps({"status": 200, "data": data, "meta": {}, "error": {}})
        with hostile(reply(body)) as server, client(server.url) as ssg:
            calls: list[Callable[[], Any]] = [
                partial(ssg.enrolments.create, enrolment()),
                partial(ssg.course_runs.publish, "TGS-2024000101", [course_run(dt.date(2026, 12, 1))]),
            ]
            for call in calls:
                error = failed(call)
                assert (error.error_class, error.code) == (C.UNKNOWN, "SSG-REPLY-NO-REFERENCE")


def test_retry_after_as_a_date() -> None:
    soon = format_datetime(dt.datetime.now(dt.UTC) + dt.timedelta(seconds=90), usegmt=True)
    for header, low, high in ((soon, 80, 91), ("999999999", 86_400, 86_400)):
        answer = reply("", "429 Too Many Requests", f"retry-after: {header}\r\n")
        with hostile(answer) as server, client(server.url) as ssg:
            error = failed(partial(ssg.attendance.upload, 900101, attendance("S1")))
        assert error.retry_after_seconds is not None
        assert low <= error.retry_after_seconds <= high
    with hostile(reply("", "429 x", "retry-after: soon\r\n")) as server, client(server.url) as ssg:
        assert failed(lambda: ssg.enrolments.create(enrolment())).retry_after_seconds is None


def test_unknown_answers_are_counted() -> None:
    answer = reply(error_body("x", [{"field": "a.b", "message": "TGS-999 - new"}]), "400 x")
    with hostile(answer) as server, client(server.url) as ssg:
        error = failed(lambda: ssg.enrolments.create(enrolment()))
        assert ssg.unclassified == {"enrolments.create 400 TGS-999": 1}
    assert (error.code, error.ssg_codes, error.fields) == ("SSG-TGS-OTHER", ("TGS-999",), ("a.b",))


def test_a_gate_that_raises_stops_the_call_and_one_that_fails_afterwards_does_not_lose_the_reply() -> None:
    from tms_pipeline.ssg.errors import failure

    class Closed:
        def before(self, endpoint: str) -> None:
            raise failure("SSG-KILL-SWITCH", endpoint=endpoint)

        def after(self, endpoint: str, outcome: str, seconds: float) -> None:
            raise AssertionError

    class Failing:
        outcomes: list[tuple[str, str]] = []

        def before(self, endpoint: str) -> None: ...

        def after(self, endpoint: str, outcome: str, seconds: float) -> None:
            self.outcomes.append((endpoint, outcome))
            raise OSError

    def broken_listener(record: CallRecord) -> None:
        raise OSError

    with hostile(reply(sealed(GOOD))) as server:
        with SsgClient(config(server.url), gate=Closed()) as ssg:
            assert failed(lambda: ssg.enrolments.create(enrolment())).code == "SSG-KILL-SWITCH"
        assert server.received == []
        gate = Failing()
        with SsgClient(config(server.url), gate=gate, on_call=broken_listener) as ssg:
            assert ssg.enrolments.create(enrolment()).reference == "ENR-2610-000001"
            assert sum(ssg.unclassified.values()) == 2
    assert gate.outcomes == [("enrolments.create", "ok")]


def test_other_users_of_httpx_still_log(caplog: pytest.LogCaptureFixture) -> None:
    import httpx

    caplog.set_level(logging.INFO, logger="httpx")
    with hostile(reply(GOOD)) as server, client(server.url) as ssg:
        ssg.enrolments.create(enrolment())
        assert caplog.text == ""
        httpx.get(server.url)
    assert "HTTP Request" in caplog.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"base_url": ""}, "SSG-SETTINGS"),
        ({"base_url": "ftp://a"}, "SSG-SETTINGS"),
        ({"base_url": "http://api.example.test"}, "SSG-SETTINGS"),
        ({"base_url": "https://user:made-up-secret@a"}, "SSG-SETTINGS"),
        ({"base_url": "http://127.0.0.1:99999"}, "SSG-SETTINGS"),
        ({"encryption_key": "made-up-secret"}, "SSG-SETTINGS"),
        ({"timeout_seconds": 0}, "SSG-SETTINGS"),
        ({"api_versions": {"nothing": "v1"}}, "SSG-SETTINGS"),
        ({"base_url": "https://127.0.0.1:1", "cert_file": "/nothing.pem"}, "SSG-CREDENTIAL-FILES"),
        ({"base_url": "https://127.0.0.1:1", "ca_file": "/nothing.pem"}, "SSG-SETTINGS"),
    ],
)
def test_settings_that_cannot_work(changes: dict[str, Any], code: str) -> None:
    error = failed(lambda: client("http://127.0.0.1:1", **changes))
    assert error.code == code
    assert "made-up-secret" not in str(error) + repr(error)
    assert error.__context__ is None


def test_repr_of_settings_hides_secrets() -> None:
    shown = repr(config("http://127.0.0.1:1"))
    assert not any(secret in shown for secret in (*SECRETS, "made-up-client", "S9999202F"))


def test_no_key_no_call() -> None:
    with hostile(reply(GOOD)) as server, client(server.url, encryption_key="") as ssg:
        assert failed(lambda: ssg.enrolments.create(enrolment())).code == "SSG-SETTINGS"
        assert failed(lambda: ssg.enrolments.view("..")).code == "SSG-SHAPE"
        assert failed(lambda: ssg.enrolments.view("A", correlation_id="a\r\nb")).code == "SSG-SHAPE"
    assert server.received == []
    gc.collect()
