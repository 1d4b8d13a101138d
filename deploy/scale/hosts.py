# ruff: noqa: S603, S607
"""Past one machine, shown on one: workers on hosts of their own (network namespaces), one killed, one cut off.

    python deploy/scale/hosts.py

As root, with Linux' ``ip`` and a Postgres that the namespaces reach by TCP (made here, thrown away at the end). Three
hosts run ``tms submit`` against one Postgres and one simulator, at one pace for all. The switch is thrown on host 1 and
must still all of them. Then host 2 is killed with SIGKILL, and host 3 loses its link. The work must go on, and SSG must
hold each record exactly once.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "submission")]

TMS = Path(sys.executable).parent / "tms"
#: Seconds between two calls, of all hosts together.
SPACING = 0.2


def ip(*words: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextlib.contextmanager
def network(tag: str, many: int) -> Iterator[list[str]]:
    """Namespaces on one bridge; yields their names. 10.231.7.1 is this machine."""
    names = [f"{tag}{number}" for number in range(1, many + 1)]
    bridge = f"{tag}br"
    try:
        ip("link", "add", bridge, "type", "bridge")
        ip("addr", "add", "10.231.7.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for number, name in enumerate(names, start=2):
            ip("netns", "add", name)
            ip("link", "add", f"{name}o", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"{name}o", "master", bridge, "up")
            ip("-n", name, "addr", "add", f"10.231.7.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)


def show(*, enrolments: int = 60) -> dict[str, Any]:
    """Do it; returns figures. Raises AssertionError when a promise does not hold."""
    from submission_world import TODAY, World, enrolment, running_site, term, trainee

    from tms_pipeline.intake.nric import make_nric

    with contextlib.ExitStack() as stack:
        site = stack.enter_context(running_site())
        names = stack.enter_context(network(f"tms{os.getpid() % 10000}h", 3))
        world = stack.enter_context(site.world(site.fresh()))
        assert isinstance(world, World)
        world.load_term(term())
        people = [make_nric("S", 9_998_000 + number) for number in range(enrolments)]  # made up
        world.upload("trainee", *[
            {**trainee("T1"), "nric": nric, "full_name": f"Trainee Of Scale {number}", "email": f"s{number}@example.test",  # noqa: E501
             "phone": f"8{number:07d}"} for number, nric in enumerate(people)
        ])  # fmt: skip
        world.upload("enrolment", *[{**enrolment("B", "T1"), "nric": nric} for nric in people])
        world.pull()
        plan_id, plan = world.plan()
        world.approve(plan_id, plan)
        socket_of = _relay(stack, site.server.socket)
        ssg = _relay_tcp(stack, int(site.ssg.rsplit(":", 1)[1]))
        home = site.home
        environment = {
            **os.environ, "TMS_HOME": str(home), "DATABASE_URL": f"postgresql://tms@10.231.7.1:{socket_of}/{world.database}",
            "SSG_BASE_URL": f"http://127.0.0.1:{ssg}", "TMS_TODAY": TODAY, "TMS_ACTOR": "scale", "SSG_CONCURRENCY": "1",
            "TMS_LEASE_SECONDS": "6", "SSG_TIMEOUT_SECONDS": "2", "SSG_SPACING_SECONDS": str(SPACING),
        }  # fmt: skip
        log = stack.enter_context((home / "hosts.log").open("wb"))

        def work(name: str) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c",
                 f'hostname {name}; "{sys.executable}" "{__file__}" relay {ssg} & sleep 2; "{TMS}" submit; code=$?; kill $!; exit $code'],  # noqa: E501
                env=environment, cwd=home, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        hosts = {name: work(name) for name in names}

        def end() -> None:
            for process in hosts.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

        stack.callback(end)

        def all_work() -> list[str]:
            seen: Counter[str] = Counter()
            end = time.monotonic() + 60
            while len(seen) < 3 and time.monotonic() < end:
                owners = world.rows("SELECT DISTINCT lease_owner FROM outbox.submission WHERE lease_owner IS NOT NULL")
                seen.update(owner.split("/")[0] for (owner,) in owners)
                time.sleep(0.02)
            assert len(seen) == 3, (seen, (home / "hosts.log").read_text()[-400:])
            return sorted(seen)

        began = time.monotonic()
        seen = all_work()
        switch = _switch(names[0], environment, home, world)
        for name, process in hosts.items():  # they ended, as nothing may be sent; each is started again
            process.wait(60)
            hosts[name] = work(name)
        assert all_work() == seen
        at_kill = dict(world.states())
        os.killpg(hosts[names[1]].pid, signal.SIGKILL)
        ip("link", "set", f"{names[2]}o", "down")
        hosts[names[0]].wait(240)
        pace = _pace(world)
        again = subprocess.run(
            ["ip", "netns", "exec", names[0], "sh", "-c",
             f'"{sys.executable}" "{__file__}" relay {ssg} & sleep 2; "{TMS}" submit; code=$?; kill $!; exit $code'], env=environment, cwd=home, capture_output=True, check=False,  # noqa: E501
            timeout=240,
        )  # fmt: skip
        for _ in range(20):
            if set(world.states()) == {"accepted"}:
                break
            time.sleep(2)
            world.submit(patience=1.0)
        took = time.monotonic() - began
        held = Counter((row["runId"], row["traineeId"]) for row in world.held("enrolments"))
        figures = {
            "hosts that worked": seen, "states when one was killed and one cut off": at_kill,
            "states at the end": world.states(), "enrolments at SSG": len(held),
            "doubled at SSG": sum(1 for many in held.values() if many > 1), **pace, **switch, "seconds": round(took, 1),
            "last exit": again.returncode,
        }  # fmt: skip
        assert set(world.states()) == {"accepted"}, figures
        assert figures["doubled at SSG"] == 0 and len(held) == enrolments + 3, figures
        # The limit is of the credential: with one for each host there would be up to three times as many.
        assert pace["most calls in any 2 seconds"] <= 2 / SPACING + 2, figures
        assert switch["calls begun while stopped"] == 0, figures
        return figures


def _pace(world: Any) -> dict[str, Any]:
    """How close together calls of all hosts began, by the clock of the one Postgres."""
    begun = [float(at) for (at,) in world.rows("SELECT extract(epoch FROM started_at) FROM outbox.attempt ORDER BY 1")]
    most = max(sum(1 for other in begun if at <= other < at + 2) for at in begun)
    return {"calls allowed in 2 seconds": 2 / SPACING, "most calls in any 2 seconds": most}


def _switch(name: str, environment: dict[str, str], home: Path, world: Any) -> dict[str, Any]:
    """Stop all calls from one host, look that all are still, and allow them again."""
    def verb(*words: str) -> None:
        subprocess.run(["ip", "netns", "exec", name, str(TMS), *words], env=environment, cwd=home, check=True,
                       capture_output=True, timeout=60)  # fmt: skip

    verb("stop", "--reason", "shown on one host")
    time.sleep(1.5)  # what was on its way ends
    before = int(world.value("SELECT count(*) FROM outbox.attempt"))
    time.sleep(3)
    after = int(world.value("SELECT count(*) FROM outbox.attempt"))
    verb("allow", "--reason", "shown")
    return {"calls begun while stopped": after - before}


def _relay(stack: contextlib.ExitStack, folder: Path) -> int:
    """The embedded Postgres listens on a socket file only: a port of the bridge leads there."""
    return _forward(stack, lambda: _unix(folder))


def _relay_tcp(stack: contextlib.ExitStack, port: int) -> int:
    return _forward(stack, lambda: socket.create_connection(("127.0.0.1", port)))


def _unix(folder: Path) -> socket.socket:
    there = socket.socket(socket.AF_UNIX)
    there.connect(str(folder / ".s.PGSQL.5432"))
    return there


def _forward(stack: contextlib.ExitStack, connect: Any, at: tuple[str, int] = ("10.231.7.1", 0)) -> int:
    import threading

    server = socket.create_server(at)
    stack.callback(server.close)

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = server.accept()
                try:
                    there = connect()
                except OSError:
                    here.close()
                    continue
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(server.getsockname()[1])


def _relay_on_host(port: int) -> None:
    """On a host: plain HTTP is for loopback only, so the simulator is reached by a port of the host's own."""
    with contextlib.ExitStack() as stack:
        _forward(stack, lambda: socket.create_connection(("10.231.7.1", port)), ("127.0.0.1", port))
        signal.pause()


if __name__ == "__main__":
    if sys.argv[1:2] == ["relay"]:
        _relay_on_host(int(sys.argv[2]))
    sys.stdout.write(json.dumps(show(), indent=2) + "\n")
