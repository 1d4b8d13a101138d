"""The embedded Postgres: shared, stopped by the last, back after SIGKILL, unprivileged, private."""

from __future__ import annotations

import os
import pwd
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from running import processes_of, short_folder, wait_until

from tms_pipeline.store import embedded
from tms_pipeline.store.database import Database, conninfo, normalise_url, unusable
from tms_pipeline.store.embedded import BUSINESS, DAGSTER, EmbeddedPostgres

USER_OF_SERVER = """
import sys
from pathlib import Path
from tms_pipeline.store.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""


def pid_of(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split("\n", 1)[0])


def answers(server: EmbeddedPostgres) -> bool:
    try:
        psycopg.connect(host=str(server.socket), user=embedded.USER, dbname=BUSINESS, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def value(server: EmbeddedPostgres, query: str, database: str = BUSINESS) -> object:
    with Database(server.url(database)) as db:
        return db.value(query)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A state folder that the tests of this module use one after the other: its data folder is made once."""
    with short_folder() as folder:
        yield folder / "h"


@pytest.fixture
def other_user(home: Path):  # type: ignore[no-untyped-def]
    """Starts processes that use the server, and ends them."""
    running: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", USER_OF_SERVER, str(home)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None and process.stdout.readline() == "up\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_the_server_starts_with_both_databases_and_stops_with_nothing_left(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        pid = pid_of(server)
        assert value(server, "SELECT current_database()") == BUSINESS
        assert value(server, "SELECT current_database()", DAGSTER) == DAGSTER
        assert value(server, "SHOW listen_addresses") == ""
    assert not alive(pid)
    assert not answers(server)
    assert processes_of(home) == []


def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    with EmbeddedPostgres(home) as server, Database(server.url()) as db, db.transaction() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with EmbeddedPostgres(home) as server:
        assert value(server, "SELECT number FROM kept") == 7


def test_after_sigkill_of_the_server_the_next_user_has_it_back_with_what_was_committed(home: Path) -> None:
    with EmbeddedPostgres(home) as server, Database(server.url()) as db:
        with db.transaction() as connection:
            connection.execute("CREATE TABLE survived AS SELECT 7 AS number")
        pid = pid_of(server)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not answers(server), seconds=10, why="the server survived SIGKILL")
        assert (server.data / "postmaster.pid").exists()
    with EmbeddedPostgres(home) as server:
        assert value(server, "SELECT number FROM survived") == 7
        assert pid_of(server) != pid


def test_a_stale_pid_file_of_another_process_does_not_stop_it(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        lines = (server.data / "postmaster.pid").read_text().split("\n")
    # A machine that lost power and came back: the number now belongs to a process that has nothing to do with us.
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        (server.data / "postmaster.pid").write_text("\n".join([str(bystander.pid), *lines[1:]]))
        with EmbeddedPostgres(home) as server:
            assert value(server, "SELECT 1") == 1
        assert bystander.poll() is None, "somebody else's process was stopped"
    finally:
        bystander.kill()
        bystander.wait()


def test_two_processes_share_one_server_and_the_last_one_stops_it(home: Path, other_user) -> None:  # type: ignore[no-untyped-def]
    server = EmbeddedPostgres(home)
    first, second = other_user(), other_user()
    pid = pid_of(server)
    first.communicate("")
    assert first.returncode == 0
    assert alive(pid) and answers(server)
    second.communicate("")
    assert second.returncode == 0
    wait_until(lambda: not alive(pid), seconds=10, why="the last user did not stop the server")


def test_a_user_that_was_killed_does_not_keep_the_server_from_stopping(home: Path, other_user) -> None:  # type: ignore[no-untyped-def]
    first, second = other_user(), other_user()
    pid = pid_of(EmbeddedPostgres(home))
    first.kill()
    first.wait()
    second.communicate("")
    wait_until(lambda: not alive(pid), seconds=10, why="the killed user's hold on the server outlived it")


def test_a_first_start_that_was_killed_half_way_does_not_spoil_the_next(folder: Path) -> None:
    base = EmbeddedPostgres(folder / "h").base
    process = subprocess.Popen(
        [sys.executable, "-c", USER_OF_SERVER, str(folder / "h")], start_new_session=True, stdin=subprocess.DEVNULL
    )
    wait_until(lambda: list(base.glob("data*/PG_VERSION")), seconds=20, why="no data folder was begun")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (base / "data" / "postmaster.pid").exists(), "the kill came too late"
    with EmbeddedPostgres(folder / "h") as server:
        assert value(server, "SELECT 1") == 1


def test_a_long_state_folder_works_although_socket_paths_are_short(folder: Path) -> None:
    home = folder / ("a-rather-long-name-of-a-folder-" * 4) / "h"
    with EmbeddedPostgres(home) as server:
        assert len(str(home / "postgres" / "run" / ".s.PGSQL.5432")) > 107
        assert value(server, "SELECT 1") == 1
        facts = server.socket.stat()
        assert stat.S_IMODE(facts.st_mode) == 0o700
    assert not answers(server)


def test_the_folders_are_closed_to_others(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        for path in (server.data, server.socket):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
        assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must change its user")
def test_as_root_the_server_runs_as_another_user_and_parents_keep_their_modes() -> None:
    with short_folder() as above:
        parent = above / "parent"
        parent.mkdir(mode=0o711)
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (Path("/"), Path("/tmp"), above, parent)}
        with EmbeddedPostgres(parent / "h") as server:
            assert server.owner is not None and server.owner.pw_uid != 0
            facts = Path(f"/proc/{pid_of(server)}").stat()
            assert facts.st_uid == server.owner.pw_uid == pwd.getpwnam(server.owner.pw_name).pw_uid
        assert {path: stat.S_IMODE(path.stat().st_mode) for path in modes} == modes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must change its user")
def test_as_root_under_a_closed_home_that_home_stays_closed() -> None:
    with short_folder() as above:
        closed = above / "closed"
        closed.mkdir(mode=0o700)
        server = EmbeddedPostgres(closed / "h")
        try:
            with server:
                assert not server.data.is_relative_to(closed)
                assert value(server, "SELECT 1") == 1
            assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        finally:
            subprocess.run(["rm", "-rf", str(server.base)], check=True)


def test_the_server_log_keeps_no_value_of_a_failing_statement(home: Path) -> None:
    with EmbeddedPostgres(home) as server, Database(server.url()) as db:
        with pytest.raises(psycopg.Error), db.transaction() as connection:
            connection.execute("SELECT %s::int", ("S9999001A is no number",))
        with pytest.raises(psycopg.Error), db.transaction() as connection:
            connection.execute("SELECT 'S9999001A'::int")
        log = (server.data / "server.log").read_text()
    assert "S9999001A" not in log


def test_a_state_folder_may_have_any_name_that_a_folder_may_have() -> None:
    with short_folder() as folder, EmbeddedPostgres(folder / "ops, 50% of ü+数") as server:
        assert value(server, "SELECT 1") == 1


@pytest.mark.parametrize(
    ("address", "means"),
    [
        ("postgresql://u:a%20b%2Bc%25@h:6543/d", {"user": "u", "password": "a b+c%", "host": "h", "port": "6543", "dbname": "d"}),
        ("postgresql://u@/d?host=/srv/a%20b&options=-c%20jit%3Doff", {"host": "/srv/a b", "options": "-c jit=off"}),
    ],
)
def test_an_address_reaches_postgres_as_it_was_meant(address: str, means: dict[str, str]) -> None:
    assert conninfo_to_dict(conninfo(normalise_url(address))).items() >= means.items()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('FATAL:  could not write init file: No space left on device', "its disk is full; make room"),
        ('FATAL:  the database system is starting up', "it is starting up; run it again in a moment"),
        ('FATAL:  sorry, too many clients already', "no free connection"),
        ('connection to server on socket "/x/.s.PGSQL.5432" failed: No such file or directory', "does not answer"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_told_by_why(said: str, told: str) -> None:
    sentence = unusable(psycopg.OperationalError(said), normalise_url("postgresql://tms:hunter2@/tms?host=/x"))
    assert told in sentence and "socket file" in sentence and "hunter2" not in sentence and sentence.endswith(".")
