"""How every verb speaks: plain words or JSON, one sentence for what went wrong, the exit codes of design 12."""

from __future__ import annotations

import functools
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import date
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer

# On every function that goes through the guard: the verb that it is, as the matrix of roles names it.
VERB = "_verb"
FINE, FINDINGS, USAGE, COULD_NOT_RUN = 0, 1, 2, 3

P = ParamSpec("P")
R = TypeVar("R")


class _Lasting(io.FileIO):
    """An output whose reader may go away: what comes later is read by nobody, and the work behind it goes on."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return len(data)


def outlive_readers() -> None:
    """Let ``tms … | head`` end in peace: with the exit code of the verb, and nothing broken off half-way."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or stream.isatty():
            continue
        raw = io.BufferedWriter(_Lasting(os.dup(stream.fileno()), "w"))
        setattr(sys, name, io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=stream.line_buffering))


def quiet_leavings() -> None:
    """Print nothing of what breaks while things are thrown away: Python would show it as it is, past redaction."""
    sys.unraisablehook = lambda found: logging.getLogger("tms").debug("left behind", exc_info=found.exc_value)


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
    """Turn what can go wrong into one sentence and exit code 3; no traceback, no value.

    It also tells the guard which verb runs, so that opening the workplace asks whether this person may; a verb
    without a cell in the matrix of roles does not run at all.
    """

    @functools.wraps(verb)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from tms_pipeline.roles.guard import doing

        try:
            with doing("verb", str(getattr(wrapped, VERB))):
                return verb(*args, **kwargs)
        except (typer.Exit, typer.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            typer.echo(_sentence(error), err=True)
            raise typer.Exit(COULD_NOT_RUN) from None

    setattr(wrapped, VERB, None)
    return wrapped


def name_verbs(app: typer.Typer, lead: str = "") -> None:
    """Tell each function behind a verb what is typed for it behind ``tms``, such as ``dead-letters list``."""
    for command in app.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", "")).replace("_", "-")
        if hasattr(command.callback, VERB):
            setattr(command.callback, VERB, f"{lead}{name}")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            name_verbs(group.typer_instance, f"{lead}{group.name} ")


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


def usage(sentence: str) -> NoReturn:
    """Say how the verb is used, and end with the exit code of wrong use."""
    typer.echo(sentence, err=True)
    raise typer.Exit(USAGE)


def day_of(text: str) -> date | None:
    """A day of the command line; None where none was given. Ends with the exit code of wrong use if it is no day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        usage(f"'{text[:20]}' is no day; write it as 2026-03-01.")
