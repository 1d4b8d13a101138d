"""What tests of health share: changes as time or an accident would have made them, and looks at one check."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tms_pipeline.health.check import Check
from tms_pipeline.health.report import Report
from tms_pipeline.health.site import site
from tms_pipeline.settings import Settings

BEATS = ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR", "MONITORING")


def run_sql(settings: Settings, *statements: str, dagster: bool = False) -> None:
    """Change the database, or Dagster's."""
    with site(settings, start=False) as place, place.connect(dagster=dagster) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[call-overload]


def beat(settings: Settings, *, seconds_ago: float = 5, ids: tuple[str, ...] = ("one",)) -> None:
    """Heartbeats as a daemon leaves them, the last so long ago; with two ids as two daemons do."""
    rows = ", ".join(
        f"('{kind}', '{ids[number % len(ids)]}', (now() AT TIME ZONE 'UTC') - {seconds_ago} * interval '1 second', '{{}}')"
        for number, kind in enumerate(BEATS)
    )
    run_sql(
        settings,
        "DELETE FROM daemon_heartbeats",
        f"INSERT INTO daemon_heartbeats (daemon_type, daemon_id, timestamp, body) VALUES {rows}",
        dagster=True,
    )


def named(found: Report | Iterable[Check], name: str) -> Check:
    """The check of that name."""
    checks = found.checks if isinstance(found, Report) else found
    return next(check for check in checks if check.name == name)


def certificate_pair(folder: Path, *, days: float) -> dict[str, Path]:
    """A certificate that ends in so many days, with its key, as settings."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made up")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=400))
        .not_valid_after(now + dt.timedelta(days=days)).sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = {"ssg_cert_file": folder / "client.crt", "ssg_key_file": folder / "client.key"}
    for path, content in (
        (paths["ssg_cert_file"], signed.public_bytes(serialization.Encoding.PEM)),
        (paths["ssg_key_file"], key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())),
    ):  # fmt: skip
        path.write_bytes(content)
        os.chmod(path, 0o600)
    return paths
