from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_fixtures import *  # noqa: F403
from submission_world import Site, World

from tms_pipeline.backups.places import Place
from tms_pipeline.backups.restoring import Restored, restore
from tms_pipeline.store.database import Database
from tms_pipeline.workplace import Workplace


class Restorable:
    """A world with backups of its own, whose database can be replaced under it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.place = Place(str(folder / "backups"))

    def restore(self, name: str, **options: object) -> Restored:
        old = self.world.workplace
        done = restore(old, self.place, name, actor=self.world.actor("admin", "admin"), **options)  # type: ignore[arg-type]
        assert done is not None
        self.reconnect()
        return done

    def reconnect(self) -> None:
        old = self.world.workplace
        old.db.close()
        self.world.workplace = Workplace(
            old.settings, Database(old.db.url, max_size=8).open(), old.rings, old.dagster_url
        )


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
