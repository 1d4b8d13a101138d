from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from receivers import Hook, Mailbox, mail_server, web_server

from tms_pipeline.settings import Settings
from tms_pipeline.ssg.simulator.certificates import self_signed
from tms_pipeline.workplace import Workplace, open_workplace

SECRET = "a made-up secret of a webhook"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself."""
    return self_signed(tmp_path_factory.mktemp("mail"), "server", "localhost", server=True)


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


@pytest.fixture
def mailbox(tls: ssl.SSLContext) -> Iterator[Mailbox]:
    with mail_server(tls, security="starttls") as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as found:
        yield found


@pytest.fixture
def make_place(settings: Settings, certificate: Path) -> Iterator[Callable[..., Workplace]]:
    """Opens the installation of the test with further settings; a mailbox sets those of mail."""
    opened = []

    def make(box: Mailbox | None = None, **more: Any) -> Workplace:
        mail = {} if box is None else {
            "mail_from": "tms@provider.example", "smtp_host": "127.0.0.1", "smtp_port": box.port,
            "smtp_ca_file": certificate,
        }  # fmt: skip
        given = settings.model_copy(update={"webhook_secret": _secret(), **mail, **more})
        context = open_workplace(given)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def _secret() -> Any:
    from pydantic import SecretStr

    return SecretStr(SECRET)


@pytest.fixture
def make_deadline() -> Callable[..., None]:
    """Writes a compliance review that found so many records open, by run and last day."""

    def make(place: Workplace, **last_days: date) -> None:
        with place.db.transaction() as connection:
            row = connection.execute(
                "INSERT INTO finding.review (about, as_of, correlation_id) VALUES ('compliance', %s, 'c') "
                "RETURNING review_id",
                (place.today(),),
            ).fetchone()
            assert row is not None
            for run_code, last_day in last_days.items():
                connection.execute(
                    "INSERT INTO finding.deadline (review_id, rule, kind, run_code, key, last_day, days_left, standing, "
                    "records, money, sentence, what_to_do) VALUES (%s, 'enrolment-deadline', 'enrolment', %s, %s, %s, %s, "
                    "%s, 3, 900, 's', 'w')",
                    (row[0], run_code, run_code, last_day, (last_day - place.today()).days,
                     "missed" if last_day < place.today() else "near"),
                )  # fmt: skip

    return make
