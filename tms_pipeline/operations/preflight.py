"""Preflight: what must be right before a night, each with a line and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tms_pipeline.operations.ssg_access import client_config
from tms_pipeline.settings import SettingsError
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.config import certificate_expiry
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.migrations import state
from tms_pipeline.submission.gate import KILL_SWITCH
from tms_pipeline.workplace import Workplace

CERTIFICATE_DAYS = 30
FREE_BYTES = 1_000_000_000


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    fine: bool
    sentence: str


def preflight(workplace: Workplace) -> Iterator[Finding]:
    """Look at database, keys, disk, certificate, encryption, the switch and SSG itself. Raises nothing of SSG's."""
    pending = state(workplace.db.url).pending
    yield Finding(
        "database",
        not pending,
        "answers, nothing is pending"
        if not pending
        else f"migrations are pending ({', '.join(pending)}); run 'tms migrate'",
    )
    yield Finding("key rings", True, "all three are there and readable by their owner only")
    free = shutil.disk_usage(workplace.home).free
    yield Finding(
        "disk",
        free > FREE_BYTES,
        f"{free // 1_000_000:,} MB free"
        if free > FREE_BYTES
        else f"only {free // 1_000_000:,} MB free; make room before the night",
    )
    stopped = workplace.db.value("SELECT reason FROM ssg.switch WHERE name = %s AND stopped", (KILL_SWITCH,))
    yield Finding(
        "switch",
        stopped is None,
        "calls are allowed" if stopped is None else f"calls are stopped ({stopped}); 'tms allow' lets them go",
    )
    yield from _ssg(workplace)


def _ssg(workplace: Workplace) -> Iterator[Finding]:
    try:
        config = client_config(workplace)
    except SettingsError as error:
        yield Finding("SSG settings", False, str(error))
        return
    if config.cert_file is not None:
        try:
            left = (certificate_expiry(config.cert_file) - datetime.now(UTC)).days
            yield Finding(
                "certificate",
                left > CERTIFICATE_DAYS,
                f"valid for {left} more days"
                if left > CERTIFICATE_DAYS
                else f"ends in {left} days; make a new one and upload it to SSG's developer portal",
            )
        except (OSError, ValueError):
            yield Finding("certificate", False, "cannot be read; correct SSG_CERT_FILE")
    try:
        cipher = BodyCipher(config.encryption_key)
        right = cipher.decrypt(cipher.encrypt("round trip")) == "round trip"
        yield Finding("encryption", right, "a round trip with SSG_ENCRYPTION_KEY works")
    except (SsgError, ValueError):
        yield Finding(
            "encryption", False, "SSG_ENCRYPTION_KEY is not base64 of 32 bytes; copy it again from SSG's portal"
        )
        return
    try:
        with SsgClient(config) as client:
            answer = client.ping()
        yield Finding("SSG", True, f"answers in {answer.seconds * 1000:.0f} ms")
    except SsgError as error:
        yield Finding("SSG", False, f"{error.sentence} {error.remedy.replace('`tms preflight`', 'this list')}")
