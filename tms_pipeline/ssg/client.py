"""The client of SSG's training-provider APIs: one credential, every call of ssg-api 4 to 8."""

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tms_pipeline.ssg.assessment_calls import Assessments
from tms_pipeline.ssg.attendance_calls import Attendance
from tms_pipeline.ssg.call_record import CallGate, CallRecord
from tms_pipeline.ssg.catalogue import Catalogue, Codes
from tms_pipeline.ssg.config import ClientConfig, certificate_expiry
from tms_pipeline.ssg.course_run_calls import CourseRuns
from tms_pipeline.ssg.credit import Credit
from tms_pipeline.ssg.enrolment import EnrolmentQuery
from tms_pipeline.ssg.enrolment_calls import Enrolments
from tms_pipeline.ssg.grant_calls import Grants
from tms_pipeline.ssg.trainer_calls import Trainers
from tms_pipeline.ssg.transport import Transport

__all__ = ["CallGate", "CallRecord", "PingResult", "SsgClient"]


@dataclass(frozen=True)
class PingResult:
    """What a ping found. certificate_expires_at: aware, UTC; None without a certificate."""

    seconds: float
    certificate_expires_at: dt.datetime | None
    token_checked: bool


class SsgClient:
    """Every call to SSG for one credential. A context manager; thread-safe; keeps its connections open.

    gate: rate limit, breaker and kill switch, asked before every call. on_call: told after every call,
    without bodies. clock: seconds that only go up.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        gate: CallGate | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Opens nothing yet. Raises SsgError (configuration, credentials) for settings that cannot work."""
        self._transport = Transport(config, gate=gate, on_call=on_call, clock=clock)
        self._clock = clock
        self.config = config
        self.course_runs = CourseRuns(self._transport)
        self.trainers = Trainers(self._transport)
        self.attendance = Attendance(self._transport)
        self.enrolments = Enrolments(self._transport)
        self.assessments = Assessments(self._transport)
        self.grants = Grants(self._transport)
        self.catalogue = Catalogue(self._transport)
        self.codes = Codes(self._transport)
        self.credit = Credit(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def unclassified(self) -> Counter[str]:
        """How often SSG answered what the error table does not know, by endpoint, status and code."""
        return Counter(self._transport.unclassified)

    @property
    def traffic(self) -> tuple[int, int]:
        """How many calls this client has made so far, and how many bytes came back."""
        return self._transport.traffic

    def ping(self) -> PingResult:
        """Reachability, certificate, key and subscription in one cheap read: an enrolment search of one row.

        Fetches an access token too when a client id is set. Raises SsgError when anything does not work.
        """
        started = self._clock()
        self.enrolments.search(EnrolmentQuery(page_size=1))
        with_token = bool(self.config.client_id and self.config.oauth_base_url)
        if with_token:
            self._transport.check_token()
        expires = certificate_expiry(self.config.cert_file) if self.config.cert_file else None
        return PingResult(self._clock() - started, expires, with_token)
