"""Grants in the mirror: read from SSG, and shown for each enrolment beside what the mirror holds of it.

SSG makes grants from enrolments; there is no call that asks for one (ssg-api 8.1). ``enrolment_grants`` and
``grant_totals`` are what reports and pages show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tms_pipeline.mirror.pull_result import ScopeRead
from tms_pipeline.mirror.scope_reads import (
    BELIEVED_EMPTY_UP_TO,
    Astray,
    Cost,
    Progress,
    ScopeReader,
    empty_sentence,
    keep_read,
    whole_list,
)
from tms_pipeline.records import grant as words
from tms_pipeline.ssg.client import SsgClient
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.ssg.grant import GrantQuery, GrantView
from tms_pipeline.ssg.paging import STEADY
from tms_pipeline.store.database import Connection, copy_rows
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

KIND = "grant"
_COLUMNS = (
    "ssg_ref", "enrolment_reference", "ssg_run_id", "course_reference", "status", "reason", "scheme_code", "scheme",
    "component_code", "component", "estimated", "paid", "recovery", "disbursed_on", "created_on", "updated_on",
)


@dataclass(frozen=True, kw_only=True)
class EnrolmentGrant:
    """One grant of an enrolment that stands at SSG or stood there; or one line for an enrolment without any.

    ``standing`` is one of ``records.grant.STANDINGS``; ``status`` and ``reason`` are SSG's texts as they came, amounts
    are Singapore dollars. No line holds a personal value.
    """

    run_code: str | None
    trainee_ref: str | None
    enrolment_key: str | None
    enrolment_reference: str | None
    enrolment_status: str | None
    fee_status: str | None
    grant_reference: str | None
    standing: str
    status: str | None
    reason: str | None
    scheme: str | None
    component: str | None
    estimated: Decimal | None
    paid: Decimal | None
    recovery: Decimal | None
    disbursed_on: date | None
    since: datetime | None
    what_to_do: str

    def as_row(self) -> dict[str, Any]:
        """Column → value, in order."""
        return asdict(self)


def read_grants(
    workplace: Workplace, client: SsgClient, *, progress: Progress = lambda _: None, whole: bool = False
) -> ScopeRead:
    """Read the provider's grants into the mirror: what changed, or all of them. A failed read changes nothing."""
    work = ScopeReader(workplace, client, progress, whole=whole)
    progress("reading grants")
    since = work.since(KIND, "all")
    if since is not None:
        try:
            return _read(work, client, since)
        except Astray:
            progress("SSG holds another number of grants than their changes account for: reading all")
    return _read(work, client, None)


def _read(work: ScopeReader, client: SsgClient, since: date | None) -> ScopeRead:
    cost, started = Cost(client), work.now()
    note = ScopeRead(KIND, "all", "read", since=since)
    held_there: int | None = None
    try:
        with work.asking():
            wanted = GrantQuery(updated_from=since, sort_by=STEADY, sort_order="asc")
            views = whole_list(lambda: client.grants.iter_search(wanted))
            rows = [_row(view) for view in views]
            note.pages = cost.calls
            if since is not None:
                held_there = client.grants.search(GrantQuery(page_size=1)).total
    except SsgError as error:
        rows, note.state, note.error_code, note.sentence = [], "not read", error.code, error.sentence
    with work.writing() as connection:
        if note.state == "read":
            held = _count(connection)
            if since is None and held > BELIEVED_EMPTY_UP_TO and not rows:
                note.state, note.error_code, note.sentence = "not read", "EMPTY_READ", empty_sentence(held)
            else:
                _merge(connection, rows, started, whole=since is None)
                if held_there is not None and held_there != _count(connection):
                    raise Astray
        note.records, note.calls, note.bytes = len(rows), cost.calls, cost.bytes
        keep_read(connection, note, started)
    return note


def _row(view: GrantView) -> tuple[Any, ...]:
    amount, run_id = view.grant_amount, view.course.run.id
    return (
        view.reference_number, view.enrolment_reference, str(run_id) if run_id is not None else None,
        view.course.reference_number, view.status, view.reason, view.funding_scheme.code,
        view.funding_scheme.description, view.funding_component.code, view.funding_component.description,
        amount.estimated, amount.paid, amount.recovery, view.disbursement_date, view.created_on, view.updated_on,
    )


def _merge(connection: Connection, rows: list[tuple[Any, ...]], started: datetime, *, whole: bool) -> None:
    connection.execute(query("grants/seen"))
    copy_rows(connection, "seen_grants", _COLUMNS, rows)
    connection.execute(query("grants/merge"), {"seen_at": started})
    if whole:
        connection.execute(query("grants/gone"), {"seen_at": started})


def _count(connection: Connection) -> int:
    row = connection.execute(query("grants/count")).fetchone()
    return int(row[0]) if row else 0


def enrolment_grants(connection: Connection, *, runs: Sequence[str] | None = None) -> Iterator[EnrolmentGrant]:
    """Every grant, and every enrolment at SSG without one, by run and trainee; streamed.

    ``runs``: of others only what is not paid and may be expected.
    The connection must stay in its transaction while this is read.
    """
    with connection.cursor(name="enrolment_grants") as cursor:
        cursor.itersize = 1000
        asked = {"runs": None if runs is None else list(runs), "paid": words.PAID}
        cursor.execute(query("grants/enrolments"), _word_lists() | asked)
        for row in cursor:
            *shown, live = row
            line = dict(zip(_SHOWN, shown, strict=True))
            yield EnrolmentGrant(
                **line,
                what_to_do=words.remedy_of(
                    line["standing"], line["reason"], fee_status=line["fee_status"], enrolment_live=bool(live)
                ),
            )


_SHOWN = (
    "run_code", "trainee_ref", "enrolment_key", "enrolment_reference", "enrolment_status", "fee_status",
    "grant_reference", "standing", "status", "reason", "scheme", "component", "estimated", "paid", "recovery",
    "disbursed_on", "since",
)


def grant_totals(connection: Connection) -> dict[str, dict[str, Any]]:
    """Standing → number of lines, enrolments and amounts (estimated, paid, recovery), in the order of ``STANDINGS``.

    When the last read failed there is a standing "not read" with a count of 0 and the sentence that says why.
    """
    found = {
        row[0]: dict(zip(("lines", "enrolments", "estimated", "paid", "recovery"), row[1:], strict=True))
        for row in connection.execute(query("grants/totals"), _word_lists()).fetchall()
    }
    unread = not_read(connection)
    if unread is not None:
        found[words.NOT_READ] = {
            "lines": 0, "enrolments": 0, "estimated": Decimal(0), "paid": Decimal(0), "recovery": Decimal(0),
            "sentence": unread,
        }
    return {standing: found[standing] for standing in words.STANDINGS if standing in found}


def not_read(connection: Connection) -> str | None:
    """Why the grants that stand in the mirror are older than the last look, or None when they were read."""
    row = connection.execute(query("grants/last_read")).fetchone()
    if row is None:
        return "Grants have not been read yet."
    return None if row[0] == "read" else (row[1] or "SSG could not be read.")


def _word_lists() -> dict[str, Any]:
    known = words.known_statuses()
    return {
        "statuses": list(known), "standings": list(known.values()), "other": words.OTHER, "expected": words.EXPECTED,
        "none_expected": words.NONE_EXPECTED,
    }
