"""At work: the workplace with SSG within reach, for every verb and asset that speaks to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tms_pipeline.operations.simulator_process import running, seed_courses, simulator
from tms_pipeline.settings import Settings, load_settings
from tms_pipeline.workplace import Workplace, open_workplace


@contextlib.contextmanager
def at_work(settings: Settings | None = None) -> Iterator[Workplace]:
    """The workplace with an address for SSG: the settings' own, or that of the simulator, started if need be."""
    settings = settings or load_settings()
    with contextlib.ExitStack() as stack:
        if settings.ssg_env == "simulator" and not settings.ssg_base_url:
            base_url = stack.enter_context(simulator(settings))
            settings = settings.model_copy(update={"ssg_base_url": base_url})
        yield stack.enter_context(open_workplace(settings))


def introduce_courses(workplace: Workplace) -> None:
    """At our own simulator only: make it know our courses, as SSG's registry does before a provider may run them."""
    settings = workplace.settings
    if settings.ssg_env == "simulator" and running(settings) == settings.ssg_base_url:
        courses = workplace.db.rows("SELECT key, course_title, skill_code FROM register.course WHERE live ORDER BY key")
        seed_courses(workplace.settings.ssg_base_url, workplace.settings, [(r[0], r[1], r[2]) for r in courses])
