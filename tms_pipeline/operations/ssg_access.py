"""Access to SSG: the client of this installation, made from its settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tms_pipeline.operations.simulator_process import running, seed_courses, simulator
from tms_pipeline.settings import SettingsError
from tms_pipeline.ssg.call_record import CallRecord
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.endpoints import ENDPOINTS
from tms_pipeline.submission.gate import Gate
from tms_pipeline.workplace import Workplace


@dataclass
class CallCount:
    """How many calls went out, reads and writes apart."""

    reads: int = 0
    writes: int = 0
    by_endpoint: dict[str, int] = field(default_factory=dict)

    def __call__(self, record: CallRecord) -> None:
        """Count one call."""
        endpoint = ENDPOINTS.get(record.endpoint)
        if endpoint is not None and endpoint.is_write:
            self.writes += 1
        else:
            self.reads += 1
        self.by_endpoint[record.endpoint] = self.by_endpoint.get(record.endpoint, 0) + 1


def client_config(workplace: Workplace) -> ClientConfig:
    """How this installation reaches SSG. Raises SettingsError when the address is missing."""
    settings = workplace.settings
    if not settings.ssg_base_url:
        raise SettingsError(
            "SSG_BASE_URL is empty and no simulator runs; start one with 'tms simulator' or run 'make demo'."
        )
    return ClientConfig(
        base_url=settings.ssg_base_url,
        oauth_base_url=settings.ssg_oauth_url,
        uen=settings.uen,
        training_partner_code=settings.ssg_tp_code,
        encryption_key=settings.encryption_key,
        client_id=settings.ssg_client_id,
        client_secret=settings.ssg_client_secret.get_secret_value(),
        cert_file=settings.ssg_cert_file,
        key_file=settings.ssg_key_file,
        ca_file=settings.ssg_ca_file,
        corppass_id=settings.corppass_id,
        timeout_seconds=settings.ssg_timeout_seconds,
        quoted_body=settings.ssg_quoted_body,
    )


@contextlib.contextmanager
def ssg_client(workplace: Workplace) -> Iterator[tuple[SsgClient, CallCount]]:
    """The client with gate and counter; where SSG is our own simulator, that is started if need be.

    Raises SettingsError or SsgError for settings that cannot work.
    """
    count = CallCount()
    with contextlib.ExitStack() as stack:
        settings = workplace.settings
        if settings.ssg_env == "simulator" and not settings.ssg_base_url:
            base_url = stack.enter_context(simulator(settings))
            workplace = replace(workplace, settings=settings.model_copy(update={"ssg_base_url": base_url}))
        introduce_courses(workplace)
        yield stack.enter_context(SsgClient(client_config(workplace), gate=Gate(workplace), on_call=count)), count


def introduce_courses(workplace: Workplace) -> None:
    """At our own simulator only: make it know our courses, as SSG's registry does before a provider may run them."""
    settings = workplace.settings
    if settings.ssg_env == "simulator" and running(settings) == settings.ssg_base_url:
        courses = workplace.db.rows(
            "SELECT key, course_title, skill_code, full_course_fee FROM register.course WHERE live ORDER BY key"
        )
        seed_courses(settings.ssg_base_url, settings, [(r[0], r[1], r[2], r[3]) for r in courses])
