"""The disk: room on every file system that we write to, a byte that can really be written, and what grows."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tms_pipeline.health.check import Check, degraded, ok, warning
from tms_pipeline.settings import Settings
from tms_pipeline.store.embedded import EmbeddedPostgres

_MB = 1_000_000
# A quota does not show in the free space; only a write finds it.
_PROBE_BYTES = 256 * 1024
#: Folders whose growth is shown.
GROWING = ("archive", "inbox", "results", "reports", "logs", "tmp", "simulator", "postgres")


def disk(settings: Settings) -> Check:
    """Free space of the state folder (and of the embedded Postgres), and whether it can be written to."""
    places = [_there(settings.home)]
    if settings.database_url is None:
        places.append(_there(EmbeddedPostgres(settings.home).base))
    free = min(shutil.disk_usage(place).free for place in places) / _MB
    facts = {"free_mb": round(free), "wanted_mb": round(settings.disk_free_mb)}
    trouble = _write_trouble(_there(settings.home))
    remedy = (
        "Make room: 'tms housekeeping' removes old runs of Dagster and old results; then look at the largest folders "
        "in 'tms doctor'. Nothing is half done: what could not be written did not happen."
    )
    if trouble is not None:
        return degraded(
            "disk", f"Nothing can be written to {settings.home}: {(trouble.strerror or 'it is refused').lower()}.",
            f"{mend_of(trouble)} Nothing is half done: what could not be written did not happen.", "disk-full", **facts,
        )  # fmt: skip
    if free < settings.disk_free_mb:
        return degraded("disk", f"Only {free:,.0f} MB are free; {settings.disk_free_mb:,.0f} are wanted.", remedy,
                        "disk-full", **facts)  # fmt: skip
    return ok("disk", f"{free:,.0f} MB free, and it can be written to", **facts)


def mend_of(trouble: OSError) -> str:
    """What to do where nothing can be written."""
    if trouble.errno == errno.EROFS:
        return (
            "The file system is read-only: it is mounted so, or the kernel made it so after an error, which 'dmesg' "
            "says. Mount it for writing, then 'tms up'."
        )
    if trouble.errno in (errno.EACCES, errno.EPERM):
        return "Run tms as the user who owns the folder, or give the folder to the user who runs tms ('chown -R')."
    if trouble.errno in (errno.ENOENT, errno.ENOTDIR):
        return "Correct TMS_HOME: no folder can be made there."
    return (
        "Make room (or raise the quota) by hand: files of others on the same disk, old files under 'logs'; then 'tms "
        "up', and 'tms housekeeping' for the rest."
    )


def growth(settings: Settings) -> Iterator[Check]:
    """Inbox and archive against their limits."""
    for name, limit, remedy, page in (
        ("archive", settings.archive_limit_mb, "See that retention runs ('tms retention'), or raise "
                                               "TMS_ARCHIVE_LIMIT_MB.",
         "disk-full"),
        ("inbox", settings.inbox_limit_mb, "See that 'inbox_sensor' is on; files that it ignores stay for ever: links, "
         "temporary files, other endings.", "inbox-waiting"),
    ):  # fmt: skip
        if name == "inbox" and "://" in settings.inbox_url:
            continue
        files, size = size_of(Path(settings.inbox_url) if name == "inbox" else settings.home / name)
        facts = {"files": files, "mb": round(size / _MB, 1), "limit_mb": round(limit)}
        if size / _MB > limit:
            yield warning(name, f"The {name} holds {files:,} files of {size / _MB:,.0f} MB; the limit is {limit:,.0f} "
                                f"MB.",
                          remedy, page, **facts)  # fmt: skip
        else:
            yield ok(name, f"{files:,} files, {size / _MB:,.1f} MB", **facts)


def size_of(folder: Path) -> tuple[int, int]:
    """How many files a folder holds, at any depth, and their bytes; links are not followed."""
    files = size = 0
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        files, size = files + 1, size + entry.stat(follow_symlinks=False).st_size
    return files, size


def _there(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    while not path.exists():
        path = path.parent
    return path


def _write_trouble(folder: Path) -> OSError | None:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".health-") as probe:
            probe.write(os.urandom(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return error
    return None
