"""Submission as who types the verbs sees it: what is said, what is shown, and with which exit code."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result
from submission_world import TODAY, World, enrolment, fee, key, settings_url, trainee
from typer.testing import CliRunner

from tms_pipeline.cli.main import app

Verb = Callable[..., Result]


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Verb:
    """Types a verb at the installation of ``world``."""
    monkeypatch.chdir(tmp_path)
    url = settings_url(world.workplace.settings).render_as_string(hide_password=False)

    def verb(*words: str, **environment: str) -> Result:
        given = {
            "TMS_HOME": str(world.site.home),
            "DATABASE_URL": url,
            "SSG_BASE_URL": world.site.ssg,
            "SSG_TIMEOUT_SECONDS": "0.4",
            "TMS_TODAY": TODAY,
            "TMS_ACTOR": "ada",
            **environment,
        }
        return CliRunner().invoke(app, words, env=given, catch_exceptions=False)

    return verb


def _approve(typed: Verb) -> dict[str, Any]:
    made = json.loads(typed("plan", "--json").stdout)
    done = typed("approve", made["plan"], "--hash", made["hash"][:16])
    assert done.exit_code == 0, done.output
    return made


def test_submit_shows_its_progress_and_what_became_of_everything(typed: Verb, world: World) -> None:
    _approve(typed)
    done = typed("submit")
    assert done.exit_code == 0 and done.stdout.strip() == "18 accepted"
    told = [line for line in done.stderr.splitlines() if "of 18" in line]
    assert told and told[-1].strip() == "… sent 18 of 18 (18 accepted)"
    again = typed("submit")
    assert again.exit_code == 0 and again.stdout.strip() == "nothing to do"


def test_the_kill_switch_is_said_and_burns_nothing(typed: Verb, world: World) -> None:
    _approve(typed)
    assert typed("stop", "--reason", "SSG asked").exit_code == 0
    done = typed("submit")
    assert done.exit_code == 1
    assert "stopped: Calls to SSG are switched off by the kill switch." in done.stdout
    assert world.writes() == {} and world.value("SELECT sum(attempts) FROM outbox.submission") == 0
    assert typed("allow", "--reason", "SSG is well").exit_code == 0
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state = 'ready'")
    assert typed("submit").stdout.strip() == "18 accepted"
    said = dict(world.rows("SELECT action, actor FROM audit.entry WHERE action LIKE 'calls %%' ORDER BY seq"))
    assert said == {"calls stopped": "ada", "calls allowed": "ada"}


def test_a_maintenance_window_is_one_sentence_and_no_finding(typed: Verb, world: World) -> None:
    _approve(typed)
    done = typed("submit", SSG_MAINTENANCE="daily 00:00-24:00")
    assert done.exit_code == 0
    assert re.fullmatch(
        r"nothing to do\. SSG is in its maintenance window until \w{3} \d\d \w{3} \d{4} 00:00 \(Singapore\); "
        r"what waits is sent after it\.",
        done.stdout.strip(),
    ), done.stdout
    night = typed("sync", SSG_MAINTENANCE="daily 00:00-24:00")
    assert night.exit_code == 0, night.output
    assert night.stderr.count("SSG is in its maintenance window until") >= 1
    assert world.writes() == {} and world.value("SELECT sum(attempts) FROM outbox.submission") == 0
    assert typed("submit").stdout.strip() == "18 accepted", "what waited is sent by the next run"


def test_too_many_calls_is_a_rest_and_no_finding(typed: Verb, world: World) -> None:
    _approve(typed)
    world.fault("429", "trainer.add", times=1, retry_after=1)
    begun = time.monotonic()
    done = typed("submit")
    assert done.exit_code == 0 and "18 accepted" in done.stdout and time.monotonic() - begun >= 1
    assert len(world.held("trainers")) == 2


def test_a_long_rest_and_an_open_breaker_are_said(typed: Verb, world: World) -> None:
    _approve(typed)
    world.fault("429", "session.*", times=1, retry_after=120)
    world.fault("429", "course_run.edit", times=1, retry_after=120)
    done = typed("submit")
    assert done.exit_code == 1 and "stopped: SSG asked for a rest" in done.stdout, done.output
    sent = world.writes()
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state IN ('ready', 'retry')")
    again = typed("submit")
    assert again.exit_code == 1 and "SSG asked for a rest" in again.stdout
    assert world.writes() == sent, "nothing is begun while SSG rests"
    world.mend()
    # It is over; what is due is one probe, whose success lets the others follow.
    world.execute("UPDATE ssg.breaker SET paused_until = now(), failures = 10, opened_at = now(), probe_at = now()")
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state IN ('ready', 'retry')")
    done = typed("submit")
    world.execute("UPDATE outbox.submission SET next_attempt_at = now() WHERE state IN ('ready', 'retry', 'unknown')")
    typed("submit")
    world.submit()
    assert set(world.states()) == {"accepted"}, done.output


def test_plan_approve_hold_release_and_waiting(typed: Verb, world: World, tmp_path: Path) -> None:
    policy = {"TMS_APPROVAL_POLICY": "enrolment:two-person,*:review"}
    shown = typed("plan", "-o", str(tmp_path / "review"), **policy)
    assert shown.exit_code == 0 and "To approve it:  tms approve P-" in shown.stdout
    book, page = sorted((tmp_path / "review").iterdir(), key=lambda path: path.suffix, reverse=True)
    rows = list(openpyxl.load_workbook(book)["Will be sent"].iter_rows(values_only=True))
    assert len(rows) > 18 and page.read_text().startswith("<!") and "enrolment" in page.read_text().lower()
    made = json.loads(typed("plan", "--json", **policy).stdout)
    refused = typed("approve", made["plan"], "--hash", "0" * 16, **policy)
    assert refused.exit_code == 3 and "is not the one that was looked at" in refused.stderr
    ceiling = typed("approve", made["plan"], "--hash", made["hash"], "--at-most", "3", **policy)
    assert ceiling.exit_code == 3 and "more than the 3 that you approve" in ceiling.stderr
    first = typed("approve", made["plan"], "--hash", made["hash"], **policy)
    assert first.exit_code == 0 and "15 submissions are ready" in first.stdout
    assert "enrolment.create: waits for two persons' approval; 1 of 2 given" in first.stdout
    waits = json.loads(typed("waiting", "--json", **policy).stdout)
    assert [(item["kind"], item["approved_by"]) for item in waits["approval"]] == [("enrolment", ["ada"])]
    own = typed("approve", made["plan"], "--hash", made["hash"], TMS_ACTOR="tester", **policy)
    assert own.exit_code == 3 and "came with an upload of your own" in own.stderr
    held = typed("hold", "--kind", "assessment", "--reason", "the examiner asked", **policy)
    assert held.exit_code == 0 and "2 submissions" in held.stdout
    assert "the examiner asked" in typed("waiting", **policy).stdout
    second = typed("approve", made["plan"], "--hash", made["hash"], TMS_ACTOR="ben", **policy)
    assert second.exit_code == 0 and "3 submissions are ready" in second.stdout
    assert typed("submit", **policy).stdout.strip() == "16 accepted"
    freed = typed("release", "--kind", "assessment", "--reason", "he agreed", **policy)
    assert freed.exit_code == 0 and "2 submissions are released" in freed.stdout
    assert world.states("assessment") == {"planned": 2}, "released, and still to be approved"


def test_dead_letters_say_why_since_when_what_to_do_and_what_waits(typed: Verb, world: World) -> None:
    world.fault("error_in_200", "enrolment.create", code="TGS-406 - Invalid course reference number", times=3)
    _approve(typed)
    done = typed("submit")
    assert done.exit_code == 1 and "3 rejected" in done.stdout
    listed = typed("dead-letters", "list")
    assert listed.exit_code == 1 and len(listed.stdout.splitlines()) == 3
    found = json.loads(typed("dead-letters", "list", "--json").stdout)
    with_some = next(letter for letter in found if letter["key"] == key("A", "T1"))
    line = next(line for line in listed.stdout.splitlines() if key("A", "T1") in line)
    for part in (with_some["why"], with_some["what_to_do"], "since 20", "[SSG-TGS-406]", "wait behind it"):
        assert part in line, part
    number = str(with_some["submission_id"])
    shown = typed("dead-letters", "show", number).stdout
    assert "row 2" in shown and "attempt 1 (send): rejected SSG-TGS-406" in shown
    behind = [text for text in shown.splitlines() if text.strip().startswith("waits: ")]
    assert len(behind) == with_some["behind"] == 3
    assert all(re.search(r"from upload \S+, sheet '.+', row \d+$", text) for text in behind), "which rows wait"
    given_up = next(letter for letter in found if letter["key"] == key("B", "T3"))
    assert typed("dead-letters", "discard", str(given_up["submission_id"]), "--reason", " ").exit_code == 3
    assert typed("dead-letters", "discard", str(given_up["submission_id"]), "--reason", "she left").exit_code == 0
    again = typed("dead-letters", "retry", "--code", "SSG-TGS-406", "--reason", "the course is registered now")
    assert again.exit_code == 0 and again.stdout.startswith("2 are under way again")
    assert typed("submit").exit_code == 0
    clean = typed("dead-letters", "list")
    assert clean.exit_code == 0 and clean.stdout.strip() == "There are no dead letters."
    log = world.rows("SELECT action, actor FROM audit.entry WHERE action LIKE 'dead letter %%'")
    assert {("dead letter retried", "ada"), ("dead letter discarded", "ada")} <= set(log)


def test_a_dead_letter_is_mended_by_a_corrected_row(typed: Verb, world: World) -> None:
    world.fault("error_in_200", "enrolment.create", times=1)
    _approve(typed)
    assert typed("submit").exit_code == 1
    (letter,) = json.loads(typed("dead-letters", "list", "--json").stdout)
    name = {"HB-00001": "T1", "HB-00002": "T2", "HB-00003": "T3"}[letter["key"].split("|")[1]]
    world.upload("trainee", trainee(name, email="corrected@example.test"))
    _approve(typed)
    assert typed("submit").exit_code == 0 and typed("dead-letters", "list").exit_code == 0


def test_trace_leads_both_ways_from_every_name_of_a_submission(typed: Verb, published: World) -> None:
    made = published.submission("enrolment", key("A", "T1"))
    for word in (made["ssg_ref"], key("A", "T1"), made["upload_id"], made["idempotency_key"], made["correlation_id"]):
        told = typed("trace", str(word))
        assert told.exit_code == 0
        for part in (
            f"enrolment {key('A', 'T1')} (create): accepted, SSG {made['ssg_ref']}",
            "from enrolment.csv, sheet ",
            f"row {made['row_number']} (upload {made['upload_id']})",
            f"plan {made['plan_id']}, approved by ",
            "attempt 1 send at ",
        ):
            assert part in told.stdout, (word, part)
    assert typed("trace", "nobody").stdout.strip() == "Nobody knows 'nobody'."
    chains = json.loads(typed("trace", made["ssg_ref"], "--json").stdout)["chains"]
    assert {chain["submission"]["kind"] for chain in chains} >= {"enrolment"}


def test_after_an_undo_nothing_stale_is_sent_and_plan_and_trace_say_so(typed: Verb, published: World) -> None:
    taken = published.upload("enrolment", enrolment("C", "T1"))
    published.upload("fee", fee("A", "T2"))
    _approve(typed)
    assert published.submission("enrolment", key("C", "T1"))["state"] == "ready"
    undone = typed("intake", "undo", taken.upload_id)
    assert undone.exit_code == 0 and "1 change of these records stood ready for SSG and will not be sent" in undone.stdout
    # Approved, due, and asked for at once, before any new plan.
    assert "1 superseded" in typed("submit").stdout
    assert published.writes() == {"enrolment.fees": 1}, "only what was not taken back went out"
    told = typed("trace", taken.upload_id).stdout
    assert f"enrolment {key('C', 'T1')} (create): superseded, SSG has none" in told and "upload undone" in told
    planned = json.loads(typed("plan", "--json").stdout)
    assert planned["changes"] == 0
    published.night()
    assert published.reconcile() == {}


def test_what_was_under_way_when_its_upload_was_undone_is_taken_back_at_ssg(typed: Verb, published: World) -> None:
    published.fault("reset_after_commit", "enrolment.create", times=1)
    published.fault("503", "enrolment.search", times=1)
    taken = published.upload("enrolment", enrolment("C", "T1"))
    published.submit(rounds=1, patience=0.0)
    assert published.submission("enrolment", key("C", "T1"))["state"] == "unknown"
    undone = typed("intake", "undo", taken.upload_id)
    assert undone.exit_code == 0 and "was being sent just now or has no known outcome yet" in undone.stdout
    published.mend()
    for _ in range(3):
        published.night()
    assert len(published.held("enrolments")) == 3, "nothing of the upload lives at SSG"
    assert published.reconcile() == {}
