"""One call as the handlers see it, and the world they act on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock, iso_utc, local_text, year_month
from .envelopes import Json, Reply
from .fields import text
from .settings import Settings
from .store import Store


@dataclass(slots=True)
class App:
    """One app of the developer portal: a training provider with its key and subscriptions (ssg-api 2.1)."""

    uen: str
    key: bytes
    name: str
    code: str
    subscriptions: tuple[str, ...] = ("*",)
    client_id: str = ""
    client_secret: str = ""
    fingerprints: tuple[str, ...] = ()
    certificate: str = ""


@dataclass(slots=True)
class Endpoint:
    """One row of the endpoint table (ssg-api 2.4)."""

    name: str
    method: str
    path: str
    handler: Callable[[Call], Reply]
    group: str
    auth: str = "mtls"
    request: str = "none"  # none | encrypted | plain | either
    reply_encrypted: bool = False
    dialect: str = "course"
    writes: bool = False
    actions: dict[str, str] = field(default_factory=dict)  # body action -> fault name
    summary: str = ""


@dataclass(slots=True)
class World:
    """Everything the simulated SSG knows (ssg-api 14.1)."""

    store: Store
    clock: Clock
    settings: Settings
    apps: list[App]
    employers: dict[str, str] = field(default_factory=dict)
    seed: str = "0"
    awaiting: dict[str, None] = field(default_factory=dict)  # enrolments whose grants are still to come
    processing: dict[str, None] = field(default_factory=dict)  # grants not yet completed
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)  # bearer -> UEN and end; not kept

    def course(self, reference: Any) -> Json | None:
        """A course by its reference or its external reference; renewed references are other courses (4.1)."""
        name = text(reference)
        found = self.store.get("courses", name)
        if found is not None or not name:
            return found
        return next((c for c in self.store.all("courses") if c["externalReferenceNumber"] == name), None)

    def run(self, run_id: Any) -> Json | None:
        """A run that is not deleted (ssg-api 14.2)."""
        found = self.store.get("runs", text(run_id))
        return found if found is not None and not found["deleted"] else None

    def tpg_run(self, run_id: Any) -> Json | None:
        """A run as the TPG APIs see it: later than the course APIs when the delay switch is on (4.1, 10)."""
        found = self.run(run_id)
        delay = self.settings.visibility_delay_seconds
        hidden = delay and found is not None and found["created"] + delay > self.clock.now()
        return None if hidden else found

    def app_of(self, uen: str) -> App | None:
        """The app of a provider."""
        return next((app for app in self.apps if app.uen == uen), None)

    def reference(self, prefix: str) -> str:
        """`ENR-2510-000505` and its like (ssg-api 9.3)."""
        head = f"{prefix}-{year_month(self.clock.now())}"
        return f"{head}-{self.store.next_number(head):06d}"

    def guid(self, *parts: str) -> str:
        """A repeatable lower-case GUID."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join((self.seed, *parts))))

    def employer_name(self, uen: str) -> str:
        """SSG fills the employer's name from the UEN (ssg-api 6.4)."""
        return self.employers.get(uen, f"EMPLOYER {uen}") if uen else ""


@dataclass(slots=True)
class Call:
    """One decoded call."""

    endpoint: Endpoint
    world: World
    path_params: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    app: App
    settings: Settings
    body: Any = None
    pretend_empty: bool = False  # fault empty_page: answer as if nothing matched
    keep_total: bool = False

    @property
    def store(self) -> Store:
        """The records."""
        return self.world.store

    @property
    def now(self) -> float:
        """Simulated now."""
        return self.world.clock.now()


def utc_meta(record: Json) -> Json:
    """meta of creates and updates (ssg-api 3.1)."""
    return {"createdOn": iso_utc(record["created"]), "updatedOn": iso_utc(record["updated"])}


def local_meta(record: Json) -> Json:
    """meta of views, searches and assessment updates (ssg-api 3.1)."""
    return {"createdOn": local_text(record["created"]), "updatedOn": local_text(record["updated"])}
