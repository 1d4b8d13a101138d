"""Generated certificates for mutual TLS: a server pair and one self-signed pair per app (ssg-api 2.1)."""

from __future__ import annotations

import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .calls import App
from .config import ConfigError

LIFETIME = timedelta(days=365)


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)


def self_signed(
    folder: Path, stem: str, common_name: str, server: bool = False, lifetime: timedelta = LIFETIME
) -> Path:
    """`{stem}.crt` and `{stem}.key` in the folder, made only when missing; returns the certificate's path."""
    certificate, key_file = folder / f"{stem}.crt", folder / f"{stem}.key"
    if certificate.exists() and key_file.exists():
        return certificate
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(ca=server, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if server:
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ip_address("127.0.0.1")),
            x509.IPAddress(ip_address("::1")),
        ]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    _write_private(
        key_file,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return certificate


def _fingerprint(path: Path) -> str:
    try:
        loaded = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the certificate {path}") from error
    return hashlib.sha256(loaded.public_bytes(serialization.Encoding.DER)).hexdigest()


def server_context(folder: Path, apps: list[App]) -> ssl.SSLContext:
    """TLS that demands a client certificate; each app's own certificate is the whole trust (ssg-api 2.1).

    An app with `certificate` in the data file brings its own; the others get `client-{UEN}.crt/.key`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = self_signed(folder, "server", "localhost", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(server, folder / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for app in apps:
        own = Path(app.certificate) if app.certificate else self_signed(folder, f"client-{app.uen}", app.uen)
        app.fingerprints = (*app.fingerprints, _fingerprint(own))
        context.load_verify_locations(cafile=own)
    return context
