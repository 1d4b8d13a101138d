"""The watch: look, raise what is new, end what is over, hand on what nobody acknowledged. One transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from tms_pipeline.alarms.addresses import Address, addresses_of, escalation_of
from tms_pipeline.alarms.alarm import ONCE, TOPICS, Alarm, Role, after_quiet, parse_quiet
from tms_pipeline.alarms.conditions import due
from tms_pipeline.alarms.delivery import Delivered, deliver, keep
from tms_pipeline.alarms.measures import measure, thresholds_of
from tms_pipeline.alarms.wording import alarm_content
from tms_pipeline.settings import Settings, SettingsError
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace, new_correlation_id

# Any constant: watches take turns on it, so that two of them do not both raise.
_LOCK = 7_310_006


@dataclass
class Watched:
    """What one watch did. ``standing`` counts open alarms by topic, zeros included."""

    raised: list[Alarm] = field(default_factory=list)
    standing: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    escalated: int = 0
    messages: int = 0
    delivered: Delivered = field(default_factory=Delivered)


def watch(workplace: Workplace, *, now: datetime | None = None, correlation_id: str | None = None) -> Watched:
    """Look at everything, record what is new, and send what is due to who is set up to hear of it.

    Raises SettingsError when an address or the quiet hours cannot work; nothing is recorded then.
    """
    now = now or workplace.now()
    settings = workplace.settings
    people, next_people = addresses_of(settings), escalation_of(settings)
    try:
        quiet = parse_quiet(settings.alarm_quiet)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    later = after_quiet(now, quiet)
    done = Watched()
    with workplace.db.transaction() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        standing = due(measure(connection, now=now, today=workplace.today()), thresholds_of(settings))
        done.standing = dict.fromkeys(TOPICS, 0) | Counter(alarm.topic for alarm in standing)
        done.errors = dict(Counter(alarm.topic for alarm in standing if alarm.severity == "error"))
        fresh = _raise(connection, standing, now, correlation_id or new_correlation_id())
        done.raised = [alarm for _, alarm in fresh]
        done.messages = _tell(connection, settings, fresh, people, now=now, later=later)
        done.escalated = _escalate(connection, settings, next_people, now=now, later=later)
    done.delivered = deliver(workplace, now=now)
    return done


def _raise(
    connection: Connection, standing: Sequence[Alarm], now: datetime, correlation_id: str
) -> list[tuple[int, Alarm]]:
    """Record what is new, end what is over; returns what people have not heard of yet."""
    before: dict[tuple[str, str], int] = {}
    for topic, subject, step in connection.execute(
        "SELECT topic, subject, step FROM alarm.alarm WHERE ended_at IS NULL"
    ):
        before[topic, subject] = max(step, before.get((topic, subject), step))
    fresh: list[tuple[int, Alarm]] = []
    for alarm in standing:
        key = alarm.dedup_key(now)
        row = connection.execute(
            query("alarms/insert"),
            {
                "dedup_key": key, "topic": alarm.topic, "subject": alarm.subject, "step": alarm.step,
                "severity": alarm.severity, "role": alarm.role, "urgent": alarm.urgent, "sentence": alarm.sentence,
                "what_to_do": alarm.what_to_do, "link": alarm.link, "figures": Jsonb(dict(alarm.figures)),
                "correlation_id": correlation_id, "now": now,
            },
        ).fetchone()  # fmt: skip
        if row is None:
            connection.execute(query("alarms/reopen"), {"dedup_key": key})
        elif alarm.topic in ONCE or alarm.step > before.get((alarm.topic, alarm.subject), -1):
            # A trouble that shrinks comes back at a lower step, and nobody needs to hear of that.
            fresh.append((int(row[0]), alarm))
    connection.execute(
        query("alarms/end"),
        {
            "now": now,
            "topics": [alarm.topic for alarm in standing],
            "subjects": [alarm.subject for alarm in standing],
            "steps": [alarm.step for alarm in standing],
        },
    )
    return fresh


def _tell(
    connection: Connection, settings: Settings, fresh: Sequence[tuple[int, Alarm]],
    people: Mapping[Role, Sequence[Address]], *, now: datetime, later: datetime,
) -> int:
    """One message to each address about all that is new to it; what is urgent does not wait for the morning."""
    by_address: dict[tuple[Address, bool], list[tuple[int, Alarm]]] = {}
    for number, alarm in fresh:
        for address in people[alarm.role]:
            by_address.setdefault((address, alarm.urgent or later == now), []).append((number, alarm))
    for (address, at_once), numbered in by_address.items():
        numbers = [number for number, _ in numbered]
        content = alarm_content(numbered, links=settings.links, provider=settings.provider_name)
        keep(
            connection, f"alarms.{min(numbers)}-{max(numbers)}", "alarms", address, content, now=now,
            leaves=now if at_once else later, alarms=numbers,
        )  # fmt: skip
    return len(by_address)


def _escalate(
    connection: Connection, settings: Settings, people: Sequence[Address], *, now: datetime, later: datetime
) -> int:
    """Hand errors that nobody acknowledged in time to the next address of the list."""
    if not people:
        return 0
    rows = connection.execute(
        query("alarms/to_escalate"), {"levels": len(people), "hours": settings.alarm_ack_hours, "now": now}
    ).fetchall()
    by_level: dict[int, list[int]] = {}
    for alarm_id, level in rows:
        by_level.setdefault(level, []).append(alarm_id)
    for level, numbers in by_level.items():
        numbered = [(number, _alarm(connection, number)) for number in numbers]
        content = alarm_content(
            numbered, links=settings.links, provider=settings.provider_name,
            escalated_after=settings.alarm_ack_hours * (level + 1),
        )  # fmt: skip
        urgent = any(alarm.urgent for _, alarm in numbered)
        keep(
            connection, f"escalation{level + 1}.{min(numbers)}-{max(numbers)}", "escalation", people[level], content,
            now=now, leaves=now if urgent else later, alarms=numbers,
        )  # fmt: skip
        connection.execute("UPDATE alarm.alarm SET escalations = escalations + 1 WHERE alarm_id = ANY (%s)", (numbers,))
    return len(rows)


def _alarm(connection: Connection, number: int) -> Alarm:
    row = connection.execute(
        "SELECT topic, subject, step, severity, role, sentence, what_to_do, link, urgent, figures "
        "FROM alarm.alarm WHERE alarm_id = %s",
        (number,),
    ).fetchone()
    assert row is not None  # it was just locked
    names = ("topic", "subject", "step", "severity", "role", "sentence", "what_to_do", "link", "urgent", "figures")
    return Alarm(**dict(zip(names, row, strict=True)))
