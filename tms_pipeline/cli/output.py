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
            typer.echo(_sentence(error), err=True)
            raise typer.Exit(COULD_NOT_RUN) from None

    return wrapped


def _sentence(error: Exception) -> str:
    from tms_pipeline.operations.failures import sentence_of
    from tms_pipeline.ssg.errors import SsgError

    sentence = sentence_of(error)
    if sentence is None:
        return _unforeseen(error)
    return f"{sentence} ({error.code})" if isinstance(error, SsgError) else sentence


def _unforeseen(error: Exception) -> str:
    """What nobody foresaw: its text may hold a person's value, so it goes to the log alone, through redaction."""
    from tms_pipeline.operations.logs import keep_error

    path = keep_error(error)
    where = f"the details are in {path}" if path else "and its details could not be kept"
    return f"Something went wrong that tms does not know ({type(error).__name__}); {where}."
