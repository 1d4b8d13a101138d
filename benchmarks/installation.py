"""An installation of ours on a state folder, and what the benchmarks put into it before they look at the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.agreement import agree, analyse
from benchmarks.provider import Provider
from tms_pipeline.audit.log import Actor
from tms_pipeline.intake.opening import Limits
from tms_pipeline.intake.service import receive, take_in
from tms_pipeline.settings import load_settings
from tms_pipeline.workplace import Workplace, open_workplace

ACTOR = Actor(name="bench", role="ops admin", correlation_id="bench")
#: What a file of a million rows may cost.
LIMITS = Limits(
    max_bytes=1 << 30, max_rows=2_000_000, max_inflated_bytes=8 << 30, memory_bytes=8 << 30, cpu_seconds=600, wall_seconds=900
)


@contextlib.contextmanager
def installation(folder: Path, **settings: object) -> Iterator[Workplace]:
    """A workplace with its state in ``folder/h``."""
    with open_workplace(load_settings(_env_file=None, tms_home=folder / "h", **settings)) as workplace:
        yield workplace


def drop(workplace: Workplace, path: Path) -> dict[str, int]:
    """Receive a file and take it in; its counts."""
    upload_id, _ = receive(workplace, path.name, path.read_bytes(), source="bench", actor=ACTOR)
    return take_in(workplace, upload_id, actor=ACTOR, hold=False, limits=LIMITS).counts()


def enrolled(workplace: Workplace, folder: Path, rows: int) -> Provider:
    """Everything that stands before so many attendance marks, dropped."""
    provider = Provider(folder, rows)
    for path in provider.setup():
        drop(workplace, path)
    return provider


def with_marks(workplace: Workplace, folder: Path, rows: int, *, agreed: bool = False, wide: bool = False) -> Provider:
    """The same with the marks; ``agreed``: SSG holds them all, as after a submission."""
    provider = enrolled(workplace, folder, rows)
    path = folder / "marks-0.csv"
    provider.attendance(wide=wide).to_csv(path, index=False)
    drop(workplace, path)
    with workplace.db.transaction() as connection:
        if agreed:
            agree(connection)
        analyse(connection)
    return provider
