"""OAuth2 tokens and mutual TLS."""

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tms_pipeline.ssg.client import CallRecord, SsgClient
from tms_pipeline.ssg.config import certificate_expiry
from tms_pipeline.ssg.errors import SsgError

from .hostile import Answer, Hostile, Received, hostile, read_request, reply
from .world import COURSE, client, config, enrolment

TOKEN = json.dumps({"access_token": "made-up-token", "token_type": "Bearer", "expires_in": 1800})
COURSE_REPLY = json.dumps({"status": 200, "data": {"courses": []}, "meta": {}, "error": {}})


def token_server(refuse: int = 0, token: str = TOKEN, token_status: str = "200 OK") -> Answer:
    left = [refuse]

    def answer(connection: socket.socket, request: Received) -> None:
        if "/dp-oauth/oauth/token" in request.line:
            reply(token, token_status)(connection, request)
        elif left[0] > 0:
            left[0] -= 1
            reply('{"status":401,"error":{"message":"Unauthorized"}}', "401 x")(connection, request)
        else:
            reply(COURSE_REPLY)(connection, request)

    return answer


def lines(server: Hostile) -> list[str]:
    return [request.line.split()[1] for request in server.received]


def test_a_token_is_cached_until_shortly_before_it_expires() -> None:
    now = [0.0]
    with hostile(token_server()) as server, SsgClient(config(server.url), clock=lambda: now[0]) as ssg:
        ssg.catalogue.directory(COURSE)
        ssg.catalogue.quality(COURSE)
        now[0] = 1741.0
        ssg.catalogue.outcome(COURSE)
    paths = lines(server)
    assert [path.count("token") for path in paths] == [1, 0, 0, 1, 0]
    request = server.received[0]
    assert request.body == b"grant_type=client_credentials"
    assert request.headers["authorization"].startswith("Basic ")
    assert server.received[1].headers["authorization"] == "Bearer made-up-token"


def test_a_401_refreshes_the_token_once() -> None:
    with hostile(token_server(refuse=1)) as server, client(server.url) as ssg:
        ssg.catalogue.directory(COURSE)
    assert sum("token" in path for path in lines(server)) == 2
    with (
        hostile(token_server(refuse=9)) as server,
        client(server.url) as ssg,
        pytest.raises(SsgError) as caught,
    ):
        ssg.catalogue.directory(COURSE)
    assert caught.value.error_class == "credentials"
    assert len(lines(server)) == 4


@pytest.mark.parametrize(
    ("token", "status", "wanted"),
    [
        ('{"error":"invalid_client"}', "401 x", "credentials"),
        ("<html>", "400 x", "credentials"),
        ("<html>", "503 x", "retryable"),
        ('{"access_token": "a\\r\\nb"}', "200 OK", "retryable"),
        ("{}", "200 OK", "retryable"),
    ],
)
def test_no_token(token: str, status: str, wanted: str) -> None:
    records: list[CallRecord] = []
    with (
        hostile(token_server(token=token, token_status=status)) as server,
        SsgClient(config(server.url), on_call=records.append) as ssg,
        pytest.raises(SsgError) as caught,
    ):
        ssg.catalogue.directory(COURSE)
    assert caught.value.error_class == wanted
    assert caught.value.endpoint == "oauth.token"
    assert len(lines(server)) == 1
    assert [record.endpoint for record in records] == ["oauth.token", "catalogue.directory"]


def test_many_threads_fetch_one_token() -> None:
    with hostile(token_server()) as server, client(server.url) as ssg:
        threads = [threading.Thread(target=ssg.catalogue.directory, args=(COURSE,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum("token" in path for path in lines(server)) == 1


def test_no_client_id_no_call() -> None:
    with hostile(token_server()) as server:
        with client(server.url, client_id="") as ssg, pytest.raises(SsgError) as caught:
            ssg.catalogue.directory(COURSE)
        assert caught.value.error_class == "configuration"
        with client(server.url, oauth_base_url="") as ssg, pytest.raises(SsgError) as caught:
            ssg.catalogue.directory(COURSE)
        assert caught.value.error_class == "configuration"
    assert server.received == []


def certificate(folder: Path, name: str, *, days: int = 30) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[str, Path, tuple[Path, Path]]]:
    """An HTTPS server that wants our certificate: url, its certificate, our pair."""
    server_pair, client_pair = certificate(tmp_path, "server"), certificate(tmp_path, "client")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server_pair)
    context.load_verify_locations(client_pair[0])
    context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    with connection.makefile("rb") as stream:
                        read_request(stream)
                    body = json.dumps({"status": 200, "data": {"enrolment": {"referenceNumber": "ENR-1"}}})
                    head = f"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
                    connection.sendall((head + body).encode())
            except OSError:
                continue

    threading.Thread(target=serve, daemon=True).start()
    yield f"https://localhost:{listener.getsockname()[1]}", server_pair[0], client_pair
    listener.close()


def test_mutual_tls(tls_server: tuple[str, Path, tuple[Path, Path]], tmp_path: Path) -> None:
    url, ca_file, (cert_file, key_file) = tls_server
    with client(url, ca_file=ca_file, cert_file=cert_file, key_file=key_file) as ssg:
        assert ssg.enrolments.create(enrolment()).reference == "ENR-1"
    for changes, wanted, code in (
        ({"ca_file": ca_file}, "credentials", "SSG-NET-TLS-CLIENT"),
        ({"cert_file": cert_file, "key_file": key_file}, "configuration", "SSG-NET-TLS-SERVER"),
    ):
        with client(url, **changes) as ssg, pytest.raises(SsgError) as caught:
            ssg.enrolments.create(enrolment())
        assert (caught.value.error_class, caught.value.code) == (wanted, code)
    stranger = certificate(tmp_path, "stranger")
    with (
        client(url, ca_file=ca_file, cert_file=stranger[0], key_file=stranger[1]) as ssg,
        pytest.raises(SsgError) as caught,
    ):
        ssg.enrolments.create(enrolment())
    assert caught.value.error_class == "credentials"
    with pytest.raises(SsgError) as caught:
        client(url, ca_file=ca_file, cert_file=cert_file, key_file=stranger[1])
    assert caught.value.code == "SSG-CREDENTIAL-FILES"


def test_certificate_expiry(tmp_path: Path) -> None:
    cert_file, _ = certificate(tmp_path, "old", days=-1)
    expiry = certificate_expiry(cert_file)
    assert expiry.tzinfo is dt.UTC
    assert -2 < (expiry - dt.datetime.now(dt.UTC)).total_seconds() / 86_400 < 0
    with pytest.raises(ValueError, match="PEM"):
        (tmp_path / "x.pem").write_text("nothing")
        certificate_expiry(tmp_path / "x.pem")
