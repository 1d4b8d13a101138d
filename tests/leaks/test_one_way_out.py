"""Sealed values open for a purpose only; 'tms reveal' is in the audit log before it shows anything, and has a limit."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from running import Done, one_sentence
from typer.testing import CliRunner

from tms_pipeline.cli.main import app
from tms_pipeline.identity.opening import NoPurpose, open_sealed, opening_for
from tms_pipeline.identity.purposes import PURPOSES
from tms_pipeline.identity.sealing import new_data_key, place, seal
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.roles.person import Person
from tms_pipeline.roles.reveal import fields, reveal
from tms_pipeline.settings import PROJECT_ROOT, load_settings
from tms_pipeline.workplace import Workplace, open_workplace

REASON = "SSG asks which trainee this is"


@pytest.fixture
def filled(copy_of_prepared: Callable[[], tuple[Path, dict[str, str]]]) -> Iterator[Workplace]:
    home, environment = copy_of_prepared()
    settings = load_settings(_env_file=None, tms_home=home, database_url=environment["DATABASE_URL"], TMS_REVEALS_PER_DAY=3)
    with open_workplace(settings) as found:
        yield found


def test_a_value_does_not_open_outside_of_a_purpose() -> None:
    key, here = new_data_key(), place("register.trainee", "nric", "T-1")
    sealed = seal(key, b"S9999001A", here)
    with pytest.raises(NoPurpose):
        open_sealed(key, sealed, here)
    with opening_for("trial"):
        assert open_sealed(key, sealed, here) == b"S9999001A"
    with pytest.raises(NoPurpose):
        open_sealed(key, sealed, here)


def test_a_purpose_is_one_of_the_list_and_holds_on_its_own_thread_only() -> None:
    with pytest.raises(NoPurpose), opening_for("curiosity"):
        pass
    key, here = new_data_key(), place("register.trainee", "nric", "T-1")
    sealed, caught = seal(key, b"x", here), []

    def elsewhere() -> None:
        try:
            open_sealed(key, sealed, here)
        except NoPurpose as error:
            caught.append(error)

    with opening_for("trial"):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(caught) == 1


def test_every_purpose_has_a_place_in_the_code_and_every_use_is_of_the_list() -> None:
    used: dict[str, list[str]] = {}
    for path in (PROJECT_ROOT / "tms_pipeline").rglob("*.py"):
        for part in path.read_text().split('opening_for("')[1:]:
            used.setdefault(part.split('"', 1)[0], []).append(path.name)
    assert set(used) <= set(PURPOSES)
    assert set(PURPOSES) - set(used) <= {"trial", "subject access"}


def test_a_reveal_shows_one_value_and_stands_in_the_audit_log_with_its_reason(filled: Workplace) -> None:
    ref = filled.db.value("SELECT trainee_ref FROM register.trainee ORDER BY key")
    shown = reveal(filled, ref, "nric", reason=REASON)
    assert len(shown.value) == 9 and shown.left_today == 2
    assert shown.value not in repr(shown)
    row = filled.db.rows("SELECT action, entity, entity_key, details::text FROM audit.entry WHERE seq = %s", (shown.entry,))[0]
    assert row[:3] == ("revealed", "trainee", ref)
    assert REASON in row[3] and shown.value not in row[3]


def test_every_personal_field_can_be_revealed(filled: Workplace) -> None:
    many = replace(filled, settings=filled.settings.model_copy(update={"reveals_per_day": 50}))
    for name, kind in fields().items():
        key = filled.db.value(f"SELECT key FROM register.{kind} WHERE {name}_sealed IS NOT NULL ORDER BY key LIMIT 1")
        if key is not None:
            assert reveal(many, key, name, reason=REASON).value


def test_it_is_recorded_even_when_opening_then_fails(filled: Workplace) -> None:
    ref = filled.db.value("SELECT trainee_ref FROM register.trainee ORDER BY key")
    with filled.db.transaction() as connection:
        connection.execute("UPDATE register.trainee SET nric_sealed = phone_sealed WHERE trainee_ref = %s", (ref,))
    from tms_pipeline.identity.opening import CannotOpen

    with pytest.raises(CannotOpen):
        reveal(filled, ref, "nric", reason=REASON)
    assert filled.db.value("SELECT count(*) FROM audit.entry WHERE action = 'revealed'") == 1


def test_past_the_days_limit_it_is_refused_also_for_two_at_once(filled: Workplace) -> None:
    ref = filled.db.value("SELECT trainee_ref FROM register.trainee ORDER BY key")
    outcomes: list[str] = []

    def one() -> None:
        try:
            reveal(filled, ref, "phone", reason=REASON)
            outcomes.append("shown")
        except NotAllowed as error:
            outcomes.append(one_sentence(str(error)))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("shown") == 3
    assert all("3 a day are allowed" in said for said in outcomes if said != "shown")
    assert filled.db.value("SELECT count(*) FROM audit.entry WHERE action = 'refused'") == 3
    other = replace(filled, known=Person("olivia", "ops admin", "system"))
    assert reveal(other, ref, "phone", reason=REASON).left_today == 2, "the limit is each person's own"


@pytest.mark.parametrize("role", ["trainer", "finance", "auditor", None])
def test_without_the_role_nothing_is_revealed(role: str | None, filled: Workplace) -> None:
    nobody = replace(filled, known=Person("x", role, "system"))
    with pytest.raises(NotAllowed):
        reveal(nobody, "T-1", "nric", reason=REASON)
    assert filled.db.value("SELECT count(*) FROM identity.reveal") == 0


@pytest.mark.parametrize(
    ("reference", "field", "reason"),
    [("nobody", "nric", REASON), ("x", "password", REASON), ("x", "nric", ""), ("x", "nric", "because"),
     ("x", "nric", "asks whether S9999001A is hers")],
)  # fmt: skip
def test_a_wrong_question_is_one_sentence_and_counts_for_nothing(
    reference: str, field: str, reason: str, filled: Workplace
) -> None:
    with pytest.raises((LookupError, ValueError)) as wrong:
        reveal(filled, reference, field, reason=reason)
    one_sentence(str(wrong.value))
    assert filled.db.value("SELECT count(*) FROM identity.reveal") == 0


def test_the_verb_shows_it_on_a_terminal_only_unless_told(filled: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(filled.home.parent)
    assert filled.settings.database_url is not None
    ref = filled.db.value("SELECT trainee_ref FROM register.trainee ORDER BY key")
    environment = {"TMS_HOME": str(filled.home), "DATABASE_URL": filled.settings.database_url.get_secret_value()}

    def verb(*more: str) -> Done:
        words = ["reveal", ref, "--field", "full_name", "--reason", REASON, *more]
        done = CliRunner().invoke(app, words, env=environment, catch_exceptions=False)
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    refused = verb()
    assert refused.returncode == 3 and refused.stdout == "" and "terminal" in one_sentence(refused.stderr)
    assert filled.db.value("SELECT count(*) FROM identity.reveal") == 0
    shown = verb("--yes-in-a-file")
    assert shown.returncode == 0 and len(shown.stdout.strip()) > 3 and "more today" in shown.stderr
