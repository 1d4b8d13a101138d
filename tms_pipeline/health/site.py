"""The site: where the databases of an installation are, found without starting, migrating or making anything."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL

from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Connection, DatabaseError, conninfo, normalise_url
from tms_pipeline.store.embedded import DAGSTER, EmbeddedPostgres

_CONNECT_SECONDS = 3
_STATEMENT_MILLISECONDS = 10_000


@dataclass(frozen=True)
class Site:
    """An installation as it lies there. ``up`` is the process of ``tms up``, if one lives."""

    settings: Settings
    url: URL
    dagster_url: URL
    embedded: bool
    up: int | None
    start_error: str = ""

    @property
    def home(self) -> Path:
        """The state folder."""
        return self.settings.home

    @contextlib.contextmanager
    def connect(self, *, dagster: bool = False) -> Iterator[Connection]:
        """A short-lived connection to our database or Dagster's; commits by itself. Raises psycopg.Error."""
        with psycopg.connect(
            conninfo(self.dagster_url if dagster else self.url),
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
            application_name="tms health",
            options=f"-c timezone=UTC -c statement_timeout={_STATEMENT_MILLISECONDS}",
        ) as connection:
            yield connection


@contextlib.contextmanager
def site(settings: Settings, *, start: bool) -> Iterator[Site]:
    """The site of these settings.

    ``start``: an embedded Postgres that nobody keeps up is started for as long as we look, as every verb does; under
    ``tms up`` it must be up by itself, and a dead one is what we are here to find.
    """
    with contextlib.ExitStack() as stack:
        up = process_of_up(settings.home)
        if settings.database_url is not None:
            url = normalise_url(settings.database_url.get_secret_value())
            dagster = url.set(database=settings.dagster_database or f"{url.database}_dagster")
            yield Site(settings, url, dagster, embedded=False, up=up)
            return
        error = ""
        server = EmbeddedPostgres(settings.home)
        if start and up is None:
            try:
                stack.enter_context(server)
            except DatabaseError as failed:
                error = str(failed)
            except (OSError, psycopg.Error):
                error = f"The embedded Postgres of {settings.home} cannot be started."
        yield Site(settings, server.url(), server.url(DAGSTER), embedded=True, up=up, start_error=error)


def process_of_up(home: Path) -> int | None:
    """The process id of ``tms up`` of this state folder if it lives, else None."""
    pid = noted_up(home)
    return pid if pid is not None and alive(pid) else None


def noted_up(home: Path) -> int | None:
    """The process id that ``tms up`` noted when it started, dead or alive."""
    try:
        return int(json.loads((home / "up.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def alive(pid: int) -> bool:
    """Whether the process lives, is no zombie, and is one of Python's (numbers are used again)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True  # no /proc here: the number is all we know
    return state != "Z" and (b"tms" in words or b"python" in words)
