"""Alarms as people look at them: the list, the acknowledgement, the messages, the digest, a test message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from tms_pipeline.alarms.addresses import addresses_of
from tms_pipeline.alarms.alarm import Role
from tms_pipeline.alarms.delivery import Delivered, deliver, keep
from tms_pipeline.alarms.wording import digest_content, test_content
from tms_pipeline.audit.log import Actor, append
from tms_pipeline.settings import SettingsError
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace, new_correlation_id


class NoAlarm(LookupError):
    """There is no such alarm; the message is one sentence."""


def alarms(workplace: Workplace, *, all_: bool = False) -> list[dict[str, Any]]:
    """The open alarms, or all of them: what, since when, who was told."""
    with workplace.db.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query("alarms/list"), {"all": all_}).fetchall()


def acknowledge(workplace: Workplace, numbers: Sequence[int], *, reason: str, actor: Actor) -> int:
    """Say that somebody takes care: these are not handed on any more. Raises NoAlarm, and changes nothing then."""
    if not reason.strip():
        raise ValueError("Say with --reason what is done about it.")
    with workplace.db.transaction() as connection:
        for number in numbers:
            row = connection.execute(
                "UPDATE alarm.alarm SET acknowledged_at = now(), acknowledged_by = %s, acknowledged_why = %s "
                "WHERE alarm_id = %s AND acknowledged_at IS NULL RETURNING topic",
                (actor.name, reason, number),
            ).fetchone()
            if row is None:
                known = connection.execute(
                    "SELECT acknowledged_by FROM alarm.alarm WHERE alarm_id = %s", (number,)
                ).fetchone()
                if known is None:
                    raise NoAlarm(f"There is no alarm {number}; tms alarms lists those that are open.")
                raise NoAlarm(f"Alarm {number} was acknowledged before, by {known[0]}.")
            append(
                connection, workplace.rings.audit.key, actor, "alarm acknowledged", "alarm", str(number),
                topic=row[0], reason=reason,
            )  # fmt: skip
    return len(numbers)


def messages(workplace: Workplace, *, last: int = 20) -> list[dict[str, Any]]:
    """The last messages: to which channel, when, and why not yet."""
    with workplace.db.transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            "SELECT message_id, what, channel, address, content ->> 'subject' AS subject, made_at, next_at, attempts, "
            "sent_at, given_up_at, why_not FROM alarm.message ORDER BY message_id DESC LIMIT %s",
            (last,),
        ).fetchall()


def undelivered(workplace: Workplace) -> tuple[int, int]:
    """How many messages could not be handed over yet, and how many of the last week were given up."""
    rows = workplace.db.rows(
        "SELECT count(*) FILTER (WHERE given_up_at IS NULL AND why_not IS NOT NULL), "
        "count(*) FILTER (WHERE given_up_at > now() - interval '7 days') FROM alarm.message WHERE sent_at IS NULL"
    )
    return int(rows[0][0]), int(rows[0][1])


def digest(workplace: Workplace, *, now: datetime | None = None) -> dict[str, Any]:
    """The morning's digest as it would be sent."""
    now = now or workplace.now()
    settings = workplace.settings
    (numbers,) = workplace.db.rows(query("alarms/digest"), {"now": now})
    open_alarms = workplace.db.value("SELECT count(*) FROM alarm.alarm WHERE ended_at IS NULL")
    return digest_content(
        day=workplace.today(), rows_to_fix=numbers[0], need_person=numbers[1], due=numbers[2], open_alarms=open_alarms,
        links=settings.links, provider=settings.provider_name,
    )  # fmt: skip


def send_digest(workplace: Workplace, *, now: datetime | None = None) -> Delivered:
    """Send the digest to ops, once a day and address."""
    now = now or workplace.now()
    content = digest(workplace, now=now)
    with workplace.db.transaction() as connection:
        for address in addresses_of(workplace.settings)["ops"]:
            keep(connection, f"digest.{workplace.today()}", "digest", address, content, now=now)
    return deliver(workplace, now=now)


def send_test(workplace: Workplace, role: Role, *, now: datetime | None = None) -> Delivered:
    """Send a test message to every address of a role. Raises SettingsError when it has none."""
    now = now or workplace.now()
    settings = workplace.settings
    people = addresses_of(settings)[role]
    if not people:
        raise SettingsError(f"The role {role} has no address; set TMS_ALARM_{role.upper().replace('-', '_')}.")
    content = test_content(links=settings.links, provider=settings.provider_name, role=role)
    with workplace.db.transaction() as connection:
        for address in people:
            keep(connection, f"test.{new_correlation_id()}", "test", address, content, now=now)
    return deliver(workplace, now=now)
