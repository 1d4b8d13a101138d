"""One access token for all threads, until shortly before it expires (ssg-api 2.2)."""

import base64
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

MARGIN_SECONDS = 60.0
TOKEN_BODY = b"grant_type=client_credentials"


class TokenCache:
    """Fetches a token when there is none, or when the old one is about to expire."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], clock: Callable[[], float]) -> None:
        """fetch: gives a token and its lifetime in seconds, or raises SsgError."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = 0.0

    def __repr__(self) -> str:
        return "TokenCache()"

    def token(self) -> str:
        """A token that is good now. Raises what `fetch` raises."""
        with self._lock:
            if not self._token or self._clock() >= self._good_until:
                self._token, lifetime = self._fetch()
                self._good_until = self._clock() + lifetime - min(MARGIN_SECONDS, lifetime / 10)
            return self._token

    def forget(self) -> None:
        """Drop the token: SSG answered 401."""
        with self._lock:
            self._token = ""


def basic_credentials(user: str, secret: str) -> str:
    """The value of an HTTP Basic header."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")


def read_token(document: Mapping[str, Any] | None) -> tuple[str, float] | None:
    """`access_token` and `expires_in` in seconds (0 when it is not there); None when there is no token."""
    token = (document or {}).get("access_token")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,8192}", token):
        return None
    try:
        return token, float((document or {}).get("expires_in") or 0)
    except (TypeError, ValueError):
        return token, 0.0
