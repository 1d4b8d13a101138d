"""A document as JSON, written row by row, so that a long table takes no more memory than a short one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tms_pipeline.reports.document import Document, Table
from tms_pipeline.reports.values import plain


def json_parts(document: Document) -> Iterator[str]:
    """The text of the JSON, piece by piece: report, as_of, figures by label, and each table as a list of objects."""
    head = {
        "report": document.name,
        "title": document.title,
        "provider": document.provider,
        "as_of": document.today.isoformat(),
        "lines": list(document.lines),
        "figures": {tile.label: plain(tile.value) for tile in document.tiles},
    }
    yield json.dumps(head, ensure_ascii=False, indent=2)[:-2] + ',\n  "tables": {'
    for number, table in enumerate(document.tables):
        yield f"{',' if number else ''}\n    {json.dumps(table.slug.replace('-', '_'))}: ["
        for place, row in enumerate(_objects(table)):
            yield f"{',' if place else ''}\n      {json.dumps(row, ensure_ascii=False)}"
        yield "]"
    yield "\n  }\n}\n"


def _objects(table: Table) -> Iterator[dict[str, Any]]:
    titles = [column.title for column in table.columns]
    for row in table.rows():
        yield dict(zip(titles, (plain(value) for value in row), strict=True))
