"""Real receivers on loopback: a mail server with STARTTLS or TLS, and a web server for webhooks."""

from __future__ import annotations

import contextlib
import email
import email.policy
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from running import free_port

PASSWORD = "made-up-password"


@dataclass
class Mailbox:
    """What a mail server was handed, and what it answers next."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    answer: str = "250 OK"
    before_answer: Callable[[], None] = lambda: None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep the mail; then answer as told."""
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        self.before_answer()
        return self.answer


@contextlib.contextmanager
def mail_server(context: ssl.SSLContext | None, *, security: str, login: bool = False) -> Iterator[Mailbox]:
    """A mail server that takes mail only as ``security`` says."""
    box = Mailbox()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        box.logins.append(data.login.decode())
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)

    box.port = free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, ssl_context=context if security == "tls" else None,
        tls_context=context if security == "starttls" else None, require_starttls=security == "starttls",
        authenticator=authenticate, auth_required=login, auth_require_tls=security == "starttls",
    )  # fmt: skip
    controller.start()
    try:
        yield box
    finally:
        controller.stop(no_assert=True)


@dataclass
class Hook:
    """What a web server was posted, and the statuses that it answers with."""

    url: str = ""
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextlib.contextmanager
def web_server() -> Iterator[Hook]:
    """A web server that keeps what it is posted."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hook.posts.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/alarms"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()


__all__ = ["PASSWORD", "Hook", "Mailbox", "mail_server", "web_server"]
