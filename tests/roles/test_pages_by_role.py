"""The page of reports behind the proxy, and reports of past days: each person their part, and nobody around it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from pydantic import SecretStr
from role_world import person_of
from running import Done, free_port, listens, wait_until

from tms_pipeline.health import service
from tms_pipeline.roles import grants
from tms_pipeline.roles.pages import reports_page, within
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace

SECRET = "a secret of the proxy, forty letters long."
# Rows bear the real time at which a test wrote them: the past day is one that no test outlasts.
PAST = (datetime.now(UTC) + timedelta(days=1)).date()
LATER = {"TMS_TODAY": str(PAST + timedelta(days=2))}


@pytest.fixture(scope="module")
def behind_proxy(staffed: Workplace, own_code: str) -> Settings:
    """Settings with a proxy, reports of everybody, and some of tina's own."""
    folder = staffed.folder("reports")
    # What she was shown in another role, or as another trainer, is not hers any more.
    for role, text in ((f"trainer-{own_code}", "tina's runs"), ("finance", "old fees"), ("trainer-TR-99", "old runs")):
        (folder / "of" / "tina" / role).mkdir(parents=True, exist_ok=True)
        (folder / "of" / "tina" / role / "runs.html").write_text(f"<p>{text}</p>")
        (folder / "of" / "tina" / role / f"{role}.html").write_text(f"<p>{text}</p>")
    (folder / "runs.html").write_text("<p>all runs</p>")
    (folder / "out.html").symlink_to(staffed.home / "keys" / "data.ring.json")
    (folder / "<b>x.html").write_text("x")
    return staffed.settings.model_copy(update={"proxy_address": "10.0.0.7", "proxy_secret": SecretStr(SECRET), "actor": ""})


def get(settings: Settings, path: str, name: str | None, *, secret: str = SECRET, address: str = "10.0.0.7") -> httpx.Response:
    return asked(settings, path, {"X-Tms-Proxy-Secret": secret, **({"X-Forwarded-User": name} if name else {})}, address)


def asked(settings: Settings, path: str, headers: Any, address: str = "10.0.0.7") -> httpx.Response:
    async def ask() -> httpx.Response:
        door = httpx.ASGITransport(app=reports_page(settings), client=(address, 50000))
        async with httpx.AsyncClient(transport=door, base_url="http://page") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(ask())


def test_each_login_sees_its_part_of_the_reports(behind_proxy: Settings) -> None:
    everything, own = get(behind_proxy, "/runs.html", "audrey"), get(behind_proxy, "/runs.html", "tina")
    assert (everything.status_code, everything.text) == (200, "<p>all runs</p>")
    assert (own.status_code, own.text) == (200, "<p>tina's runs</p>")
    assert own.headers["cache-control"] == "private, no-store" and "default-src 'none'" in own.headers["content-security-policy"]
    listed = get(behind_proxy, "/", "audrey").text
    assert 'href="of/"' in listed and "&lt;b&gt;x.html" in listed and "<b>x" not in listed and "out.html" not in listed
    assert get(behind_proxy, "/of", "audrey").headers["location"] == "of/"
    assert get(behind_proxy, "/of/tina/runs.html", "finn").status_code == 404
    for path in ("/finance.html", "/trainer-TR-99.html", "/../finance/finance.html", "/finance/finance.html"):
        assert get(behind_proxy, path, "tina").status_code == 404


@pytest.mark.parametrize("path", ["/%2e%2e/runs.html", "/..%2f..%2fruns.html", "/%2e%2e%2f%2e%2e%2fkeys/data.ring.json",
                                  "/out.html", "//etc/passwd", "/..\\runs.html", "/.hidden", "/%00"])  # fmt: skip
def test_attack_no_path_leads_out_of_ones_folder(path: str, behind_proxy: Settings) -> None:
    for name in ("tina", "audrey"):
        answer = get(behind_proxy, path, name)
        assert answer.status_code == 404 and "all runs" not in answer.text and "keys" not in answer.text, (name, answer.text)


def test_attack_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.html").write_text("x")
    (tmp_path / "in" / "link.html").symlink_to(tmp_path / "secret.html")
    (tmp_path / "in" / "own.html").write_text("x")
    assert within(tmp_path / "in", "own.html") and within(tmp_path / "in", "link.html") is None
    assert within(tmp_path / "in", "own.html/..") is None


def test_attack_forge_the_proxy_header_on_the_page(behind_proxy: Settings, staffed: Workplace) -> None:
    for wrong in ({"secret": "guessed"}, {"secret": ""}, {"address": "10.0.0.8"}, {"address": "127.0.0.1"}):
        answer = get(behind_proxy, "/runs.html", "audrey", **wrong)
        assert answer.status_code == 403 and "all runs" not in answer.text, wrong
    assert get(behind_proxy, "/runs.html", None).status_code == 403
    assert get(behind_proxy, "/runs.html", "audrey, ada").status_code == 403
    # The machine's admin by account is nobody at the login; the refusal stands in the audit log.
    assert get(behind_proxy, "/runs.html", "ada").status_code == 403
    assert staffed.db.rows("SELECT actor, action, entity_key FROM audit.entry ORDER BY seq DESC LIMIT 1") == [
        ("ada", "refused", "reports")
    ]
    unset = behind_proxy.model_copy(update={"proxy_secret": SecretStr("")})
    assert get(unset, "/runs.html", "audrey").status_code == 403


def test_two_headers_of_one_name_are_not_believed(behind_proxy: Settings) -> None:
    given = [("X-Tms-Proxy-Secret", SECRET), ("X-Forwarded-User", "tina"), ("X-Forwarded-User", "audrey")]
    assert asked(behind_proxy, "/runs.html", given).status_code == 403


@pytest.fixture
def served(behind_proxy: Settings) -> Iterator[str]:
    """The real server, as tms serve-health runs it."""
    port = free_port()
    running = service.server(behind_proxy.model_copy(update={"health_port_given": port}))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_until(lambda: listens(port), seconds=20, why="the service does not listen")
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(20)


def test_attack_an_address_in_a_header_does_not_make_anybody_the_proxy(served: str) -> None:
    """The proxy is at 10.0.0.7; this comes from 127.0.0.1 with the right secret, and says it were the proxy."""
    given = {"X-Tms-Proxy-Secret": SECRET, "X-Forwarded-User": "audrey", "X-Forwarded-For": "10.0.0.7", "X-Real-Ip": "10.0.0.7"}
    answer = httpx.get(f"{served}/reports/runs.html", headers=given)
    assert answer.status_code == 403 and "through the proxy" in answer.text
    assert httpx.get(f"{served}/live").status_code == 200


# --- past days ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", ["tina", "finn", "audrey"])
def test_a_report_of_a_past_day_is_made_for_who_may_see_reports(
    person: str, run_as: Callable[..., Done], staffed: Workplace, own_code: str
) -> None:
    done = run_as(person, "report", "runs", "--as-of", str(PAST), **LATER)
    assert done.returncode == 0, done.stderr
    book = next(Path(line.strip()) for line in done.stdout.splitlines() if line.strip().endswith(".xlsx"))
    cells = {str(cell.value) for sheet in load_workbook(book) for row in sheet for cell in row if cell.value is not None}
    every = {row[0] for row in staffed.db.rows("SELECT key FROM register.course_run")}
    own = {row[0] for row in staffed.db.rows(
        "SELECT key FROM register.course_run WHERE %s = ANY(string_to_array(trainer_codes, ';'))", (own_code,))}  # fmt: skip
    if person == "tina":
        assert own & cells and not (every - own) & cells
    else:
        assert (every - own) & cells


@pytest.mark.parametrize("role", ["trainer", "finance", "auditor"])
def test_what_was_has_the_row_rules_of_what_is(role: str, staffed: Workplace, own_code: str) -> None:
    """Every view of the past shows as many rows as its table does, for each role; and no sealed value for anybody."""
    with staffed.of(person_of(role, own_code)) as place, place.db.transaction() as connection:
        connection.execute("SELECT set_config('tms.as_of', now()::text, true)")
        for table in ("course_run", "session", "trainee", "enrolment", "fee", "attendance", "assessment"):
            now, past = connection.execute(
                f"SELECT (SELECT count(*) FROM register.{table}), (SELECT count(*) FROM history.register_{table})"
            ).fetchone() or (-1, -2)
            assert past == now, table
        for view in ("mirror_enrolment", "mirror_attendance", "mirror_fee", "outbox_submission"):
            connection.execute(f"SELECT count(*) FROM history.{view}")


def test_the_past_shows_no_sealed_value_and_no_mark_to_anybody(staffed: Workplace) -> None:
    with staffed.owner_db.transaction() as connection:
        connection.execute("SELECT set_config('tms.as_of', now()::text, true)")
        rows = connection.execute("SELECT to_jsonb(h) FROM history.register_trainee h").fetchall()
    assert rows and {name for (row,) in rows for name, value in row.items() if name.endswith(("_sealed", "_mark")) and value} == set()


def test_every_history_is_guarded_as_its_table_is(staffed: Workplace) -> None:
    """A trainer or finance sees of a history what they see of its table: by the same condition, or nothing at all."""
    rows = staffed.db.rows(
        "SELECT schemaname, tablename, policyname, replace(qual, '_history', '') FROM pg_policies "
        "WHERE policyname IN ('own_runs', 'fees')"
    )
    rules = {(schema, table, name): qual for schema, table, name, qual in rows}
    tables = {(schema, table) for schema, table in staffed.db.rows(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('register', 'mirror', 'outbox') "
        "AND tablename LIKE '%_history'")}  # fmt: skip
    assert len(tables) > 15
    for schema, table in tables:
        for name in ("own_runs", "fees"):
            base = rules.get((schema, table.removesuffix("_history"), name))
            assert rules.get((schema, table, name)) == base, (schema, table, name)
    unguarded = staffed.db.rows(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
        "AND n.nspname IN ('register', 'mirror', 'outbox', 'finding', 'intake', 'ssg') AND NOT c.relrowsecurity"
    )
    assert unguarded == []


# --- as whom the pipeline itself works ---------------------------------------------------------------------------


def test_the_pipeline_works_as_tms_app_and_may_not_touch_the_log_or_a_table(staffed: Workplace) -> None:
    import psycopg

    assert staffed.db.value("SELECT current_user") == "tms_app"
    assert staffed.owner_db.value("SELECT current_user") == staffed.db.value("SELECT session_user") != "tms_app"
    for statement in ("UPDATE audit.entry SET actor = 'x'", "DELETE FROM audit.entry", "TRUNCATE audit.entry",
                      "ALTER TABLE audit.entry DISABLE TRIGGER refuse_change", "DROP TABLE register.fee",
                      "UPDATE audit.beginning SET seq = 1", "CREATE TABLE register.mine (a int)",
                      "ALTER TABLE register.fee DISABLE ROW LEVEL SECURITY", "CREATE ROLE mine"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            staffed.db.rows(statement)


def test_rights_of_another_release_are_not_worked_with(staffed: Workplace) -> None:
    from tms_pipeline.roles.database_roles import make, role_of_app

    assert role_of_app(staffed.owner_db) == "tms_app"
    try:
        with staffed.owner_db.transaction() as connection:
            connection.execute("COMMENT ON SCHEMA identity IS 'rights of an older release'")
        assert role_of_app(staffed.owner_db) is None
        with staffed.owner_db.transaction() as connection:
            make(connection)
            connection.execute("REVOKE INSERT ON register.trainee FROM tms_app")
        assert role_of_app(staffed.owner_db) is None, "a dump that was restored without its grants"
    finally:
        with staffed.owner_db.transaction() as connection:
            assert make(connection) == []
    assert role_of_app(staffed.owner_db) == "tms_app"
    assert grants.grants(staffed.db)
