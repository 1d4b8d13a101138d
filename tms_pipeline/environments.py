"""Which SSG an environment may speak to, and what production refuses: staging never reaches production by accident."""

from __future__ import annotations

import stat
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from tms_pipeline.settings import SIMULATOR_KEY, SIMULATOR_UEN, SSG_PRODUCTION, Settings, SettingsError

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def ssg_of(settings: Settings, address: str) -> Literal["production", "uat", "none"]:
    """Whose host an address names: SSG's production, SSG's UAT (or mock), or none of SSG's."""
    host = _host_of(address)
    lists = {"production": settings.ssg_production_hosts, "uat": settings.ssg_uat_hosts}
    named = {which: {part.strip().lower() for part in text.split(",")} for which, text in lists.items()}
    # Production's own names stay production's, whatever a list says.
    if host in named["uat"] and host not in SSG_PRODUCTION:
        return "uat"
    ours = host in named["production"] or any(
        host == domain or host.endswith(f".{domain}") for domain in ("ssg-wsg.sg", "tpgateway.gov.sg")
    )
    return "production" if ours else "none"


def _check_host(settings: Settings, name: str, address: str) -> None:
    """Hold an address against ENVIRONMENT and SSG_ENV. Raises SettingsError."""
    whose = ssg_of(settings, address)
    if whose == "production" and (settings.environment != "production" or settings.ssg_env != "production"):
        raise SettingsError(
            f"{name} is SSG's production, but ENVIRONMENT is {settings.environment} and SSG_ENV is {settings.ssg_env}; "
            "only ENVIRONMENT=production with SSG_ENV=production may speak to it."
        )
    if whose == "none" and settings.ssg_env == "production":
        raise SettingsError(
            f"SSG_ENV is production, but the host in {name} is not SSG's; correct it, or name a proxy of your own "
            f"in SSG_PRODUCTION_HOSTS."
        )
    if whose == "uat" and settings.ssg_env != "uat":
        raise SettingsError(f"{name} is SSG's UAT or mock, but SSG_ENV is {settings.ssg_env}; set SSG_ENV=uat, or "
                            f"correct it.")
    if whose == "uat" and settings.environment == "production":
        raise SettingsError(
            f"{name} is SSG's UAT or mock, but ENVIRONMENT is production: people's records do not belong there; "
            "set ENVIRONMENT=staging in an installation of its own."
        )


def check_hardening(settings: Settings) -> None:
    """Refuse what would send people's data past a check, or leave a key open to others. Raises SettingsError."""
    if settings.environment == "production" and settings.database_url is not None:
        given = urlsplit(settings.database_url.get_secret_value())
        asked = parse_qs(given.query)
        hosts = [given.hostname or "", *(asked.get("host") or [])]
        away = [host for host in hosts if host and not host.startswith("/") and host not in _THIS_MACHINE]
        if away and asked.get("sslmode") != ["verify-full"]:
            raise SettingsError(
                "DATABASE_URL reaches Postgres over the network without a checked certificate; add "
                "?sslmode=verify-full to it, and sslrootcert=… for a CA of your own."
            )
    if settings.ssg_key_file is not None and settings.ssg_key_file.exists():
        facts = settings.ssg_key_file.stat()
        # A secret that a container gets is root's, and its group may read it; everybody never may.
        if facts.st_mode & (stat.S_IRWXO | stat.S_IWGRP) or (facts.st_mode & stat.S_IRGRP and facts.st_uid != 0):
            raise SettingsError(f"Others may read the key {settings.ssg_key_file} (SSG_KEY_FILE); run 'chmod 600' on "
                                f"it.")


def check_ssg(settings: Settings) -> None:
    """Refuse settings that would speak to the wrong SSG or with made-up secrets. Raises SettingsError."""
    for name, address in (("SSG_BASE_URL", settings.ssg_base_url), ("SSG_OAUTH_URL", settings.ssg_oauth_url)):
        if address:
            _check_host(settings, name, address)
    if settings.ssg_env == "simulator":
        if settings.environment == "production":
            raise SettingsError(
                "ENVIRONMENT is production but SSG_ENV is simulator: nothing would reach SSG; set "
                "SSG_ENV=production, or ENVIRONMENT=local to try things out."
            )
        return
    if not settings.ssg_base_url:
        raise SettingsError(f"SSG_BASE_URL is empty; set it to the address of SSG's {settings.ssg_env} host.")
    missing = [
        name
        for name, value in (
            ("SSG_UEN", settings.ssg_uen),
            ("SSG_ENCRYPTION_KEY", settings.ssg_encryption_key.get_secret_value()),
            ("SSG_CERT_FILE", settings.ssg_cert_file),
            ("SSG_KEY_FILE", settings.ssg_key_file),
            ("SSG_CORPPASS_ID", settings.ssg_corppass_id.get_secret_value()),
        )
        if not value
    ]
    if missing:
        raise SettingsError(f"SSG_ENV is {settings.ssg_env}, so set {', '.join(missing)}.")
    if settings.encryption_key == SIMULATOR_KEY or settings.uen == SIMULATOR_UEN:
        raise SettingsError(f"SSG_ENV is {settings.ssg_env} but the key or UEN is the simulator's; set the real ones.")
    if settings.environment != "production" and settings.ssg_env == "production":
        raise SettingsError(
            f"ENVIRONMENT is {settings.environment} but SSG_ENV is production; "
            "only ENVIRONMENT=production may speak to it."
        )


def _host_of(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""
