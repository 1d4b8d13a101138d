"""Grants beside compliance: what SSG pays for each enrolment, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tms_pipeline.mirror.grants import enrolment_grants, grant_totals
from tms_pipeline.reports.document import Section, Table, columns, known, small
from tms_pipeline.reports.facts import Facts

_OF_RUN = columns(
    ("Trainee", 11), ("SSG enrolment", 18), ("Fee at SSG", 16), ("Grant", 18), ("Standing", 16), ("SSG's status", 18),
    ("SSG's reason", 30, True), ("Scheme", 24, True), ("Component", 24, True), ("Estimated", 12), ("Paid", 12),
    ("Recovered", 12), ("Paid on", 13), ("Since", 18), ("What to do", 50, True),
)  # fmt: skip
_ALL = columns(("Course run", 18)) + _OF_RUN


def grants_section(facts: Facts) -> Section:
    """Grants in numbers, and each enrolment with its grants."""
    totals = [
        (standing, one["lines"], one["enrolments"], one["estimated"], one["paid"], one["recovery"],
         one.get("sentence", ""))
        for standing, one in grant_totals(facts.connection).items()
    ]  # fmt: skip
    titles = ("Standing", "Lines", "Enrolments", "Estimated", "Paid", "Recovered", "Note")
    return Section("Grants", (
        small("Grants by standing", titles, totals),
        Table("Grants", _ALL, partial(_rows, facts), title="Each enrolment with its grants",
              empty="No enrolment is at SSG yet."),
    ))  # fmt: skip


def grants_of_run(facts: Facts, run_code: str) -> Table:
    """The enrolments of one run with their grants."""
    return known(
        "Grants", _OF_RUN, (row[1:] for row in _rows(facts) if row[0] == run_code),
        title="Grants by enrolment", empty="No enrolment of this run is at SSG yet.",
    )  # fmt: skip


def _rows(facts: Facts) -> Iterator[tuple[Any, ...]]:
    for one in enrolment_grants(facts.connection, runs=facts.settled.part.runs):
        # What was just written is not bound to its run before the next read; its key names both.
        run, _, trainee = (one.enrolment_key or "").partition("|")
        yield (one.run_code or run, one.trainee_ref or trainee, one.enrolment_reference, one.fee_status,
               one.grant_reference, one.standing, one.status, one.reason, one.scheme, one.component, one.estimated,
               one.paid, one.recovery, one.disbursed_on, one.since, one.what_to_do)  # fmt: skip
