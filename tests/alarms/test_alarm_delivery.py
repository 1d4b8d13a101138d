"""Alarms on a real Postgres, told to a real mail server and a real web server: once, kept, handed on, without people."""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import signal
import ssl
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from receivers import PASSWORD, Hook, Mailbox, mail_server
from running import begin, free_port
from sheets import workbook

from tms_pipeline.alarms.delivery import deliver
from tms_pipeline.alarms.standing import acknowledge, alarms, messages, send_digest, undelivered
from tms_pipeline.alarms.watch import watch
from tms_pipeline.examples.answers import expected
from tms_pipeline.examples.term import Term
from tms_pipeline.settings import SettingsError
from tms_pipeline.workplace import Workplace

TODAY = date(2026, 11, 21)
NOW = datetime.fromisoformat("2026-11-21T09:00+08:00")
SECRET = "a made-up secret of a webhook"
MakePlace = Callable[..., Workplace]
MakeDeadline = Callable[..., None]


def day(left: int) -> date:
    return TODAY + timedelta(days=left)


def words(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


def test_a_deadline_is_mailed_once_over_starttls_in_text_and_html(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    place = make_place(mailbox, alarm_compliance="deadlines@provider.example", link_base="https://tms.provider.example/")
    make_deadline(place, **{"WOK-2611-A": day(3), "KOP-2611-A": day(7), "HYG-2701-A": day(40)})
    assert watch(place, now=NOW).delivered.sent == 1
    (mail,) = mailbox.mails
    assert mailbox.encrypted == [True]
    assert (mail["To"], mail["From"]) == ("deadlines@provider.example", "tms@provider.example")
    assert "2 alarms" in mail["Subject"] and mail["Auto-Submitted"] == "auto-generated"
    text, html = words(mail), mail.get_body(("html",)).get_content()
    for form in (text, html):
        assert "Run WOK-2611-A: 3 enrolments not at SSG. The last day is 24 Nov 2026, 3 days from now." in form
        assert "Run KOP-2611-A" in form and "HYG-2701-A" not in form
        assert "https://tms.provider.example/review/assets/compliance/findings?view=checks" in form
    assert text.index("WOK-2611-A") < text.index("KOP-2611-A"), "errors come first"
    again = watch(place, now=NOW + timedelta(hours=1))
    assert (again.raised, again.delivered.sent, len(mailbox.mails)) == ([], 0, 1)


def test_each_step_of_a_deadline_speaks_once_and_what_is_settled_is_over(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    said = []
    for number, today in enumerate(day(offset) for offset in (-8, -7, -7, -1, 0, 1, 2)):
        place = make_place(mailbox, alarm_compliance="a@provider.example", today=today.isoformat())
        make_deadline(place, **{"WOK-2611-A": TODAY})
        said += [alarm.step for alarm in watch(place, now=NOW + timedelta(hours=number)).raised]
        assert len(alarms(place)) == 1, "the step before is over"
    assert said == [14, 7, 1, 0, -1]
    make_deadline(place)
    assert watch(place, now=NOW + timedelta(days=1)).standing["deadlines"] == 0
    assert alarms(place) == []
    make_deadline(place, **{"WOK-2611-A": TODAY})
    assert watch(place, now=NOW + timedelta(days=2)).raised == [], "the same step is never told twice"
    assert [alarm["step"] for alarm in alarms(place)] == [-1]


def test_nothing_configured_records_and_sends_nothing(make_place: MakePlace, make_deadline: MakeDeadline) -> None:
    place = make_place()
    make_deadline(place, **{"WOK-2611-A": day(1)})
    done = watch(place, now=NOW)
    assert (len(done.raised), done.messages, done.delivered.sent) == (1, 0, 0)
    assert [(alarm["severity"], alarm["messages"]) for alarm in alarms(place)] == [("error", 0)]


def test_a_mail_server_that_is_down_keeps_the_mail_says_so_and_tries_again(
    make_place: MakePlace, make_deadline: MakeDeadline, tls: ssl.SSLContext
) -> None:
    down = make_place(Mailbox(port=free_port()), alarm_compliance="a@provider.example,b@provider.example")
    make_deadline(down, **{"WOK-2611-A": day(1)})
    done = watch(down, now=NOW).delivered
    assert (done.sent, done.kept, done.given_up) == (0, 2, 0)
    assert len(done.why) == 1 and "does not answer" in done.why[0] and "@" not in done.why[0]
    assert undelivered(down) == (1, 0), "the second was not even tried"
    with mail_server(tls, security="starttls") as box:
        place = make_place(box)
        assert deliver(place, now=NOW + timedelta(minutes=5)).sent == 2
        assert sorted(mail["To"] for mail in box.mails) == ["a@provider.example", "b@provider.example"]


def test_a_process_killed_while_it_sends_raises_nothing_twice_and_sends_the_same_mail_again(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox, certificate: Path, folder: Path
) -> None:
    place = make_place()
    make_deadline(place, **{"WOK-2611-A": day(1)})
    assert place.settings.database_url is not None
    child = begin(
        place.home, ["alarms", "watch"], folder / "output", DATABASE_URL=place.settings.database_url.get_secret_value(),
        TMS_TODAY=TODAY.isoformat(), TMS_ALARM_COMPLIANCE="a@provider.example", TMS_MAIL_FROM="tms@provider.example",
        TMS_SMTP_HOST="127.0.0.1", TMS_SMTP_PORT=str(mailbox.port), TMS_SMTP_CA_FILE=str(certificate),
    )  # fmt: skip
    # The server has the whole mail, and the sender never hears of it.
    mailbox.before_answer = lambda: os.kill(child.pid, signal.SIGKILL)
    assert child.wait(60) == -signal.SIGKILL, (folder / "output").read_text()
    mailbox.before_answer = lambda: None
    (half,) = messages(place)
    assert half["sent_at"] is None and half["attempts"] == 1
    place = make_place(mailbox, alarm_compliance="a@provider.example")
    now = place.now()
    assert watch(place, now=now).delivered.sent == 0, "its lease still runs"
    assert watch(place, now=now + timedelta(minutes=4)).delivered.sent == 1
    assert watch(place, now=now + timedelta(minutes=9)).delivered.sent == 0
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"] and first.as_bytes() == second.as_bytes()
    assert len(alarms(place, all_=True)) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_mail_over_tls_from_the_start_with_a_login(
    make_place: MakePlace, make_deadline: MakeDeadline, tls: ssl.SSLContext
) -> None:
    with mail_server(tls, security="tls", login=True) as box:
        given = {"alarm_compliance": "a@provider.example", "smtp_security": "tls", "smtp_user": "tms"}
        wrong = make_place(box, smtp_password=SecretStr("wrong"), **given)
        make_deadline(wrong, **{"WOK-2611-A": day(1)})
        said = watch(wrong, now=NOW).delivered
        assert said.kept == 1 and "refused the login" in said.why[0]
        right = make_place(box, smtp_password=SecretStr(PASSWORD), **given)
        assert deliver(right, now=NOW + timedelta(minutes=2)).sent == 1
        assert box.encrypted == [True] and set(box.logins) == {"tms"}


def test_a_server_without_starttls_or_with_a_strange_certificate_gets_no_mail(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    with mail_server(None, security="none") as open_box:
        place = make_place(open_box, alarm_compliance="a@provider.example")
        make_deadline(place, **{"WOK-2611-A": day(1)})
        assert "STARTTLS" in watch(place, now=NOW).delivered.why[0]
        assert open_box.mails == []
    untrusted = make_place(mailbox, smtp_ca_file=None)
    assert "certificate" in deliver(untrusted, now=NOW + timedelta(minutes=5)).why[0]
    assert mailbox.mails == []


def test_an_address_that_the_server_refuses_for_good_is_given_up_and_said(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    place = make_place(mailbox, alarm_compliance="gone@provider.example")
    make_deadline(place, **{"WOK-2611-A": day(1)})
    mailbox.answer = "550 no such mailbox"
    done = watch(place, now=NOW).delivered
    assert (done.given_up, done.kept) == (1, 0) and "550" in done.why[0]
    assert undelivered(place)[0] == 0 and messages(place)[0]["given_up_at"] is not None
    assert deliver(place, now=NOW + timedelta(days=1)).sent == 0


def test_a_webhook_gets_signed_json_and_is_tried_again_under_the_same_id(
    make_place: MakePlace, make_deadline: MakeDeadline, hook: Hook
) -> None:
    place = make_place(alarm_compliance=hook.url)
    make_deadline(place, **{"WOK-2611-A": day(1)})
    hook.statuses = [503]
    assert "HTTP 503" in watch(place, now=NOW).delivered.why[0]
    assert deliver(place, now=NOW + timedelta(minutes=2)).sent == 1
    (first, body), (second, same_body) = hook.posts
    assert first["webhook-id"] == second["webhook-id"] and body == same_body
    for headers in (first, second):
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
        assert headers["webhook-signature"] == f"v1,{mac}"
    told = json.loads(body)
    assert told["type"] == "tms.alarms" and "WOK-2611-A" in told["text"]
    assert told["alarms"][0]["figures"]["records"] == 3 and told["alarms"][0]["step"] == 1
    hook.statuses = [410]
    make_deadline(place, **{"WOK-2611-A": day(1), "KOP-2611-A": day(1)})
    assert watch(place, now=NOW + timedelta(minutes=9)).delivered.given_up == 1


def test_an_error_that_nobody_acknowledges_goes_to_the_next_address_and_then_to_the_one_after(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    place = make_place(
        mailbox, alarm_compliance="a@provider.example", alarm_escalation="lead@provider.example,boss@provider.example",
        alarm_ack_hours=4,
    )  # fmt: skip
    make_deadline(place, **{"WOK-2611-A": day(1), "KOP-2611-A": day(2), "HYG-2611-A": day(10)})

    def told_at(hours: float) -> list[str]:
        before = len(mailbox.mails)
        watch(place, now=NOW + timedelta(hours=hours))
        return [mail["To"] for mail in mailbox.mails[before:]]

    assert told_at(0) == ["a@provider.example"]
    assert told_at(3.9) == []
    assert told_at(4) == ["lead@provider.example"]
    assert "Not acknowledged for 4 hours" in mailbox.mails[-1]["Subject"]
    assert "HYG-2611-A" not in words(mailbox.mails[-1]), "a warning is not handed on"
    numbers = {str(alarm["sentence"])[4:14]: int(alarm["alarm_id"]) for alarm in alarms(place)}
    assert acknowledge(place, [numbers["WOK-2611-A"]], reason="sending it today", actor=place.actor(name="mei")) == 1
    assert told_at(8) == ["boss@provider.example"]
    assert "KOP-2611-A" in words(mailbox.mails[-1]) and "WOK-2611-A" not in words(mailbox.mails[-1])
    assert told_at(99) == []
    entry = place.db.rows("SELECT actor, entity_key, details ->> 'reason' FROM audit.entry WHERE action = 'alarm acknowledged'")
    assert entry == [("mei", str(numbers["WOK-2611-A"]), "sending it today")]
    with pytest.raises(LookupError, match="acknowledged before, by mei"):
        acknowledge(place, [numbers["WOK-2611-A"]], reason="again", actor=place.actor())


def test_quiet_hours_keep_what_can_wait_and_let_through_what_cannot(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    place = make_place(
        mailbox, alarm_compliance="a@provider.example", alarm_on_call="b@provider.example", alarm_quiet="22:00-07:00"
    )
    make_deadline(place, **{"WOK-2611-A": day(1)})
    with place.db.transaction() as connection:
        connection.execute("INSERT INTO ssg.breaker (credential, failures, opened_at) VALUES ('c', 9, now())")
    night = datetime.fromisoformat("2026-11-22T01:00+08:00")
    assert watch(place, now=night).delivered.kept == 1
    assert [(mail["To"], "SSG does not answer" in mail["Subject"]) for mail in mailbox.mails] == [("b@provider.example", True)]
    assert deliver(place, now=datetime.fromisoformat("2026-11-22T06:59+08:00")).sent == 0
    assert deliver(place, now=datetime.fromisoformat("2026-11-22T07:00+08:00")).sent == 1


def test_a_trouble_that_grows_speaks_again_that_shrinks_does_not_and_that_comes_back_does(
    make_place: MakePlace, mailbox: Mailbox
) -> None:
    place = make_place(mailbox, alarm_on_call="a@provider.example")
    with place.db.transaction() as connection:
        connection.execute(
            "INSERT INTO outbox.plan (plan_id, plan_hash, correlation_id, changes, withheld, waiting, counts) "
            "VALUES ('P', 'h', 'c', 1, 0, 0, '{}')"
        )

    def told_with(dead: int, hours: int) -> int:
        before = len(mailbox.mails)
        with place.owner_db.transaction() as connection:
            connection.execute("ALTER TABLE outbox.submission DISABLE TRIGGER USER")
            connection.execute("DELETE FROM outbox.submission")
            connection.execute(
                "INSERT INTO outbox.submission (plan_id, kind, key, action, order_no, content_hash, idempotency_key, "
                "correlation_id, state) SELECT 'P', 'fee', n::text, 'update', 1, 'x', n::text, 'c', 'dead' "
                "FROM generate_series(1, %s) n",
                (dead,),
            )
        watch(place, now=NOW + timedelta(hours=hours))
        return len(mailbox.mails) - before

    assert [told_with(dead, hours) for hours, dead in enumerate([1, 3, 10, 4, 0, 1])] == [1, 0, 1, 0, 0, 1]
    assert "10 submissions need a person" in mailbox.mails[1]["Subject"]


def test_the_digest_has_three_numbers_and_one_link_and_comes_once_a_day(
    make_place: MakePlace, make_deadline: MakeDeadline, mailbox: Mailbox
) -> None:
    place = make_place(mailbox, alarm_ops="ops@provider.example", link_base="https://tms.provider.example")
    make_deadline(place, **{"WOK-2611-A": day(1), "KOP-2611-A": day(-2)})
    assert send_digest(place, now=NOW).sent == 1
    assert send_digest(place, now=NOW + timedelta(hours=2)).sent == 0
    (mail,) = mailbox.mails
    assert mail["Subject"] == "[Hawker Boys] 21 Nov 2026: 0 to fix, 0 need a person, 6 due"
    html = mail.get_body(("html",)).get_content()
    assert re.findall(r'href="([^"]+)"', html) == ["https://tms.provider.example/review/assets/compliance/findings?view=checks"]
    assert len(re.findall(r"<td[^>]*>\d+</td>", html)) == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"alarm_ops": "nobody"}, "Address 1 of TMS_ALARM_OPS is no e-mail address"),
        ({"alarm_ops": "http://hooks.example/x"}, "no https:// address"),
        ({"alarm_ops": "a@provider.example"}, "set TMS_SMTP_HOST and TMS_MAIL_FROM"),
        ({"alarm_ops": "https://hooks.example/x", "webhook_secret": SecretStr("short")}, "TMS_WEBHOOK_SECRET"),
        ({"alarm_ops": "a@provider.example", "smtp_host": "mail.example", "mail_from": "t@provider.example",
          "smtp_security": "none"}, "TMS_SMTP_SECURITY"),
        ({"alarm_quiet": "always"}, "TMS_ALARM_QUIET"),
    ],
)  # fmt: skip
def test_an_address_that_cannot_work_is_said_in_one_sentence(
    make_place: MakePlace, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        watch(make_place(**given), now=NOW)


def test_no_message_and_no_alarm_holds_anything_of_a_person(
    make_place: MakePlace, mailbox: Mailbox, hook: Hook, term: Term
) -> None:
    from tms_pipeline.compliance.review import review
    from tms_pipeline.intake.service import receive, take_in

    everybody = f"a@provider.example,{hook.url}"
    place = make_place(mailbox, alarm_ops=everybody, alarm_compliance=everybody, alarm_on_call=everybody)
    records = expected(term).records
    runs = [run for run in records["course_run"] if run["start_date"] and "2026-10" < str(run["start_date"]) < "2026-11-20"]
    codes = {str(run["run_code"]) for run in runs}
    enrolments = [item for item in records["enrolment"] if item["run_code"] in codes]
    people = [item for item in records["trainee"] if item["nric"] in {one["nric"] for one in enrolments}]
    assert runs and len(people) > 20
    sheets = {"course": records["course"], "trainer": records["trainer"], "course_run": runs, "trainee": people,
              "enrolment": enrolments}  # fmt: skip
    spoiled = [{**person, "birth_date": "no day"} for person in people[:25]]
    for name, content in (
        (f"{people[0]['full_name']} {people[0]['nric']}.xlsx", workbook(**sheets)),
        ("spoiled.xlsx", workbook(trainee=spoiled)),
        (f"{people[1]['full_name']}.xlsx", b"no workbook"),
    ):
        actor = place.actor()
        upload, _ = receive(place, name, content, source="inbox", actor=actor)
        take_in(place, upload, actor=actor)
    review(place.db, today=place.today(), correlation_id="c")
    done = watch(place, now=place.now() + timedelta(hours=30))
    assert {alarm.topic for alarm in done.raised} >= {"deadlines", "rejected rows", "nights"}
    send_digest(place)
    said = "".join(mail.as_string() + words(mail) + mail.get_body(("html",)).get_content() for mail in mailbox.mails)
    said += "".join(body.decode() for _, body in hook.posts)
    said += str(place.db.rows("SELECT a::text FROM alarm.alarm a UNION ALL SELECT content::text FROM alarm.message"))
    assert len(mailbox.mails) == 2 and "nothing of it was taken in" in said and "enrolments not at SSG" in said
    fields = ("nric", "full_name", "phone", "email", "birth_date")
    values = [str(person[name]) for person in people for name in fields if person.get(name)]
    assert len(values) > 80
    assert [value for value in values if value in said] == []
