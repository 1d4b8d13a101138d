"""Failures in plain words: the one sentence for what went wrong, or none for what nobody foresaw."""

from __future__ import annotations

import errno

import psycopg

from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.intake.opening import FileRefused
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.settings import SettingsError
from tms_pipeline.ssg.errors import SsgError
from tms_pipeline.store.database import DatabaseError


class RunFailed(Exception):
    """A Dagster run failed; the message is one sentence with its job, step and what the step said."""


_OURS = (NotAllowed, SettingsError, DatabaseError, KeyringError, FileRefused, RunFailed)


_NOTHING_HALF = "What could not be written did not happen."


def _of_a_full_disk(error: BaseException) -> OSError | None:
    """The operating system's error behind it, which libraries wrap in their own."""
    for one in (error, error.__cause__, error.__context__):
        if isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT):
            return one
    return None


def sentence_of(error: Exception) -> str | None:
    """What to tell people, without any value; None when the error was not written for them."""
    if isinstance(error, SsgError):
        return f"{error.sentence} {error.remedy}"
    if isinstance(error, _OURS):
        return str(error)
    if isinstance(error, LookupError | ValueError):
        # Ours are sentences. The text of a library's own may hold the value that it choked on, and is none.
        text = str(error.args[0]) if error.args else ""
        return text if text.endswith(".") and " " in text and "\n" not in text else None
    if isinstance(error, psycopg.errors.DiskFull):
        return f"Postgres has no room left, its disk or quota is full: make room and run it again. {_NOTHING_HALF}"
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return "Postgres broke off. What was not finished did not happen; see that the server is well and run it again."
    full = _of_a_full_disk(error)
    if full is not None:
        where = f" where {full.filename} was to be written" if full.filename else ""
        return f"The disk or its quota is full{where}: make room and run it again. {_NOTHING_HALF}"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename} cannot be used: {error.strerror}."
    return None
