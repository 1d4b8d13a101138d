"""Bytes to SSG and back: TLS with our certificate, reused connections, deadlines, and what broke.

Nothing here logs. While a call runs, the loggers of httpx and httpcore are silent on its thread, because
their records can carry an URL with an id number in it, or the bytes of an answer that was no HTTP.
"""

import contextlib
import datetime as dt
import logging
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import urlsplit

import httpx

from tms_pipeline.ssg.config import ClientConfig, certificate_expiry
from tms_pipeline.ssg.errors import SsgError, failure

MAX_REPLY_BYTES = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
PROBE_SECONDS = 2.0
# So many threads share one pool of connections; measured best at 8 to 16.
SHARD_THREADS = 8
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CERTIFICATE_ALERT = re.compile(r"ALERT.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")
_HEADERS = {"accept-encoding": "identity", "connection": "keep-alive", "user-agent": "tms-pipeline"}
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")

_in_call: ContextVar[bool] = ContextVar("ssg_call_running", default=False)


def _outside_calls(record: logging.LogRecord) -> bool:
    return not _in_call.get()


@contextlib.contextmanager
def quiet_loggers() -> Iterator[None]:
    """Drop what httpx and httpcore log on this thread."""
    token = _in_call.set(True)
    try:
        yield
    finally:
        _in_call.reset(token)


class Broken(Exception):
    """No usable answer. `code`: connect, tls-server, tls-client, timeout, reset or too-large."""

    def __init__(self, code: str, *, sent: bool) -> None:
        self.code = code
        self.sent = sent
        super().__init__(code)


def settings_error(what: str) -> SsgError:
    """An SSG-SETTINGS error that names the setting, not its value."""
    return failure("SSG-SETTINGS", sentence=f"The SSG client cannot work with its settings: {what}.")


class Connection:
    """One pool of connections for one credential. Thread-safe."""

    def __init__(self, config: ClientConfig, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises SsgError (configuration or credentials) when the settings cannot work."""
        for name, url in (("base_url", config.base_url), ("oauth_base_url", config.oauth_base_url)):
            _check_url(name, url, needed=name == "base_url")
        if config.timeout_seconds <= 0:
            raise settings_error("timeout_seconds must be more than 0")
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            if _outside_calls not in logger.filters:
                logger.addFilter(_outside_calls)
        self._clock = clock
        self._cert_file = config.cert_file or ""
        secure = config.base_url.startswith("https:") or config.oauth_base_url.startswith("https:")
        hosts = {urlsplit(url).hostname for url in (config.base_url, config.oauth_base_url) if url}
        self._tls = tls_context(config) if secure else None
        self._direct = hosts <= set(_LOOPBACK)
        self._lock = threading.Lock()
        self._mine = threading.local()
        self._shards: list[tuple[httpx.Client, list[weakref.ref[threading.Thread]]]] = []
        self._shard()

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            shards, self._shards = self._shards, []
        self._mine = threading.local()
        for client, _ in shards:
            client.close()

    def _shard(self) -> httpx.Client:
        """The client of this thread. A pool of httpx collapses under very many calls, so few threads share each."""
        found: httpx.Client | None = getattr(self._mine, "client", None)
        if found is not None:
            return found
        with self._lock:
            for _, users in self._shards:
                users[:] = [user for user in users if (thread := user()) is not None and thread.is_alive()]
            shard = next((known for known in self._shards if len(known[1]) < SHARD_THREADS), None)
            if shard is None:
                shard = (self._client(), [])
                self._shards.append(shard)
            shard[1].append(weakref.ref(threading.current_thread()))
        self._mine.client = shard[0]
        return shard[0]

    def _client(self) -> httpx.Client:
        return httpx.Client(
            verify=self._tls or False,  # False: plain http, loopback only
            trust_env=not self._direct,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10),
        )

    def certificate_refused(self, url: str) -> bool:
        """Ask with a bare handshake, which does nothing at SSG, whether our certificate is the trouble.

        A server that refuses it often just hangs up on a request, and its alert is lost on the way. One that
        hangs up on the bare handshake, too, counts when we have no certificate or when it is out of date.
        """
        parts = urlsplit(url)
        if self._tls is None or parts.scheme != "https" or parts.hostname is None:
            return False
        try:
            with (
                socket.create_connection((parts.hostname, parts.port or 443), PROBE_SECONDS) as plain,
                self._tls.wrap_socket(plain, server_hostname=parts.hostname) as secure,
            ):
                secure.settimeout(PROBE_SECONDS)
                hung_up = secure.recv(1) == b""
        except ssl.SSLError as error:
            return _CERTIFICATE_ALERT.search(error.reason or "") is not None
        except ConnectionResetError:
            hung_up = True
        except OSError:
            return False
        return hung_up and not self._certificate_in_date()

    def _certificate_in_date(self) -> bool:
        try:
            return bool(self._cert_file) and certificate_expiry(self._cert_file) > dt.datetime.now(dt.UTC)
        except (OSError, ValueError):
            return False

    def exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, seconds: float
    ) -> tuple[int, httpx.Headers, bytes]:
        """One request, one answer: status, headers, body. Raises Broken, never anything else."""
        limits = {"connect": min(seconds, CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
        deadline = self._clock() + seconds
        with quiet_loggers():
            try:
                # The request as it is: what the client would merge into each (cookies, parameters) costs as much as
                # the call, and SSG is to get nothing that we did not write.
                request = httpx.Request(
                    method, _url(url), headers={**_HEADERS, **headers}, content=body, extensions={"timeout": limits}
                )
                with contextlib.closing(self._shard().send(request, stream=True)) as reply:
                    received = bytearray()
                    for chunk in reply.iter_bytes():
                        received += chunk
                        if len(received) > MAX_REPLY_BYTES:
                            raise Broken("too-large", sent=True)
                        if self._clock() > deadline:
                            raise Broken("timeout", sent=True)
                    return reply.status_code, reply.headers, bytes(received)
            except Broken as error:
                broken = error
            except Exception as error:  # whatever a hostile answer makes the stack raise
                broken = _broken(error)
        raise broken


def tls_context(config: ClientConfig) -> ssl.SSLContext:
    """Server verification always; our certificate when there is one. Raises SsgError."""
    try:
        context = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
    except (OSError, ValueError):
        context = None
    if context is None:
        raise settings_error("ca_file cannot be read")
    if config.cert_file:
        try:
            context.load_cert_chain(
                str(config.cert_file), str(config.key_file) if config.key_file else None, password=lambda: ""
            )
            loaded = True
        except (OSError, ValueError):
            loaded = False
        if not loaded:
            raise failure("SSG-CREDENTIAL-FILES")
    return context


def _url(text: str) -> httpx.URL:
    """The address, taken apart; most calls of a batch go to few. What asks for a person is not kept."""
    return httpx.URL(text) if "?" in text else _known_url(text)


@lru_cache(maxsize=256)
def _known_url(text: str) -> httpx.URL:
    return httpx.URL(text)


def _check_url(name: str, url: str, *, needed: bool) -> None:
    if not url:
        if needed:
            raise settings_error(f"{name} is missing")
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if (
        not host
        or parts.scheme not in ("http", "https")
        or parts.query
        or parts.fragment
        or "@" in parts.netloc
    ):
        raise settings_error(f"{name} must be https://host")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise settings_error(f"{name} must be https; plain http is for loopback only")


def _broken(error: Exception) -> Broken:
    """What an exception of the HTTP stack means, and whether bytes of the request may have gone out."""
    reason = _tls_reason(error)
    if isinstance(error, httpx.ConnectError):
        if reason is not None:
            client = _CERTIFICATE_ALERT.search(reason) is not None
            server = "CERTIFICATE_VERIFY_FAILED" in reason
            return Broken("tls-client" if client else "tls-server" if server else "connect", sent=False)
        return Broken("connect", sent=False)
    if isinstance(
        error,
        httpx.ConnectTimeout
        | httpx.PoolTimeout
        | httpx.ProxyError
        | httpx.UnsupportedProtocol
        | httpx.InvalidURL,
    ):
        return Broken("connect", sent=False)
    if reason is not None and _CERTIFICATE_ALERT.search(reason):
        return Broken("tls-client", sent=True)
    return Broken("timeout" if isinstance(error, httpx.TimeoutException) else "reset", sent=True)


def _tls_reason(error: BaseException | None) -> str | None:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLError):
            unverified = isinstance(error, ssl.SSLCertVerificationError)
            return "CERTIFICATE_VERIFY_FAILED" if unverified else error.reason or ""
        error = error.__cause__ or error.__context__
        seen += 1
    return None
