"""Key rings, sealed values and marks."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tms_pipeline.identity import keyring
from tms_pipeline.identity.data_keys import KeyShredded, data_keys
from tms_pipeline.identity.marks import Marker
from tms_pipeline.identity.masking import mask_nric, redact
from tms_pipeline.identity.opening import CannotOpen, open_sealed, opening_for
from tms_pipeline.identity.sealing import new_data_key, place, seal
from tms_pipeline.settings import Settings
from tms_pipeline.workplace import Workplace

HERE = place("register.trainee", "nric", "TR-1")
NRIC = "S9999001A"


@pytest.fixture(autouse=True)
def opened_for_a_purpose() -> Iterator[None]:
    with opening_for("trial"):
        yield


def test_a_sealed_value_opens_at_its_place_and_shows_nothing_of_itself() -> None:
    key = new_data_key()
    sealed = seal(key, NRIC.encode(), HERE)
    assert open_sealed(key, sealed, HERE) == NRIC.encode()
    assert NRIC.encode() not in sealed
    assert seal(key, NRIC.encode(), HERE) != sealed, "equal values must not look equal"


@pytest.mark.parametrize(
    "elsewhere",
    [place("register.trainee", "nric", "TR-2"), place("register.trainee", "phone", "TR-1"),
     place("register.trainee_history", "nric", "TR-1")],
)  # fmt: skip
def test_a_sealed_value_cannot_be_moved(elsewhere: bytes) -> None:
    key = new_data_key()
    with pytest.raises(CannotOpen):
        open_sealed(key, seal(key, NRIC.encode(), HERE), elsewhere)


def test_attack_edit_a_sealed_value_or_open_it_with_another_key() -> None:
    key = new_data_key()
    sealed = seal(key, NRIC.encode(), HERE)
    for index in range(len(sealed)):
        edited = bytearray(sealed)
        edited[index] ^= 1
        with pytest.raises(CannotOpen):
            open_sealed(key, bytes(edited), HERE)
    with pytest.raises(CannotOpen):
        open_sealed(new_data_key(), sealed, HERE)
    with pytest.raises(CannotOpen):
        open_sealed(key, sealed[:20], HERE)


def test_attack_swap_two_ciphertexts_in_postgres(place: Workplace) -> None:
    from tms_pipeline.identity.sealing import place as where

    with place.db.transaction() as connection:
        keys = data_keys(connection, place.rings.data, ["trainee:A", "trainee:B"], make=True)
        rows = {
            name: seal(keys[f"trainee:{name}"], name.encode(), where("register.trainee", "full_name", name))
            for name in "AB"
        }
        for name in "AB":
            connection.execute("INSERT INTO identity.trainee (trainee_ref, nric_mark) VALUES (%s, %s)", (name, name))
            connection.execute(
                "INSERT INTO register.trainee (key, trainee_ref, nric_sealed, full_name_sealed, row_hash, own_hash, "
                "ssg_hash, upload_id, sheet, row_number) VALUES (%s, %s, '', %s, '', '', '', 'U', 'S', 1)",
                (name, name, rows[name]),
            )
        connection.execute(
            "UPDATE register.trainee SET full_name_sealed = (SELECT full_name_sealed FROM register.trainee "
            "WHERE key = 'A') WHERE key = 'B'"
        )
        moved = connection.execute("SELECT full_name_sealed FROM register.trainee WHERE key = 'B'").fetchone()
    assert moved is not None
    for name in "AB":
        with pytest.raises(CannotOpen):
            open_sealed(keys[f"trainee:{name}"], bytes(moved[0]), where("register.trainee", "full_name", "B"))


def test_each_subject_has_a_key_of_its_own_which_stays_the_same(place: Workplace) -> None:
    with place.db.transaction() as connection:
        made = data_keys(connection, place.rings.data, ["trainee:A", "trainee:B"], make=True)
    with place.db.transaction() as connection:
        assert data_keys(connection, place.rings.data, ["trainee:A", "trainee:B"], make=True) == made
        assert data_keys(connection, place.rings.data, ["trainee:C"], make=False) == {}
        wrapped = [bytes(row[0]) for row in connection.execute("SELECT wrapped FROM identity.data_key")]
    assert made["trainee:A"] != made["trainee:B"]
    assert not [key for key in made.values() if any(key in value for value in wrapped)]


def test_a_shredded_key_is_said_and_not_made_again(place: Workplace) -> None:
    with place.db.transaction() as connection:
        data_keys(connection, place.rings.data, ["trainee:A"], make=True)
        connection.execute("UPDATE identity.data_key SET wrapped = NULL, shredded_at = now()")
    for make in (True, False):
        with pytest.raises(KeyShredded), place.db.transaction() as connection:
            data_keys(connection, place.rings.data, ["trainee:A"], make=make)


def test_a_mark_is_the_same_for_the_same_value_and_needs_the_key() -> None:
    marker, other = Marker(new_data_key()), Marker(new_data_key())
    assert marker.mark("nric", NRIC) == marker.mark("nric", NRIC)
    assert marker.mark("nric", NRIC) != other.mark("nric", NRIC)
    assert marker.mark("nric", NRIC) != marker.mark("phone", NRIC), "fields must not be comparable"
    assert marker.mark("nric", None) is marker.mark("nric", "") is None
    assert marker.marks("nric", [NRIC, None, "S9999002Z"]) == [
        marker.mark("nric", NRIC), None, marker.mark("nric", "S9999002Z"),
    ]  # fmt: skip


def test_key_rings_are_made_once_for_their_owner_only(folder: Path) -> None:
    made = keyring.create(folder / "h")
    assert [path.name for path in made] == ["data.ring.json", "index.ring.json", "audit.ring.json"]
    assert stat.S_IMODE((folder / "h" / "keys").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
    before = [path.read_bytes() for path in made]
    assert keyring.create(folder / "h") == []
    assert [path.read_bytes() for path in made] == before
    rings = keyring.load(folder / "h")
    assert len({rings.data.key, rings.index.key, rings.audit.key}) == 3
    assert base64.b64encode(rings.data.key).decode() not in repr(rings)


def test_a_missing_ring_is_made_without_touching_the_others(folder: Path) -> None:
    paths = keyring.create(folder / "h")
    kept = paths[0].read_bytes()
    paths[1].unlink()
    assert keyring.create(folder / "h") == [paths[1]]
    assert paths[0].read_bytes() == kept


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_ring_that_others_may_read_is_refused(mode: int, folder: Path) -> None:
    path = keyring.create(folder / "h")[0]
    path.chmod(mode)
    with pytest.raises(keyring.KeyringError, match="chmod 600"):
        keyring.load(folder / "h")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"active": 1, "keys": {}}', '{"active": 1, "keys": {"1": "AAAA"}}',
     json.dumps({"active": 1, "keys": {"1": base64.b64encode(bytes(32)).decode()}}),
     json.dumps({"active": 2, "keys": {"1": base64.b64encode(os.urandom(32)).decode()}})],
    ids=["empty", "half", "a list", "no keys", "a short key", "a weak key", "the active one missing"],
)  # fmt: skip
def test_a_broken_or_weak_ring_is_refused_with_one_sentence(content: str, folder: Path) -> None:
    path = keyring.create(folder / "h")[0]
    path.write_text(content)
    with pytest.raises(keyring.KeyringError, match="backup") as caught:
        keyring.load(folder / "h")
    assert "\n" not in str(caught.value)


def test_a_masked_nric_shows_its_ends_only() -> None:
    assert mask_nric("S1234567D") == "S****567D"


@pytest.mark.parametrize(
    "text",
    ["trainee S9999001A came", "g9999999x", "(S9999001A)", "nric=S9999001A;", "call 91234567", "call 9123 4567.", "+65 9123 4567",
     "mail tan.ah.kow@example.com now", "\N{FULLWIDTH LATIN CAPITAL LETTER S}9999001A",
     "".join(chr(ord(letter) + 0xFEE0) for letter in "S9999001A")],
)  # fmt: skip
def test_redaction_takes_identifiers_out_of_any_text(text: str) -> None:
    shown = redact(text)
    for personal in ("9999001", "9999999", "91234567", "9123 4567", "tan.ah.kow"):
        assert personal not in shown
    assert "".join(chr(ord(digit) + 0xFEE0) for digit in "9999001") not in shown


def test_redaction_leaves_our_own_words_alone() -> None:
    for text in ("upload U-0123456789ab", "TGS-2026900101", "P-20261121075251469719-2c1f7714", "took 12.5 s", "took 91234567.25 s",
                 "ENR-2611-000190", "2026-11-21T07:38:01.380Z"):  # fmt: skip
        assert redact(text) == text


PRODUCTION = {"environment": "production", "_env_file": None}


def production(folder: Path, **more: object) -> Settings:
    return Settings(tms_home=folder / "h", **PRODUCTION, **more)  # type: ignore[arg-type]


def ring_of_environment(*keys: bytes) -> str:
    return ",".join(f"{n}:{base64.b64encode(key).decode()}" for n, key in enumerate(keys, start=1))


def test_production_makes_no_keys_by_itself_and_starts_with_good_ones(folder: Path) -> None:
    with pytest.raises(keyring.KeyringError, match="tms keys init"):
        keyring.rings_of(production(folder))
    keyring.create(folder / "h")
    assert keyring.rings_of(production(folder)).data.active == 1


@pytest.mark.parametrize("key", [bytes(range(32)), b"correct-horse-battery-staple-1234", bytes(range(1, 33))],
                         ids=["the simulator's", "typed text", "counted"])  # fmt: skip
def test_production_refuses_a_key_that_is_published_or_typed(key: bytes, folder: Path) -> None:
    path = keyring.create(folder / "h")[0]
    path.write_text(json.dumps({"active": 1, "keys": {"1": base64.b64encode(key[:32]).decode()}}))
    with pytest.raises(keyring.KeyringError, match="published or was typed"):
        keyring.rings_of(production(folder))


def test_production_refuses_one_key_for_two_purposes_and_a_folder_that_others_may_enter(folder: Path) -> None:
    data, index, _ = keyring.create(folder / "h")
    (folder / "h" / "keys").chmod(0o755)
    with pytest.raises(keyring.KeyringError, match="chmod 700"):
        keyring.rings_of(production(folder))
    (folder / "h" / "keys").chmod(0o700)
    index.write_bytes(data.read_bytes())
    with pytest.raises(keyring.KeyringError, match="twice"):
        keyring.rings_of(production(folder))


def test_production_refuses_a_home_in_which_others_may_put_another_key_folder(folder: Path) -> None:
    keyring.create(folder / "h")
    (folder / "h").chmod(0o777)
    with pytest.raises(keyring.KeyringError, match="chmod go-w"):
        keyring.rings_of(production(folder))
    (folder / "h").chmod(0o711)
    assert keyring.rings_of(production(folder))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_attack_a_ring_that_belongs_to_somebody_else_is_refused_also_behind_a_link(folder: Path) -> None:
    path = keyring.create(folder / "h")[0]
    theirs = folder / "theirs.json"
    theirs.write_bytes(path.read_bytes())
    theirs.chmod(0o600)
    os.chown(theirs, 65534, 65534)
    path.unlink()
    path.symlink_to(theirs)
    with pytest.raises(keyring.KeyringError, match="another user"):
        keyring.load(folder / "h")


def test_rings_come_from_the_environment_and_are_changed_there_only(folder: Path) -> None:
    keys = [os.urandom(32) for _ in range(4)]
    settings = production(folder, TMS_KEY_SOURCE="environment", TMS_KEYS_DATA=ring_of_environment(keys[0], keys[3]),
                          TMS_KEYS_INDEX=ring_of_environment(keys[1]), TMS_KEYS_AUDIT=ring_of_environment(keys[2]))  # fmt: skip
    rings = keyring.rings_of(settings)
    assert (rings.data.active, rings.data.key, rings.index.key) == (2, keys[3], keys[1])
    assert base64.b64encode(keys[1]).decode() not in repr(settings)
    with pytest.raises(keyring.KeyringError, match="add version 3 to TMS_KEYS_DATA"):
        keyring.add_version(settings, rings.data)
    for text in ("", "1:zzz", "1", ring_of_environment(bytes(32)), ring_of_environment(b"short")):
        with pytest.raises(keyring.KeyringError) as caught:
            keyring.rings_of(production(folder, TMS_KEY_SOURCE="environment", TMS_KEYS_DATA=text))
        assert "TMS_KEYS_DATA" in str(caught.value)


VAULT = f"#!{sys.executable} -IS" + """
# A vault of a few lines: a keyed stream and a check, with a key that only it knows.
import hashlib, hmac, sys
given, own = sys.stdin.buffer.read(), open(__file__ + ".key", "rb").read()
def stream(salt, size): return b"".join(hashlib.sha256(own + salt + bytes([n])).digest() for n in range(size // 32 + 1))[:size]
def check(text): return hmac.digest(own, text, "sha256")
if sys.argv[1] == "wrap":
    salt = hashlib.sha256(own + given).digest()
    text = salt + bytes(a ^ b for a, b in zip(given, stream(salt, len(given))))
    sys.stdout.buffer.write(text + check(text))
else:
    text, mac = given[:-32], given[-32:]
    if not hmac.compare_digest(check(text), mac): sys.exit(1)
    sys.stdout.buffer.write(bytes(a ^ b for a, b in zip(text[32:], stream(text[:32], len(text) - 32))))
"""


def test_health_reads_the_rings_from_where_the_settings_say(place: Workplace, folder: Path) -> None:
    """From the environment, with no file of a ring there; and a ring of another installation is told."""
    from tms_pipeline.health.keys import keys as look

    with place.db.transaction() as connection:
        data_keys(connection, place.rings.data, ["trainee:A"], make=True)
        ours = {name: ring_of_environment(bytes(place.rings.named(name).key)) for name in keyring.NAMES}
        foreign = {**ours, "data": ring_of_environment(os.urandom(32))}
        for rings, fine in ((ours, True), (foreign, False)):
            given = {f"TMS_KEYS_{name.upper()}": value for name, value in rings.items()}
            found = look(production(folder / "elsewhere", TMS_KEY_SOURCE="environment", **given), connection)
            assert found.fine == fine, found
    assert "data" in found.sentence


@pytest.fixture
def vault(folder: Path) -> Path:
    """A program that wraps and unwraps, as a deployer would write around a KMS."""
    program = folder / "vault"
    program.write_text(VAULT)
    program.chmod(0o700)
    Path(f"{program}.key").write_bytes(os.urandom(32))
    return program


def test_a_vault_wraps_the_rings_so_that_their_files_alone_open_nothing(folder: Path, vault: Path) -> None:
    settings = production(folder, TMS_KEY_COMMAND=str(vault))
    keyring.create(settings.home, keyring.vault_of(settings))
    rings = keyring.rings_of(settings)
    stored = keyring.path_of(settings.home, "data").read_text()
    assert base64.b64encode(rings.data.key).decode() not in stored
    assert keyring.add_version(settings, rings.data) == 2
    again = keyring.rings_of(settings)
    assert again.data.keys == rings.data.keys and again.data.active == 2
    with pytest.raises(keyring.KeyringError, match="TMS_KEY_COMMAND"):
        keyring.rings_of(production(folder))
    Path(f"{vault}.key").write_bytes(os.urandom(32))
    with pytest.raises(keyring.KeyringError, match="could not unwrap a key") as caught:
        keyring.rings_of(settings)
    assert "\n" not in str(caught.value)
    vault.unlink()
    with pytest.raises(keyring.KeyringError, match="cannot be run"):
        keyring.rings_of(settings)


def test_attack_the_blind_index_is_not_broken_without_its_key() -> None:
    """All numbers of one series are tried, by the hashes that an attacker would think of, and with keys of the wrong
    ring; with the right key the same loop finds the number at once, so the loop works."""
    import hashlib
    import hmac

    from tms_pipeline.intake.nric import make_nric

    key, stolen = new_data_key(), new_data_key()
    target = Marker(key).mark("nric", make_nric("S", 9999321))
    candidates = [make_nric("S", 9999000 + number) for number in range(1000)]
    guesses = {
        "sha256": lambda value: hashlib.sha256(value.encode()).digest()[:16],
        "sha256 with its field": lambda value: hashlib.sha256(f"nric|{value}".encode()).digest()[:16],
        "md5": lambda value: hashlib.md5(value.encode(), usedforsecurity=False).digest(),
        "an empty key": lambda value: hmac.digest(b"", f"nric|{value}".encode(), "sha256")[:16],
        "another ring's key": lambda value: hmac.digest(stolen, f"nric|{value}".encode(), "sha256")[:16],
        "the mark as key": lambda value: hmac.digest(target or b"", f"nric|{value}".encode(), "sha256")[:16],
    }
    for name, guess in guesses.items():
        assert target not in {guess(value) for value in candidates}, name
    assert target in {Marker(key).mark("nric", value) for value in candidates}
