"""Delivery: messages wait in Postgres until their receiver has taken them.

The intent is committed before a message leaves and the outcome after it was taken. A process killed in between leaves
a message that is sent again under the same key (Message-ID, webhook-id): a mail twice costs a glance, a lost one may
cost the funding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from tms_pipeline.alarms.addresses import Address
from tms_pipeline.alarms.mail import mail_of, send_mail
from tms_pipeline.alarms.refused import NotTaken
from tms_pipeline.alarms.webhook import post
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

#: How long a message is tried before it is given up, and the longest wait between two tries.
LONGEST_DAYS = 3
LONGEST_WAIT_MINUTES = 60


@dataclass
class Delivered:
    """What one round of delivery did."""

    sent: int = 0
    kept: int = 0
    given_up: int = 0
    why: list[str] = field(default_factory=list)


def keep(
    connection: Connection, key: str, what: str, address: Address, content: dict[str, Any], *, now: datetime,
    leaves: datetime | None = None, alarms: Sequence[int] = (),
) -> int | None:
    """Keep a message in the caller's transaction; None if it is there already."""
    row = connection.execute(
        "INSERT INTO alarm.message (dedup_key, what, channel, address, content, made_at, next_at) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (dedup_key) DO NOTHING RETURNING message_id",
        (f"{key}.{_mark(address)}", what, address.channel, address.to, Jsonb(content), now, leaves or now),
    ).fetchone()
    if row is None:
        return None
    for alarm_id in alarms:
        connection.execute("INSERT INTO alarm.message_alarm VALUES (%s, %s)", (row[0], alarm_id))
    return int(row[0])


def deliver(workplace: Workplace, *, now: datetime | None = None) -> Delivered:
    """Send what is due, one message at a time; what is not taken is kept and tried again later."""
    done = Delivered()
    now = now or workplace.now()
    skip_channels: list[str] = []
    skip_addresses: list[str] = []
    while True:
        with workplace.db.transaction() as connection:
            row = connection.execute(
                query("alarms/claim"),
                {"now": now, "skip_channels": skip_channels, "skip_addresses": skip_addresses},
            ).fetchone()
        if row is None:
            break
        message_id, key, channel, address, content, made_at, attempts = row
        try:
            _send(workplace, channel, address, key, content, made_at.astimezone(now.tzinfo), now)
        except NotTaken as error:
            given_up = error.for_good or now - made_at > timedelta(days=LONGEST_DAYS)
            _not_taken(workplace, message_id, str(error), attempts, now, given_up)
            if error.down and channel == "mail":
                skip_channels.append(channel)
            elif error.down:
                skip_addresses.append(address)
            done.given_up += given_up
            if str(error) not in done.why:
                done.why.append(str(error))
        else:
            with workplace.db.transaction() as connection:
                connection.execute(
                    "UPDATE alarm.message SET sent_at = %s, lease_until = NULL, why_not = NULL WHERE message_id = %s",
                    (now, message_id),
                )
            done.sent += 1
    done.kept = workplace.db.value("SELECT count(*) FROM alarm.message WHERE sent_at IS NULL AND given_up_at IS NULL")
    return done


def _send(
    workplace: Workplace, channel: str, address: str, key: str, content: dict[str, Any], made_at: datetime,
    now: datetime,
) -> None:
    settings = workplace.settings
    if channel == "webhook":
        post(address, settings.webhook_secret.get_secret_value(), key, content["payload"], now=now)
    elif settings.smtp_host and settings.mail_from:
        send_mail(settings, mail_of(settings, key, address, content, made_at))
    else:
        raise NotTaken("No mail server is set; set TMS_SMTP_HOST and TMS_MAIL_FROM.", down=True)


def _not_taken(workplace: Workplace, message_id: int, why: str, attempts: int, now: datetime, given_up: bool) -> None:
    wait = timedelta(minutes=min(LONGEST_WAIT_MINUTES, 2 ** min(attempts - 1, 10)))
    with workplace.db.transaction() as connection:
        connection.execute(
            "UPDATE alarm.message SET lease_until = NULL, why_not = %s, next_at = %s, given_up_at = %s "
            "WHERE message_id = %s",
            (why, now + wait, now if given_up else None, message_id),
        )


def _mark(address: Address) -> str:
    """An address in a key that others see, such as a Message-ID, without naming it."""
    return hashlib.sha256(f"{address.channel}:{address.to}".encode()).hexdigest()[:12]
