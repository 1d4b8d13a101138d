"""The guard: every entry of the core asks here. A refusal is one sentence, and stands in the audit log.

Two lines. A verb, job or page says what it is (``doing``), and opening the workplace asks whether its person may; and
the core's own functions ask by ``needs``, whoever calls them.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Concatenate, NoReturn, ParamSpec, TypeVar

from tms_pipeline.roles.matrix import Entry, NotAllowed, matrix
from tms_pipeline.roles.person import SERVICES

if TYPE_CHECKING:
    from tms_pipeline.audit.log import Actor
    from tms_pipeline.workplace import Workplace

P = ParamSpec("P")
R = TypeVar("R")
_entry: ContextVar[Entry | None] = ContextVar("tms_entry", default=None)
# What the core's own functions ask for, for the test that each is a verb of the matrix.
NEEDED: dict[str, str] = {}


@contextlib.contextmanager
def doing(sort: str, name: str) -> Iterator[Entry]:
    """Say which verb, job, report or page runs. Raises NoCell when the matrix does not know it."""
    entry = matrix().entry(sort, name)
    token = _entry.set(entry)
    try:
        yield entry
    finally:
        _entry.reset(token)


def enter(workplace: Workplace) -> None:
    """Ask for the entry that runs now, as the workplace is opened. Raises NotAllowed."""
    entry = _entry.get()
    if entry is not None:
        permit(workplace, entry.sort, entry.name)


def permit(workplace: Workplace, sort: str, name: str) -> Entry:
    """Ask whether the workplace's person may use the entry. Raises NotAllowed, after it was put into the audit log."""
    entry = matrix().entry(sort, name)
    person = workplace.person
    if entry.open or entry.allows(person.role):
        return entry
    what = f"the {sort} '{name}'" if sort != "verb" else f"'tms {name}'"
    if person.role is None:
        sentence = f"{person.name} has no role here, so may not use {what}; an admin gives one by 'tms roles grant'."
    else:
        sentence = f"{person} may not use {what}; that is for {_list(entry.allowed)}."
    return refuse(workplace, sentence, sort=sort, name=name)


def refuse(workplace: Workplace, sentence: str, *, sort: str, name: str, **details: Any) -> NoReturn:
    """Keep a refusal in the audit log and raise it as NotAllowed."""
    import psycopg  # only who is refused pays for loading it

    from tms_pipeline.audit.log import append

    # A database that is not migrated yet has no log; the refusal stands all the same.
    with contextlib.suppress(psycopg.Error), workplace.whole_db.transaction() as connection:
        append(connection, workplace.rings.audit.key, workplace.actor(), "refused", sort, name, **details)
    raise NotAllowed(sentence)


def approver(workplace: Workplace, actor: Actor) -> Actor:
    """Who approves: the person whom the workplace knows, never a name that a caller brought. Raises NotAllowed.

    On a local installation names may be tried out; the pipeline's own services never approve as a person.
    """
    if actor.name in SERVICES:
        refuse(workplace, f"'{actor.name}' is no person and may not approve.", sort="verb", name="approve")
    if workplace.settings.environment != "local" and actor.name != workplace.person.name:
        refuse(
            workplace,
            "Nobody can tell who fills in this form, so it may not approve; run 'tms approve' as yourself.",
            sort="verb", name="approve",
        )  # fmt: skip
    return actor


def permit_run(workplace: Workplace, run_code: str) -> None:
    """Ask whether the run is one of the person's own, where they see their own runs only. Raises NotAllowed."""
    if workplace.person.role == "trainer" and not workplace.db.value(
        "SELECT true FROM register.course_run WHERE key = %s", (run_code,)
    ):
        refuse(
            workplace, f"{workplace.person} sees the runs of trainer {workplace.person.trainer_code} only.",
            sort="run", name=run_code[:80],
        )  # fmt: skip


def needs(verb: str) -> Callable[[Callable[Concatenate[Workplace, P], R]], Callable[Concatenate[Workplace, P], R]]:
    """Mark a function of the core whose first argument is the workplace: its person needs what the verb needs."""

    def mark(function: Callable[Concatenate[Workplace, P], R]) -> Callable[Concatenate[Workplace, P], R]:
        NEEDED[f"{function.__module__}.{function.__qualname__}"] = verb

        @functools.wraps(function)
        def asked(workplace: Workplace, /, *args: P.args, **kwargs: P.kwargs) -> R:
            permit(workplace, "verb", verb)
            return function(workplace, *args, **kwargs)

        return asked

    return mark


def _list(roles: list[str]) -> str:
    return " and ".join([", ".join(roles[:-1]), roles[-1]] if len(roles) > 1 else roles) or "nobody"
