"""An inbox behind an fsspec URL follows the rules of a folder: stands still, not twice, never lock files."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import fsspec
import pytest

from tms_pipeline.intake.receiving import receive_inbox
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace, open_workplace

COURSES = b"Course Reference,Course Title,Full Course Fee\nTGS-2026000101,Hygiene,480.00\n"


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """A real S3-compatible server on loopback; returns the URL of a bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    fsspec.filesystem("s3").mkdir("drop")
    yield "s3://drop"
    server.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(params=["memory", "file", "s3"])
def box(request: pytest.FixtureRequest, settings: Settings, tmp_path: object) -> tuple[str, object, Settings]:
    name = f"inbox-{uuid.uuid4().hex}"
    if request.param == "s3":
        url = f"{request.getfixturevalue('s3')}/{name}"
    else:
        url = f"memory://{name}" if request.param == "memory" else f"file://{tmp_path}/inbox"
    filesystem, root = fsspec.core.url_to_fs(url)
    filesystem.makedirs(root, exist_ok=True)
    return root, filesystem, settings.model_copy(update={"inbox": url})


def test_a_file_is_received_at_the_second_look_and_leaves_the_inbox(box: tuple[str, object, Settings]) -> None:
    root, filesystem, settings = box
    with open_workplace(settings) as place:
        filesystem.makedirs(f"{root}/anna", exist_ok=True)
        filesystem.pipe_file(f"{root}/anna/courses.csv", COURSES)
        first = receive_inbox(place, {})
        assert (first.uploads, first.waiting) == ([], 1)
        second = receive_inbox(place, first.looks)
        assert len(second.uploads) == 1
        assert not filesystem.exists(f"{root}/anna/courses.csv")
        assert place.db.rows("SELECT source, state FROM intake.upload") == [("anna", "received")]


def test_a_file_that_still_grows_waits(box: tuple[str, object, Settings]) -> None:
    root, filesystem, settings = box
    with open_workplace(settings) as place:
        filesystem.pipe_file(f"{root}/courses.csv", COURSES[:20])
        first = receive_inbox(place, {})
        filesystem.pipe_file(f"{root}/courses.csv", COURSES)
        second = receive_inbox(place, first.looks)
        assert (second.uploads, second.waiting) == ([], 1)


def test_lock_files_and_notes_are_left_alone(box: tuple[str, object, Settings]) -> None:
    root, filesystem, settings = box
    with open_workplace(settings) as place:
        for name in ("~$courses.xlsx", ".hidden.csv", "half.part", "courses.csv.note.txt"):
            filesystem.pipe_file(f"{root}/{name}", b"x")
        assert receive_inbox(place, {}, stable_seconds=0).looks == {}


def test_the_same_bytes_again_are_answered_and_not_taken_again(box: tuple[str, object, Settings]) -> None:
    root, filesystem, settings = box
    with open_workplace(settings) as place:
        for _ in range(2):
            filesystem.pipe_file(f"{root}/courses.csv", COURSES)
            received = receive_inbox(place, {}, stable_seconds=0)
        assert (received.uploads, len(received.again)) == ([], 1)
        assert not filesystem.exists(f"{root}/courses.csv")
        assert place.db.value("SELECT count(*) FROM intake.upload") == 1
        assert list(place.folder("results").glob("*.xlsx"))


def test_an_inbox_that_cannot_be_read_is_no_empty_one(place: Workplace) -> None:
    blocked = place.home / "blocked"
    blocked.write_text("a file where the inbox should be")
    with open_workplace(place.settings.model_copy(update={"inbox": str(blocked)})) as other, pytest.raises(OSError):
        receive_inbox(other, {})
