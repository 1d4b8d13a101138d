"""Whole lists from pages: all of it, or an error (ssg-api 4.4, 6.5, 7.4)."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from tms_pipeline.ssg.errors import failure
from tms_pipeline.ssg.party import Page

Row = TypeVar("Row")
MAX_PAGES = 10_000
# The order in which a list stands still while it is read page by page: what somebody edits meanwhile moves no row, and
# what is new comes at its end (sortBy, ssg-api 6.5, 7.4, 8.1; SSG's own order begins with what was edited last).
STEADY = "createdOn"


def every(
    fetch: Callable[[int], Page[Row]], key: Callable[[Row], object], endpoint: str, first: int = 0
) -> Iterator[Row]:
    """Every row of every page, in SSG's order.

    Raises what `fetch` raises, at the page that failed. Raises SSG-LIST-CHANGED (retryable) when the pages do
    not make one list: the total fell, a row came twice, a page was empty too early, or too many rows came. A list may
    grow: what comes in before the place that was read moves a row on, which then comes twice; what comes in behind it
    is read.
    """
    seen: set[object] = set()
    total = 0
    for number in range(first, first + MAX_PAGES):
        page = fetch(number)
        keys = [key(row) for row in page.items]
        fresh = set(keys) - seen
        fell, total = page.total < total, page.total
        if fell or len(fresh) != len(keys) or len(seen) + len(fresh) > total:
            raise failure("SSG-LIST-CHANGED", endpoint=endpoint)
        seen |= fresh
        yield from page.items
        if len(seen) == total:
            return
        if not keys:
            break
    raise failure("SSG-LIST-CHANGED", endpoint=endpoint)
