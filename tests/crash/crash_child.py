"""What the killed child does: plan, approve by policy, work. Forked from a warm process (``crash_nursery``)."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "submission"))

from submission_world import PACE, Site, World, settings_url

from tms_pipeline.identity import keyring
from tms_pipeline.store.database import Database
from tms_pipeline.store.embedded import EmbeddedPostgres
from tms_pipeline.submission.crashpoints import crashpoint
from tms_pipeline.workplace import Workplace

# A killed process has nothing on its way any more, and the simulator answers in milliseconds.
CRASH_PACE = replace(PACE, grace=0.2, first=0.01, ours=0.02)


def work(home: str, socket: str, ssg: str, database: str, at: str) -> None:
    os.environ["TMS_CRASH_AT"] = at
    server = EmbeddedPostgres(Path(home))
    assert str(server.socket) == socket
    site = Site(Path(home), server, ssg)
    settings = site.settings(database)
    with Database(settings_url(settings), max_size=4) as db:
        world = World(site, database, Workplace(settings, db, keyring.load(Path(home)), server.url("dagster")))
        with world.client() as client:
            world.kept = client
            for _ in range(3):
                plan_id, plan = world.plan()
                crashpoint("after_plan")
                world.approve(plan_id, plan)
                crashpoint("after_approval")
                done = world.work(patience=0.3, pace=CRASH_PACE)
                if done.stopped.startswith("asked") or not done.outcomes.get("accepted"):
                    break
    os._exit(0)
