"""What the three TPG searches have in common: paging, sort, update window (ssg-api 6.5, 7.4, 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .clock import local_date
from .envelopes import INVALID, Json, Reply, detail, tpg_error, tpg_reply, wrong_uen
from .fields import Problems, branch, dig, iso_date, text, whole

MAX_PAGE_SIZE = 100


@dataclass(slots=True)
class Window:
    """A checked search request."""

    page: int
    size: int
    field: str
    descending: bool
    since: str
    until: str


def window(call: Call, root: str, sort_fields: tuple[str, ...]) -> Window:
    """Check UEN, paging, sort and dates of a search body (ssg-api 6.5, 10, 14.3)."""
    body = call.body if isinstance(call.body, dict) else {}
    uen = text(dig(body, f"{root}.trainingPartner.uen"))
    if uen and uen != call.app.uen:
        raise wrong_uen()
    problems = Problems()
    problems.required(body, f"{root}.trainingPartner.uen", "parameters.page", "parameters.pageSize")
    page, size = whole(dig(body, "parameters.page")), whole(dig(body, "parameters.pageSize"))
    if text(dig(body, "parameters.page")) and (page is None or page < 0):
        problems.add("parameters.page", "Page must be 0 or more")
    if text(dig(body, "parameters.pageSize")) and (size is None or not 1 <= size <= MAX_PAGE_SIZE):
        problems.add("parameters.pageSize", f"Page size must be between 1 and {MAX_PAGE_SIZE}")
    field = text(dig(body, "sortBy.field")) or "updatedOn"
    order = text(dig(body, "sortBy.order")).lower() or "desc"
    if field not in sort_fields:
        problems.add("sortBy.field", "Invalid sort field")
    if order not in ("asc", "desc"):
        problems.add("sortBy.order", "Sort order must be asc or desc")
    dates = []
    for name in ("lastUpdateDateFrom", "lastUpdateDateTo"):
        given = text(dig(body, f"meta.{name}"))
        dates.append(iso_date(given) or "")
        if given and not dates[-1]:
            problems.add(f"meta.{name}", "Invalid date")
    if problems.details or page is None or size is None:
        raise tpg_error(400, INVALID, problems.details)
    return Window(page, size, field, order == "desc", *dates)


def wanted(body: Any, root: str, paths: dict[str, str]) -> dict[str, str]:
    """The non-blank filters of a search; empty texts mean no filter (ssg-api 6.5)."""
    filters = branch(body, root)
    return {name: value for path, name in paths.items() if (value := text(dig(filters, path)))}


def matches(record: Json, filters: dict[str, str]) -> bool:
    """Whether a record passes all filters, letter case aside."""
    return all(str(record.get(name, "")).lower() == value.lower() for name, value in filters.items())


def answer(
    call: Call, win: Window, found: list[Json], view: Callable[[Json], Json], empty_status: int, nothing: str
) -> Reply:
    """Window, sort, cut and render; `meta.totalRecords` counts all pages (ssg-api 3.1, 6.5)."""
    if win.since or win.until:
        found = [
            r
            for r in found
            if (not win.since or local_date(r["updated"]) >= win.since)
            and (not win.until or local_date(r["updated"]) <= win.until)
        ]
    total = len(found)
    if call.pretend_empty:
        found, total = [], total if call.keep_total else 0
    if not total and empty_status != 200:
        raise tpg_error(empty_status, nothing, [detail("-", nothing)])
    key = {"updatedOn": "updated", "createdOn": "created"}.get(win.field, win.field)
    found = sorted(found, key=lambda r: (r[key], r["referenceNumber"]), reverse=win.descending)
    rows = [view(record) for record in found[win.page * win.size : (win.page + 1) * win.size]]
    return tpg_reply(rows, {"totalRecords": total}, text_status=True)
