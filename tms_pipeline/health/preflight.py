"""Preflight: what must be right before a night, each with a line and what to do. Asks SSG for real."""

from __future__ import annotations

import shlex
import smtplib
import ssl as tls
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from tms_pipeline.environments import check_ssg
from tms_pipeline.health import database, disk, keys
from tms_pipeline.health import ssg as ssg_checks
from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.operations.ssg_access import client_config
from tms_pipeline.roles import database_roles
from tms_pipeline.settings import Settings, SettingsError
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.errors import ErrorClass, SsgError
from tms_pipeline.store.database import Connection, Database
from tms_pipeline.store.queries import query
from tms_pipeline.submission.gate import KILL_SWITCH
from tms_pipeline.workplace import Workplace

_MAIL_SECONDS = 10.0


def preflight(workplace: Workplace) -> Iterator[Check]:
    """Look at everything that a night needs. Raises nothing of SSG's or the mail server's."""
    settings = workplace.settings
    yield settings_check(settings)
    yield permissions(settings)
    yield roles(workplace)
    with workplace.db.transaction() as connection:
        yield database.latency(connection)
        yield keys.keys(settings, connection)
        yield ssg_checks.clock_check("clock of Postgres", database.clock(connection), "Postgres")
        stopped = _stopped(connection)
    yield ok("migrations", "nothing is pending")  # opening the workplace has migrated
    yield disk.disk(settings)
    found = ssg_checks.certificate(settings)
    if found is not None:
        yield found
    cipher = encryption(settings)
    yield cipher
    if stopped:
        yield warning("ssg", "Calls to SSG are stopped by the switch, so SSG was not asked.",
                      "'tms allow' lets them go again.", "switch")  # fmt: skip
    elif cipher.fine:
        yield from ask_ssg(workplace)
    yield mail(settings)


def settings_check(settings: Settings) -> Check:
    """Whether the settings may speak to the SSG that they name."""
    try:
        check_ssg(settings)
    except SettingsError as error:
        return degraded("settings", str(error), "Correct it in the environment or in .env.", "settings")
    return ok("settings", f"{settings.environment}, SSG is {settings.ssg_env}")


def permissions(settings: Settings) -> Check:
    """Whether others may look into what holds keys or people's own cells. The inbox is ops', who may share it."""
    open_ones: list[str] = []
    for name in ("keys", "archive", "results", "reports", "logs", "tmp"):
        path = settings.home / name
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            open_ones.append(str(path))
    env = Path(".env")
    if env.exists() and env.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and _holds_secret(env):
        open_ones.append(".env")
    others = ("anchors", "backups", "certificates", "dagster", "mappings")
    writable = [settings.home, *(settings.home / name for name in others)]
    loose = [str(path) for path in writable if path.exists() and path.stat().st_mode & stat.S_IWOTH]
    if loose:
        return degraded(
            "permissions", f"Everybody may write into: {', '.join(loose)}.",
            f"Run 'chmod o-w {' '.join(map(shlex.quote, loose))}', and look whether somebody did.", "settings",
        )  # fmt: skip
    if open_ones:
        return degraded(
            "permissions", f"Others may look into: {', '.join(open_ones)}.",
            f"Run 'chmod -R go= {' '.join(map(shlex.quote, open_ones))}'.", "settings",
        )  # fmt: skip
    return ok("permissions", "folders and .env are for their owner only")


def roles(workplace: Workplace) -> Check:
    """Whether people have roles, and whether Postgres has the roles that hold row rules."""
    absent = database_roles.missing(workplace.whole_db)
    if absent:
        return warning(
            "roles", f"Postgres lacks {', '.join(absent)}, so trainers, finance and auditors cannot be let in.",
            "Run 'tms roles database' with a user of Postgres that may make roles.", "settings",
        )  # fmt: skip
    if workplace.whole_db.role is None:
        hidden = row_rules(workplace.whole_db)
        if not hidden.fine:
            return hidden
        return warning(
            "roles", "The pipeline works as the user of DATABASE_URL, who owns its tables, not as tms_app.",
            "Run 'tms roles database' with a user of Postgres that may exempt a role from row rules.", "settings",
        )  # fmt: skip
    if workplace.person.way == "maker" and workplace.settings.environment != "local":
        return warning(
            "roles", f"Nobody has a role yet, so {workplace.person.name}, who can open the key rings, is admin.",
            "Give each person theirs with 'tms roles grant'.", "settings",
        )  # fmt: skip
    return ok("roles", "people have their roles, and Postgres its row rules")


def row_rules(db: Database) -> Check:
    """Whether row rules bind the pipeline. ``db``: connections of the user of DATABASE_URL. Raises psycopg.Error."""
    bound = "SELECT row_security_active(to_regclass('register.trainee'))"
    if database_roles.role_of_app(db) is None and db.value(bound):
        return degraded(
            "row rules", "The pipeline works under row rules, as the user of DATABASE_URL does not own the tables and "
            "tms_app is not exempt here: Postgres takes no rows by COPY so, and nothing can be taken in or judged.",
            "Run 'tms roles database' with a superuser of Postgres, or let DATABASE_URL name the user who migrated.",
            "settings",
        )  # fmt: skip
    return ok("row rules", "none binds the pipeline")


def _holds_secret(env: Path) -> bool:
    names = ("SSG_CLIENT_SECRET=", "SSG_ENCRYPTION_KEY=", "DATABASE_URL=", "TMS_SMTP_PASSWORD=", "TMS_WEBHOOK_SECRET=")
    text = env.read_text(encoding="utf-8", errors="replace")
    return any(line.startswith(names) and not line.rstrip().endswith("=") for line in text.splitlines())


def _stopped(connection: Connection) -> bool:
    row = connection.execute(query("health/gate"), {"switch": KILL_SWITCH}).fetchone()
    return row is not None and row[3] is not None


def encryption(settings: Settings) -> Check:
    """A round trip with SSG's key: is it one at all. Whether it is the right one only SSG can tell (next checks)."""
    try:
        cipher = BodyCipher(settings.encryption_key)
        right = cipher.decrypt(cipher.encrypt("round trip")) == "round trip"
    except (SsgError, ValueError):
        right = False
    if right:
        return ok("encryption", "a round trip with SSG_ENCRYPTION_KEY works")
    return degraded("encryption", "SSG_ENCRYPTION_KEY is not base64 of 32 bytes.", "Copy it again from SSG's portal.",
                    "ssg-credentials")  # fmt: skip


def ask_ssg(workplace: Workplace) -> Iterator[Check]:
    """One small search and, where one is set, an access token; and the host's clock."""
    try:
        config = client_config(workplace)
    except SettingsError as error:
        yield degraded("ssg", str(error), "Set it in the environment or in .env.", "settings")
        return
    try:
        with SsgClient(config) as client:
            began = time.perf_counter()
            answer = client.ping()
            seconds = time.perf_counter() - began
        yield ok("ssg", f"a search with our certificate and key works, in {seconds * 1000:.0f} ms",
                 latency_ms=round(seconds * 1000))  # fmt: skip
        yield ok("token", "an access token was given" if answer.token_checked else "not used: no client id or address")
    except SsgError as error:
        ours = error.error_class in (ErrorClass.CREDENTIALS, ErrorClass.CONFIGURATION)
        token = error.endpoint == "oauth.token"
        yield degraded(
            "token" if token else "ssg", f"{error.sentence} ({error.code})",
            error.remedy.replace("`tms preflight`", "this list"), "ssg-credentials" if ours else "ssg-down",
            code=error.code,
        )  # fmt: skip
    except OSError as error:
        file = error.filename or "A file of certificate or key"
        yield degraded(
            "ssg", f"{file} cannot be used: {error.strerror or 'it is none'}.",
            "Correct SSG_CERT_FILE and SSG_KEY_FILE: two PEM files of one pair.", "certificate",
        )  # fmt: skip
    reached = ssg_checks.reach(workplace.settings, config.base_url, cache_seconds=0)
    if reached.skew_seconds is not None:
        yield ssg_checks.clock_check("clock of SSG", reached.skew_seconds, "SSG")


def mail(settings: Settings) -> Check:
    """Whether the mail server takes us; no mail is sent."""
    if not settings.smtp_host:
        return ok("mail", "not set: alarms are recorded and shown, not mailed")
    trouble = ""
    try:
        trust = tls.create_default_context(cafile=str(settings.smtp_ca_file) if settings.smtp_ca_file else None)
        server: smtplib.SMTP
        if settings.smtp_security == "tls":
            server = smtplib.SMTP_SSL(settings.smtp_host, settings.smtp_port, timeout=_MAIL_SECONDS, context=trust)
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_MAIL_SECONDS)
        with server:
            if settings.smtp_security == "starttls":
                server.starttls(context=trust)
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.noop()
    except smtplib.SMTPAuthenticationError:
        trouble = "refuses user or password"
    except (tls.SSLError, smtplib.SMTPNotSupportedError):
        trouble = "does not speak TLS as TMS_SMTP_SECURITY wants it, or its certificate is not trusted"
    except (OSError, smtplib.SMTPException):
        trouble = "does not answer"
    if trouble:
        return warning("mail", f"The mail server {trouble}.", "Correct TMS_SMTP_…; until then alarms wait and are "
        "shown by 'tms alarms'.", "mail")  # fmt: skip
    return ok("mail", "the mail server takes us")
