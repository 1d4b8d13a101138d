"""Why a message did not arrive."""

from __future__ import annotations


class NotTaken(Exception):
    """A message was not taken; the text is one sentence that names no address.

    ``down``: nothing else will get through there now. ``for_good``: trying again cannot help.
    """

    def __init__(self, sentence: str, *, down: bool = False, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.down, self.for_good = down, for_good
