"""Log lines that tell what was committed, at the level that was asked for; Sentry that gets no value of anybody."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tms_pipeline.audit.log import append
from tms_pipeline.operations.logs import JsonLines, open_journal
from tms_pipeline.settings import PROJECT_ROOT, Settings, SettingsError, load_settings
from tms_pipeline.store import journal
from tms_pipeline.workplace import Workplace

# Made up, never issued.
NRIC, PHONE, MAIL, NAME = "S9999101A", "91234567", "made.up@example.com", "Tan Made-Up Person"


def journal_of(place: Workplace) -> list[dict]:  # type: ignore[type-arg]
    path = place.home / "logs" / "tms.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def act(place: Workplace, what: str, *, break_off: bool = False) -> None:
    with place.db.transaction() as connection:
        append(connection, place.rings.audit.key, place.actor("a" * 32), what, "upload", "U-0123456789ab")
        if break_off:
            raise RuntimeError("the power went")


def test_a_line_is_written_when_what_it_tells_is_committed_and_not_before(place: Workplace) -> None:
    act(place, "happened")
    with pytest.raises(RuntimeError):
        act(place, "never happened", break_off=True)
    act(place, "happened after")
    assert [line["event"] for line in journal_of(place)] == ["happened", "happened after"]
    assert journal_of(place)[0]["upload_id"] == "U-0123456789ab" and journal_of(place)[0]["correlation_id"] == "a" * 32


def test_the_level_is_set_by_the_setting(place: Workplace) -> None:
    open_journal(place.settings.model_copy(update={"log_level": "WARNING"}))
    act(place, "to know")
    with place.db.transaction() as connection:
        journal.note(connection, "to act on", level=logging.ERROR, correlation_id="c")
    assert [(line["event"], line["level"]) for line in journal_of(place)] == [("to act on", "error")]


def test_the_journal_goes_on_in_a_new_file_when_logrotate_has_moved_it(place: Workplace) -> None:
    act(place, "first")
    path = place.home / "logs" / "tms.jsonl"
    path.rename(path.with_suffix(".1"))
    act(place, "second")
    assert [line["event"] for line in journal_of(place)] == ["second"]
    assert path.stat().st_mode & 0o077 == 0


def test_ids_stay_whole_and_what_looks_like_a_person_does_not() -> None:
    # Digits in a row within an id look like a phone number to the redaction.
    record = logging.LogRecord("tms", logging.INFO, "", 0, f"{NRIC} {PHONE} {MAIL}", (), None)
    record.correlation_id = "abcdef" + "91234567" + "abcdefabcdefabcdef"
    record.upload_id = f"{NRIC}"
    record.entity_key = "host-1/d0ab49c72ee6/[4026531836]:14666:91234567:36123456"  # a worker of ours
    line = json.loads(JsonLines().format(record))
    assert line["correlation_id"] == record.correlation_id
    assert line["entity_key"] == record.entity_key
    assert line["event"] == "[nric] [phone] [e-mail]" and line["upload_id"] == "[nric]"


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """A server on loopback that plays Sentry's ingest endpoint; the DSN, and what it got."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://public@127.0.0.1:{server.server_address[1]}/1", got
    server.shutdown()
    server.server_close()


PROGRAM = f"""
import logging
from tms_pipeline.operations.logs import set_up_logs
from tms_pipeline.settings import load_settings

set_up_logs(load_settings())
nric = {NRIC!r}

def fail(name):
    phone = {PHONE!r}
    raise ValueError(f"{{name}} {{nric}} of {MAIL} cannot be read")

try:
    fail({NAME!r})
except ValueError:
    logging.getLogger("tms").error("row of %s was not taken", {NAME!r}, exc_info=True)
logging.getLogger("tms").error("a plain sentence with {NRIC}")
logging.getLogger("tms").warning("not for Sentry")
fail({NAME!r})
"""


def test_sentry_gets_the_place_of_an_error_and_nobodys_value(sentry: tuple[str, list[bytes]], folder: Path) -> None:
    dsn, got = sentry
    environment = {**os.environ, "SENTRY_DSN": dsn, "TMS_HOME": str(folder / "h"), "PYTHONPATH": str(PROJECT_ROOT)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    everything = b"".join(got).decode()
    events = [json.loads(line) for body in got for line in body.decode().splitlines() if '"exception"' in line or '"logentry"' in line]
    assert len(events) == 3, everything
    for secret in (NRIC, PHONE, MAIL, NAME, "cannot be read", "not for Sentry", str(PROJECT_ROOT), os.uname().nodename):
        assert secret not in everything, secret
    raised = events[0]["exception"]["values"][0]
    assert raised["type"] == "ValueError" and raised["stacktrace"]["frames"][-1]["function"] == "fail"
    assert events[0]["logentry"]["message"] == "row of %s was not taken"
    assert "[nric]" in events[1]["logentry"]["message"]
    assert {event["environment"] for event in events} == {"local"}


def test_a_wrong_address_of_sentry_is_one_sentence(folder: Path) -> None:
    from tms_pipeline.operations import sentry as ours

    settings: Settings = load_settings(_env_file=None, tms_home=folder, SENTRY_DSN="no address")
    with pytest.raises(SettingsError, match=r"SENTRY_DSN is no address of Sentry's.*\.$"):
        ours.begin(settings)
    assert ours.begin(load_settings(_env_file=None, tms_home=folder)) is False
