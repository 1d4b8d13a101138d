"""At work: the workplace with SSG within reach, for every verb and asset that speaks to it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tms_pipeline.operations.simulator_process import simulator
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
