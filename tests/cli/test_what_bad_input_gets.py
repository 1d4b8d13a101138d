"""Bad input: one sentence that says what and what to do, an exit code that is not zero, nothing half done."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import at_ssg
import psycopg
import pytest
from running import (
    PROJECT_ROOT,
    TMS,
    Done,
    as_anybody,
    as_json,
    environment,
    free_port,
    one_sentence,
    processes_of,
    tms,
)

from tms_pipeline.examples.layout import SETUP
from tms_pipeline.examples.term import Term
from tms_pipeline.operations.simulator_process import simulator, state
from tms_pipeline.settings import load_settings

Run = Callable[..., Done]
SECRET = "hunter2-of-nobody"


@pytest.mark.parametrize(
    ("url", "names"),
    [
        (f"mysql://tms:{SECRET}@db/tms", "DATABASE_URL"),
        (f"tms:{SECRET}@db", "DATABASE_URL"),
        (f"postgresql://tms:{SECRET}@[::1/tms", "DATABASE_URL"),
        (f"postgresql://tms:{SECRET}@127.0.0.1:1/tms", "127.0.0.1:1"),
        (f"postgresql://tms:{SECRET}@no.such.host.invalid/tms", "no.such.host.invalid"),
    ],
)
def test_a_wrong_or_unreachable_database(url: str, names: str, run: Run, folder: Path) -> None:
    done = run("summary", DATABASE_URL=url)
    assert done.returncode == 3
    said = one_sentence(done.stderr)
    assert names in said and SECRET not in said
    assert not (folder / "h" / "postgres").exists()


def test_a_database_that_is_not_there(run: Run, empty_database: str) -> None:
    where = empty_database.rsplit("?", 1)[1]
    done = run("summary", DATABASE_URL=f"postgresql://tms@/nothing_here?{where}")
    assert done.returncode == 3
    assert "nothing_here" in one_sentence(done.stderr)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TMS_HOLD_SHARE", "7"), ("SSG_ENV", "moon"), ("SSG_TIMEOUT_SECONDS", "soon"), ("TMS_DAGSTER_PORT", "0"),
     ("TMS_APPROVAL_POLICY", "perhaps"), ("TIMEZONE", "Mars/Phobos"), ("TMS_TODAY", "yesterday"),
     ("TMS_DAGSTER_PORT", "65535")],
)  # fmt: skip
def test_a_wrong_setting_is_named(name: str, value: str, run: Run) -> None:
    done = run("sync", **{name: value})
    assert done.returncode == 3
    assert name in one_sentence(done.stderr)


def test_real_ssg_with_settings_of_the_simulator_is_refused(run: Run) -> None:
    done = run("sync", SSG_ENV="uat")
    assert done.returncode == 3 and "SSG_BASE_URL" in one_sentence(done.stderr)
    done = run("sync", SSG_ENV="uat", SSG_BASE_URL="https://ssg.invalid")
    assert done.returncode == 3 and "SSG_ENCRYPTION_KEY" in one_sentence(done.stderr)
    done = run("demo", SSG_ENV="uat", SSG_BASE_URL="https://ssg.invalid")
    assert done.returncode == 3


def files_to_refuse(folder: Path) -> dict[str, Path]:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Colour", "Taste"])  # type: ignore[union-attr]
    book.active.append(["red", "sweet"])  # type: ignore[union-attr]
    book.save(folder / "no headings of ours.xlsx")
    (folder / "empty.xlsx").write_bytes(b"")
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04 broken")
    (folder / "a folder.xlsx").mkdir()
    return {path.name: path for path in folder.iterdir()} | {"missing.xlsx": folder / "missing.xlsx"}


@pytest.mark.parametrize("name", ["no headings of ours.xlsx", "empty.xlsx", "broken.xlsx"])
def test_a_file_that_is_none_of_ours(name: str, run: Run, tmp_path: Path) -> None:
    done = run("intake", str(files_to_refuse(tmp_path)[name]))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith(f"{name}: ") and first.endswith(".") and len(first) > 40
    found = as_json(run("summary", "--json"))
    assert [(item["state"], item["rows"]) for item in found["uploads"]] == [("refused", 0)]


@pytest.mark.parametrize("name", ["missing.xlsx", "a folder.xlsx"])
def test_a_file_that_is_no_file(name: str, run: Run, tmp_path: Path) -> None:
    done = run("intake", str(files_to_refuse(tmp_path)[name]))
    assert done.returncode == 3
    assert name in one_sentence(done.stderr)
    assert as_json(run("summary", "--json"))["uploads"] == []


def test_a_file_whose_reading_breaks_off(run: Run) -> None:
    """A disk that fails; the memory of a process begins with bytes that nobody may read, the superuser neither."""
    done = run("intake", "/proc/self/mem")
    assert done.returncode == 3 and "/proc/self/mem" in one_sentence(done.stderr)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "closed.xlsx"
    path.write_bytes(b"x")
    path.chmod(0)
    done = subprocess.run([*as_anybody(), str(TMS), "mapping", "new", str(path)], env=environment(tmp_path / "h"),
                          cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert done.returncode == 3 and "not allowed to read" in one_sentence(done.stderr)


def test_a_good_file_beside_a_missing_one_is_not_half_done(run: Run, term: Term, tmp_path: Path) -> None:
    from sheets import workbook

    from tms_pipeline.examples.answers import expected

    good = tmp_path / "good.xlsx"
    good.write_bytes(workbook(course=expected(term).records["course"]))
    done = run("intake", str(good), str(tmp_path / "missing.xlsx"))
    assert done.returncode == 3 and "missing.xlsx" in one_sentence(done.stderr)
    states = [item["state"] for item in as_json(run("summary", "--json"))["uploads"]]
    assert states in ([], ["taken in"]), "an upload was left half way"


def test_a_state_folder_that_cannot_be_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    done = run("summary", TMS_HOME=str(tmp_path / "file" / "h"))
    assert done.returncode == 3
    assert str(tmp_path / "file") in one_sentence(done.stderr)


def test_a_key_ring_that_others_may_read(run: Run, folder: Path) -> None:
    assert run("keys", "init").returncode == 0
    (folder / "h" / "keys" / "data.ring.json").chmod(0o644)
    done = run("summary")
    assert done.returncode == 3 and "chmod 600" in one_sentence(done.stderr)


def test_a_lost_key_ring_is_not_made_again_behind_anybodys_back(run: Run, folder: Path) -> None:
    assert run("summary").returncode == 0
    (folder / "h" / "keys" / "index.ring.json").unlink()
    done = run("summary")
    assert done.returncode == 3 and "index.ring.json" in one_sentence(done.stderr)
    assert not (folder / "h" / "keys" / "index.ring.json").exists()


def test_what_nobody_foresaw_is_one_sentence_and_its_text_goes_to_the_log_redacted(
    empty_database: str, folder: Path
) -> None:
    with psycopg.connect(empty_database.replace("+psycopg", "")) as connection:
        connection.execute("ALTER TABLE intake.upload ADD CHECK (received_by::int > 0) NOT VALID")
    (folder / "people.csv").write_text("nothing of ours")
    done = tms(
        folder / "h", "intake", str(folder / "people.csv"), DATABASE_URL=empty_database, TMS_ACTOR="S9999001A"
    )  # fmt: skip
    assert done.returncode == 3
    said = one_sentence(done.stderr)
    assert "InvalidTextRepresentation" in said and "errors.jsonl" in said
    log = (folder / "h" / "logs" / "errors.jsonl").read_text()
    assert "Traceback" in log and "SQLSTATE 22P02" in log and "invalid input syntax" not in log  # it quotes the value
    assert "S9999001A" not in done.stdout + said + log
    (folder / "h" / "logs" / "errors.jsonl").unlink()
    (folder / "h" / "logs" / "errors.jsonl").symlink_to("/dev/full")
    done = tms(
        folder / "h", "intake", str(folder / "people.csv"), DATABASE_URL=empty_database, TMS_ACTOR="S9999001A"
    )  # fmt: skip
    assert done.returncode == 3 and "could not be kept" in one_sentence(done.stderr)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else holds."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_stops_up_before_anything_is_started(taken: int, empty_database: str, folder: Path) -> None:
    ports = {"TMS_DAGSTER_PORT": str(free_port()), "TMS_SIMULATOR_PORT": str(free_port())}
    for name, port in (("TMS_DAGSTER_PORT", taken), ("TMS_DAGSTER_PORT", taken - 1), ("TMS_SIMULATOR_PORT", taken)):
        done = tms(folder / "h", "up", **{**ports, name: str(port), "DATABASE_URL": empty_database})
        assert done.returncode == 3
        said = one_sentence(done.stderr)
        assert str(taken) in said and name in said
        assert not (folder / "h" / "up.json").exists()
        assert processes_of(folder) == []


def test_a_taken_port_stops_the_simulator(taken: int, folder: Path) -> None:
    done = tms(folder / "h", "simulator", "--port", str(taken))
    assert done.returncode == 3
    assert str(taken) in one_sentence(done.stderr)


def test_an_unreachable_ssg_is_said_nothing_is_sent_and_the_next_night_makes_up_for_it(
    copy_of_prepared: Callable[[], tuple[Path, dict[str, str]]], term: Term
) -> None:
    home, extra = copy_of_prepared()
    registers = registers_of(extra["DATABASE_URL"])
    closed = {"SSG_BASE_URL": f"http://127.0.0.1:{free_port()}", "SSG_TIMEOUT_SECONDS": "2"}
    done = tms(home, "sync", **extra, **closed)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "not read" in done.stdout + done.stderr
    found = as_json(tms(home, "summary", "--json", **extra))
    assert found["discrepancies"].keys() <= {"not read", "waiting"}
    assert not {state for states in found["submissions"].values() for state in states} & {"accepted", "sending", "dead"}
    assert registers_of(extra["DATABASE_URL"]) == registers
    with psycopg.connect(extra["DATABASE_URL"].replace("+psycopg", "")) as connection:  # a night goes by
        connection.execute("UPDATE ssg.breaker SET opened_at = opened_at - interval '1 day', probe_at = now()")
    with simulator(load_settings(_env_file=None, tms_home=home)) as url:
        done = tms(home, "sync", **extra, SSG_BASE_URL=url)
        assert done.returncode == 0, done.stderr
        assert at_ssg.differences(at_ssg.wanted(term, stage=SETUP), at_ssg.held(term, state(url))) == {}


def registers_of(url: str) -> list[tuple[str, int]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'register' ORDER BY 1"
        ).fetchall()
        return [
            (table, connection.execute(f"SELECT count(*) FROM register.{table}").fetchone()[0])  # type: ignore[index]
            for (table,) in tables
        ]


def test_an_old_python_is_refused_by_make_before_anything_is_made(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(PROJECT_ROOT / name, tmp_path)
    old = tmp_path / "python3.10"
    pretend = 'import sys; sys.version_info = (3, 10, 4, "final", 0); sys.version = "3.10.4 (old)"; exec(sys.argv[1])'
    old.write_text(f'#!/bin/sh\n[ "$1" = -c ] || exit 99\nexec {sys.executable} -c \'{pretend}\' "$2"\n')
    old.chmod(0o755)
    for target in ("demo", "up", "test"):
        done = subprocess.run(
            ["make", f"PYTHON={old}", target], cwd=tmp_path, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert done.returncode != 0
        assert "needs Python 3.11 or newer" in done.stderr and "3.10.4" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / ".venv").exists()
