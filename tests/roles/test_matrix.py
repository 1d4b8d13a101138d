"""The matrix of roles: every entry of the core has a cell, and the guard does what the cell says."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from role_world import PEOPLE
from running import one_sentence

from tms_pipeline.cli.main import app
from tms_pipeline.cli.output import VERB, plainly
from tms_pipeline.reports.build import KINDS as REPORTS
from tms_pipeline.roles import guard, matrix
from tms_pipeline.roles.matrix import NoCell, NotAllowed
from tms_pipeline.workplace import Workplace

TABLE = tomllib.loads(Path(matrix.__file__).with_name("matrix.toml").read_text())
SORTS = {"see": "verb", "do": "verb", "jobs": "job", "reports": "report", "pages": "page"}
# Worked out from the file by this test's own reading of it, not by the product's.
CELLS = [
    pytest.param(
        SORTS[key], name, role, bool(row.get("open")) or cell == "manage" or (key not in ("do", "jobs") and cell != "none"),
        id=f"{role}: {name}",
    )
    for row in TABLE["task"]
    for key in SORTS
    for name in row.get(key, ())
    for role, cell in zip(TABLE["roles"], row["cells"], strict=True)
]  # fmt: skip


def verbs(group: Any = app, lead: str = "") -> Iterator[tuple[str, Any]]:
    for command in group.registered_commands:
        yield f"{lead}{command.name or command.callback.__name__.replace('_', '-')}", command.callback
    for inner in group.registered_groups:
        yield from verbs(inner.typer_instance, f"{lead}{inner.name} ")


@pytest.mark.parametrize(("sort", "name", "role", "may"), CELLS)
def test_a_cell_is_held_and_a_refusal_is_one_sentence_in_the_audit_log(
    sort: str, name: str, role: str, may: bool, as_role: Callable[[str], Workplace]
) -> None:
    place = as_role(role)
    if may:
        assert guard.permit(place, sort, name).name == name
        return
    with pytest.raises(NotAllowed) as refused:
        guard.permit(place, sort, name)
    sentence = one_sentence(str(refused.value))
    assert PEOPLE[role] in sentence and name in sentence
    last = place.db.rows("SELECT actor, role, action, entity_key FROM audit.entry ORDER BY seq DESC LIMIT 1")
    assert last == [(PEOPLE[role], role, "refused", name)]


def test_every_verb_is_guarded_and_has_a_cell() -> None:
    names = {name for name, _ in verbs()}
    assert len(names) > 30
    assert [name for name, function in verbs() if getattr(function, VERB, None) != name] == [], "not under @plainly"
    assert [name for name in sorted(names) if ("verb", name) not in matrix.matrix().entries] == []
    groups = {lead.split(" ")[0] for lead in names}
    assert [name for sort, name in matrix.matrix().entries if sort == "verb" and name not in names | groups] == []


def test_every_report_and_every_dagster_job_has_a_cell() -> None:
    from assets.build import build_defs

    jobs = {job.name for job in build_defs().jobs or ()}
    entries = matrix.matrix().entries
    assert [name for name in sorted(REPORTS) if ("report", name) not in entries] == []
    assert [name for name in sorted(jobs) if ("job", name) not in entries] == []
    assert {name for sort, name in entries if sort == "job"} == jobs | {"__ASSET_JOB"}


@pytest.mark.parametrize(("person", "may"), [("olivia", True), ("tina", False), ("audrey", False)])
def test_a_job_of_dagster_runs_for_who_may_run_it(
    person: str, may: bool, staffed: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assets.build import build_defs

    assert staffed.settings.database_url is not None
    for name, value in (("TMS_HOME", str(staffed.home)), ("TMS_ACTOR", person), ("TMS_TODAY", staffed.settings.today),
                        ("DATABASE_URL", staffed.settings.database_url.get_secret_value())):  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(staffed.home.parent)
    done = build_defs().get_job_def("rebuild_reports").execute_in_process(raise_on_error=False)
    assert done.success == may
    refused = staffed.db.rows("SELECT actor, entity_key FROM audit.entry WHERE action = 'refused' ORDER BY seq DESC LIMIT 1")
    assert may or refused == [(person, "rebuild_reports")]


def test_what_the_core_asks_for_by_itself_is_a_verb_of_the_matrix() -> None:
    import tms_pipeline.operations.steps  # noqa: F401  (its imports mark theirs)

    assert len(guard.NEEDED) > 15
    assert [verb for verb in guard.NEEDED.values() if ("verb", verb) not in matrix.matrix().entries] == []


def test_a_verb_without_a_cell_is_refused_with_a_sentence_for_its_developer() -> None:
    @plainly
    def brand_new() -> None:
        raise AssertionError("it ran")

    setattr(brand_new, VERB, "brand-new")
    with pytest.raises(NoCell, match="matrix.toml") as refused, guard.doing("verb", "brand-new"):
        pass
    one_sentence(str(refused.value))
    with pytest.raises(BaseException) as ended:  # typer's own Exit
        brand_new()
    assert getattr(ended.value, "exit_code", None) == 3


def test_the_rights_that_no_edit_of_the_table_may_give_by_accident() -> None:
    cells = {row["name"]: dict(zip(TABLE["roles"], row["cells"], strict=True)) for row in TABLE["task"]}
    closed = [row["name"] for row in TABLE["task"] if not row.get("open")]
    for name in closed:
        assert cells[name]["auditor"] in ("view", "none"), name
        assert cells[name]["trainer"] in ("own runs", "none"), name
        assert cells[name]["finance"] in ("fees", "none"), name
    for name in ("roles", "keys"):
        assert [role for role, cell in cells[name].items() if cell == "manage"] == ["admin"]
    for name in ("reveal", "switch", "plans", "night"):
        assert not {role for role, cell in cells[name].items() if cell == "manage"} - {"admin", "ops admin"}


@pytest.mark.parametrize(
    "broken",
    ['roles = ["a", "b"]\n[[task]]\nname = "x"\nwhat = ""\ncells = ["manage"]',
     'roles = ["a"]\n[[task]]\nname = "x"\nwhat = ""\ncells = ["perhaps"]',
     'roles = ["a"]\n[[task]]\nname = "x"\nwhat = ""\ncells = ["none"]\nsees = ["y"]',
     'roles = ["a"]\n[[task]]\nname = "x"\nwhat = ""\ncells = ["none"]\nsee = ["y"]\ndo = ["y"]'],
    ids=["a cell missing", "an unknown cell", "an unknown list", "an entry twice"],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="matrix.toml"):
        matrix.read(broken)
