"""What is kept of a call, and who may stop one."""

from dataclasses import dataclass
from typing import Protocol


class CallGate(Protocol):
    """Rate limit, breaker and kill switch of one credential, implemented elsewhere."""

    def before(self, endpoint: str) -> None:
        """May wait, or raise SsgError; nothing was sent then."""
        ...

    def after(self, endpoint: str, outcome: str, seconds: float) -> None:
        """outcome: `ok` or an ErrorClass value. What it raises is swallowed: a reply in hand is not lost."""
        ...


@dataclass(frozen=True)
class CallRecord:
    """One call, without its bodies. error_code: id of an entry in `errors.toml`."""

    endpoint: str
    method: str
    correlation_id: str
    http_status: int | None
    error_class: str | None
    error_code: str | None
    seconds: float
    sent_bytes: int
    received_bytes: int


@dataclass
class Trace:
    """What is known of a call while it runs."""

    status: int | None = None
    sent_bytes: int = 0
    received_bytes: int = 0
