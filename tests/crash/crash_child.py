"""What the killed child does: plan, approve by policy, work. Imported once by the fork server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_world import Site, World, settings_url

from tms_pipeline.identity import keyring
from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.workplace import Workplace


def work(home: str, socket: str, ssg: str, database: str, at: str) -> None:
    os.environ["TMS_CRASH_AT"] = at
    server = EmbeddedPostgres(Path(home))
    assert str(server.socket) == socket
    site = Site(Path(home), server, ssg)
    settings = site.settings(database)
    with Database(settings_url(settings), max_size=8) as db:
        world = World(site, database, Workplace(settings, db, keyring.load(Path(home)), server.url("dagster")))
        for _ in range(3):
            plan_id, plan = world.plan()
            crashpoint("after_plan")
            world.approve(plan_id, plan)
            crashpoint("after_approval")
            done = world.work(patience=0.3)
            if done.stopped.startswith("asked") or not done.outcomes.get("accepted"):
                break
    os._exit(0)
