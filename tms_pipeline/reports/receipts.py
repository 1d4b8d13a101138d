"""Receipts: for each submission that SSG accepted, what it was, where it came from, what SSG said, who approved it."""

from __future__ import annotations

from functools import partial

from tms_pipeline.reports.document import Document, Section, Table, Tile, small
from tms_pipeline.reports.facts import Facts
from tms_pipeline.reports.sheets import RECEIPT, receipt_rows
from tms_pipeline.reports.words import kind_words


def receipts(facts: Facts, run: str | None = None) -> Document:
    """All receipts, or those of one run."""
    counts = facts.rows("receipt_counts", run=run)
    kinds: dict[str, int] = {}
    for kind, _, count in counts:
        kinds[kind] = kinds.get(kind, 0) + count
    of = f" of course run {run}" if run else ""
    return Document(
        name=f"receipts-{''.join(x if x.isalnum() or x in '-_.' else '_' for x in run)}" if run else "receipts",
        title=f"Receipts{of}", provider=facts.provider, today=facts.today, made_at=facts.made_at,
        lines=("Each line is one change that SSG accepted, with the row of ours that it came from.",),
        tiles=(Tile("Receipts", sum(kinds.values())),),
        sections=(Section("Receipts", (
            small("Receipts by kind and action", ("Kind", "Action", "Count"),
                  [(kind_words(kind), action, count) for kind, action, count in counts]),
            Table("Receipts", RECEIPT, partial(receipt_rows, facts, run), title="Every receipt",
                  empty="SSG has accepted nothing yet."),
        )),),
    )  # fmt: skip
