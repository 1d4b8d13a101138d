"""Rows of one upload that speak of the same record: said twice, answered again later, or contradicting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tms_pipeline.records.checks_columns import Mask, Whole, codes_of
from tms_pipeline.records.checks_fault import RowFault, row_fault
from tms_pipeline.records.field import RecordKind

#: So many rows are named in the sentence of a contradiction; the rest is counted.
ROWS_NAMED = 6

Places = npt.NDArray[np.intp]


def _none() -> Places:
    return np.empty(0, dtype=np.intp)


@dataclass(kw_only=True)
class Repeats:
    """Positions in the frame, each in at most one of the three, and the fault that says so for each."""

    #: Same key and same values as an earlier row, which stands for them.
    repeated: Places = field(default_factory=_none)
    #: Same key, other values, and nothing tells which is right: none of them may be taken.
    contradicting: Places = field(default_factory=_none)
    #: Answered again later by another row of the same key.
    superseded: Places = field(default_factory=_none)
    faults: list[RowFault] = field(default_factory=list)


def check_repeats(
    kind: RecordKind,
    keys: pd.Series[Any],
    hashes: pd.Series[Any],
    frame: pd.DataFrame,
    rows: pd.Series[Any],
    *,
    newer_by: str | None,
    sheets: pd.Series[Any] | None = None,
) -> Repeats:
    """Find the rows of one upload that share a key.

    ``keys`` are natural keys (None: not known, looked at no further), ``hashes`` of the whole canonical row,
    ``rows`` the numbers that ops see in their sheet. ``newer_by`` names the field that tells which of several
    answers is the latest; where it is empty or equal, different answers contradict. ``sheets`` are their sheets, which
    are named where there are several.
    """
    key_codes, _ = pd.factorize(keys.to_numpy(dtype=object))
    places = np.flatnonzero(key_codes >= 0)
    counts = np.bincount(key_codes[places]) if len(places) else np.empty(0, dtype=np.intp)
    places = places[counts[key_codes[places]] > 1]
    if not len(places):
        return Repeats()

    # From here on only rows that share a key, ordered by key and then as they stand in the sheet.
    places = places[np.argsort(key_codes[places], kind="stable")]
    _, group = np.unique(key_codes[places], return_inverse=True)
    hash_codes, _ = pd.factorize(hashes.to_numpy(dtype=object)[places], use_na_sentinel=False)

    pair = group.astype(np.int64) * (int(hash_codes.max()) + 1) + hash_codes
    first_of_pair = _first_index(pair)
    repeated = first_of_pair != np.arange(len(places))

    # One row a different answer: these contradict unless the newest is known.
    answers = np.flatnonzero(~repeated)
    several = np.bincount(group[answers], minlength=int(group.max()) + 1)[group[answers]] > 1
    answers = answers[several]
    superseded, winner = _superseded(group[answers], places[answers], frame, newer_by)
    standing = answers[~superseded]
    torn = np.bincount(group[standing], minlength=int(group.max()) + 1)[group[standing]] > 1
    contradicting = standing[torn]
    # Where the newest contradict each other, older answers and repeats wait with them: nothing is taken.
    torn_groups = np.unique(group[contradicting])
    in_torn = np.isin(group, torn_groups)
    contradicting = np.flatnonzero(in_torn)
    old = answers[superseded & ~in_torn[answers]]
    repeated_at = np.flatnonzero(repeated & ~in_torn)

    named_sheets = sheets.to_numpy(dtype=object) if sheets is not None and sheets.nunique() > 1 else None

    def said(place: int) -> str:
        return f"{numbers[place]}" + (f" of sheet '{named_sheets[place]}'" if named_sheets is not None else "")

    numbers = rows.to_numpy()
    row_of = dict(zip(answers[superseded].tolist(), winner[superseded].tolist(), strict=True))
    faults = [
        row_fault(int(places[at]), "ROW_REPEATED", first=said(int(places[first_of_pair[at]])))
        for at in repeated_at.tolist()
    ]
    faults += [
        row_fault(int(places[at]), "ANSWER_SUPERSEDED", newer=said(int(places[answers[row_of[at]]])))
        for at in old.tolist()
    ]
    faults += _contradictions(kind, group[contradicting], places[contradicting], frame, said)
    faults.sort(key=lambda item: item.line)
    return Repeats(
        repeated=np.sort(places[repeated_at]),
        contradicting=np.sort(places[contradicting]),
        superseded=np.sort(places[old]),
        faults=faults,
    )


def _first_index(values: npt.NDArray[Any]) -> Places:
    """For each entry the index of the first equal one."""
    codes, _ = pd.factorize(values)
    first = np.full(int(codes.max()) + 1, -1, dtype=np.intp)
    backwards = np.arange(len(codes))[::-1]
    first[codes[backwards]] = backwards  # the last write wins, which is the first entry
    return first[codes]


def _superseded(group: Places, places: Places, frame: pd.DataFrame, newer_by: str | None) -> tuple[Mask, Places]:
    """Which answers a later one of their group replaces, and which one that is (indices into ``places``)."""
    nobody = np.zeros(len(places), dtype=np.bool_), np.full(len(places), -1, dtype=np.intp)
    if newer_by is None or not len(places):
        return nobody
    codes, moments = codes_of(frame[newer_by].iloc[places])
    # Canonical moments and dates sort as text; an empty one is no moment.
    rank_of = {text: rank for rank, text in enumerate(sorted(set(moments) - {""}))}
    ranks: Whole = np.array([rank_of.get(text, -1) for text in moments] + [-1], dtype=np.int64)[codes]
    size = int(group.max()) + 1
    newest, oldest = np.full(size, -1, dtype=np.int64), np.full(size, len(rank_of), dtype=np.int64)
    np.maximum.at(newest, group, ranks)
    np.minimum.at(oldest, group, ranks)
    # One answer without a moment, and nobody can tell whether it is the latest.
    superseded: Mask = (ranks < newest[group]) & (oldest[group] >= 0)
    winner = np.full(size, -1, dtype=np.intp)
    top = np.flatnonzero(ranks == newest[group])
    winner[group[top]] = top
    return superseded, winner[group]


def _contradictions(
    kind: RecordKind, group: Places, places: Places, frame: pd.DataFrame, said: Callable[[int], str]
) -> list[RowFault]:
    """The faults of rows that contradict: each names all rows of its group and the columns that differ."""
    if not len(places):
        return []
    starts = np.flatnonzero(np.concatenate(([True], np.diff(group) != 0)))
    sizes = np.diff(np.concatenate((starts, [len(group)])))
    differing: list[list[str]] = [[] for _ in starts]
    for item in kind.fields:
        codes, _ = pd.factorize(frame[item.name].to_numpy(dtype=object)[places], use_na_sentinel=False)
        differs = np.logical_or.reduceat(codes != np.repeat(codes[starts], sizes), starts)
        for at in np.flatnonzero(differs):
            differing[at].append(f"'{item.title}'")
    faults: list[RowFault] = []
    for start, size, titles in zip(starts.tolist(), sizes.tolist(), differing, strict=True):
        members = places[start : start + size]
        words = {
            "rows": _listed([said(place) for place in members[:ROWS_NAMED].tolist()], size),
            "kind": kind.title.lower(),
            "columns": _listed(titles, len(titles)) or "values that are not shown",
        }
        faults += [row_fault(place, "ROWS_CONTRADICT", None, **words) for place in members.tolist()]
    return faults


def _listed(words: list[str], count: int) -> str:
    """Words as ops read them: "3, 7 and 9", or "3, 7 and 12 more"."""
    if count > len(words):
        return f"{', '.join(words)} and {count - len(words)} more"
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
