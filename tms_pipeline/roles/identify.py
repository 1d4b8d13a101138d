"""Who acts: by a signed token, else by the operating system; in production nothing in the environment changes that."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tms_pipeline.identity.keyring import KeyRings
from tms_pipeline.roles import tokens
from tms_pipeline.roles.grants import grants
from tms_pipeline.roles.guard import needs
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.roles.person import Person
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import Database

if TYPE_CHECKING:
    from tms_pipeline.workplace import Workplace


def system_user() -> str:
    """The operating system's user, by the process's own number: no variable of the environment can change it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def identify(settings: Settings, db: Database, rings: KeyRings) -> Person:
    """The person of this process.

    As long as nobody has a role, whoever can open the key rings is the maker of the installation, and its admin.
    Where ENVIRONMENT is local, TMS_ACTOR may name another person, to try roles out. Raises NotAllowed for a token that
    does not hold.
    """
    token = settings.token.get_secret_value()
    if token:
        claim = tokens.check(rings.audit.keys, token, now=datetime.now(UTC))
        return _known(db, claim.person, "token", not_before=claim.made_at)
    name = settings.person if settings.environment == "local" and settings.actor else system_user()
    return _known(db, name, "system")


def identify_request(settings: Settings, db: Database, name: str) -> Person:
    """The person whom the proxy vouches for; see ``proxy.name_of_request``."""
    return _known(db, name, "proxy")


def _known(db: Database, name: str, way: str, *, not_before: datetime | None = None) -> Person:
    found = grants(db)
    if not found and way == "system":
        return Person(name, "admin", "maker")
    for item in found or ():
        if item.person == name and way in item.ways:
            # A token is as old as the role that it was made for: a role that was taken away takes its tokens along.
            if not_before is not None and not_before + timedelta(seconds=1) < item.granted_at:
                raise NotAllowed("The token in TMS_TOKEN is older than the role of its person; ask for a new one.")
            return Person(name, item.role, way, item.trainer_code)
    return Person(name, None, way)


@needs("roles token")
def make_token(workplace: Workplace, person: str, *, days: float) -> str:
    """A signed token for a person who has a role that may be proven so; its making is in the audit log.

    Raises ValueError with one sentence otherwise.
    """
    from tms_pipeline.audit.log import append

    item = next((item for item in grants(workplace.db) or () if item.person == person and "token" in item.ways), None)
    if item is None:
        raise ValueError(f"{person} has no role that a token may prove; see 'tms roles list'.")
    ring = workplace.rings.audit
    made = tokens.make(ring.key, ring.active, person, now=datetime.now(UTC), lasts=timedelta(days=days))
    with workplace.db.transaction() as connection:
        append(connection, ring.key, workplace.actor(), "token made", "person", person, days=days)
    return made
