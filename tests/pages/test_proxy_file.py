"""The shipped proxy file before two web servers: nginx accepts it, and nobody gets past the login."""

from __future__ import annotations

import contextlib
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from browser import skip_or_fail
from running import PROJECT_ROOT, free_port, killed, listens, short_folder, wait_until

from tms_pipeline.ssg.simulator.certificates import self_signed

MEI, SIEW = ("mei", "made-up-operator"), ("siew", "made-up-reviewer")
SECRET = "f" * 64


@dataclass
class Behind:
    """The proxy's address, and what the servers behind it were asked."""

    url: str
    plain: str
    trust: ssl.SSLContext
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def get(self, path: str, login: tuple[str, str] | None = None, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, auth=login, headers=headers, verify=self.trust, timeout=10)


@pytest.fixture(scope="module")
def behind() -> Iterator[Behind]:
    """nginx with the shipped file; only paths, ports, host and user are this machine's."""
    nginx = shutil.which("nginx")
    skip_or_fail("" if nginx else "no nginx is installed (apt-get install nginx-light)")
    skip_or_fail("" if shutil.which("htpasswd") else "no htpasswd is installed (apt-get install apache2-utils)")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(short_folder())
        (folder / "tls").mkdir()
        certificate = self_signed(folder / "tls", "tms", "localhost", server=True)
        found = Behind("", "", ssl.create_default_context(cafile=str(certificate)))
        operators = stack.enter_context(_server("operators", found))
        reviewers = stack.enter_context(_server("reviewers", found))
        https, http = free_port(), free_port()
        found.url, found.plain = f"https://127.0.0.1:{https}", f"http://127.0.0.1:{http}"
        pages = stack.enter_context(_server("pages", found))
        (folder / "key").write_text("secret")
        for group, people in (("operators", [MEI]), ("reviewers", [MEI, SIEW])):
            lines = [_htpasswd(*person) for person in people]
            (folder / f"{group}.htpasswd").write_text("".join(lines))
        (folder / "proxy-secret.conf").write_text(f'proxy_set_header X-Tms-Proxy-Secret "{SECRET}";\n')
        text = (PROJECT_ROOT / "deploy/proxy/nginx.conf").read_text(encoding="utf-8")
        for ours, here in {
            "/etc/tms/": f"{folder}/", "127.0.0.1:3000": f"127.0.0.1:{operators}", "127.0.0.1:3001": f"127.0.0.1:{reviewers}",
            "127.0.0.1:3002": f"127.0.0.1:{pages}",
            "/var/log/nginx/": f"{folder}/", "/run/nginx-tms.pid": f"{folder}/pid", "listen 80;": f"listen 127.0.0.1:{http};",
            "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
            "tms.example.sg": "127.0.0.1", "worker_processes auto": "worker_processes 1",
        }.items():
            assert ours in text, f"nginx.conf has no {ours}"
            text = text.replace(ours, here)
        file = folder / "nginx.conf"
        file.write_text(text)
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        checked = subprocess.run([str(nginx), "-t", "-c", str(file)], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        process = subprocess.Popen(
            [str(nginx), "-c", str(file), "-g", "daemon off;"], start_new_session=True, stderr=subprocess.DEVNULL
        )
        stack.callback(killed, process)
        wait_until(lambda: listens(https), seconds=10, why="nginx does not listen")
        yield found


def _htpasswd(name: str, password: str) -> str:
    return subprocess.run(
        ["htpasswd", "-niB", name], input=password, capture_output=True, text=True, check=True
    ).stdout.strip() + "\n"


@contextlib.contextmanager
def _server(name: str, behind: Behind) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behind.asked.append((name, self.path, {key.lower(): value for key, value in self.headers.items()}))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(name.encode())

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("path", "login", "status"),
    [("/", None, 401), ("/review/", None, 401), ("/reports/reports.html", None, 401), ("/graphql", None, 401),
     ("/", SIEW, 401), ("/graphql", SIEW, 401), ("/review/", (SIEW[0], "wrong"), 401),
     ("/", MEI, 200), ("/review/", MEI, 200), ("/review/", SIEW, 200), ("/reports/reports.html", SIEW, 200),
     ("/reports/../key", SIEW, 401), ("/reports/%2e%2e/key", SIEW, 401), ("/reports/..%2fkey", SIEW, 401)],
)  # fmt: skip
def test_everybody_gets_what_their_group_may_see_and_nobody_more(
    behind: Behind, path: str, login: tuple[str, str] | None, status: int
) -> None:
    answer = behind.get(path, login)
    assert answer.status_code == status
    if status == 200:
        assert answer.text == {"/": "operators", "/review/": "reviewers"}.get(path, "pages")


def test_the_webserver_hears_who_logged_in_and_no_password(behind: Behind) -> None:
    behind.get("/review/runs", SIEW, **{"X-Forwarded-User": "mei", "X-Tms-Proxy-Secret": "guessed"})
    name, path, headers = behind.asked[-1]
    assert (name, path, headers["x-forwarded-user"]) == ("reviewers", "/review/runs", "siew")
    assert headers["x-tms-proxy-secret"] == SECRET
    assert "authorization" not in headers
    behind.get("/reports/runs.html", SIEW, **{"X-Forwarded-User": "mei", "X-Tms-Proxy-Secret": "guessed"})
    name, path, headers = behind.asked[-1]
    assert (name, path, headers["x-forwarded-user"]) == ("pages", "/reports/runs.html", "siew")
    assert headers["x-tms-proxy-secret"] == SECRET


def test_plain_http_is_sent_to_tls(behind: Behind) -> None:
    answer = httpx.get(f"{behind.plain}/review/runs?a=b", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "https://127.0.0.1/review/runs?a=b")
