"""A document as one page that opens anywhere, needs no network and prints well."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tms_pipeline.reports.document import Chart, Document, Table
from tms_pipeline.reports.page import LONGEST_LIST, template


def write_document(document: Document, path: Path) -> None:
    """Write the page; of a long table its first rows, and where the rest is."""
    page = template("document.html.j2").stream(
        document=document, first_rows=_first_rows, numeric=_numeric, draw=_draw
    )
    page.dump(str(path), encoding="utf-8")


def _first_rows(table: Table) -> tuple[list[Sequence[Any]], bool]:
    rows = iter(table.rows())
    found = list(islice(rows, LONGEST_LIST + 1))
    if isinstance(rows, Generator):
        rows.close()
    return found[:LONGEST_LIST], len(found) > LONGEST_LIST


def _numeric(rows: Sequence[Sequence[Any]], place: int) -> bool:
    values = [row[place] for row in rows if row[place] not in (None, "", "–")]
    return bool(values) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool | date | datetime) for value in values
    )


def _draw(chart: Chart) -> Markup:
    """A chart of ours: charts.py escapes what it is given."""
    return Markup(chart.draw())  # noqa: S704
