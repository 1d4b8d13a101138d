"""Write reports into a folder: same content of the database, same bytes, whatever the clock says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

from tms_pipeline.compliance.rules import Rule, package_rules
from tms_pipeline.compliance.ruleset import rules_of
from tms_pipeline.reports.data import json_parts
from tms_pipeline.reports.document import Document
from tms_pipeline.reports.document_page import write_document
from tms_pipeline.reports.facts import Facts, read_facts
from tms_pipeline.reports.folders import own_folder
from tms_pipeline.reports.month import first_of, last_of, month_summary
from tms_pipeline.reports.page import write_page
from tms_pipeline.reports.receipts import receipts
from tms_pipeline.reports.run_life import run_status
from tms_pipeline.reports.sheets import DOCUMENTS
from tms_pipeline.reports.workbook import write_workbook
from tms_pipeline.roles.guard import needs, permit, permit_run
from tms_pipeline.settled.scope import MOST_FULL_LOOK_DAYS, WHOLE, scope_of
from tms_pipeline.store.as_of import end_of, looking_back
from tms_pipeline.store.database import Database
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace


def _workbook(make: Callable[[Facts], Document], facts: Facts, path: Path) -> list[Path]:
    return write_workbook(make(facts), path)


def _month(facts: Facts) -> Document:
    return month_summary(facts, first_of(None, facts.today))


PAGE = "reports.html"
#: What the nightly sync writes: the page, a workbook a document, and the month so far.
FORMS: dict[str, Callable[[Facts, Path], object]] = {
    **{f"{name}.xlsx": partial(_workbook, make) for name, make in DOCUMENTS.items()},
    PAGE: write_page,
    "month.html": lambda facts, path: write_document(_month(facts), path),
    "month.xlsx": partial(_workbook, _month),
}  # fmt: skip
#: Every report that can be asked for, and what it holds.
KINDS: dict[str, str] = {
    "reconciliation": "what differs between us and SSG, and what to do about each",
    "compliance": "what the rules say about every run, grants, and the rules with their sources",
    "dead-letters": "submissions that need a person",
    "submissions": "receipts of everything that SSG accepted, and what is still open",
    "runs": "the life of each course run in one row, and its deadlines",
    "run": "the whole life of one course run on one page (--run)",
    "receipts": "what SSG accepted, with file, sheet and row, answer and approval; of one run with --run",
    "month": "one month for the management: volumes, on time, at risk, rejected, SSG's availability (--month)",
    "page": "the page for reviewers",
}


class ReportError(ValueError):
    """A report that cannot be made as it was asked for; the message is one sentence that says what to do."""


@contextmanager
def look(
    db: Database, *, today: date, provider: str, rules: Sequence[Rule] | None = None, as_of: date | None = None,
    open_only: bool = False, of_run: bool = False,
) -> Iterator[Facts]:
    """The facts of all reports in one snapshot: of now, or of the end of a past day in Singapore.

    ``open_only``: lists leave out the runs that are settled, and say so; totals never do. ``of_run``: for the page of
    one run, which needs nothing that is about all.

    Raises ReportError for a day that is not over, and while something that began on it is still being written: a
    report of a past day must not change.
    """
    if as_of is not None and as_of > today:
        raise ReportError(f"{as_of.isoformat()} lies ahead; a report is of today or of a day before.")
    moment = end_of(as_of) if as_of is not None and as_of < today else None
    # Asked before the snapshot is taken: who begins afterwards begins after the moment.
    if moment is not None and db.value(query("history/unfinished"), {"moment": moment}):
        raise ReportError(
            f"Something that began before the end of {as_of} is still being written; ask again in a minute."
        )
    with db.transaction() as connection:
        connection.execute(query("reports/snapshot"))
        with looking_back(connection, moment):
            used = package_rules() if rules is None else rules
            part = WHOLE
            if open_only and moment is None:
                part = scope_of(connection, today=today, rules=used, full_look_days=MOST_FULL_LOOK_DAYS).open
            yield read_facts(connection, today=as_of or today, provider=provider, rules=used, part=part, of_run=of_run)


def write_reports(
    db: Database, folder: Path, *, today: date, provider: str, rules: Sequence[Rule] | None = None,
    only: Sequence[str] | None = None, as_of: date | None = None,
) -> list[Path]:
    """Write every nightly form (or those named in ``only``) from one snapshot; returns their paths.

    They list what is not settled; a report that is asked for by name, or for a past day, lists all.
    Each file is whole or not there: it is written beside its place and then renamed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with look(db, today=today, provider=provider, rules=rules, as_of=as_of, open_only=True) as facts:
        return [
            path for name, write in FORMS.items() if only is None or name in only
            for path in _whole(folder / name, partial(write, facts))
        ]  # fmt: skip


def document_of(facts: Facts, kind: str, *, run: str | None = None, month: str | None = None) -> Document:
    """The report of that kind before it has a form. Raises ReportError or UnknownRun."""
    if kind == "run":
        if run is None:
            raise ReportError("Say which course run: tms report run --run CODE.")
        return run_status(facts, run)
    if kind == "receipts":
        return receipts(facts, run)
    if kind == "month":
        return month_summary(facts, first_of(month, facts.today))
    if kind not in DOCUMENTS:
        raise ReportError(f"There is no report '{kind}'; there are {', '.join(KINDS)}.")
    return DOCUMENTS[kind](facts)


def write_document_forms(document: Document, folder: Path) -> list[Path]:
    """A workbook and a page of one document, and the CSV of its longest tables."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return [
        *_whole(folder / f"{document.name}.xlsx", partial(write_workbook, document)),
        *_whole(folder / f"{document.name}.html", partial(write_document, document)),
    ]


@needs("report")
def order(
    workplace: Workplace, kind: str | None = None, *, run: str | None = None, month: str | None = None,
    as_of: date | None = None, folder: Path | None = None,
) -> list[Path]:
    """Write the report that was asked for, or all nightly ones; returns the paths of its files.

    Reports of a past day lie in a folder of that day. Raises ReportError, UnknownRun or RuleError.
    """
    settings, today = workplace.settings, workplace.today()
    _may(workplace, kind, run)
    place = folder or workplace.folder("reports")
    if folder is None and workplace.person.scoped:
        place = own_folder(workplace, place)  # their part only, never over the report of everything
    if folder is None and as_of is not None and as_of < today:
        place /= f"as-of-{as_of.isoformat()}"
    rules = rules_of(settings)
    if kind in (None, "page"):
        return write_reports(
            workplace.db, place, today=today, provider=settings.provider_name, rules=rules, as_of=as_of,
            only=None if kind is None else [PAGE],
        )  # fmt: skip
    as_of = as_of or _month_end(kind, month, today)
    with look(
        workplace.db, today=today, provider=settings.provider_name, rules=rules, as_of=as_of, of_run=kind == "run"
    ) as facts:
        return write_document_forms(document_of(facts, str(kind), run=run, month=month), place)


def _may(workplace: Workplace, kind: str | None, run: str | None) -> None:
    """The matrix has a cell for each report; a trainer may name runs of their own only."""
    if kind is None or kind in KINDS:
        permit(workplace, "report", kind or "page")
    if run is not None:
        permit_run(workplace, run)


def write_run_page(
    workplace: Workplace, run_code: str, *, as_of: date | None = None, folder: Path | None = None
) -> list[Path]:
    """Write the status page and sheet of one course run; returns their paths. Raises UnknownRun with one sentence."""
    return order(workplace, "run", run=run_code, as_of=as_of, folder=folder)


@needs("report")
def as_json(
    workplace: Workplace, kind: str, *, run: str | None = None, month: str | None = None, as_of: date | None = None
) -> Iterator[str]:
    """The report as JSON, piece by piece."""
    _may(workplace, kind, run)
    with look(
        workplace.db, today=workplace.today(), provider=workplace.settings.provider_name,
        rules=rules_of(workplace.settings), as_of=as_of or _month_end(kind, month, workplace.today()),
        of_run=kind == "run",
    ) as facts:  # fmt: skip
        yield from json_parts(document_of(facts, kind, run=run, month=month))


def _month_end(kind: str | None, month: str | None, today: date) -> date | None:
    """A month that is over is told as it was known on its last day, so that it stays what it was."""
    return min(last_of(first_of(month, today)), today) if kind == "month" else None


def _whole(path: Path, write: Callable[[Path], object]) -> list[Path]:
    """Write a file, and what its writer leaves beside it, whole or not at all."""
    fresh = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    beside: list[Path] = []
    try:
        told = write(fresh)
        beside = told if isinstance(told, list) else []
        for one in (fresh, *beside):
            one.chmod(0o640)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return [path, *beside]
