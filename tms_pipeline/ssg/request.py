"""Requests to SSG as bytes: the address of a call, and its body, sealed where SSG wants it so."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from tms_pipeline.ssg.config import ClientConfig
from tms_pipeline.ssg.connection import settings_error
from tms_pipeline.ssg.crypto import BodyCipher
from tms_pipeline.ssg.endpoints import Endpoint
from tms_pipeline.ssg.errors import ShapeError

Query = Mapping[str, "str | int | bool | None"]


def url_of(config: ClientConfig, endpoint: Endpoint, record_id: str | int, query: Query | None) -> str:
    """The address of a call. Raises SsgError where the host is not set, ShapeError for a blank reference."""
    base = config.oauth_base_url if endpoint.oauth else config.base_url
    if not base:
        raise settings_error("oauth_base_url is missing")
    path = endpoint.path
    if "{id}" in path:
        path = path.replace("{id}", _segment(str(record_id), endpoint.name))
    path = path.replace("{uen}", quote(config.uen, safe=""))
    pairs = [(name, _query_value(value)) for name, value in (query or {}).items() if value is not None]
    return base.rstrip("/") + path + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")


def content_of(
    config: ClientConfig, cipher: BodyCipher | None, endpoint: Endpoint, body: Mapping[str, Any] | None
) -> bytes | None:
    """The body of a call (ssg-api 2.3, 2.4). Raises SsgError where it is to be sealed and there is no key."""
    if body is None:
        return None
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if endpoint.encrypted:
        if cipher is None:
            raise settings_error("encryption_key is missing")
        sealed = cipher.encrypt(text)
        text = f'"{sealed}"' if config.quoted_body else sealed
    return text.encode()


def _segment(value: str, endpoint: str) -> str:
    if not value.strip() or value in (".", ".."):
        raise ShapeError("reference", "must not be blank", endpoint=endpoint)
    return quote(value, safe="")


def _query_value(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
