"""Every setting, from the environment or an ``.env`` file; ``.env.example`` explains each."""

from __future__ import annotations

import getpass
import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]

# The made-up identity that demo and tests speak to the simulator with; production refuses to start with it.
SIMULATOR_UEN = "201912345K"
SIMULATOR_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
# Made up, never issued: NRIC-shaped because that is what CorpPass ids look like in SSG's own test data (ssg-api 5.2).
SIMULATOR_CORPPASS_ID = "S9999101A"


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and says what to do."""


class Settings(BaseSettings):
    """Settings of one installation. Names are those of the environment, in lower case."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, frozen=True
    )

    environment: Literal["local", "staging", "production"] = "local"
    tms_home: Path = PROJECT_ROOT / ".tms"
    database_url: SecretStr | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    timezone: str = "Asia/Singapore"
    actor: str = Field(default="", validation_alias="TMS_ACTOR")
    provider_name: str = Field(default="Hawker Boys", validation_alias="TMS_PROVIDER_NAME")
    today: str = Field(default="", validation_alias="TMS_TODAY")

    # Intake
    inbox: str = Field(default="", validation_alias="TMS_INBOX")
    hold_share: float = Field(default=0.10, ge=0, le=1, validation_alias="TMS_HOLD_SHARE")
    sources: str = Field(default="", validation_alias="TMS_SOURCE_PRIORITY")
    result_days: float = Field(default=90, gt=0, validation_alias="TMS_RESULT_DAYS")
    stable_seconds: float = Field(default=2.0, ge=0, validation_alias="TMS_STABLE_SECONDS")
    files_per_tick: int = Field(default=20, ge=1, validation_alias="TMS_FILES_PER_TICK")

    # SSG
    ssg_env: Literal["simulator", "uat", "production"] = "simulator"
    ssg_base_url: str = ""
    ssg_oauth_url: str = ""
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
    ssg_spacing_seconds: float | None = Field(default=None, ge=0)
    ssg_burst: int = Field(default=1, ge=1, le=100)
    ssg_concurrency: int = Field(default=8, ge=1, le=64)
    ssg_visibility_minutes: float | None = Field(default=None, ge=0)
    ssg_quoted_body: bool = True

    # Submission
    max_attempts: int = Field(default=8, ge=1, validation_alias="TMS_MAX_ATTEMPTS")
    max_age_hours: float = Field(default=72, gt=0, validation_alias="TMS_MAX_AGE_HOURS")
    lease_seconds: float = Field(default=120, gt=0, validation_alias="TMS_LEASE_SECONDS")
    guard_count: int = Field(default=10, ge=0, validation_alias="TMS_GUARD_COUNT")
    guard_share: float = Field(default=0.10, ge=0, le=1, validation_alias="TMS_GUARD_SHARE")
    approval_policy: str = Field(default="auto", validation_alias="TMS_APPROVAL_POLICY")
    approval_hours: float = Field(default=24, gt=0, validation_alias="TMS_APPROVAL_HOURS")

    # Dagster
    dagster_port: int = Field(default=3000, ge=1, le=65535, validation_alias="TMS_DAGSTER_PORT")
    simulator_port: int = Field(default=8900, ge=0, le=65535, validation_alias="TMS_SIMULATOR_PORT")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        scheme = value.get_secret_value().split("://", 1)[0]
        if scheme not in {"postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"}:
            raise ValueError("must start with postgresql://")
        return value

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

    def check_ssg(self) -> None:
        """Refuse settings that would speak to the wrong SSG or with made-up secrets. Raises SettingsError."""
        if self.ssg_env == "simulator":
            return
        if not self.ssg_base_url:
            raise SettingsError(f"SSG_BASE_URL is empty; set it to the address of SSG's {self.ssg_env} host.")
        missing = [
            name
            for name, value in (
                ("SSG_UEN", self.ssg_uen),
                ("SSG_ENCRYPTION_KEY", self.ssg_encryption_key.get_secret_value()),
                ("SSG_CERT_FILE", self.ssg_cert_file),
                ("SSG_KEY_FILE", self.ssg_key_file),
                ("SSG_CORPPASS_ID", self.ssg_corppass_id.get_secret_value()),
            )
            if not value
        ]
        if missing:
            raise SettingsError(f"SSG_ENV is {self.ssg_env}, so set {', '.join(missing)}.")
        if self.encryption_key == SIMULATOR_KEY or self.uen == SIMULATOR_UEN:
            raise SettingsError(f"SSG_ENV is {self.ssg_env} but the key or UEN is the simulator's; set the real ones.")
        if self.environment != "production" and self.ssg_env == "production":
            raise SettingsError(
                f"ENVIRONMENT is {self.environment} but SSG_ENV is production; "
                "only ENVIRONMENT=production may speak to it."
            )


def load_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises SettingsError with one sentence when one is wrong."""
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
        settings.check_ssg()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(
            f"The setting {name} is wrong: {reason}. Correct it in the environment or in .env."
        ) from None
    return settings
