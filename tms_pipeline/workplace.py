"""The workplace: settings, Postgres, keys, folders of one installation, opened once a process."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy.engine import URL

from tms_pipeline.audit.log import Actor
from tms_pipeline.identity import belonging, keyring
from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.identity.masking import redact
from tms_pipeline.operations.logs import open_journal
from tms_pipeline.roles import database_roles, guard
from tms_pipeline.roles.identify import identify
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.roles.person import SERVICES, Person
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
    known: Person | None = field(default=None, repr=False)
    unscoped: Database | None = field(default=None, repr=False)

    @property
    def person(self) -> Person:
        """Who acts: found out once; see ``roles.identify``. Raises NotAllowed for a token that does not hold."""
        if self.known is None:
            object.__setattr__(self, "known", identify(self.settings, self.whole_db, self.rings))
        return cast(Person, self.known)

    @property
    def whole_db(self) -> Database:
        """The database without the person's row rules, for what the pipeline itself notes, such as the audit log."""
        return self.unscoped or self.db

    @property
    def owner_db(self) -> Database:
        """The database as the user of DATABASE_URL, who owns its tables: roles, index ring, old audit entries.

        All else is done as tms_app, which may neither alter a table nor touch what the audit log holds.
        """
        return self.whole_db.as_login

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

    def actor(
        self, correlation_id: str | None = None, *, name: str | None = None, role: str | None = None
    ) -> Actor:
        """Who acts now, under this correlation id or a new one.

        ``name`` and ``role`` are for the pipeline's own services; any other name counts on a local installation only.
        """
        person = self.person
        if name and name != person.name and name not in SERVICES and self.settings.environment != "local":
            name = role = None
        return Actor(
            name=name or person.name,
            role=(role if name else None) or person.role or "none",
            correlation_id=correlation_id or self._new_correlation_id(),
        )

    def _new_correlation_id(self) -> str:
        said = self.settings.actor if self.settings.environment != "local" else ""
        lead = re.sub(r"[^a-z0-9]+", "-", redact(said).lower()).strip("-")[:20]
        return f"{lead}-{new_correlation_id()}" if lead else new_correlation_id()

    @contextlib.contextmanager
    def of(self, person: Person) -> Iterator[Workplace]:
        """The workplace as this person sees it: their reads run under the row rules of their role in Postgres.

        Raises NotAllowed when the database has no such rules and the person must not see all of it.
        """
        if person.database_role is None:
            yield replace(self, known=person, db=self.whole_db, unscoped=None)
            return
        if not database_roles.there(self.whole_db, person.database_role):
            raise NotAllowed(
                f"This database has no role {person.database_role}, so what {person} may not see cannot be kept apart; "
                "an admin runs 'tms roles database' with a user of Postgres that may make roles."
            )
        scope = {"tms.trainer": person.trainer_code} if person.trainer_code else {}
        with Database(self.whole_db.url, max_size=4, role=person.database_role, scope=scope) as db:
            yield replace(self, known=person, db=db, unscoped=self.whole_db)



def new_correlation_id() -> str:
    """A fresh correlation id."""
    return uuid.uuid4().hex


@contextlib.contextmanager
def open_workplace(
    settings: Settings | None = None, *, migrations: bool = True, start: bool = True
) -> Iterator[Workplace]:
    """Open the workplace: start the embedded Postgres if none is given, migrate, make missing keys.

    Without ``start`` an embedded Postgres must be up already.

    Raises SettingsError, DatabaseError, KeyringError or NotAllowed, each with one sentence.
    """
    settings = settings or load_settings()
    with contextlib.ExitStack() as stack:
        if settings.database_url is None:
            server = EmbeddedPostgres(settings.home)
            if start:
                stack.enter_context(server)
            url, dagster_url = server.url(), server.url(DAGSTER)
        else:
            url = normalise_url(settings.database_url.get_secret_value())
            dagster_url = url.set(database=settings.dagster_database or f"{url.database}_dagster")
            settings.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        db = stack.enter_context(Database(url))
        if migrations:
            found = state(url)
            if found.pending or found.too_new:
                migrate(url)  # refuses, in a sentence, when the schema is too new for this code
        open_journal(settings)
        belonging.refuse_new_rings(settings, db)
        rings = keyring.rings_of(settings)
        belonging.refuse_foreign_audit_ring(rings.audit, db)
        role = database_roles.role_of_app(db)
        if role is not None:
            db.close()
            db = stack.enter_context(Database(url, role=role))
        workplace = Workplace(settings=settings, db=db, rings=rings, dagster_url=dagster_url)
        guard.enter(workplace)
        yield stack.enter_context(workplace.of(workplace.person))
