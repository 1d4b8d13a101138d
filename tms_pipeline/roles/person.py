"""A person as the core knows them: a name, how it was proven, and the role that goes with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tms_pipeline.roles.matrix import FEES, OWN_RUNS, matrix

# How a name can be proven: by the operating system, by a signed token, by the proxy that checked a login.
WAYS = ("system", "token", "proxy")
# Names under which the pipeline itself acts, in the audit log; never a person who approves.
SERVICES = ("dagster", "nightly")


@dataclass(frozen=True)
class Person:
    """Who acts. ``role`` None: nobody gave them one. ``way`` "maker": the installation knows no roles yet."""

    name: str
    role: str | None
    way: str
    trainer_code: str | None = None

    @property
    def database_role(self) -> str | None:
        """The role of Postgres under which their reads run; None for those who see every row."""
        return {"trainer": "tms_trainer", "finance": "tms_finance", "auditor": "tms_auditor"}.get(self.role or "")

    @property
    def scoped(self) -> bool:
        """Whether they see their own part only: a trainer's runs, finance's fees."""
        return any(task.cells.get(self.role or "") in (OWN_RUNS, FEES) for task in matrix().tasks)

    def __str__(self) -> str:
        return f"{self.name} ({self.role or 'no role'})"
