"""Health over HTTP: /health and /ready say how it stands, /live only that this process lives, /metrics counts."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tms_pipeline import __version__
from tms_pipeline.health.check import State
from tms_pipeline.health.report import READINESS, Kept, Report
from tms_pipeline.settings import Settings

if TYPE_CHECKING:
    import uvicorn


def application(settings: Settings, *, keep_seconds: float = 5.0) -> Starlette:
    """The service of one installation. It starts, migrates and mends nothing, and outlives a dead Postgres."""
    from tms_pipeline.metrics.exposition import CONTENT_TYPE, Scraper
    from tms_pipeline.roles.pages import reports_page

    kept = Kept(settings, seconds=keep_seconds)
    scraper = Scraper(settings, kept.report)

    async def health(_: Request) -> Response:
        return _told(await run_in_threadpool(kept.report))

    async def ready(_: Request) -> Response:
        return _told((await run_in_threadpool(kept.report)).only(READINESS))

    async def live(_: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def metrics(_: Request) -> Response:
        return Response(await run_in_threadpool(scraper.text), media_type=CONTENT_TYPE)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route("/live", live),
            Route("/metrics", metrics),
            # The one page with records behind it: for whom the proxy vouches, by the matrix of roles.
            Mount("/reports", reports_page(settings)),
        ]  # fmt: skip
    )


def _told(found: Report) -> Response:
    return JSONResponse(
        found.as_json(), status_code=200 if found.status is State.OK else 503, headers={"cache-control": "no-store"}
    )


def server(settings: Settings) -> uvicorn.Server:
    """The server of the service, not yet running."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            application(settings), host=settings.health_host, port=settings.health_port, log_level="warning",
            access_log=False, timeout_graceful_shutdown=5,
            # The address of the connection is what counts: by default uvicorn would take the one that a header names.
            proxy_headers=False,
        )
    )  # fmt: skip


def serve(settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C, and end in peace."""
    served = server(settings)

    def end(*_: object) -> None:
        # Before uvicorn listens for signals itself, and after: it raises the signal again once it has stopped.
        served.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    served.run()
