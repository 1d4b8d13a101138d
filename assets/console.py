"""The console logger of runs: JSON lines through our redaction, at the level of TMS_DAGSTER_LOG_LEVEL."""

import logging

import dagster as dg

from tms_pipeline.operations.logs import stream_handler
from tms_pipeline.settings import load_settings


def _console(_: dg.InitLoggerContext) -> logging.Logger:
    """One logger for all runs of this process."""
    found = logging.getLogger("tms.dagster")
    found.setLevel(load_settings().dagster_log_level)
    found.propagate = False
    if not found.handlers:
        found.addHandler(stream_handler())
    return found


console = dg.LoggerDefinition(
    _console, description="JSON lines on standard error, redacted; the level is TMS_DAGSTER_LOG_LEVEL."
)
