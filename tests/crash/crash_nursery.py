"""A warm process without threads that forks the children to be killed: a fork costs milliseconds, a new Python a second.

One order a line on standard input (the arguments of ``crash_child.work``), one answer a line: the child's exit code as
``os.waitstatus_to_exitcode`` has it (-9: it killed itself with SIGKILL), or "hangs".
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import crash_child

HANGS_AFTER_SECONDS = 60.0


def forked(order: list[str]) -> int | str:
    """Run one child to its end."""
    pid = os.fork()
    if pid == 0:
        try:
            crash_child.work(*order)
        except BaseException:
            import traceback

            traceback.print_exc()
        os._exit(70)
    end = time.monotonic() + HANGS_AFTER_SECONDS
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "hangs"
        time.sleep(0.002)


def main() -> None:
    assert threading.active_count() == 1, "a process with threads must not fork"
    print(json.dumps("warm"), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        for line in sys.stdin:
            print(json.dumps(forked(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
