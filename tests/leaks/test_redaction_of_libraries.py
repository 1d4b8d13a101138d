"""Real errors of each library, with a made-up person in them, logged as our processes log: nothing of the person is left."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pydantic
import pytest
import structlog
from sqlalchemy import create_engine, text

from tms_pipeline.operations.logs import JsonLines, set_up_logs
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace

# Made up, never issued.
NAME, NRIC, PHONE, MAIL = "Tan Ah Kow Planted", "S9999001A", "91234567", "planted@example.com"
WHOLE = f"{NAME} {NRIC} {PHONE} {MAIL}"


@pytest.fixture
def logged(settings: Settings) -> Iterator[Callable[[], str]]:
    """Logs of this process as of any other of ours, into memory; everything is as before afterwards."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, sys.excepthook, threading.excepthook)
    kept = io.StringIO()
    with contextlib.redirect_stderr(kept):
        set_up_logs(settings)
        root.setLevel(logging.DEBUG)
        yield kept.getvalue
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook = before[2], before[3]
    logging.captureWarnings(False)
    structlog.reset_defaults()


def assert_clean(said: str, *, but_says: str) -> None:
    assert but_says in said, said
    for value in (NAME, "Ah Kow", NRIC, PHONE, MAIL, "hunter2"):
        assert value not in said, said
    for line in said.strip().splitlines():
        json.loads(line)


def log_error(attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except Exception:
        logging.getLogger("a.library").exception("it broke on %r", WHOLE)
    else:
        raise AssertionError("it did not break")


@pytest.mark.parametrize(
    "statement",
    ["SELECT %s::date", "SELECT %s::int", "INSERT INTO identity.role_grant (person, role, ways, granted_by) "
     "VALUES ('x', %s, '{system}', 'x')", "SELECT nothing FROM no_such_table WHERE name = %s"],
)  # fmt: skip
def test_an_error_of_psycopg(statement: str, place: Workplace, logged: Callable[[], str]) -> None:
    log_error(lambda: place.db.rows(statement, (WHOLE,)))
    assert_clean(logged(), but_says="SQLSTATE")


def test_a_broken_copy_and_a_duplicate_of_psycopg(place: Workplace, logged: Callable[[], str]) -> None:
    def duplicate() -> None:
        with place.db.transaction() as connection:
            connection.execute("CREATE TEMP TABLE t (name text PRIMARY KEY, born date)")
            connection.execute("INSERT INTO t (name) VALUES (%(n)s), (%(n)s)", {"n": WHOLE})

    def copy() -> None:
        with place.db.transaction() as connection:
            connection.execute("CREATE TEMP TABLE t2 (born date)")
            with connection.cursor().copy("COPY t2 FROM STDIN") as target:
                target.write(f"{WHOLE}\n")

    log_error(duplicate)
    log_error(copy)
    assert_clean(logged(), but_says="SQLSTATE 23505")


def test_an_error_of_sqlalchemy(place: Workplace, logged: Callable[[], str]) -> None:
    engine = create_engine(place.db.url)

    def broken() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT CAST(:name AS date)"), {"name": WHOLE})

    try:
        log_error(broken)
        logging.getLogger("sqlalchemy.engine.Engine").warning("[generated in 0.1s] {'name': '%s'}", NAME)
    finally:
        engine.dispose()
    assert_clean(logged(), but_says="sqlalchemy.exc.DataError")


def test_an_error_of_httpx(logged: Callable[[], str]) -> None:
    request = httpx.Request("GET", f"https://me:hunter2@ssg.example/people/{NRIC}?name=Tan%20Ah%20Kow&q={NAME}")
    log_error(httpx.Response(404, request=request).raise_for_status)
    logging.getLogger("httpx").warning('HTTP Request: GET %s "HTTP/1.1 404"', request.url)
    said = logged()
    assert_clean(said, but_says="HTTPStatusError")
    assert "Tan%20Ah" not in said and "ssg.example" in said, "the host helps whoever reads it"


def test_an_error_of_dagster(logged: Callable[[], str]) -> None:
    import dagster as dg

    @dg.op
    def broken() -> None:
        raise ValueError(f"cannot use '{WHOLE}'")

    @dg.job
    def breaks() -> None:
        broken()

    logging.getLogger("dagster").setLevel(logging.CRITICAL)  # its own console is not ours to look at here
    log_error(lambda: breaks.execute_in_process(raise_on_error=True))
    assert_clean(logged(), but_says="ValueError")


def test_an_error_of_pydantic(logged: Callable[[], str]) -> None:
    class Person(pydantic.BaseModel):
        born: int

    log_error(lambda: Person.model_validate({"born": WHOLE}))
    assert_clean(logged(), but_says="born: int_parsing")


@pytest.mark.parametrize("attempt", [lambda: int(WHOLE), lambda: {}[WHOLE], lambda: json.loads(f'{{"a": {WHOLE}')],
                         ids=["int", "KeyError", "json"])  # fmt: skip
def test_an_error_of_python_itself(attempt: Callable[[], object], logged: Callable[[], str]) -> None:
    log_error(attempt)
    assert_clean(logged(), but_says="Traceback")


def test_the_cause_of_an_error_is_told_and_redacted_too(place: Workplace, logged: Callable[[], str]) -> None:
    def wrapped() -> None:
        try:
            place.db.rows("SELECT %s::date", (WHOLE,))
        except psycopg.Error as error:
            raise RuntimeError(f"while saving '{NAME}'") from error

    log_error(wrapped)
    assert_clean(logged(), but_says="InvalidDatetimeFormat")


def test_what_nobody_caught_and_what_structlog_says(logged: Callable[[], str]) -> None:
    thread = threading.Thread(target=lambda: int(WHOLE))
    thread.start()
    thread.join()
    sys.excepthook(ValueError, ValueError(f"'{WHOLE}'"), None)
    log = structlog.get_logger("tms.test")
    log.warning("kept", who={"nric": [NRIC, {"mail": MAIL}]}, error=ValueError(f"'{NAME}' {PHONE}"))
    try:
        int(WHOLE)
    except ValueError:
        log.error("broke", exc_info=True)
    assert_clean(logged(), but_says="unhandled error")


def test_secrets_of_an_address_are_no_part_of_a_line(logged: Callable[[], str]) -> None:
    address = "postgresql://tms:{}@127.0.0.1:1/tms".format("hunter" + "2")

    def fail() -> None:
        raise RuntimeError(f"cannot reach {address}")

    log_error(lambda: psycopg.connect(address, connect_timeout=1))
    log_error(fail)
    assert_clean(logged(), but_says="psycopg.OperationalError")


def test_a_log_call_whose_arguments_do_not_fit_costs_no_line() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%d people", ("many",), None)
    assert json.loads(JsonLines().format(record))["event"] == "%d people"
