"""A fault of one row, by its position: what the row checks answer with, before sheet and row are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tms_pipeline.records.fault import Severity, catalogue


class RowFault(NamedTuple):
    """One thing wrong with one row. Holds no value of the row, so that it may be logged."""

    #: Position of the row in the frame, from 0.
    line: int
    code: str
    #: Name of the field that is marked, None if it is the row as a whole.
    field: str | None
    #: What fills the sentence of the code, beside the place.
    words: Mapping[str, str]
    severity: Severity


def row_fault(line: int, code: str, field: str | None = None, **words: str) -> RowFault:
    """The fault of that code for one row. Raises KeyError for a code that the catalogue does not hold."""
    return RowFault(line=line, code=code, field=field, words=words, severity=catalogue()[code].severity)
