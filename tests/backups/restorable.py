"""A small provider whose database is backed up and put back."""

from __future__ import annotations

from pathlib import Path

from submission_world import World

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
