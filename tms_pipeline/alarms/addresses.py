"""Whom alarms go to: addresses by role, each a mailbox or a webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from tms_pipeline.alarms.alarm import Role
from tms_pipeline.settings import Settings, SettingsError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SHORTEST_SECRET = 24


@dataclass(frozen=True)
class Address:
    """One place that a message can go to."""

    channel: Literal["mail", "webhook"]
    to: str


def addresses_of(settings: Settings) -> Mapping[Role, Sequence[Address]]:
    """The addresses of each role. Raises SettingsError with one sentence for one that cannot work."""
    return {
        "ops": _parse("TMS_ALARM_OPS", settings.alarm_ops, settings),
        "compliance": _parse("TMS_ALARM_COMPLIANCE", settings.alarm_compliance, settings),
        "on-call": _parse("TMS_ALARM_ON_CALL", settings.alarm_on_call, settings),
    }


def escalation_of(settings: Settings) -> Sequence[Address]:
    """Who is told one after the other when nobody acknowledges."""
    return _parse("TMS_ALARM_ESCALATION", settings.alarm_escalation, settings)


def _parse(name: str, text: str, settings: Settings) -> list[Address]:
    found: list[Address] = []
    for number, part in enumerate((part.strip() for part in text.split(",") if part.strip()), start=1):
        address = _webhook(name, number, part) if "://" in part else _mailbox(name, number, part)
        _can_be_reached(address, settings)
        if address not in found:
            found.append(address)
    return found


def _mailbox(name: str, number: int, text: str) -> Address:
    try:
        return Address("mail", validate_email(text, check_deliverability=False, test_environment=True).normalized)
    except EmailNotValidError:
        raise SettingsError(f"Address {number} of {name} is no e-mail address; write it as name@example.sg.") from None


def _webhook(name: str, number: int, text: str) -> Address:
    url = urlsplit(text)
    if url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK):
        return Address("webhook", text)
    raise SettingsError(f"Address {number} of {name} is no https:// address; a webhook is only told over TLS.")


def _can_be_reached(address: Address, settings: Settings) -> None:
    if address.channel == "mail" and not (settings.smtp_host and settings.mail_from):
        raise SettingsError("Alarms shall go out by e-mail, so set TMS_SMTP_HOST and TMS_MAIL_FROM.")
    if address.channel == "mail" and settings.smtp_security == "none" and settings.smtp_host not in _LOOPBACK:
        raise SettingsError(
            "TMS_SMTP_SECURITY is none, which is for a mail server on this machine only; set starttls or tls."
        )
    if address.channel == "webhook" and len(settings.webhook_secret.get_secret_value()) < SHORTEST_SECRET:
        raise SettingsError(
            f"Alarms shall go out to a webhook, so set TMS_WEBHOOK_SECRET to at least {SHORTEST_SECRET} characters."
        )
