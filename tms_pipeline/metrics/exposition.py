"""The exposition: metrics as text for Prometheus, over HTTP or as a file for node_exporter's textfile collector."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from tms_pipeline.health.report import Report, look
from tms_pipeline.health.site import Site, site
from tms_pipeline.metrics.collection import Collection
from tms_pipeline.settings import Settings

CONTENT_TYPE = CONTENT_TYPE_LATEST


def registry(found: Site, report: Callable[[], Report] | None = None) -> CollectorRegistry:
    """A registry of one installation; it asks when it is read. ``report``: a health report that is at hand."""
    made = CollectorRegistry()
    made.register(Collection(found, report or (lambda: look(found))))
    return made


def text(found: Site) -> str:
    """Every metric in Prometheus' text form."""
    return generate_latest(registry(found)).decode()


def write(found: Site, path: Path) -> None:
    """The same as a file, moved into place whole. It ends in ``.prom``, as node_exporter wants it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(path), registry(found))
    path.chmod(0o644)


class Scraper:
    """Metrics of one installation for those who scrape, one at a time."""

    def __init__(self, settings: Settings, report: Callable[[], Report]) -> None:
        """Ask nothing yet."""
        self._settings, self._report = settings, report
        self._lock = threading.Lock()

    def text(self) -> bytes:
        """Every metric now."""
        with self._lock, site(self._settings, start=False) as found:
            return generate_latest(registry(found, self._report))
