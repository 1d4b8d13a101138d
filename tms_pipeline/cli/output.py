"""How every verb speaks: plain words or JSON, one sentence for what went wrong, the exit codes of design 12."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import typer

FINE, FINDINGS, USAGE, COULD_NOT_RUN = 0, 1, 2, 3

P = ParamSpec("P")
R = TypeVar("R")


def emit(value: Any, *, as_json: bool, words: Callable[[], None]) -> None:
    """Print the value as JSON, or say it in words."""
    if as_json:
        json.dump(value, sys.stdout, indent=2, default=str, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        words()


def say(text: str = "") -> None:
    """One line to standard output."""
    typer.echo(text)


def step(text: str) -> None:
    """One line of progress, to standard error, so that output stays clean."""
    typer.echo(f"  … {text}", err=True)


def plainly(verb: Callable[P, R]) -> Callable[P, R]:
    """Turn what can go wrong into one sentence and exit code 3; no traceback, no value."""

    @functools.wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            typer.echo(sentence, err=True)
            raise typer.Exit(COULD_NOT_RUN) from None

    return wrapped


def _sentence(error: Exception) -> str | None:
    from tms_pipeline.identity.keyring import KeyringError
    from tms_pipeline.intake.opening import FileRefused
    from tms_pipeline.operations.dagster_run import RunFailed
    from tms_pipeline.settings import SettingsError
    from tms_pipeline.ssg.errors import SsgError
    from tms_pipeline.store.database import DatabaseError

    if isinstance(error, SsgError):
        return f"{error.sentence} {error.remedy} ({error.code})"
    known = (SettingsError, DatabaseError, KeyringError, FileRefused, RunFailed, LookupError, ValueError)
    if isinstance(error, known):
        return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return f"{error.filename} cannot be read: {error.strerror}."
    return None
