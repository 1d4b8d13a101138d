"""The workplace as a Dagster resource: opened when a run or tick needs it, never at import."""

import contextlib
from collections.abc import Generator

import dagster as dg

from tms_pipeline.roles.guard import doing
from tms_pipeline.workplace import Workplace, open_workplace


class WorkplaceResource(dg.ConfigurableResource["WorkplaceResource"]):
    """Settings come from the environment; nothing secret stands in Dagster's config."""

    def get(self) -> Workplace:
        """The open workplace of this run."""
        return self._workplace

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["WorkplaceResource", None, None]:
        """Open the workplace for a run or tick, and close it after."""
        run = context.run
        with contextlib.ExitStack() as stack:
            # The person of this process must have the job's cell in the matrix of roles.
            with doing("job", run.job_name) if run else contextlib.nullcontext():
                self._workplace = stack.enter_context(open_workplace())
            yield self
