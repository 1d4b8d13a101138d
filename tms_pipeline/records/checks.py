"""Row checks: one pandera model a record kind, in which the name of every check is a code of the fault catalogue.

Pure. Takes canonical text (see ``FieldType``) and answers with places and codes, never with a value: the checks
hand pandera the places that fail, so that not even its exception holds what somebody typed.
What needs other records (the run's dates, its capacity, the enrolment) is checked by SQL, with codes from the
same catalogue. Pandera is imported when the first model is built, so that the command line starts fast.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tms_pipeline.records.checks_columns import Columns, Mask, codes_of, number_of
from tms_pipeline.records.checks_fault import RowFault
from tms_pipeline.records.checks_repeats import Repeats, check_repeats
from tms_pipeline.records.checks_rules import Rule, rules_of
from tms_pipeline.records.fault import catalogue
from tms_pipeline.records.field import Field, FieldType, RecordKind

if TYPE_CHECKING:
    import pandera.pandas as pandera

__all__ = ["Checked", "Repeats", "RowFault", "check_repeats", "check_rows", "codes_of_kind", "model_of"]

SINGAPORE = timezone(timedelta(hours=8))
NUMBERS = frozenset({FieldType.INTEGER, FieldType.AMOUNT, FieldType.HOURS})


@dataclass(kw_only=True)
class Checked:
    """All faults of all rows, by row and then in the order of the checks."""

    faults: list[RowFault] = field(default_factory=list)

    def rejected(self) -> set[int]:
        """The positions of the rows that hold an error; warnings let a row pass."""
        return {item.line for item in self.faults if item.severity == "error"}


class _Untied(pd.DataFrame):
    """The same columns in a frame that pandera does not keep its model with.

    Its registry of models complains on standard error, at the end of the process, about every frame that an
    exception still holds; and a model has no business to outlive the check.
    """

    @property
    def pandera(self) -> None:
        raise AttributeError("pandera")


class _Memory:
    """The columns of the frame that is being validated, shared by the checks of one model."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.columns: Columns | None = None

    def begin(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Forget the last frame; pandera calls this before the checks of the next."""
        self.columns = None
        return frame

    def of(self, frame: pd.DataFrame) -> Columns:
        if self.columns is None or self.columns.frame is not frame:
            self.columns = Columns(frame, self.today)
        return self.columns


def model_of(kind: RecordKind, *, today: date | None = None) -> pandera.DataFrameSchema:
    """The pandera model of a kind: its canonical columns, and a check for every code that its rows can raise.

    Column checks come from the fields (length, bounds, form), frame checks from the rules of the kind. A missing
    value breaks no check: whether it must be there is told where cells are read. ``today`` is the day in Singapore.
    """
    return _model(kind, _Memory(today or datetime.now(SINGAPORE).date()))


def _model(kind: RecordKind, memory: _Memory) -> pandera.DataFrameSchema:
    import pandera.pandas as pandera

    return pandera.DataFrameSchema(
        columns={
            item.name: pandera.Column(
                None,
                checks=[
                    pandera.Check(_of_column(failing, item.name), name=code, ignore_na=False)
                    for code, failing, _ in _limits(item)
                ],
                nullable=True,
            )
            for item in kind.fields
        },
        checks=[
            pandera.Check(_of_frame(rule, memory), name=rule.code, ignore_na=False, description=rule.why)
            for rule in rules_of(kind)
        ],
        parsers=pandera.Parser(memory.begin),
        name=kind.name,
    )


def check_rows(kind: RecordKind, frame: pd.DataFrame, *, today: date) -> Checked:
    """All faults that rows show by themselves, all of a row at once.

    ``frame`` has a RangeIndex and one column of canonical text (or None) a field. Raises ValueError, naming
    columns or checks but no value, for a frame that is not of that shape.
    """
    import pandera.errors

    lacking = [name for name in kind.names if name not in frame.columns]
    if lacking:
        raise ValueError(f"the frame of {kind.name} has no column {', '.join(lacking)}")
    if frame.empty:
        return Checked()
    memory = _Memory(today)
    try:
        _model(kind, memory).validate(_Untied(frame), lazy=True, inplace=True)
    except pandera.errors.SchemaErrors as errors:
        # Column, check and index only: whatever else pandera tells may hold what somebody typed.
        cases = errors.failure_cases[["column", "check", "index"]]
    else:
        return Checked()
    finally:
        memory.columns = None
    return Checked(faults=_faults(kind, cases))


def codes_of_kind(kind: RecordKind) -> frozenset[str]:
    """Every code that ``check_rows`` can raise for this kind."""
    limits = {code for item in kind.fields for code, _, _ in _limits(item)}
    return frozenset(limits | {rule.code for rule in rules_of(kind)})


def _faults(kind: RecordKind, cases: pd.DataFrame) -> list[RowFault]:
    words: dict[tuple[str, str | None], Mapping[str, str]] = {
        (code, item.name): said for item in kind.fields for code, _, said in _limits(item)
    }
    words.update({(rule.code, rule.field): rule.words for rule in rules_of(kind)})
    severities = {code: entry.severity for code, entry in catalogue().items()}
    found_by: dict[tuple[str, str | None], list[int]] = {}
    for (code, column), found in cases.groupby(["check", "column"], sort=False, dropna=False)["index"]:
        name = column if isinstance(column, str) and column in kind.names else None
        if (str(code), name) not in words or found.isna().any():
            raise ValueError(f"the check {str(code)[:60]!r} of {kind.name} could not run")
        found_by[str(code), name] = found.astype(int).tolist()
    # In the order in which the words were gathered: the columns as ops see them, then the rules of the kind.
    faults = [
        RowFault(line=line, code=code, field=name, words=said, severity=severities[code])
        for (code, name), said in words.items()
        for line in found_by.get((code, name), ())
    ]
    faults.sort(key=attrgetter("line"))
    return faults


# -- what a field allows ---------------------------------------------------------------------------------------

_Failing = Callable[["pd.Series[Any]"], Mask]


def _limits(item: Field) -> list[tuple[str, _Failing, Mapping[str, str]]]:
    """The limits of one field: code, the rows that break it, and the words of its sentence."""
    limits: list[tuple[str, _Failing, Mapping[str, str]]] = []
    if item.max_length is not None and item.type not in NUMBERS:
        limits.append(("TEXT_TOO_LONG", _longer_than(item.max_length), {"limit": str(item.max_length)}))
    if item.pattern is not None:
        limits.append(("FORM_UNEXPECTED", _unlike(item.pattern), {"example": item.example or "the template"}))
    if item.minimum is not None:
        limits.append(("NUMBER_TOO_SMALL", _below(item.minimum), {"limit": f"{item.minimum:g}"}))
    if item.maximum is not None:
        limits.append(("NUMBER_TOO_LARGE", _above(item.maximum), {"limit": f"{item.maximum:.10g}"}))
    return limits


def _longer_than(limit: int) -> _Failing:
    def failing(series: pd.Series[Any]) -> Mask:
        values = series.to_numpy(dtype=object)
        there = pd.notna(values)
        # One pass in C tells that nothing is too long, which is nearly always so.
        if max(map(len, values[there]), default=0) <= limit:
            return np.zeros(len(values), dtype=np.bool_)
        long: Mask = there & (series.str.len().to_numpy(dtype=float, na_value=0) > limit)
        return long

    return failing


def _unlike(pattern: str) -> _Failing:
    form = re.compile(pattern)
    return _by_value(lambda value: bool(value) and form.search(value) is None)


def _below(limit: float) -> _Failing:
    return _by_value(lambda value: number_of(value) < limit)


def _above(limit: float) -> _Failing:
    return _by_value(lambda value: number_of(value) > limit)


def _by_value(broken: Callable[[str], bool]) -> _Failing:
    def failing(series: pd.Series[Any]) -> Mask:
        codes, values = codes_of(series)
        return np.array([*map(broken, values), False], dtype=np.bool_)[codes]

    return failing


# -- what pandera is told --------------------------------------------------------------------------------------


def _of_column(failing: _Failing, name: str) -> Callable[[pd.Series[Any]], bool]:
    def passes(series: pd.Series[Any]) -> bool:
        return _passes(failing(series), name)

    return passes


def _of_frame(rule: Rule, memory: _Memory) -> Callable[[pd.DataFrame], bool]:
    def passes(frame: pd.DataFrame) -> bool:
        return _passes(rule.failing(memory.of(frame)), rule.field)

    return passes


def _passes(failing: Mask, name: str | None) -> bool:
    """True if no row fails; else the places, raised as pandera's own error, which then copies no value.

    Left to itself pandera copies every failing value, and for a rule over the frame every column of every
    failing row, into its exception: personal values, and gigabytes when a whole column is wrong.
    """
    import pandera.errors

    places = np.flatnonzero(failing)
    if not len(places):
        return True
    cases = pd.DataFrame({"column": name, "failure_case": "hidden", "index": places})
    raise pandera.errors.SchemaError(None, None, "rows fail", failure_cases=cases)  # type: ignore[no-untyped-call]
