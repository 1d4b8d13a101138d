"""One installation for all tests of a file: an embedded Postgres of its own, which may be killed, and Dagster's storage."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest
from running import short_folder

sys.path.insert(0, str(Path(__file__).parent))

from health_world import beat, run_sql

from tms_pipeline.health.report import Report, report
from tms_pipeline.operations import dagster_home
from tms_pipeline.settings import Settings, load_settings
from tms_pipeline.workplace import open_workplace


@pytest.fixture(scope="module")
def well() -> Iterator[Settings]:
    """Settings of an installation that has worked and is well: migrated, Dagster set up, daemon beating, a night done."""
    before = dict(os.environ)
    with short_folder(in_memory=True) as folder:
        settings = load_settings(_env_file=None, tms_home=folder / "h", TMS_DISK_FREE_MB=1, TMS_HEALTH_SKIP="archive")
        with open_workplace(settings) as place:
            with dagster_home.instance(place):
                beat(settings)
            run_sql(settings, "INSERT INTO outbox.nightly (correlation_id, finished_at, state) VALUES ('n', now(), 'finished')")
            yield settings
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def instance(well: Settings) -> Iterator[dg.DagsterInstance]:
    """Dagster's real storage of the installation."""
    with open_workplace(well) as place, dagster_home.instance(place) as found:
        yield found


@pytest.fixture
def look(well: Settings) -> Callable[..., Report]:
    """Looks at the installation, with settings changed."""
    return lambda **changed: report(well.model_copy(update=changed))


@pytest.fixture
def host() -> Iterator[Callable[[str], str]]:
    """Starts a host that answers everything with 404 and tells the time that it is given; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(told: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(404)
                self.send_header("date", told)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
