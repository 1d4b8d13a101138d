"""One call to SSG, from a body to a typed reply or a classified error."""

import datetime as dt
import re
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from tms_pipeline.ssg.again import wait_before_next
from tms_pipeline.ssg.call_record import CallGate, CallRecord, Trace
from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.connection import Broken, Connection, settings_error
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.endpoints import ENDPOINTS, TOKEN_ENDPOINT, VERSION_GROUPS, Endpoint
from tms_pipeline.ssg.envelope import Answer, Problem, find_problem, read_answer, retry_after
from tms_pipeline.ssg.errors import ErrorEntry, ShapeError, SsgError, classify
from tms_pipeline.ssg.request import Query, content_of, url_of
from tms_pipeline.ssg.tokens import TOKEN_BODY, TokenCache, basic_credentials, read_token

Result = TypeVar("Result")
_CORRELATION_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Transport:
    """Sends calls for one credential. Thread-safe."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        gate: CallGate | None = None,
        on_call: Callable[[CallRecord], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        unknown = set(config.api_versions) - VERSION_GROUPS
        if unknown:
            raise settings_error(f"api_versions knows only {', '.join(sorted(VERSION_GROUPS))}")
        self.config = config
        self.unclassified: Counter[str] = Counter()
        self.traffic = (0, 0)
        self._gate = gate
        self._on_call = on_call
        self._clock = clock
        self._lock = threading.Lock()
        self._cipher = _cipher(config.encryption_key)
        self._connection = Connection(config, clock)
        self._tokens = TokenCache(self._fetch_token, clock)

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()

    def check_token(self) -> None:
        """Fetch an access token unless there is a good one. Raises SsgError."""
        self._tokens.token()

    def call(
        self,
        name: str,
        read: Callable[[Answer], Result],
        *,
        record_id: str | int = "",
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        correlation_id: str | None = None,
    ) -> Result:
        """Send the endpoint `name` and give what `read` makes of the answer. Raises SsgError.

        A read is sent again after trouble that passes, where the caller has asked for that (`again`).
        """
        endpoint = ENDPOINTS[name]
        correlation_id = correlation_id or str(uuid.uuid4())
        if not _CORRELATION_ID.fullmatch(correlation_id):
            raise ShapeError("X-Correlation-Id", "letters, digits and ._:- only, at most 128", endpoint=name)
        url = url_of(self.config, endpoint, record_id, query)
        content = content_of(self.config, self._cipher, endpoint, body)
        tried = 1
        while True:
            again: list[float] = []
            try:
                if self._gate is not None:
                    self._gate.before(name)
                return self._recorded(
                    endpoint,
                    correlation_id,
                    lambda trace: read(self._send(endpoint, url, content, correlation_id, trace)),
                    tried=tried,
                    again=again,
                )
            except SsgError:
                if not again:
                    raise
            time.sleep(again[0])
            tried += 1

    # ---- inside ----

    def _recorded(
        self,
        endpoint: Endpoint,
        correlation_id: str,
        work: Callable[[Trace], Result],
        *,
        tried: int = 1,
        again: list[float] | None = None,
    ) -> Result:
        """Do the work and tell of it. Where it may be tried again, `again` takes the seconds until then."""
        trace = Trace()
        started = self._clock()
        outcome, code = "unknown", None  # of a call that something else than an error of SSG's ends
        try:
            try:
                result = work(trace)
                outcome = "ok"
                return result
            except (ValidationError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
                pass
            self._unusable("shape", endpoint, correlation_id, trace.status)
        except SsgError as error:
            if error.endpoint in ("", endpoint.name):
                error.endpoint = endpoint.name
                error.correlation_id = error.correlation_id or correlation_id
                error.http_status = trace.status if error.http_status is None else error.http_status
            outcome, code = error.error_class.value, error.code
            wait = wait_before_next(error, tried, is_write=endpoint.is_write)
            if again is not None and wait is not None:
                again.append(wait)
            raise
        finally:
            seconds = self._clock() - started
            self._report(
                CallRecord(
                    endpoint=endpoint.name,
                    method=endpoint.method,
                    correlation_id=correlation_id,
                    http_status=trace.status,
                    error_class=None if outcome == "ok" else outcome,
                    error_code=code,
                    seconds=seconds,
                    sent_bytes=trace.sent_bytes,
                    received_bytes=trace.received_bytes,
                ),
                outcome,
                gate=not again,  # the breaker counts what failed in the end: three tries are one failure
            )

    def _report(self, record: CallRecord, outcome: str, *, gate: bool) -> None:
        """Tell gate and listener. What they raise is counted, not passed on: a reply in hand is not lost."""
        with self._lock:
            self.traffic = (self.traffic[0] + 1, self.traffic[1] + record.received_bytes)
        try:
            if gate and self._gate is not None:
                self._gate.after(record.endpoint, outcome, record.seconds)
        except Exception:
            self._count(f"gate.after failed {record.endpoint}")
        try:
            if self._on_call is not None:
                self._on_call(record)
        except Exception:
            self._count(f"on_call failed {record.endpoint}")

    def _send(
        self, endpoint: Endpoint, url: str, content: bytes | None, correlation_id: str, trace: Trace
    ) -> Answer:
        if not endpoint.oauth:
            return self._once(endpoint, url, content, correlation_id, trace, {})
        bearer = self._bearer()
        try:
            return self._once(endpoint, url, content, correlation_id, trace, bearer)
        except SsgError as error:
            if error.http_status != 401:
                raise
        self._tokens.forget()
        return self._once(endpoint, url, content, correlation_id, trace, self._bearer())

    def _bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._tokens.token()}"}

    def _once(
        self,
        endpoint: Endpoint,
        url: str,
        content: bytes | None,
        correlation_id: str,
        trace: Trace,
        extra: Mapping[str, str],
    ) -> Answer:
        headers = {
            "accept": "application/json",
            "content-type": "application/json",
            "x-correlation-id": correlation_id,
            **self.config.extra_headers,
            **extra,
        }
        if endpoint.uen_header:
            headers["uen"] = self.config.uen
        version = self.config.api_versions.get(endpoint.version_group)
        if version:
            headers["x-api-version"] = version
        answer = self._exchange(endpoint, url, content, correlation_id, trace, headers)
        if not {"data", "status"} & set(answer.document or ()):
            self._unusable("unreadable", endpoint, correlation_id, trace.status)
        return answer

    def _exchange(
        self,
        endpoint: Endpoint,
        url: str,
        content: bytes | None,
        correlation_id: str,
        trace: Trace,
        headers: dict[str, str],
    ) -> Answer:
        """The answer, if it is no error."""
        trace.sent_bytes = len(content or b"")
        seconds = self.config.timeout_seconds * endpoint.time
        broken: Broken | None = None
        try:
            status, reply_headers, received = self._connection.exchange(
                endpoint.method, url, headers, content, seconds
            )
        except Broken as error:
            broken = error
        if broken is not None:
            code, sent = broken.code, broken.sent
            if code == "reset" and not endpoint.is_write and self._connection.certificate_refused(url):
                code = "tls-client"  # never for a write: it may have been done before the trouble began
            dialect = "reply" if code == "too-large" else "transport"
            self._fail(
                self._classified(endpoint, None, dialect, code, sent=sent),
                endpoint,
                correlation_id,
            )
        trace.status, trace.received_bytes = status, len(received)
        answer = read_answer(status, received, self._cipher)
        problem = find_problem(answer)
        if problem is not None:
            wait = retry_after(reply_headers.get("retry-after"), dt.datetime.now(dt.UTC))
            self._refuse(problem, endpoint, correlation_id, status, wait)
        return answer

    def _classified(
        self,
        endpoint: Endpoint,
        status: int | None,
        dialect: str,
        code: str,
        message: str = "",
        *,
        sent: bool = True,
    ) -> ErrorEntry:
        return classify(
            status, dialect, code, message, endpoint=endpoint.name, is_write=endpoint.is_write, sent=sent
        )

    def _refuse(
        self, problem: Problem, endpoint: Endpoint, correlation_id: str, status: int, wait: float | None
    ) -> NoReturn:
        code = problem.codes[0] if problem.codes else ""
        entry_ = self._classified(endpoint, problem.status, problem.dialect, code, problem.message)
        self._fail(
            entry_,
            endpoint,
            correlation_id,
            http_status=status,
            fields=problem.fields,
            ssg_codes=problem.codes,
            retry_after_seconds=wait,
        )

    def _unusable(self, code: str, endpoint: Endpoint, correlation_id: str, status: int | None) -> NoReturn:
        self._fail(
            self._classified(endpoint, None, "reply", code), endpoint, correlation_id, http_status=status
        )

    def _fail(self, entry_: ErrorEntry, endpoint: Endpoint, correlation_id: str, **details: Any) -> NoReturn:
        if entry_.unclassified:
            codes = ",".join(details.get("ssg_codes", ()))
            self._count(f"{endpoint.name} {details.get('http_status')} {codes}".strip())
        raise SsgError(entry_, endpoint=endpoint.name, correlation_id=correlation_id, **details)

    def _count(self, what: str) -> None:
        with self._lock:
            self.unclassified[what] += 1

    def _fetch_token(self) -> tuple[str, float]:
        """A new access token and its lifetime in seconds (ssg-api 2.2)."""
        config = self.config
        if not config.client_id or not config.client_secret:
            raise settings_error("client_id or client_secret is missing")
        correlation_id = str(uuid.uuid4())
        headers = {
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "authorization": basic_credentials(config.client_id, config.client_secret),
            "x-correlation-id": correlation_id,
        }
        url = config.oauth_base_url.rstrip("/") + TOKEN_ENDPOINT.path

        def exchange(trace: Trace) -> tuple[str, float]:
            answer = self._exchange(TOKEN_ENDPOINT, url, TOKEN_BODY, correlation_id, trace, headers)
            found = read_token(answer.document)
            if found is None:
                self._unusable("unreadable", TOKEN_ENDPOINT, correlation_id, trace.status)
            return found

        return self._recorded(TOKEN_ENDPOINT, correlation_id, exchange)


def _cipher(key: str) -> BodyCipher | None:
    if not key:
        return None
    try:
        return BodyCipher(key)
    except ValueError:
        pass
    raise settings_error("encryption_key must be base64 of 32 bytes")
