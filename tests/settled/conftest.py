from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from settled_world import march, settled  # noqa: F401
from submission_fixtures import *  # noqa: F403
