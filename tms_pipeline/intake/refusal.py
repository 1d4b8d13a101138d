"""Refusal: why the reading process gives a file back, as a code of the fault catalogue and the words for it."""

from __future__ import annotations


class Refusal(Exception):
    """The file cannot be taken in. Crosses the pipe as its code and words, never as an object."""

    def __init__(self, code: str, **words: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.words = words


def shortened(text: str, limit: int = 40) -> str:
    """``text`` on one line and at most ``limit`` characters, for a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
