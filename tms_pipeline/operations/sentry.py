"""Sentry, if an address (SENTRY_DSN) is set: errors with their place in the code, and no value of anything.

What may leave is written here, not left to defaults: no local variables, no request, no breadcrumbs, no host name, no
user; the text of an exception or of a log line's arguments may hold a person's value, so only types, our own words and
places go. Redaction runs last over every text that is left.
"""

from __future__ import annotations

import logging
from typing import Any

from tms_pipeline import __version__
from tms_pipeline.identity.masking import redact
from tms_pipeline.settings import Settings, SettingsError

# Ids and times of Sentry's own: digits in a row there are no phone number.
_KEPT = frozenset({"event_id", "timestamp", "release"})
_GONE = ("breadcrumbs", "request", "user", "extra", "modules", "server_name", "contexts")


def begin(settings: Settings) -> bool:
    """Send errors to Sentry from now on if an address is set; whether it is. Raises SettingsError without the extra."""
    dsn = settings.sentry_dsn.get_secret_value()
    if not dsn:
        return False
    try:
        import sentry_sdk
        from sentry_sdk.integrations.atexit import AtexitIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise SettingsError(
            "SENTRY_DSN is set, but sentry-sdk is not installed; install the extra 'sentry' or unset it."
        ) from None
    try:
        sentry_sdk.init(
            dsn=dsn, release=__version__, environment=settings.environment, server_name="",
            include_local_variables=False, include_source_context=False, max_breadcrumbs=0,
            max_request_body_size="never", default_integrations=False, auto_enabling_integrations=False,
            traces_sample_rate=None, send_client_reports=False,
            integrations=[
                # An error that nobody caught is logged by the hook of ours (logs.py), so it comes this way too.
                LoggingIntegration(level=None, event_level=logging.ERROR), AtexitIntegration(callback=lambda *_: None),
            ],
            before_send=scrub, before_send_transaction=lambda *_: None, before_breadcrumb=lambda *_: None,
        )  # fmt: skip
    except BadDsn:
        raise SettingsError("SENTRY_DSN is no address of Sentry's; copy it again or unset it.") from None
    return True


def scrub(event: Any, _hint: Any) -> Any:
    """The event without any value: what may go is named, the rest is dropped."""
    for name in _GONE:
        event.pop(name, None)
    for raised in (event.get("exception") or {}).get("values", []):
        raised["value"] = ""
        for frame in (raised.get("stacktrace") or {}).get("frames", []):
            for name in ("vars", "pre_context", "context_line", "post_context", "abs_path"):
                frame.pop(name, None)
    entry = event.get("logentry")
    if entry is not None:
        event["logentry"] = {"message": entry.get("message", "")}  # the template; its arguments stay here
    return _redacted(event)


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: item if key in _KEPT else _redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return value
