from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from restorable import Restorable
from submission_fixtures import *  # noqa: F403
from submission_world import Site


@pytest.fixture
def ours(site: Site, term_template: str, tmp_path: Path) -> Iterator[Restorable]:
    """The term is taken in, nothing was sent; a state folder and backups of its own."""
    home = tmp_path / "h"
    shutil.copytree(site.home / "keys", home / "keys")
    if (site.home / "archive").exists():
        shutil.copytree(site.home / "archive", home / "archive")
    own = replace(site, home=home)
    with own.world(term_template, TMS_BACKUP_URL=str(tmp_path / "backups")) as world:
        yield Restorable(world, tmp_path)
        world.workplace.db.close()
