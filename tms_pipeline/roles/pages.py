"""The page of reports: files of TMS_HOME/reports for whom the proxy vouches, as far as the matrix lets each see.

Who sees a part only (a trainer, finance) gets the folder of their own reports; who has no cell gets nothing. A refusal
is one sentence, and stands in the audit log as that of a verb does.
"""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tms_pipeline.identity.keyring import KeyringError
from tms_pipeline.reports.folders import own_folder
from tms_pipeline.roles import guard
from tms_pipeline.roles.identify import identify_request
from tms_pipeline.roles.matrix import NotAllowed
from tms_pipeline.roles.proxy import name_of_request
from tms_pipeline.settings import Settings
from tms_pipeline.store.database import DatabaseError
from tms_pipeline.workplace import open_workplace

_SHOWN = {".html": "text/html", ".csv": "text/csv",
          ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}  # fmt: skip
_HEADERS = {
    "cache-control": "private, no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
_NOT_THERE = "There is no such report; the list is one address up."


def reports_page(settings: Settings) -> Starlette:
    """The application to mount at ``/reports``. It starts no Postgres and makes nothing."""

    async def show(request: Request) -> Response:
        return await run_in_threadpool(_answer, settings, request)

    return Starlette(routes=[Route("/{path:path}", show, methods=["GET"])])


def _answer(settings: Settings, request: Request) -> Response:
    client = request.client.host if request.client else None
    try:
        # Only now is anything opened: who does not come from the proxy costs a comparison.
        headers = {key: ", ".join(request.headers.getlist(key)) for key in request.headers}
        folder = _folder_of(settings, name_of_request(settings, headers, client))
    except NotAllowed as refused:
        return PlainTextResponse(str(refused), status_code=403, headers=_HEADERS)
    except (DatabaseError, KeyringError) as error:
        return PlainTextResponse(str(error), status_code=503, headers=_HEADERS)
    found = within(folder, request.path_params["path"])
    if found is None:
        return PlainTextResponse(_NOT_THERE, status_code=404, headers=_HEADERS)
    if found.is_dir():
        if not request.url.path.endswith("/"):
            return RedirectResponse(quote(found.name) + "/", headers=_HEADERS)  # so that the links of the list fit
        return HTMLResponse(_list(found, top=found == folder.resolve()), headers=_HEADERS)
    return FileResponse(found, media_type=_SHOWN[found.suffix], headers=_HEADERS)


def _folder_of(settings: Settings, name: str) -> Path:
    with open_workplace(settings, migrations=False, start=False) as place:
        person = identify_request(settings, place.whole_db, name)
        theirs = replace(place, known=person, db=place.whole_db, unscoped=None)
        guard.permit(theirs, "page", "reports")
        folder = theirs.home / "reports"
        return own_folder(theirs, folder) if person.scoped else folder


def within(folder: Path, path: str) -> Path | None:
    """The report or folder at that path inside the folder; None for what is not there, no report, or a link out."""
    parts = [part for part in path.split("/") if part]
    if any(part.startswith(".") or "\\" in part or "\0" in part for part in parts):
        return None
    root = folder.resolve()
    found = root.joinpath(*parts).resolve()
    if found != root and root not in found.parents:
        return None
    return found if found.is_dir() or (found.is_file() and found.suffix in _SHOWN) else None


def _list(folder: Path, *, top: bool) -> str:
    lines = [] if top else ['<li><a href="../">up</a></li>']
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or not (path.is_dir() or path.suffix in _SHOWN):
            continue
        name = path.name + ("/" if path.is_dir() else "")
        lines.append(f'<li><a href="{quote(name)}">{html.escape(name)}</a></li>')
    body = "\n".join(lines) or "<li>No report is here yet.</li>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title>'
        "<style>body{font-family:sans-serif;margin:2rem}</style></head>"
        f"<body><h1>Reports</h1><ul>\n{body}\n</ul></body></html>"
    )
