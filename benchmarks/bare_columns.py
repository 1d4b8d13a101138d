"""What one writes with pandera's own checks for the columns of a record kind: lengths and patterns."""

from __future__ import annotations

from typing import Any

from tms_pipeline.records.field import FieldType
from tms_pipeline.records.kinds import kind_named


def bare_columns(kind: str, pandera: Any, type_: Any, **more: Any) -> dict[str, Any]:
    """The columns for one of pandera's modules (``pandera.pandas``, ``pandera.polars``), with its type of text."""
    columns = {}
    for item in kind_named(kind).fields:
        checks = []
        if item.max_length and item.type is not FieldType.INTEGER:
            checks.append(pandera.Check.str_length(max_value=item.max_length))
        if item.pattern:
            checks.append(pandera.Check.str_matches(item.pattern))
        columns[item.name] = pandera.Column(type_, checks, nullable=True, **more)
    return columns
