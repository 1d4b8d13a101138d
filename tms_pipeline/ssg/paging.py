"""Whole lists from pages: all of it, or an error (ssg-api 4.4, 6.5, 7.4)."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from tms_pipeline.ssg.errors import failure
from tms_pipeline.ssg.party import Page

Row = TypeVar("Row")
MAX_PAGES = 10_000


def every(
    fetch: Callable[[int], Page[Row]], key: Callable[[Row], object], endpoint: str, first: int = 0
) -> Iterator[Row]:
    """Every row of every page, in SSG's order.

    Raises what `fetch` raises, at the page that failed. Raises SSG-LIST-CHANGED (retryable) when the pages do
    not make one list: the total moved, a row came twice, a page was empty too early, or too many rows came.
    """
    seen: set[object] = set()
    total: int | None = None
    for number in range(first, first + MAX_PAGES):
        page = fetch(number)
        if total is None:
            total = page.total
        keys = [key(row) for row in page.items]
        fresh = set(keys) - seen
        if page.total != total or len(fresh) != len(keys) or len(seen) + len(fresh) > total:
            raise failure("SSG-LIST-CHANGED", endpoint=endpoint)
        seen |= fresh
        yield from page.items
        if len(seen) == total:
            return
        if not keys:
            break
    raise failure("SSG-LIST-CHANGED", endpoint=endpoint)
