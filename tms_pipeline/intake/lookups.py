"""Look-ups of a mapping: which course run a foreign sheet means, answered from registers and mirror.

One exact answer is taken; candidates near it are named and never chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from tms_pipeline.intake.mapping_files import load_mapping
from tms_pipeline.intake.mappings import Found, KnownSession, LookUp, Mapping, Resolve, shipped_mappings
from tms_pipeline.store.queries import query
from tms_pipeline.workplace import Workplace

# How a look-up's fields are found: the named query and the parameter of each field.
_QUERIES: dict[frozenset[str], tuple[str, dict[str, str]]] = {
    frozenset({"course_title", "start_date"}): ("intake/runs_by_title", {"course_title": "titles"}),
    frozenset({"course_reference", "start_date"}): ("intake/runs_by_reference", {"course_reference": "references"}),
    frozenset({"ssg_run_id"}): ("intake/runs_by_ssg_id", {"ssg_run_id": "ids"}),
    frozenset({"course_reference", "ssg_run_id"}): ("intake/runs_by_ssg_id", {"ssg_run_id": "ids"}),
}


def resolver(workplace: Workplace) -> Resolve:
    """The answers of this installation."""

    def resolve(look_up: LookUp, wanted: Sequence[tuple[str | None, ...]]) -> Sequence[Found]:
        names = tuple(look_up.by)
        if look_up.into == "session_no" and names == ("run_code",):
            return _sessions(workplace, [run for (run,) in wanted])
        known = _QUERIES.get(frozenset(names))
        if look_up.into != "run_code" or known is None:
            return [Found() for _ in wanted]
        name, parameters = known
        lines = [
            number
            for number, values in enumerate(wanted)
            if all(_usable(n, v) for n, v in zip(names, values, strict=True))
        ]
        given: dict[str, Any] = {"lines": lines, "days": look_up.days}
        for place, field in enumerate(names):
            column = [wanted[number][place] for number in lines]
            given["dates" if field == "start_date" else parameters.get(field, field)] = column
        found: dict[int, list[tuple[str, bool, date]]] = defaultdict(list)
        for line, key, exact, start in workplace.db.rows(query(name), given):
            found[line].append((key, exact, start))
        return [_answer(found.get(number, [])) for number in range(len(wanted))]

    return resolve


def _sessions(workplace: Workplace, runs: list[str | None]) -> list[Found]:
    """The live sessions of each run."""
    sessions: dict[str, list[KnownSession]] = defaultdict(list)
    given = {"runs": [run for run in runs if run]}
    for run, number, day, start in workplace.db.rows(query("intake/sessions_of_runs"), given):
        sessions[run].append(KnownSession(number=number, day=day, start=f"{start:%H:%M}"))
    return [Found(sessions=tuple(sessions.get(run or "", ()))) for run in runs]


def known_mappings(workplace: Workplace) -> list[Mapping]:
    """The shipped mappings and this installation's own, in TMS_HOME/mappings; an own one wins over a shipped one."""
    own = [load_mapping(path) for path in sorted(own_folder(workplace).glob("*.yaml"))]
    names = {mapping.name for mapping in own}
    return [*own, *(mapping for mapping in shipped_mappings() if mapping.name not in names)]


def own_folder(workplace: Workplace) -> Path:
    """Where an installation keeps its own mappings."""
    return workplace.folder("mappings")


def _usable(name: str, value: str | None) -> bool:
    if not value:
        return False
    return name != "ssg_run_id" or value.isdigit()


def _answer(rows: list[tuple[str, bool, date]]) -> Found:
    exact = [key for key, is_exact, _ in rows if is_exact]
    if len(exact) == 1:
        return Found(value=exact[0])
    return Found(candidates=tuple(f"{key} (starts {start:%d %b %Y})" for key, _, start in rows))
