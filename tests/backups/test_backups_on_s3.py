"""Backups in a bucket: a real S3 server on loopback, behind a line that can be cut in the middle of a write."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import httpx
import pytest
from fsspec.implementations.local import LocalFileSystem
from restorable import Restorable

from tms_pipeline.backups.drill import drill
from tms_pipeline.backups.making import make
from tms_pipeline.backups.places import Place, name_of
from tms_pipeline.backups.scratch import opened
from tms_pipeline.backups.sealed_file import BackupError
from tms_pipeline.identity import keyring
from tms_pipeline.identity.retiring import retire
from tms_pipeline.identity.rotation import rotate
from tms_pipeline.settings import load_settings

SECRET = "made-up-secret"


class Line:
    """A line to a server that can be cut after so many bytes of a connection."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.cut_after: int | None = None
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        while True:
            try:
                caller, _ = self._door.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            for ends in ((caller, server, True), (server, caller, False)):
                threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        seen = 0
        try:
            while data := source.recv(65536):
                seen += len(data)
                if outward and self.cut_after is not None and seen > self.cut_after:
                    break
                target.sendall(data)
        except OSError:
            return
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def close(self) -> None:
        self._door.close()


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    from moto.server import ThreadedMotoServer
    from s3fs import S3FileSystem

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    found = Line(*server.get_host_and_port())
    given = {
        "AWS_ENDPOINT_URL": found.url, "AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    retries, S3FileSystem.retries = S3FileSystem.retries, 1
    S3FileSystem.clear_instance_cache()
    S3FileSystem().mkdir("kept")
    yield found
    found.close()
    server.stop()
    S3FileSystem.retries = retries
    S3FileSystem.clear_instance_cache()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def refused(ours: Restorable, url: str) -> str:
    with pytest.raises(BackupError) as error:
        make(ours.world.workplace, actor=ours.world.actor("admin", "admin"), url=url)
    told = str(error.value)
    assert told.endswith(".") and "\n" not in told and SECRET not in told and url in told
    return told


def test_a_bucket_holds_backups_whole_or_not_at_all_and_a_refusal_is_one_sentence(ours: Restorable, line: Line) -> None:
    world = ours.world
    place = Place("s3://kept/tms")
    actor = world.actor("admin", "admin")
    made = make(world.workplace, actor=actor, url=place.url)
    assert [one.name for one in place.backups()] == [made.name]
    with opened(world.workplace, place, made.name) as found:
        assert found.facts["counts"]["register.trainee"] == 3 and found.beside
    assert place.names("archive"), "the originals lie beside it"

    assert "make the bucket" in refused(ours, "s3://mistyped/tms")
    assert not place.fs.exists("mistyped"), "a mistyped bucket is no new one"

    line.cut_after = 20_000
    try:
        assert "cannot be reached" in refused(ours, place.url)
    finally:
        line.cut_after = None
    assert [one.name for one in place.backups()] == [made.name], "half a backup is none"

    control = f"http://{line.target[0]}:{line.target[1]}/moto-api/reset-auth"
    httpx.post(control, content=b"0").raise_for_status()  # from now on the server asks who calls
    try:
        assert "refuses us" in refused(ours, place.url)
    finally:
        httpx.post(control, content=b"1000000").raise_for_status()
    assert make(world.workplace, actor=actor, url=place.url).name in place.names()


def test_what_a_broken_off_write_left_goes_with_a_later_backup_and_an_address_is_shown_without_its_password(
    ours: Restorable,
) -> None:
    place = ours.place
    old, young = (name_of(datetime.now(UTC) - timedelta(days=days)) for days in (2, 0))
    for name in (f"{old}.part", old, f"{young}.part"):
        place.write(name, b"half")
    made = make(ours.world.workplace, actor=ours.world.actor("admin", "admin"))
    assert {name for name in place.names() if "/" not in name and "tmsbackup" in name} == {
        made.name, f"{made.name}.sha256", f"{young}.part"
    }  # fmt: skip
    for address, shown in (
        ("memory://reader:hush@elsewhere/x?token=hush", "memory://reader@elsewhere/x"),
        ("memory://reader:hu@sh@elsewhere/x", "memory://reader@elsewhere/x"),
        ("memory://reader:hu/sh@hush:hush@elsewhere/x", "memory://reader@elsewhere/x"),
        ("memory://reader:hu?sh@elsewhere/x", "memory://reader"),
        ("memory://elsewhere/x?token=hush@hush", "memory://elsewhere/x"),
        ("memory://elsewhere/2026:11", "memory://elsewhere/2026:11"),
    ):
        assert Place(address).shown == shown
    assert "hush" not in repr(load_settings(TMS_BACKUP_URL="memory://reader:hush@elsewhere/x"))


class Failing(LocalFileSystem):
    """A folder that is full in the midst of a write, from which not everything may be taken away, or that is slow."""

    protocol = "failing"
    full = False
    stays = ""
    meanwhile: Callable[[], object] | None = None

    def put_file(self, *places: str, **options: object) -> None:
        super().put_file(*places, **options)
        if self.meanwhile and ".tmsbackup" in places[-1]:
            self.meanwhile()

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: object) -> None:
        super().pipe_file(path, value[: len(value) // 2] if self.full else value, mode, **options)
        if self.full:
            raise OSError(errno.ENOSPC, "full")

    def rm_file(self, path: str) -> None:
        if self.stays and path.endswith(self.stays):
            raise PermissionError(path)
        super().rm_file(path)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    fsspec.register_implementation("failing", Failing, clobber=True)
    yield fsspec.filesystem("failing")
    Failing.full, Failing.stays, Failing.meanwhile = False, "", None


def test_a_key_export_that_does_not_arrive_leaves_the_one_before(failing: Failing, tmp_path: Path) -> None:
    place = Place(f"failing://{tmp_path}/backups")
    place.write("data-keys.export", b"of yesterday")
    Failing.full = True
    with pytest.raises(BackupError, match="no room left"):
        place.write("data-keys.export", b"of today, which is longer")
    assert place.read("data-keys.export") == b"of yesterday"
    Failing.full = False
    place.write("data-keys.export", b"of today, which is longer")
    assert place.read("data-keys.export") == b"of today, which is longer" and set(place.names()) == {"data-keys.export"}


def test_old_backups_that_went_before_one_could_not_go_are_told_and_stand_in_the_audit_log(
    ours: Restorable, failing: Failing, tmp_path: Path
) -> None:
    world = ours.world
    place = Place(f"failing://{tmp_path}/backups")
    old = [name_of((datetime.now(UTC) - timedelta(days=3000)).replace(hour=hour)) for hour in (2, 3, 4)]
    for name in old:
        place.write(name, b"x")
        place.write(f"{name}.sha256", b"x")
    place.write(f"{old[0]}.sha256.part", b"half")
    Failing.stays = old[1]
    made = make(world.workplace, actor=world.actor("admin", "admin"), url=place.url)
    assert made.removed == old[:2] and "refuses us" in made.not_removed
    assert world.value("SELECT details->'removed' FROM audit.entry WHERE action = 'backup made'") == made.removed
    Failing.stays = ""
    assert make(world.workplace, actor=world.actor("admin", "admin"), url=place.url).not_removed == ""
    assert not {old[0], old[1], f"{old[0]}.sha256.part"} & set(place.names())


def test_a_backup_during_which_keys_were_rotated_opens_and_an_original_that_was_cut_short_comes_anew(
    ours: Restorable, failing: Failing, tmp_path: Path
) -> None:
    own = ours.world.workplace
    place = Place(f"failing://{tmp_path}/backups")
    actor = ours.world.actor("admin", "admin")

    def rotate_and_retire() -> None:  # another process
        rings = keyring.load(own.home)
        rotate(own.db, own.settings, rings, "data", actor=actor)
        retire(own.db, own.settings, rings, "data", 1, actor=actor)

    Failing.meanwhile = staticmethod(rotate_and_retire)
    made = make(own, actor=actor, url=place.url)
    Failing.meanwhile = None
    later = replace(own, rings=keyring.load(own.home))
    assert drill(later, place, made.name, actor=actor).well, "with what lies beside it alone"
    sizes = place.names("archive")
    place.write(f"archive/{next(iter(sizes))}", b"")
    make(own, actor=actor, url=place.url)
    assert place.names("archive") == sizes and 0 not in sizes.values()
