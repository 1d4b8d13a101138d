"""What the tests of reading share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tms_pipeline.intake.opening import FileRefused, Limits, open_upload
from tms_pipeline.intake.tables import find_tables


@pytest.fixture
def refusal() -> Callable[..., FileRefused]:
    """Opens a file that must be refused and returns the refusal."""

    def refuse(path: Path, name: str | None = None, limits: Limits | None = None) -> FileRefused:
        with pytest.raises(FileRefused) as caught:
            find_tables(open_upload(path, name=name or path.name, limits=limits))
        assert str(caught.value) == caught.value.fault.sentence
        return caught.value

    return refuse
