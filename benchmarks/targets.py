"""The targets, one a row of the page: what is measured against what, at which size, and what a missed one would take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """``stage`` at ``size`` is to be within ``bound``, against the limit, the peer, the naive way or ``itself``."""

    stage: str
    size: int
    against: str
    bound: float
    words: str
    #: Why it is missed where it is, and what it would take.
    takes: str = ""


MILLION = 1_000_000
TARGETS = (
    Target("file to checked landing rows, xlsx", 100_000, "peer", 2.5,
           "xlsx to checked landing rows, guards on, by polars or calamine reading alone",
           "The child reads by calamine and goes through the XML once more for what calamine does not see (error cells, "
           "formulas, hidden and merged cells), then hands the cells over; it takes one scanner that does both at once."),
    Target("memory of the child that reads, xlsx", 100_000, "itself", 1024, "the child that reads it, in MB"),
    Target("file to checked landing rows, csv", MILLION, "limit", 3.0, "CSV to checked landing rows, by COPY as text of the same file",
           "Every cell becomes a Python object on its way through normalising, checks and sealing; COPY looks at bytes. It "
           "takes columns that stay Arrow or numpy bytes from the child to COPY, and sealing by the column."),
    Target("register upsert, 5 % changed", MILLION, "limit", 1.3, "register upsert, by the anti-join form on bare tables",
           "Ours writes each replaced version to the history too, a second row for each that changed."),
    Target("row checks", MILLION, "limit", 1.2, "checks, by bare pandera on the same frame"),
    Target("diff, nothing changed", MILLION, "limit", 1.2, "diff with nothing changed, by a join on stored hashes",
           "Ours asks about seven kinds, parents and guards, not about attendance alone."),
    Target("diff, 1 % changed", MILLION, "limit", 1.3, "diff with 1 % changed, by row IS DISTINCT FROM",
           "What differs is looked at once more for its parents, its hold and its order, and becomes a plan in memory."),
    Target("night without changes, ten times the history", 50_000, "limit", 1.2, "growth: ten times the history, nothing changed"),
    Target("submission, 50 ms server, 32 at a time", 1_000, "limit", 1.25,
           "submissions at concurrency 32, 50 ms server: 80 % of ideal is 1.25 times the ideal time",
           "On two cores the worker, Postgres and the server share what processor time there is; another host for SSG, as in "
           "life, gives the worker a core of its own."),
    Target("submission, processor time of the client", 1_000, "limit", 3.0, "client processor time a submission, by bare httpx"),
    Target("whole job, xlsx", MILLION, "naive", 10.0, "whole job, xlsx: naive by ours"),
    Target("whole job, csv", MILLION, "naive", 7.0, "whole job, CSV: naive by ours"),
    Target("whole job, xlsx, beside the best blocks", MILLION, "limit", 1.5, "whole job, xlsx, by the best blocks",
           "The best blocks keep no history, seal nothing, know no outbox, review nothing and report one sheet. Of ours, the "
           "calls to SSG run at two thirds of the ideal rate, as each is committed before and after; compliance and reports look "
           "at everything the first time."),
    Target("the same bytes again, WAL", MILLION, "itself", 1.0, "the same file again: MB of WAL beyond the upload's own record"),
    Target("the same rows in other bytes, WAL", MILLION, "itself", 1.0, "the same rows in other bytes: the same"),
    Target("whole job, xlsx, memory of the largest process", MILLION, "itself", 2560, "peak memory of the whole job, xlsx, in MB",
           "The child holds the whole sheet as calamine gives it; it takes a reader that hands rows on as they come."),
    Target("whole job, csv, memory of the largest process", MILLION, "itself", 2560, "peak memory of the whole job, CSV, in MB",
           "The frame of the whole file is held at once; it takes intake in pieces of rows."),
    Target("Dagster's share of a night without changes", 1, "itself", 6.0, "Dagster's share of a night without changes, in seconds"),
    Target("tms --help", 1, "itself", 0.3, "tms --help, in seconds"),
    Target("code location import", 1, "itself", 2.5, "code location import, in seconds",
           "Dagster is a fifth of it; the rest is pandas, SQLAlchemy and our own modules. It takes loading intake's frames and "
           "the wire models in the run that needs them, not where the location is listed."),
    Target("inbox to result workbook, 500 rows", 1, "itself", 15.0, "inbox to result workbook, 500 rows, median seconds"),
    Target("inbox to result workbook, our work", 1, "itself", 2.0, "of which our work, median seconds"),
)  # fmt: skip
_BY_STAGE = {target.stage: target for target in TARGETS}


def target_of(stage: str) -> Target | None:
    """The target of a stage, whatever its size; its bound holds at its own size only."""
    return _BY_STAGE.get(stage)
