"""Every setting, from the environment or an ``.env`` file; ``.env.example`` explains each."""

from __future__ import annotations

import getpass
import os
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]

# The made-up identity that demo and tests speak to the simulator with; production refuses to start with it.
SIMULATOR_UEN = "201912345K"
SIMULATOR_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
# Made up, never issued: NRIC-shaped because that is what CorpPass ids look like in SSG's own test data (ssg-api 5.2).
SIMULATOR_CORPPASS_ID = "S9999101A"

# The hosts of SSG that are production whatever a setting says (ssg-api 1.1, read 2026-11-21).
SSG_PRODUCTION = ("api.ssg-wsg.sg", "public-api.ssg-wsg.sg")


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and says what to do."""


class Settings(BaseSettings):
    """Settings of one installation. Names are those of the environment, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True,
        frozen=True,
    )  # fmt: skip

    environment: Literal["local", "staging", "production"] = "local"
    tms_home: Path = PROJECT_ROOT / ".tms"
    database_url: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    timezone: str = "Asia/Singapore"
    actor: str = Field(default="", validation_alias="TMS_ACTOR")
    token: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_TOKEN")
    proxy_address: str = Field(default="", validation_alias="TMS_PROXY_ADDRESS")
    proxy_secret: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_PROXY_SECRET")
    proxy_header: str = Field(default="X-Forwarded-User", validation_alias="TMS_PROXY_HEADER")
    reveals_per_day: int = Field(default=20, ge=0, validation_alias="TMS_REVEALS_PER_DAY")
    provider_name: str = Field(default="Hawker Boys", validation_alias="TMS_PROVIDER_NAME")
    today: str = Field(default="", validation_alias="TMS_TODAY")
    rules: Path | None = Field(default=None, validation_alias="TMS_RULES")

    # Intake
    inbox: str = Field(default="", validation_alias="TMS_INBOX")
    hold_share: float = Field(default=0.10, ge=0, le=1, validation_alias="TMS_HOLD_SHARE")
    sources: str = Field(default="", validation_alias="TMS_SOURCE_PRIORITY")
    result_days: float = Field(default=90, gt=0, validation_alias="TMS_RESULT_DAYS")
    stable_seconds: float = Field(default=2.0, ge=0, validation_alias="TMS_STABLE_SECONDS")
    files_per_tick: int = Field(default=20, ge=1, validation_alias="TMS_FILES_PER_TICK")
    upload_max_rows: int = Field(default=200_000, ge=1, le=5_000_000, validation_alias="TMS_UPLOAD_MAX_ROWS")
    upload_max_mb: int = Field(default=100, ge=1, le=4_000, validation_alias="TMS_UPLOAD_MAX_MB")

    # SSG
    ssg_env: Literal["simulator", "uat", "production"] = "simulator"
    ssg_base_url: str = ""
    ssg_oauth_url: str = ""
    # Hosts of SSG (ssg-api 1.1, read 2026-11-21). What belongs to SSG and stands in neither list counts as production.
    ssg_production_hosts: str = ",".join(SSG_PRODUCTION)
    ssg_uat_hosts: str = "uat-api.ssg-wsg.sg,mock-api.ssg-wsg.sg,mock-public-api.ssg-wsg.sg"
    ssg_client_id: str = ""
    ssg_client_secret: SecretStr = SecretStr("")
    ssg_cert_file: Path | None = None
    ssg_key_file: Path | None = None
    ssg_ca_file: Path | None = None
    ssg_encryption_key: SecretStr = SecretStr("")
    ssg_uen: str = ""
    ssg_tp_code: str = ""
    ssg_corppass_id: SecretStr = SecretStr("")
    ssg_timeout_seconds: float = Field(default=30.0, gt=0)
    # Each read of SSG while the mirror is brought up to date; a write is never repeated without a search.
    ssg_read_tries: int = Field(default=3, ge=1, le=10)
    ssg_spacing_seconds: float | None = Field(default=None, ge=0)
    ssg_burst: int = Field(default=1, ge=1, le=100)
    ssg_concurrency: int = Field(default=8, ge=1, le=64)
    ssg_visibility_minutes: float | None = Field(default=None, ge=0)
    ssg_quoted_body: bool = True
    # Downtimes that SSG announces, in Singapore time; no call is begun in them.
    ssg_maintenance: str = ""
    full_read_days: float = Field(default=7, ge=0, validation_alias="TMS_FULL_READ_DAYS")

    # Submission
    max_attempts: int = Field(default=8, ge=1, validation_alias="TMS_MAX_ATTEMPTS")
    max_age_hours: float = Field(default=72, gt=0, validation_alias="TMS_MAX_AGE_HOURS")
    lease_seconds: float = Field(default=120, gt=0, validation_alias="TMS_LEASE_SECONDS")
    guard_count: int = Field(default=10, ge=0, validation_alias="TMS_GUARD_COUNT")
    guard_share: float = Field(default=0.10, ge=0, le=1, validation_alias="TMS_GUARD_SHARE")
    full_look_days: int = Field(default=7, ge=1, le=31, validation_alias="TMS_FULL_LOOK_DAYS")
    guard_kinds: str = Field(default="", validation_alias="TMS_GUARD_KINDS")
    approval_policy: str = Field(default="auto", validation_alias="TMS_APPROVAL_POLICY")
    approval_hours: float = Field(default=24, gt=0, validation_alias="TMS_APPROVAL_HOURS")

    # Alarms
    alarm_ops: str = Field(default="", validation_alias="TMS_ALARM_OPS")
    alarm_compliance: str = Field(default="", validation_alias="TMS_ALARM_COMPLIANCE")
    alarm_on_call: str = Field(default="", validation_alias="TMS_ALARM_ON_CALL")
    alarm_escalation: str = Field(default="", validation_alias="TMS_ALARM_ESCALATION")
    alarm_ack_hours: float = Field(default=24, gt=0, validation_alias="TMS_ALARM_ACK_HOURS")
    alarm_quiet: str = Field(default="", validation_alias="TMS_ALARM_QUIET")
    alarm_dead_letters: int = Field(default=1, ge=1, validation_alias="TMS_ALARM_DEAD_LETTERS")
    alarm_queue_hours: float = Field(default=24, gt=0, validation_alias="TMS_ALARM_QUEUE_HOURS")
    alarm_rejected_share: float = Field(default=0.10, gt=0, le=1, validation_alias="TMS_ALARM_REJECTED_SHARE")
    alarm_source_days: int = Field(default=14, ge=0, validation_alias="TMS_ALARM_SOURCE_DAYS")
    alarm_night_hours: float = Field(default=26, gt=0, validation_alias="TMS_ALARM_NIGHT_HOURS")
    link_base: str = Field(default="", validation_alias="TMS_LINK_BASE")
    mail_from: str = Field(default="", validation_alias="TMS_MAIL_FROM")
    smtp_host: str = Field(default="", validation_alias="TMS_SMTP_HOST")
    smtp_port: int = Field(default=587, ge=1, le=65535, validation_alias="TMS_SMTP_PORT")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", validation_alias="TMS_SMTP_SECURITY"
    )
    smtp_user: str = Field(default="", validation_alias="TMS_SMTP_USER")
    smtp_password: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_SMTP_PASSWORD")
    smtp_ca_file: Path | None = Field(default=None, validation_alias="TMS_SMTP_CA_FILE")
    webhook_secret: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_WEBHOOK_SECRET")

    # Keys
    key_source: Literal["files", "environment"] = Field(default="files", validation_alias="TMS_KEY_SOURCE")
    key_command: str = Field(default="", validation_alias="TMS_KEY_COMMAND")
    keys_data: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_KEYS_DATA")
    keys_index: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_KEYS_INDEX")
    keys_audit: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_KEYS_AUDIT")

    # Retention
    retention_rules: Path | None = Field(default=None, validation_alias="TMS_RETENTION_RULES")

    # Backups
    backup_url: str = Field(default="", validation_alias="TMS_BACKUP_URL", repr=False)  # it may hold a password
    backup_daily: int = Field(default=7, ge=1, validation_alias="TMS_BACKUP_DAILY")
    backup_weekly: int = Field(default=5, ge=0, validation_alias="TMS_BACKUP_WEEKLY")
    backup_monthly: int = Field(default=12, ge=0, validation_alias="TMS_BACKUP_MONTHLY")
    backup_hours: float = Field(default=26, gt=0, validation_alias="TMS_BACKUP_HOURS")

    # Dagster
    dagster_database: str = Field(default="", validation_alias="TMS_DAGSTER_DATABASE")
    dagster_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        default="INFO", validation_alias="TMS_DAGSTER_LOG_LEVEL"
    )
    dagster_port: int = Field(default=3000, ge=1, le=65533, validation_alias="TMS_DAGSTER_PORT")
    simulator_port: int = Field(default=8900, ge=0, le=65535, validation_alias="TMS_SIMULATOR_PORT")

    # Past one machine
    scale_broker: SecretStr = Field(default=SecretStr(""), validation_alias="TMS_SCALE_BROKER")
    scale_runs: int = Field(default=2, ge=1, le=64, validation_alias="TMS_SCALE_RUNS")
    scale_concurrent_runs: int = Field(default=8, ge=1, validation_alias="TMS_SCALE_CONCURRENT_RUNS")

    # Health, metrics, housekeeping
    health_host: str = Field(default="127.0.0.1", validation_alias="TMS_HEALTH_HOST")
    health_port_given: int = Field(default=0, ge=0, le=65535, validation_alias="TMS_HEALTH_PORT")
    health_skip: str = Field(default="", validation_alias="TMS_HEALTH_SKIP")
    disk_free_mb: float = Field(default=1000, ge=0, validation_alias="TMS_DISK_FREE_MB")
    archive_limit_mb: float = Field(default=50_000, gt=0, validation_alias="TMS_ARCHIVE_LIMIT_MB")
    inbox_limit_mb: float = Field(default=2_000, gt=0, validation_alias="TMS_INBOX_LIMIT_MB")
    dagster_run_days: float = Field(default=90, gt=0, validation_alias="TMS_DAGSTER_RUN_DAYS")
    runbook_url: str = Field(default="docs/runbook", validation_alias="TMS_RUNBOOK_URL")
    sentry_dsn: SecretStr = SecretStr("")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        scheme = value.get_secret_value().split("://", 1)[0]
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"}:
            raise ValueError("must start with postgresql://")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, LookupError):
            raise ValueError("no such time zone is known here; write it as Asia/Singapore") from None
        return value

    @field_validator("today")
    @classmethod
    def _a_day(cls, value: str) -> str:
        try:
            return date.fromisoformat(value).isoformat() if value else value
        except ValueError:
            raise ValueError("it is no day; write it as 2026-03-01") from None

    @field_validator("ssg_maintenance")
    @classmethod
    def _known_windows(cls, value: str) -> str:
        from tms_pipeline.submission.maintenance import windows_of

        windows_of(value)
        return value

    @field_validator("guard_kinds")
    @classmethod
    def _known_guards(cls, value: str) -> str:
        from tms_pipeline.diff.guards import guards_of

        guards_of(value)
        return value

    @field_validator("approval_policy")
    @classmethod
    def _known_policy(cls, value: str) -> str:
        from tms_pipeline.submission.policy import policy_of

        try:
            policy_of(value)
        except ValueError as error:
            raise ValueError(str(error).rstrip(".")) from None
        return value

    @field_validator("rules", mode="before")
    @classmethod
    def _no_rules(cls, value: object) -> object:
        return None if value == "" else value

    @cached_property
    def home(self) -> Path:
        """The state folder, absolute."""
        return self.tms_home.expanduser().resolve()

    @property
    def source_priority(self) -> tuple[str, ...]:
        """Sources of uploads (sub-folders of the inbox), the one that counts most first; others come after, equal."""
        return tuple(part.strip() for part in self.sources.split(",") if part.strip())

    @property
    def inbox_url(self) -> str:
        """Where ops drop files: a folder or an fsspec URL."""
        return self.inbox or str(self.home / "inbox")

    @property
    def backup_place(self) -> str:
        """Where backups go: a folder or an fsspec URL."""
        return self.backup_url or str(self.home / "backups")

    @property
    def person(self) -> str:
        """Who acts: TMS_ACTOR, else the operating system's user."""
        if self.actor:
            return self.actor
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return f"uid-{os.getuid()}"

    @property
    def uen(self) -> str:
        """The provider's UEN; made up for the simulator."""
        return self.ssg_uen or (SIMULATOR_UEN if self.ssg_env == "simulator" else "")

    @property
    def encryption_key(self) -> str:
        """SSG's AES key in base64; the known test key for the simulator."""
        return self.ssg_encryption_key.get_secret_value() or (SIMULATOR_KEY if self.ssg_env == "simulator" else "")

    @property
    def corppass_id(self) -> str:
        """CorpPass id of the person in whose name attendance is uploaded (ssg-api 5.2)."""
        return self.ssg_corppass_id.get_secret_value() or (SIMULATOR_CORPPASS_ID if self.ssg_env == "simulator" else "")

    @property
    def spacing_seconds(self) -> float:
        """Seconds between two calls of one credential: 2 at SSG (ssg-api 10, vendors' practice), 0 at the simulator."""
        if self.ssg_spacing_seconds is not None:
            return self.ssg_spacing_seconds
        return 0.0 if self.ssg_env == "simulator" else 2.0

    @property
    def visibility_minutes(self) -> float:
        """How long a new run may stay invisible at SSG: 15 minutes (ssg-api 4.1), 0 at the simulator."""
        if self.ssg_visibility_minutes is not None:
            return self.ssg_visibility_minutes
        return 0.0 if self.ssg_env == "simulator" else 15.0

    @property
    def links(self) -> str:
        """The address before links to the reviewers' pages (/review/…): the proxy's, else that of their webserver."""
        return (self.link_base or f"http://127.0.0.1:{self.dagster_port + 1}").rstrip("/")

    @property
    def health_port(self) -> int:
        """Where health and metrics answer: TMS_HEALTH_PORT, else the second port after Dagster's."""
        return self.health_port_given or self.dagster_port + 2


def load_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises SettingsError with one sentence when one is wrong."""
    from tms_pipeline.environments import check_hardening, check_ssg

    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
        check_ssg(settings)
        check_hardening(settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"The setting {name} is wrong: {reason}. Correct it in the environment or in .env."
        ) from None
    return settings
