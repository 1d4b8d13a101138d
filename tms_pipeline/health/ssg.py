"""SSG as seen from here: does its host answer, do the clocks agree, the breaker, the switch, the certificate.

What is asked of the host is one bare ``GET /``, which is no call of SSG's API, needs no key and changes nothing. The
answer is kept in the state folder for a minute, so that many who look cost SSG one question.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tms_pipeline.backups.watching import OF_RESTORES
from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.health.database import words
from tms_pipeline.health.site import Site
from tms_pipeline.operations.dagster_home import write_whole
from tms_pipeline.operations.simulator_process import running
from tms_pipeline.settings import Settings
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.connection import quiet_loggers, tls_context
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.database import Connection
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import KILL_SWITCH

CACHE_SECONDS = 60.0
TIMEOUT_SECONDS = 5.0
CERTIFICATE_DAYS = 30


@dataclass(frozen=True)
class Reach:
    """What came of one question: ``trouble`` is empty when the host answered; ``skew_seconds`` is its clock's lead."""

    base_url: str
    at: float
    trouble: str
    latency_ms: float | None = None
    skew_seconds: float | None = None


def ssg(site: Site, connection: Connection | None, *, cache_seconds: float = CACHE_SECONDS) -> Iterator[Check]:
    """Reachability with breaker and switch; and the clock, when the host told the time."""
    settings = site.settings
    opened, since, failures, stopped = False, None, 0, None
    if connection is not None:
        row = connection.execute(query("health/gate"), {"switch": KILL_SWITCH}).fetchone()
        opened, since, failures, stopped = row or (False, None, 0, None)
    facts: dict[str, Any] = {
        "breaker": "not known" if connection is None else "open" if opened else "closed",
        "failures_in_a_row": int(failures),
        "calls_stopped": stopped is not None,
    }
    if stopped is not None:
        for word in OF_RESTORES:
            if str(stopped).startswith(word):
                yield warning(
                    "ssg", f"Calls to SSG are stopped: {word}.", "'tms doctor' says whether a restore runs or was "
                    "broken off, and how to go on.", "backup", reachable=None, **facts,
                )  # fmt: skip
                return
        yield warning(
            "ssg", "Calls to SSG are stopped by the switch.", "'tms allow' lets them go again; 'tms audit show' says "
            "who stopped them.", "switch", reachable=None, **facts,
        )  # fmt: skip
        return
    base_url = address(settings)
    if not base_url:
        trouble = "The simulator does not run, and 'tms up' should keep it up." if site.up is not None else ""
        if trouble:
            yield degraded(
                "ssg",
                trouble,
                "Stop with 'tms down' and start again with 'tms up'.",
                "ssg-down",
                reachable=False,
                **facts,
            )
        else:
            yield ok("ssg", "the simulator is started when it is needed", reachable=None, **facts)
        return
    found = reach(settings, base_url, cache_seconds=cache_seconds)
    facts |= {"latency_ms": found.latency_ms, "asked_seconds_ago": round(time.time() - found.at, 1)}
    if found.trouble:
        yield degraded(
            "ssg", found.trouble, "Nothing is lost and no attempt is burnt: when SSG is back, work goes on by itself. "
                                  "If "
            "only we cannot reach it, see SSG_BASE_URL, the firewall and the certificate with 'tms preflight'.",
            "ssg-down", reachable=False, **facts,
        )  # fmt: skip
    elif opened:
        yield degraded(
            "ssg", f"The breaker is open{f' since {words(since)}' if since else ''}: calls failed ten times in a row.",
            "A probe goes out each minute and closes it when SSG is well; 'tms preflight' makes a whole call now.",
            "ssg-down", reachable=True, **facts,
        )  # fmt: skip
    else:
        yield ok(
            "ssg", f"answers in {found.latency_ms:g} ms; the breaker is {facts['breaker']}", reachable=True, **facts
        )
    if found.skew_seconds is not None:
        yield clock_check("clock", found.skew_seconds, "SSG")


def clock_check(name: str, skew: float, whose: str) -> Check:
    """Whether somebody's clock and ours agree."""
    from tms_pipeline.health.database import CLOCK_SECONDS

    if abs(skew) > CLOCK_SECONDS:
        return degraded(
            name, f"The clock of {whose} is {words(abs(skew))} {'ahead of' if skew > 0 else 'behind'} ours.",
            "Set the clock by NTP ('timedatectl set-ntp true'); leases, deadlines and tokens go by it.", "clock-skew",
            skew_seconds=round(skew, 1),
        )  # fmt: skip
    return ok(name, f"within {max(1, round(abs(skew)))} s of {whose}", skew_seconds=round(skew, 1))


def address(settings: Settings) -> str:
    """Where SSG is for this installation; empty when it is a simulator that does not run."""
    if settings.ssg_base_url or settings.ssg_env != "simulator":
        return settings.ssg_base_url
    return running(settings) or ""


def reach(settings: Settings, base_url: str, *, cache_seconds: float = CACHE_SECONDS) -> Reach:
    """Ask the host whether it is there; an answer of less than ``cache_seconds`` ago counts."""
    place = settings.home / "health" / "ssg.json"
    kept = _kept(place)
    if kept is not None and kept.base_url == base_url and 0 <= time.time() - kept.at < cache_seconds:
        return kept
    found = _ask(settings, base_url)
    with contextlib.suppress(OSError):  # on a full disk every look asks anew
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, json.dumps(asdict(found)))
    return found


def _kept(place: Path) -> Reach | None:
    try:
        return Reach(**json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _ask(settings: Settings, base_url: str) -> Reach:
    now = time.time()
    config = ClientConfig(
        base_url=base_url, uen=settings.uen, cert_file=settings.ssg_cert_file, key_file=settings.ssg_key_file,
        ca_file=settings.ssg_ca_file,
    )  # fmt: skip
    try:
        tls = tls_context(config) if base_url.startswith("https:") else False
        began = time.perf_counter()
        with (
            quiet_loggers(),
            httpx.Client(verify=tls, timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=bool(tls)) as client,
            client.stream("GET", base_url.rstrip("/") + "/", headers={"user-agent": "tms-pipeline"}) as reply,
        ):
            seconds = time.perf_counter() - began
            told = reply.headers.get("date", "")
    except SsgError as error:
        return Reach(base_url, now, error.sentence)
    except httpx.TimeoutException:
        return Reach(base_url, now, f"SSG's host gave no answer in {TIMEOUT_SECONDS:g} seconds.")
    except httpx.HTTPError as error:
        tls_trouble = "ssl" in str(error).lower() or "certificate" in str(error).lower()
        return Reach(base_url, now, "SSG's host refuses our certificate, or we its own." if tls_trouble else
                     "SSG's host cannot be reached.")  # fmt: skip
    return Reach(base_url, now, "", round(seconds * 1000, 1), _skew(told, now + seconds / 2))


def _skew(told: str, ours: float) -> float | None:
    try:
        theirs = parsedate_to_datetime(told).timestamp()
    except (ValueError, TypeError):
        return None
    return theirs + 0.5 - ours  # the header has whole seconds, cut off


def certificate(settings: Settings) -> Check | None:
    """The client certificate: in date, and the key its own. None where there is none."""
    if settings.ssg_cert_file is None:
        return None
    name = "certificate"
    try:
        found = x509.load_pem_x509_certificate(settings.ssg_cert_file.read_bytes())
    except (OSError, ValueError):
        return degraded(name, "The file in SSG_CERT_FILE cannot be read or holds no certificate.",
                        "Correct SSG_CERT_FILE; it is a PEM file.", "certificate")  # fmt: skip
    seconds = (found.not_valid_after_utc - datetime.now(UTC)).total_seconds()
    facts = {"expires_at": found.not_valid_after_utc.isoformat(), "days_left": int(seconds // 86400)}
    renew = "Make a new pair, upload the certificate to SSG's developer portal, put both files in place and restart."
    if seconds < 0:
        return degraded(name, f"The certificate expired {words(-seconds)} ago; SSG refuses every call.", renew,
                        "certificate", **facts)  # fmt: skip
    if found.not_valid_before_utc > datetime.now(UTC):
        return degraded(name, "The certificate is not valid "
                              "yet.", "See that our clock is right, else wait or make another.",
                        "certificate", **facts)  # fmt: skip
    unfit = _key_unfit(settings, found)
    if unfit:
        return degraded(name, unfit, "Put the key that the certificate was made with in SSG_KEY_FILE, or make a new "
                                     "pair.",
                        "certificate", **facts)  # fmt: skip
    if seconds < CERTIFICATE_DAYS * 86400:
        return warning(name, f"The certificate expires in {words(seconds)}.", renew, "certificate", **facts)
    return ok(name, f"valid for {int(seconds // 86400)} more days, and the key is its own", **facts)


def _key_unfit(settings: Settings, found: x509.Certificate) -> str:
    if settings.ssg_key_file is None:
        return ""  # one PEM file may hold both
    try:
        key = load_pem_private_key(settings.ssg_key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return "The file in SSG_KEY_FILE cannot be read, holds no key, or has a password."
    if settings.ssg_key_file.stat().st_mode & 0o077:
        return "Others may read the file in SSG_KEY_FILE; run 'chmod 600' on it."
    ours = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    theirs = found.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "" if ours == theirs else "The key in SSG_KEY_FILE does not belong to the certificate."
