"""The workplace: settings, Postgres, keys, folders of one installation, opened once a process."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from tms_pipeline.audit.log import Actor
from tms_pipeline.identity import keyring
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.settings import Settings, load_settings
from tms_pipeline.store.database import Database, normalise_url
from tms_pipeline.store.embedded import DAGSTER, EmbeddedPostgres
from tms_pipeline.store.migrations import migrate, state


@dataclass(frozen=True)
class Workplace:
    """What every verb, asset and sensor works with."""

    settings: Settings
    db: Database
    rings: KeyRings
    dagster_url: URL

    @property
    def home(self) -> Path:
        """The state folder."""
        return self.settings.home

    def folder(self, name: str) -> Path:
        """A folder of the state folder, made if need be, for its owner only."""
        path = self.home / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def today(self) -> date:
        """Today in Singapore, or TMS_TODAY where a past day is to be looked at."""
        if self.settings.today:
            return date.fromisoformat(self.settings.today)
        return datetime.now(ZoneInfo(self.settings.timezone)).date()

    def now(self) -> datetime:
        """This moment, with the provider's time zone."""
        return datetime.now(ZoneInfo(self.settings.timezone))

    def actor(self, correlation_id: str | None = None, *, name: str | None = None, role: str = "ops admin") -> Actor:
        """Who acts now, under this correlation id or a new one."""
        return Actor(
            name=name or self.settings.person, role=role, correlation_id=correlation_id or new_correlation_id()
        )


def new_correlation_id() -> str:
    """A fresh correlation id."""
    return uuid.uuid4().hex


@contextlib.contextmanager
def open_workplace(settings: Settings | None = None, *, migrations: bool = True) -> Iterator[Workplace]:
    """Open the workplace: start the embedded Postgres if none is given, migrate, make missing keys.

    Raises SettingsError, DatabaseError or KeyringError, each with one sentence.
    """
    settings = settings or load_settings()
    with contextlib.ExitStack() as stack:
        if settings.database_url is None:
            server = stack.enter_context(EmbeddedPostgres(settings.home))
            url, dagster_url = server.url(), server.url(DAGSTER)
        else:
            url = normalise_url(settings.database_url.get_secret_value())
            dagster_url = url.set(database=os.environ.get("TMS_DAGSTER_DATABASE", f"{url.database}_dagster"))
            settings.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        db = stack.enter_context(Database(url))
        if migrations and state(url).pending:
            migrate(url)
        if not (settings.home / "keys").exists():
            keyring.create(settings.home)
        rings = keyring.load(settings.home)
        yield Workplace(settings=settings, db=db, rings=rings, dagster_url=dagster_url)
