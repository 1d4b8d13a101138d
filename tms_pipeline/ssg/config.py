"""How one credential reaches SSG: hosts, certificate, keys, versions (ssg-api 1 and 2)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """Everything the client needs to know. Secrets never show in `repr`.

    base_url: the certificate (mTLS) host, e.g. `https://uat-api.ssg-wsg.sg`. Plain `http` only on loopback.
    oauth_base_url: the OAuth2 host; empty means that the open catalogue is not used.
    uen, training_partner_code: the caller; the code defaults to `{uen}-01` (ssg-api 9.2).
    encryption_key: base64 of 32 bytes (ssg-api 2.3).
    corppass_id: CorpPass id of the person who uploads attendance (ssg-api 5.2).
    timeout_seconds: time for a read. Creates get twice that (`endpoints.py`).
    quoted_body: send the ciphertext as a JSON string (official client, ssg-api 2.3 and 14.4) or bare.
    api_versions: group name (`endpoints.VERSION_GROUPS`) to `x-api-version`; empty leaves the header out,
        which selects the newest version (ssg-api 1.2).
    extra_headers: sent with every call, e.g. a simulator's stand-in for the certificate.
    check_id_numbers: refuse an NRIC or FIN whose check letter is wrong before it is sent. Whether SSG
        refuses it is not documented (ssg-api 9.1, read 2026-11-21), so it is a setting; default on.
    """

    base_url: str
    uen: str
    oauth_base_url: str = ""
    training_partner_code: str = ""
    encryption_key: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    cert_file: Path | str | None = None
    key_file: Path | str | None = None
    ca_file: Path | str | None = None
    corppass_id: str = field(default="", repr=False)
    timeout_seconds: float = 30.0
    quoted_body: bool = True
    api_versions: Mapping[str, str] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    check_id_numbers: bool = True

    def __post_init__(self) -> None:
        if not self.training_partner_code:
            object.__setattr__(self, "training_partner_code", f"{self.uen}-01")


def certificate_expiry(path: Path | str) -> dt.datetime:
    """When the certificate in a PEM file stops being valid (aware, UTC).

    Raises OSError when the file cannot be read and ValueError when it holds no certificate.
    """
    return x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
