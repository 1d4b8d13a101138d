"""Logs: JSON lines, one event a line, and redaction last in the chain, for our code and every library."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import time
from logging.handlers import WatchedFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import structlog

from tms_pipeline.identity.masking import redact
from tms_pipeline.operations import sentry
from tms_pipeline.operations.tracebacks import mask, render, told
from tms_pipeline.settings import Settings, SettingsError, load_settings
from tms_pipeline.store import journal

# Dagster sends the unmasked error of a step to this logger; it goes to a file of its own, redacted, for its owner.
_REDACTED_ERRORS = "dagster.redacted_errors"
_KEPT = (
    "correlation_id", "upload_id", "submission", "kind", "action", "attempt", "ssg_ref", "code", "entity", "entity_key",
    "audit", "run_id", "step_key", "job_name", "error",
)  # fmt: skip
_OUR_LOGGERS = ("tms", "tms_pipeline", "assets", "sensors", "root", "dagster")
# Libraries that bring handlers of their own, past ours, or that log what they send at a low level.
_CHATTY = (
    "httpx", "httpcore", "matplotlib", "alembic", "sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg",
    "psycopg.pool", "urllib3", "asyncio",
)  # fmt: skip
# Ids of ours hold digits in rows that look like a phone number; what has the shape of one of them stays as it is.
_ID = re.compile(
    r"[0-9a-f]{32}|[0-9a-f]{16}-\d{6}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|U-[0-9a-f]{12}|\d{1,7}"
    # A worker: machine, process, when it started, and eight signs (submission/lease.py).
    r"|[A-Za-z0-9._-]+/[0-9a-f]{12}(/\[?\d{1,12}\]?)?:\d{1,10}:[0-9-]{1,20}:[0-9a-f]{8}"
)


class JsonLines(logging.Formatter):
    """One JSON object a line; the message and the traceback pass through redaction, the arguments never stay raw."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of one record."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _said(record),
        }
        for name in _KEPT:
            if hasattr(record, name):
                text = str(getattr(record, name))
                line[name] = text if _ID.fullmatch(text) else redact(text)
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


    def formatException(self, ei: Any) -> str:
        """The traceback without any value; never kept in the record, where another handler would find it."""
        return redact(render(*ei))


def _said(record: logging.LogRecord) -> str:
    """The message; a library's without what it quotes, as that is what it choked on."""
    try:
        text = record.getMessage()
    except Exception:  # arguments that do not fit the message: a library's mistake must not cost the line
        text = str(record.msg)
    ours = record.name.split(".")[0] in _OUR_LOGGERS
    return redact(text) if ours else mask(text)


def stream_handler() -> logging.Handler:
    """A handler to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    return handler


def set_up_logs(settings: Settings) -> None:
    """Send everything of this process through redaction. Safe to call again."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(stream_handler())
    root.setLevel(settings.log_level)
    for chatty in _CHATTY:
        logger = logging.getLogger(chatty)
        logger.handlers[:] = []
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # A line that cannot be written would be printed as it is, with its traceback and past redaction.
    logging.raiseExceptions = False
    sys.excepthook = _unhandled
    threading.excepthook = _unhandled_in_thread
    folder = settings.home / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "errors.jsonl"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    hidden = logging.getLogger(_REDACTED_ERRORS)
    hidden.handlers[:] = [_ErrorsFile(path)]
    hidden.propagate = False
    sentry.begin(settings)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _redact_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def open_journal(settings: Settings) -> None:
    """Write what happens to ``logs/tms.jsonl`` of this installation, at LOG_LEVEL. Safe to call again.

    The file is opened anew when logrotate has moved it; it is made with the first line.
    """
    path = str(settings.home / "logs" / "tms.jsonl")
    if [getattr(handler, "baseFilename", "") for handler in journal.LOGGER.handlers] != [path]:
        for handler in journal.LOGGER.handlers:
            handler.close()
        journal.LOGGER.handlers[:] = [_JournalFile(path)]
    journal.LOGGER.setLevel(settings.log_level)


class _JournalFile(WatchedFileHandler):
    """A file for its owner only, made when it is first needed; on a full disk a line is lost, never the work."""

    def __init__(self, path: str) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(JsonLines())

    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: the journal's trouble is told by the check 'disk'."""


class _ErrorsFile(WatchedFileHandler):
    """The errors' file, which knows whether a line could not be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(JsonLines())
        self.failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        """On a full disk a line is lost; who asked is told so."""
        self.failed = True


def keep_error(error: Exception) -> Path | None:
    """Write an error with its traceback, redacted, to the errors' file of this installation; None if that fails."""
    try:
        set_up_logs(load_settings())
        hidden = logging.getLogger(_REDACTED_ERRORS)
        hidden.error("unforeseen", exc_info=error)
        file = cast(_ErrorsFile, hidden.handlers[0])
        return None if file.failed else Path(file.baseFilename)
    except (OSError, SettingsError):
        return None


def _unhandled(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody caught goes through redaction, too, not as Python would print it."""
    logging.getLogger("tms").critical("unhandled error", exc_info=(kind, error, trace))


def _unhandled_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None:
        _unhandled(found.exc_type, found.exc_value, found.exc_traceback)


def _redact_event(_: Any, __: str, event: Any) -> Any:
    """Every text in the event, however deep; an exception becomes its traceback without values."""
    trouble = event.pop("exc_info", None)
    if trouble:
        error = trouble if isinstance(trouble, BaseException) else sys.exc_info()[1]
        event["trace"] = redact(render(None, error, None))
    return {key: _clean(value) if key != "at" else value for key, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value if _ID.fullmatch(value) else redact(value)
    if isinstance(value, BaseException):
        return told(value)
    if isinstance(value, dict):
        return {redact(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    return value if isinstance(value, int | float | bool | type(None)) else redact(str(value))
