"""Switches where the sources disagree or are silent; defaults follow ssg-api 14.4."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Settings:
    """All switches. Change them in the data file (`settings`) or with POST /_control/settings."""

    # Answers
    encrypt_business_errors: bool = True  # 2.4 note: TPG business errors arrive encrypted [U]
    encrypt_error_member: bool = False  # 2.3: plain JSON whose `error` is itself ciphertext
    reply_form: str = "bare"  # 2.3: bare, quoted (a JSON string) or plain (as the mock host, 1.1)
    business_errors_http_200: bool = False  # 15 gap 8: HTTP 200 around a business error
    empty_search_status: int = 200  # 6.5: empty enrolment/assessment search, 200 or 404 [U]
    empty_grants_status: int = 404  # 8.1: 404 or 400 (or 200) when there is no grant [T]
    empty_attendance_status: int = 200  # 5.1: 200 with an empty list, or 404
    encrypt_credit_replies: bool = False  # 2.4 row 17: by version [U]
    # Strict rules, off unless a source says SSG enforces them
    strict_duplicate_runs: bool = False  # 4.1
    strict_duplicate_enrolments: bool = False  # 6.1
    strict_unique_assessments: bool = False  # 7.1
    strict_full_run_update: bool = False  # 4.2
    strict_past_sessions: bool = False  # 4.2
    strict_past_registration: bool = False  # 3.4
    strict_completed_runs: bool = False  # 4.2
    strict_attendance_enrolled: bool = False  # 5.2
    strict_nric_checksum: bool = False  # 9.1
    strict_partner_code: bool = False  # 9.2: code = UEN + "-" + two digits
    strict_uen_header: bool = False  # 1.3: registry and grant search want it, and it must be the caller's
    strict_fee_after_grant: bool = False  # 6.3: no fee change once a grant is completed
    refuse_run_delete_with_enrolments: bool = True  # 4.3
    enforce_support_period: bool = True  # 4.1
    refuse_unknown_versions: bool = True  # 1.2
    fee_collection_accepts_plain: bool = True  # 2.4 row 12
    # Time
    visibility_delay_seconds: float = 0.0  # 10: up to 15 minutes (900) in UAT
    grant_appears_seconds: float = 60.0  # 8.1
    grant_completes_seconds: float = 3600.0  # 14.2
    grant_reason_member: str = ""  # 8.1 lists reasons, and no source shows under which name they travel: none
    token_lifetime_seconds: float = 1800.0  # 2.2
    latency_ms: float = 0.0
    latency_by_endpoint: dict[str, float] = field(default_factory=dict)

    def update(self, changes: dict[str, Any]) -> None:
        """Set switches by name; ValueError with a sentence on an unknown name or a wrong type."""
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}")
            wanted = type(known[name])
            if wanted is float and isinstance(value, int | float) and not isinstance(value, bool):
                if not 0 <= value < 1e9:
                    raise ValueError(f"setting {name!r} must not be negative")
                value = float(value)
            if (
                wanted is dict
                and isinstance(value, dict)
                and all(
                    isinstance(ms, int | float) and not isinstance(ms, bool) and 0 <= ms < 1e9
                    for ms in value.values()
                )
            ):
                value = {str(key): float(ms) for key, ms in value.items()}
            elif type(value) is not wanted:
                raise ValueError(f"setting {name!r} takes a {wanted.__name__}")
            if name == "reply_form" and value not in ("bare", "quoted", "plain"):
                raise ValueError("setting 'reply_form' takes bare, quoted or plain")
            if name.startswith("empty_") and value not in (200, 400, 404):
                raise ValueError(f"setting {name!r} takes 200, 400 or 404")
        for name, value in changes.items():
            kept = float(value) if isinstance(known[name], float) else value
            setattr(self, name, kept)

    def as_json(self) -> dict[str, Any]:
        """All switches with their values."""
        return asdict(self)
