"""Attempts to do more than one's role allows; each must fail, in one sentence, and stand in the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from role_world import person_of
from running import Done, one_sentence

from tms_pipeline.compliance.review import review
from tms_pipeline.health.preflight import row_rules
from tms_pipeline.roles import database_roles, grants, guard, identify, proxy, tokens
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.roles.person import Person
from tms_pipeline.submission import approvals, dead_letters, gate, holds
from tms_pipeline.submission.approvals import ApprovalRefused
from tms_pipeline.submission.planning import plan_now
from tms_pipeline.submission.trace import trace
from tms_pipeline.workplace import Workplace

SECRET = "a secret of the proxy, forty letters long."


def refused_last(place: Workplace) -> tuple[str, str]:
    rows = place.whole_db.rows("SELECT actor, action FROM audit.entry ORDER BY seq DESC LIMIT 1")
    return rows[0][0], rows[0][1]


@pytest.fixture
def trainer(staffed: Workplace, own_code: str) -> Iterator[Workplace]:
    with staffed.of(person_of("trainer", own_code)) as place:
        yield place


@pytest.fixture(scope="module")
def other_run(staffed: Workplace, own_code: str) -> str:
    found: str = staffed.db.value(
        "SELECT key FROM register.course_run WHERE live AND NOT %s = ANY(string_to_array(trainer_codes, ';')) ORDER BY 1",
        (own_code,),
    )
    return found


# --- around the command line -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["trainer", "finance", "auditor"])
def test_a_core_function_called_around_the_command_line_asks_for_the_role(
    role: str, as_role: Callable[[str], Workplace]
) -> None:
    place = as_role(role)
    actor = place.actor()
    attempts: list[Callable[[], object]] = [
        lambda: approvals.approve_plan(place, "P-1", "0" * 64, actor=actor),
        lambda: holds.hold(place, kind="fee", reason="x", actor=actor),
        lambda: holds.release(place, kind="fee", reason="x", actor=actor),
        lambda: dead_letters.discard(place, 1, reason="x", actor=actor),
        lambda: gate.set_switch(place, stopped=False, reason="x", actor=actor),
        lambda: plan_now(place, actor=actor),
        lambda: grants.grant(place, "tina", "admin"),
        lambda: grants.revoke(place, "ada"),
        lambda: identify.make_token(place, "ada", days=1),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed) as refused:
            attempt()
        one_sentence(str(refused.value))
        assert refused_last(place) == (place.person.name, "refused")


def test_an_actor_that_says_admin_gains_nothing(as_role: Callable[[str], Workplace]) -> None:
    place = as_role("trainer")
    with pytest.raises(NotAllowed):
        plan_now(place, actor=place.actor(name="ada", role="admin"))


def test_tms_actor_does_not_make_an_admin_in_production(staffed: Workplace, run_as: Callable[..., Done]) -> None:
    real = staffed.settings.model_copy(update={"environment": "production", "actor": "ada"})
    found = identify.identify(real, staffed.db, staffed.rings)
    assert found.name == identify.system_user() != "ada"
    place = replace(staffed, settings=real, known=Person("tina", "trainer", "system", "T"))
    actor = place.actor(name="ada", role="admin")
    assert (actor.name, actor.role) == ("tina", "trainer")
    assert actor.correlation_id.startswith("ada-"), "it may name the correlation"


def test_the_environment_does_not_say_who_the_system_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identify.system_user()
    for name in ("USER", "LOGNAME", "SUDO_USER", "USERNAME"):
        monkeypatch.setenv(name, "ada")
    assert identify.system_user() == before


def test_somebody_without_a_role_is_told_what_to_do(run_as: Callable[..., Done]) -> None:
    done = run_as("mallory", "summary")
    assert done.returncode == 3
    assert "mallory has no role here" in one_sentence(done.stderr)


def test_a_refusal_of_a_verb_is_exit_three_one_sentence_and_changes_nothing(
    staffed: Workplace, run_as: Callable[..., Done]
) -> None:
    before = staffed.db.value("SELECT count(*) FROM outbox.hold")
    done = run_as("finn", "hold", "--kind", "fee", "--reason", "finance asked")
    assert done.returncode == 3 and done.stdout == ""
    assert one_sentence(done.stderr) == "finn (finance) may not use 'tms hold'; that is for admin and ops admin."
    assert staffed.db.value("SELECT count(*) FROM outbox.hold") == before
    assert refused_last(staffed) == ("finn", "refused")


# --- approvals ---------------------------------------------------------------------------------------------------


def test_attack_replay_an_approval_on_a_plan_that_changed_after(staffed: Workplace) -> None:
    """A hash that was right yesterday approves neither the newer plan nor the one that it replaced."""
    plan_id, plan = plan_now(staffed, actor=staffed.actor())
    olivia = staffed.actor(name="olivia")
    with pytest.raises(ApprovalRefused):
        approvals.approve_plan(staffed, plan_id, "0" * 64, actor=olivia)
    change = "UPDATE register.trainer SET ssg_hash = %s WHERE key = (SELECT min(key) FROM register.trainer)"
    before = staffed.db.value("SELECT ssg_hash FROM register.trainer ORDER BY key")
    with staffed.db.transaction() as connection:
        connection.execute(change, (bytes(32),))
    try:
        newer, fresh = plan_now(staffed, actor=staffed.actor())
        assert (newer, fresh.hash) != (plan_id, plan.hash)
        ready = staffed.db.value("SELECT count(*) FROM outbox.submission WHERE state = 'ready'")
        for number, words in ((newer, plan.hash), (plan_id, plan.hash), (plan_id, fresh.hash)):
            with pytest.raises(ApprovalRefused):
                approvals.approve_plan(staffed, number, words, actor=olivia)
        assert staffed.db.value("SELECT count(*) FROM outbox.submission WHERE state = 'ready'") == ready
    finally:
        with staffed.db.transaction() as connection:
            connection.execute(change, (before,))


def test_nobody_approves_in_somebody_elses_name_in_production(staffed: Workplace) -> None:
    plan_id, plan = plan_now(staffed, actor=staffed.actor())
    real = replace(
        staffed, settings=staffed.settings.model_copy(update={"environment": "production"}),
        known=Person("olivia", "ops admin", "system"),
    )  # fmt: skip
    from tms_pipeline.operations.steps import approve_as

    with pytest.raises(NotAllowed, match="as yourself"):
        approve_as(real, "run", plan_id, plan.hash, "ada", [])
    assert refused_last(staffed) == ("olivia", "refused")


@pytest.mark.parametrize("service", ["dagster", "nightly"])
def test_a_service_is_no_person_and_approves_nothing(service: str, staffed: Workplace) -> None:
    with pytest.raises(NotAllowed, match="no person"):
        approvals.approve_plan(staffed, "P-1", "0" * 64, actor=staffed.actor(name=service))


def test_attack_approve_ones_own_plan_and_be_two_persons(staffed: Workplace) -> None:
    """Under two-person a second approval by the same person counts once, and one's own upload not at all."""
    two = replace(staffed, settings=staffed.settings.model_copy(update={"approval_policy": "two-person"}))
    plan_id, plan = plan_now(two, actor=two.actor())
    olivia = two.actor(name="olivia")
    for _ in range(2):
        done = approvals.approve_plan(two, plan_id, plan.hash, actor=olivia, parts=["trainer"])
        assert done.ready == 0 and "1 of 2" in done.waiting["trainer.create"]
    uploader = two.db.value("SELECT received_by FROM intake.upload LIMIT 1")
    with pytest.raises(ApprovalRefused, match="upload of your own"):
        approvals.approve_plan(two, plan_id, plan.hash, actor=two.actor(name=uploader), parts=["trainer"])


# --- trainers and finance see their part -------------------------------------------------------------------------


def test_attack_read_a_report_as_trainer_for_another_run(
    trainer: Workplace, other_run: str, run_as: Callable[..., Done]
) -> None:
    from tms_pipeline.reports.build import order

    with pytest.raises(NotAllowed, match="sees the runs of trainer") as refused:
        order(trainer, "run", run=other_run)
    one_sentence(str(refused.value))
    assert refused_last(trainer) == ("tina", "refused")
    assert run_as("tina", "report", "run", "--run", other_run).returncode == 3


def test_a_trainers_own_report_holds_no_other_run(trainer: Workplace, own_code: str, staffed: Workplace) -> None:
    from openpyxl import load_workbook

    from tms_pipeline.reports.build import order

    own = {row[0] for row in trainer.db.rows("SELECT key FROM register.course_run")}
    every = {row[0] for row in staffed.db.rows("SELECT key FROM register.course_run")}
    assert own and own < every
    paths = order(trainer, "runs")
    own_place = ("tina", f"trainer-{own_code}")
    assert all(path.parts[-3:-1] == own_place for path in paths), "never over the whole report of others"
    book = next(path for path in paths if path.suffix == ".xlsx")
    cells = {str(cell.value) for sheet in load_workbook(book) for row in sheet for cell in row if cell.value is not None}
    assert own & cells
    assert not (every - own) & cells


@pytest.mark.parametrize("table", ["session", "enrolment", "attendance", "assessment", "trainee", "course_run"])
def test_postgres_shows_a_trainer_rows_of_own_runs_only(
    table: str, trainer: Workplace, staffed: Workplace, own_code: str
) -> None:
    shown = {row[0] for row in trainer.db.rows(f"SELECT key FROM register.{table}")}
    column = {"course_run": "key", "trainee": "trainee_ref"}.get(table, "run_code")
    own = "SELECT key FROM register.course_run WHERE %(code)s = ANY(string_to_array(trainer_codes, ';'))"
    if table == "trainee":
        own = f"SELECT trainee_ref FROM register.enrolment WHERE run_code IN ({own})"
    wanted = {
        row[0] for row in staffed.db.rows(f"SELECT key FROM register.{table} WHERE {column} IN ({own})", {"code": own_code})
    }
    assert shown == wanted
    assert len(shown) < staffed.db.value(f"SELECT count(*) FROM register.{table}") or not shown


def test_a_trainer_finds_no_trace_of_another_run(trainer: Workplace, other_run: str, staffed: Workplace) -> None:
    plan_now(staffed, actor=staffed.actor())
    assert trace(staffed, other_run).chains
    found = trace(trainer, other_run)
    assert (found.chains, found.audit) == ([], [])


def test_without_a_trainer_code_nothing_is_shown(staffed: Workplace) -> None:
    with staffed.of(Person("nobody", "trainer", "system", None)) as place:
        assert place.db.rows("SELECT key FROM register.course_run") == []


@pytest.mark.parametrize("code", ["a b", "a\\b", "x -c role=tms_app", "x\t-c\trole=tms_app", "x\n-c\vrole=tms_app", "x' OR '1'='1"])
def test_attack_a_trainer_code_that_reads_like_a_setting_stays_a_value(code: str, staffed: Workplace) -> None:
    with staffed.of(Person("tina", "trainer", "system", code)) as place:
        assert place.db.rows("SELECT current_user, current_setting('tms.trainer')") == [("tms_trainer", code)]
        assert place.db.rows("SELECT key FROM register.course_run") == []


def test_finance_sees_fees_and_nothing_else(staffed: Workplace) -> None:
    plan_now(staffed, actor=staffed.actor())
    with staffed.of(person_of("finance")) as place:
        assert {row[0] for row in place.db.rows("SELECT kind FROM outbox.submission")} <= {"fee"}
        assert place.db.rows("SELECT key FROM register.attendance") == []
        assert place.db.rows("SELECT key FROM register.trainee") == []
        count = staffed.db.value("SELECT count(*) FROM register.fee")
        assert place.db.value("SELECT count(*) FROM register.fee") == count
        assert len(place.db.rows("SELECT key FROM register.course_run")) > 0, "the runs that the fees are of"


@pytest.mark.parametrize("role", ["trainer", "finance", "auditor"])
def test_who_reads_under_rules_reads_no_sealed_value_and_writes_nothing(
    role: str, staffed: Workplace, own_code: str
) -> None:
    with staffed.of(person_of(role, own_code)) as place:
        for statement in (
            "SELECT nric_sealed FROM register.trainee", "SELECT * FROM register.trainee",
            "SELECT rows_sealed FROM intake.landing_block", "SELECT wrapped FROM identity.data_key",
            "UPDATE register.course_run SET live = false", "DELETE FROM outbox.submission",
            "INSERT INTO identity.role_grant (person, role, ways, granted_by) VALUES ('x', 'admin', '{system}', 'x')",
            "UPDATE audit.entry SET actor = 'x'", "CREATE TABLE register.mine (a int)",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                place.db.rows(statement)


@pytest.mark.parametrize("person", ["tina", "finn", "audrey"])
def test_what_the_matrix_lets_them_read_does_work(person: str, run_as: Callable[..., Done], staffed: Workplace) -> None:
    for words in (["summary"], ["dead-letters", "list"], ["trace", "nobody knows this"], ["report", "runs"]):
        done = run_as(person, *words)
        assert done.returncode in (0, 1), (words, done.stderr)
    if person == "audrey":
        for words in (["audit", "show"], ["waiting"], ["roles", "list"]):
            assert run_as(person, *words).returncode in (0, 1), words


# --- Postgres' own roles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "statement", "may"),
    [("tms_app", "UPDATE register.course_run SET live = live WHERE false", True),
     ("tms_app", "SELECT nric_sealed FROM register.trainee LIMIT 1", True),
     ("tms_app", "DROP TABLE register.fee", False),
     ("tms_app", "TRUNCATE outbox.submission", False),
     ("tms_app", "UPDATE audit.entry SET actor = actor WHERE false", False),
     ("tms_app", "DELETE FROM audit.entry WHERE false", False),
     ("tms_app", "CREATE TABLE outbox.mine (a int)", False),
     ("tms_owner", "CREATE TABLE outbox.mine (a int)", True),
     ("tms_owner", "ALTER TABLE outbox.plan ADD COLUMN mine int", True),
     ("tms_owner", "DELETE FROM audit.entry", False),
     ("tms_reader", "SELECT key, run_code FROM register.enrolment LIMIT 1", True),
     ("tms_reader", "SELECT nric_sealed FROM register.trainee", False),
     ("tms_reader", "SELECT * FROM audit.entry", False),
     ("tms_reader", "SELECT * FROM identity.role_grant", False),
     ("tms_reader", "UPDATE outbox.plan SET state = state", False),
     ("tms_auditor", "SELECT actor, action FROM audit.entry LIMIT 1", True),
     ("tms_auditor", "SELECT person, role FROM identity.role_grant", True),
     ("tms_auditor", "SELECT wrapped FROM identity.data_key", False),
     ("tms_auditor", "DELETE FROM audit.entry", False),
     ("tms_auditor", "UPDATE outbox.plan SET state = state", False)],
)  # fmt: skip
def test_a_role_of_postgres_may_what_it_needs_and_no_more(role: str, statement: str, may: bool, staffed: Workplace) -> None:
    url = staffed.db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options=f"-c role={role}") as connection:
        assert connection.execute("SELECT current_user").fetchone() == (role,)
        if may:
            connection.execute(statement)
        else:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        connection.rollback()


def test_a_user_who_may_not_make_roles_still_migrates_and_is_told(
    make_database: Callable[..., str], drop_database: Callable[[str], None]
) -> None:
    """As on a hosted Postgres: the user owns the database and may make no role."""
    from sqlalchemy.engine import make_url

    from tms_pipeline.store.database import Database
    from tms_pipeline.store.migrations import migrate

    url = make_database(None)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    name = f"plain_{make_url(url).database}"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE")
        connection.execute(f'ALTER DATABASE "{make_url(url).database}" OWNER TO {name}')
    try:
        poor = make_url(url).set(username=name)
        assert migrate(poor).pending == ()
        with Database(poor) as db:
            assert set(database_roles.missing(db)) == set(database_roles.ROLES)
            with db.transaction() as connection:
                said = database_roles.make(connection)
            assert "may not make roles" in said[0] and "tms roles database" in said[0]
        with Database(make_url(url)) as db, db.transaction() as connection:
            assert database_roles.make(connection) == [], "a superuser makes them later, as the sentence says"
        with Database(poor) as db:
            assert (database_roles.role_of_app(db), row_rules(db).fine) == ("tms_app", True)
            with db.transaction() as connection:  # as the migration of the next release does
                connection.execute("CREATE TABLE finding.new (run_code text)")
                assert database_roles.make(connection) == []
            assert db.value("SELECT has_table_privilege('tms_app', 'finding.new', 'INSERT')")
        with Database(poor, role="tms_app") as db:
            assert db.value("SELECT row_security_active('finding.looked_run')") is False
            assert review(db, today=date(2026, 11, 21), correlation_id="test")["counts"]["missed"] == 0
    finally:
        drop_database(url)
        with psycopg.connect(plain.rsplit("/", 1)[0] + "/postgres?" + plain.split("?", 1)[1], autocommit=True) as connection:
            connection.execute(f"DROP ROLE {name}")


def test_a_login_that_row_rules_bind_is_named_with_its_mend(
    make_database: Callable[..., str], drop_database: Callable[[str], None]
) -> None:
    """A member of tms_app and no more, where nobody could exempt tms_app from the row rules."""
    from sqlalchemy.engine import make_url

    from tms_pipeline.store.database import Database

    url = make_database()
    name = f"hard_{make_url(url).database}"
    with Database(make_url(url)) as whole:

        def as_superuser(statement: str) -> None:
            with whole.transaction() as connection:
                connection.execute(statement)

        as_superuser(f"CREATE ROLE {name} LOGIN IN ROLE tms_app")
        try:
            with Database(make_url(url).set(username=name)) as db:
                assert row_rules(db).fine
                as_superuser("ALTER ROLE tms_app NOBYPASSRLS")
                check = row_rules(db)
                assert not check.fine and "under row rules" in check.sentence and "tms roles database" in check.remedy
                with whole.transaction() as connection:
                    assert database_roles.make(connection) == []
                assert row_rules(db).fine
        finally:
            as_superuser("ALTER ROLE tms_app BYPASSRLS")
            as_superuser(f"DROP ROLE {name}")
    drop_database(url)


# --- tokens ------------------------------------------------------------------------------------------------------


def as_bearer(place: Workplace, token: str) -> Person:
    from pydantic import SecretStr

    settings = place.settings.model_copy(update={"token": SecretStr(token), "environment": "production"})
    return identify.identify(settings, place.db, place.rings)


def test_a_token_says_who_somebody_is_and_the_table_says_what_they_may(staffed: Workplace) -> None:
    token = identify.make_token(staffed, "audrey", days=1)
    found = as_bearer(staffed, token)
    assert (found.name, found.role, found.way) == ("audrey", "auditor", "token")
    entry = staffed.db.rows("SELECT action, details::text FROM audit.entry ORDER BY seq DESC LIMIT 1")[0]
    assert entry[0] == "token made" and token not in entry[1]


def test_an_expired_token_is_refused(staffed: Workplace) -> None:
    ring = staffed.rings.audit
    past = datetime.now(UTC) - timedelta(days=2)
    token = tokens.make(ring.key, ring.active, "ada", now=past, lasts=timedelta(days=1))
    with pytest.raises(NotAllowed, match="ended on"):
        as_bearer(staffed, token)


def test_an_altered_or_foreign_token_is_refused(staffed: Workplace) -> None:
    token = identify.make_token(staffed, "audrey", days=1)
    lead, body, mac = token.split(".")
    ring = staffed.rings.audit
    stronger = tokens.make(bytes(32), ring.active, "ada", now=datetime.now(UTC), lasts=timedelta(days=1))
    unknown = tokens.make(ring.key, 99, "ada", now=datetime.now(UTC), lasts=timedelta(days=1))
    as_ada = stronger.split(".")[1]
    altered = [body[:at] + ("A" if body[at] != "A" else "B") + body[at + 1 :] for at in range(0, len(body), 7)]
    for wrong in (
        f"{lead}.{as_ada}.{mac}", stronger, unknown, f"{lead}.{body}.", f"{lead}.{body}", f"tms2.{body}.{mac}", "x", "..",
        f"{lead}.{body}.{mac}=", *(f"{lead}.{text}.{mac}" for text in altered),
    ):  # fmt: skip
        with pytest.raises(NotAllowed, match="not one of this installation"):
            as_bearer(staffed, wrong)


def test_a_role_taken_away_takes_its_tokens_along(staffed: Workplace) -> None:
    grants.grant(staffed, "visitor", "auditor", ways=("token",))
    token = identify.make_token(staffed, "visitor", days=1)
    assert as_bearer(staffed, token).role == "auditor"
    grants.revoke(staffed, "visitor")
    assert as_bearer(staffed, token).role is None
    with staffed.db.transaction() as connection:  # given again, later: an old token stays dead
        connection.execute(
            "INSERT INTO identity.role_grant (person, role, ways, granted_by, granted_at) "
            "VALUES ('visitor', 'admin', '{token}', 'ada', now() + interval '1 hour')"
        )
    with pytest.raises(NotAllowed, match="older than the role"):
        as_bearer(staffed, token)
    grants.revoke(staffed, "visitor")


# --- the proxy ---------------------------------------------------------------------------------------------------


def with_proxy(place: Workplace, **changes: object) -> Workplace:
    from pydantic import SecretStr

    settings = place.settings.model_copy(
        update={"proxy_address": "10.0.0.7, 192.0.2.0/30", "proxy_secret": SecretStr(SECRET), **changes}
    )
    return replace(place, settings=settings)


RIGHT = {"X-Forwarded-User": "audrey", "X-Tms-Proxy-Secret": SECRET}


def test_the_proxys_header_is_believed_from_the_proxy(staffed: Workplace) -> None:
    place = with_proxy(staffed)
    for address in ("10.0.0.7", "192.0.2.2"):
        name = proxy.name_of_request(place.settings, RIGHT, address)
        found = identify.identify_request(place.settings, place.db, name)
        assert (found.name, found.role, found.way) == ("audrey", "auditor", "proxy")


@pytest.mark.parametrize(
    ("headers", "address"),
    [(RIGHT, "10.0.0.8"), (RIGHT, "127.0.0.1"), (RIGHT, None), (RIGHT, "10.0.0.7, 1.2.3.4"),
     ({"X-Forwarded-User": "ada"}, "10.0.0.7"),
     ({**RIGHT, "X-Tms-Proxy-Secret": SECRET[:-1]}, "10.0.0.7"),
     ({**RIGHT, "X-Tms-Proxy-Secret": ""}, "10.0.0.7"),
     ({**RIGHT, "X-Forwarded-User": "ada, audrey"}, "10.0.0.7"),
     ({**RIGHT, "X-Forwarded-User": ""}, "10.0.0.7"),
     ({**RIGHT, "X-Forwarded-User": "a\nb"}, "10.0.0.7")],
    ids=["another address", "this machine", "no address", "two addresses", "no secret", "a wrong secret", "an empty one",
         "two names", "no name", "a line break"],
)  # fmt: skip
def test_attack_forge_the_proxy_header(headers: dict[str, str], address: str | None, staffed: Workplace) -> None:
    with pytest.raises(NotAllowed):
        proxy.name_of_request(with_proxy(staffed).settings, headers, address)


@pytest.mark.parametrize("changes", [{"proxy_address": ""}, {"proxy_secret": ""}, {"proxy_secret": "short"}])
def test_without_a_proxy_set_up_no_header_counts(changes: dict[str, str], staffed: Workplace) -> None:
    from pydantic import SecretStr

    given = {name: SecretStr(value) if "secret" in name else value for name, value in changes.items()}
    with pytest.raises(NotAllowed, match="No proxy"):
        proxy.name_of_request(with_proxy(staffed, **given).settings, RIGHT, "10.0.0.7")


def test_a_name_that_a_login_chose_does_not_become_a_user_of_the_machine(staffed: Workplace) -> None:
    """ada is admin by the system or a token; a visitor who registers as 'ada' at the proxy has no role."""
    assert identify.identify_request(staffed.settings, staffed.db, "ada").role is None


# --- giving and taking roles -------------------------------------------------------------------------------------


def test_the_last_admin_cannot_go_and_roles_make_sense(staffed: Workplace) -> None:
    maker = identify.system_user() if staffed.db.value("SELECT 1 FROM identity.role_grant WHERE person = %s",
                                                       (identify.system_user(),)) else "root"
    with pytest.raises(ValueError, match="no admin"), staffed.db.transaction() as connection:
        connection.execute("UPDATE identity.role_grant SET revoked_at = now(), revoked_by = 'x' WHERE role = 'admin' "
                           "AND person <> 'ada' AND revoked_at IS NULL")
        grants._keep_an_admin(connection)
        connection.execute("UPDATE identity.role_grant SET revoked_at = now(), revoked_by = 'x' WHERE person = 'ada'")
        grants._keep_an_admin(connection)
    assert maker
    for person, role, options in (
        ("x", "king", {}), ("x", "trainer", {}), ("x", "auditor", {"trainer_code": "T"}), ("", "auditor", {}),
        ("dagster", "admin", {}), ("x", "auditor", {"ways": ("magic",)}), ("x", "trainer", {"trainer_code": "NOBODY"}),
    ):  # fmt: skip
        with pytest.raises(ValueError) as wrong:
            grants.grant(staffed, person, role, **options)  # type: ignore[arg-type]
        one_sentence(str(wrong.value))


def test_until_somebody_has_a_role_the_maker_is_admin_and_stays_one_after_the_first_grant(place: Workplace) -> None:
    assert (place.person.role, place.person.way) == ("admin", "maker")
    grants.grant(place, "audrey", "auditor")
    found = {item.person: item.role for item in grants.grants(place.db) or ()}
    assert found == {identify.system_user(): "admin", "audrey": "auditor"}
    with pytest.raises(ValueError, match="no admin"):
        grants.revoke(place, identify.system_user())
    assert [row[0] for row in place.db.rows("SELECT action FROM audit.entry WHERE action LIKE 'role%' ORDER BY seq")] == [
        "role granted", "role granted",
    ]  # fmt: skip


def test_a_run_of_anybodys_is_free_for_those_who_see_all(staffed: Workplace, other_run: str) -> None:
    guard.permit_run(staffed, other_run)


# --- who saw what ------------------------------------------------------------------------------------------------


def test_who_saw_what_shows_reveals_exports_and_approvals_as_they_are_written_and_what_was_refused(
    staffed: Workplace, run_as: Callable[..., Done], folder: Path
) -> None:
    ref = staffed.db.value("SELECT trainee_ref FROM register.trainee WHERE phone_sealed IS NOT NULL ORDER BY 1")
    plan_id, plan = plan_now(staffed, actor=staffed.actor())
    approvals.approve_plan(staffed, plan_id, plan.hash, actor=staffed.actor(name="olivia"), parts=["trainer"])
    reason = ("--reason", "SSG asks which trainee this is")
    for person, code, words in (
        ("ada", 0, ["reveal", ref, "--field", "phone", *reason, "--yes-in-a-file"]),
        ("tina", 3, ["reveal", ref, "--field", "phone", *reason, "--yes-in-a-file"]),
        ("ada", 0, ["subject-access", "--trainee", ref, "-o", str(folder / "out.xlsx")]),
        ("finn", 3, ["subject-access", "--trainee", ref, "-o", str(folder / "out.xlsx")]),
        ("ada", 0, ["keys", "export", "-o", str(folder / "export")]),
    ):
        done = run_as(person, *words)
        assert done.returncode == code, done.stderr
    done = run_as("audrey", "audit", "show", "--saw", "--last", "6", "--json")
    found = [(entry["actor"], entry["action"], entry["entity_key"]) for entry in reversed(json.loads(done.stdout))]
    assert found == [
        ("olivia", "plan approved", plan_id), ("ada", "revealed", ref), ("tina", "refused", "reveal"),
        ("ada", "subject access exported", ref), ("finn", "refused", "subject-access"), ("ada", "data keys exported", "data"),
    ]  # fmt: skip


def test_a_reason_that_names_somebody_is_seen_by_marks_alone_and_a_number_is_refused(
    staffed: Workplace, run_as: Callable[..., Done]
) -> None:
    from tms_pipeline.identity.data_keys import data_keys
    from tms_pipeline.identity.opening import open_sealed, opening_for
    from tms_pipeline.identity.sealing import place as where

    ref = staffed.db.value("SELECT trainee_ref FROM register.trainee ORDER BY 1 DESC")
    with staffed.db.transaction() as connection, opening_for("trial"):
        key = data_keys(connection, staffed.rings.data, [f"trainee:{ref}"], make=False)[f"trainee:{ref}"]
        sealed = connection.execute("SELECT full_name_sealed FROM register.trainee WHERE trainee_ref = %s", (ref,)).fetchone()
        assert sealed is not None
        name = open_sealed(key, bytes(sealed[0]), where("register.trainee", "full_name", ref)).decode()
    done = run_as("ada", "retention", "hold", ref, "--reason", f"letter of {name.upper()}, case 12")
    assert done.returncode == 0 and "seems to hold the name" in done.stderr and name not in done.stderr
    done = run_as("ada", "retention", "release", ref, "--reason", "case 12 is closed")
    assert done.returncode == 0 and done.stderr == ""
    done = run_as("ada", "retention", "hold", ref, "--reason", "S9999001A complained")
    assert done.returncode == 3 and "S9999001A" not in one_sentence(done.stderr)
