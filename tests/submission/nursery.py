"""A warm process that forks the children to be killed (tests/crash/crash_nursery.py), as tests hold it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from submission_world import World

_PROGRAM = Path(__file__).parents[1] / "crash" / "crash_nursery.py"


class Nursery:
    """The warm process that forks children (``crash_nursery``)."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self._answer() == "warm"

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the nursery is gone"
        return json.loads(line)

    def killed(self, world: World, at: str) -> bool:
        """Plan, approve and work in a process of its own that kills itself at the point; True if it got there."""
        site = world.site
        assert self.process.stdin is not None
        order = [str(site.home), str(site.server.socket), site.ssg, world.database, at]
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        code = self._answer()
        assert code in (0, -9), f"the child at {at} ended with {code}"
        return code == -9

    def close(self) -> None:
        """No more children."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
