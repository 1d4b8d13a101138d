"""Messages in words: one content for mail (text and HTML) and webhook, made once and kept until it was sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tms_pipeline.alarms.alarm import TOPICS, Alarm
from tms_pipeline.compliance.finding import count_words, day_words
from tms_pipeline.identity.masking import redact

#: What one message lists; the page that it links to shows all.
LONGEST = 40


def alarm_content(
    numbered: Sequence[tuple[int, Alarm]], *, links: str, provider: str, escalated_after: float | None = None
) -> dict[str, Any]:
    """One message about these alarms, errors first; ``escalated_after`` hours without an acknowledgement, if so."""
    ordered = sorted(numbered, key=lambda item: (item[1].severity != "error", item[0]))
    groups: dict[str, list[dict[str, Any]]] = {}
    for number, alarm in ordered[:LONGEST]:
        groups.setdefault(alarm.topic, []).append(
            {
                "number": number,
                "severity": alarm.severity,
                "sentence": redact(alarm.sentence),
                "what_to_do": alarm.what_to_do,
                "link": links + alarm.link,
            }
        )
    first = ordered[0][1]
    lead = redact(first.sentence) if len(ordered) == 1 else _count(ordered)
    handed_on = "" if escalated_after is None else f"Not acknowledged for {escalated_after:g} hours: "
    facts = {
        "provider": provider,
        "lead": lead,
        "escalated_after": escalated_after,
        "groups": [{"topic": topic, "about": TOPICS[topic], "alarms": alarms} for topic, alarms in groups.items()],
        "more": max(0, len(ordered) - LONGEST),
        "all_link": f"{links}/review/assets/alarms/raised?view=checks",
        "numbers": " ".join(str(number) for number, _ in ordered[:LONGEST]),
    }
    payload = {
        "type": "tms.alarms" if escalated_after is None else "tms.escalation",
        "text": f"{handed_on}{lead}",
        "alarms": [
            {"number": number, "topic": alarm.topic, "step": alarm.step, "severity": alarm.severity,
             "sentence": redact(alarm.sentence), "what_to_do": alarm.what_to_do, "link": links + alarm.link,
             "figures": {name: redact(v) if isinstance(v, str) else v for name, v in alarm.figures.items()}}
            for number, alarm in ordered[:LONGEST]
        ],
        "more": facts["more"],
    }  # fmt: skip
    return _content(f"[{provider}] {handed_on}{lead}", "alarms", facts, payload)


def digest_content(
    *, day: date, rows_to_fix: int, need_person: int, due: int, open_alarms: int, links: str, provider: str
) -> dict[str, Any]:
    """The morning's digest: three numbers and one link."""
    figures = [
        ("Rows to fix", rows_to_fix, "rejected in the uploads of the last 7 days"),
        ("Submissions that need a person", need_person, "refused by SSG or given up"),
        ("Records late or due within 14 days", due, "not at SSG yet"),
    ]
    facts = {
        "provider": provider,
        "day": day_words(day),
        "figures": figures,
        "open_alarms": open_alarms,
        "link": f"{links}/review/assets/compliance/findings?view=checks",
    }
    payload = {
        "type": "tms.digest", "day": day.isoformat(), "rows_to_fix": rows_to_fix, "need_a_person": need_person,
        "late_or_due": due, "open_alarms": open_alarms, "link": facts["link"],
        "text": f"{day_words(day)}: " + ", ".join(f"{name.lower()} {value:,}" for name, value, _ in figures),
    }  # fmt: skip
    subject = f"[{provider}] {day_words(day)}: {rows_to_fix:,} to fix, {need_person:,} need a person, {due:,} due"
    return _content(subject, "digest", facts, payload)


def test_content(*, links: str, provider: str, role: str) -> dict[str, Any]:
    """A message that shows an address works."""
    facts = {"provider": provider, "role": role, "link": f"{links}/review/"}
    payload = {"type": "tms.test", "text": f"A test for the role {role}.", "role": role, "link": facts["link"]}
    return _content(f"[{provider}] A test of alarms for {role}", "test", facts, payload)


def _content(subject: str, template: str, facts: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "subject": " ".join(subject.split())[:180],
        "text": _environment().get_template(f"{template}.txt.j2").render(facts),
        "html": _environment().get_template(f"{template}.html.j2").render(facts),
        "payload": dict(payload),
    }


def _count(ordered: Sequence[tuple[int, Alarm]]) -> str:
    errors = sum(alarm.severity == "error" for _, alarm in ordered)
    words = count_words(len(ordered), "alarm", "alarms")
    return f"{words}, {errors} of them urgent to settle" if errors else words


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tms_pipeline.alarms"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["thousands"] = lambda value: f"{value:,}"
    return environment
