"""The vectors of ssg-api 2.3, and that nothing but a ciphertext of this key decrypts."""

import subprocess
import sys
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms_pipeline.ssg.crypto import BodyCipher

from .world import KEY, OTHER_KEY

VECTORS = [
    ("hello", "oy7uWlpoiIULTs1Nfv7KrQ=="),
    (
        '{"enrolment":{"fees":{"collectionStatus":"Full Payment"}}}',
        "0tq8qKRiUHgrmM6W+GXhhb4oeIgKehVGD4Py28s1laTUh1at5WqDX15UPwLesntOLcgaPK3wNpH7kfJr3caadA==",
    ),
]


@pytest.mark.parametrize(("plain", "sealed"), VECTORS)
def test_vectors(plain: str, sealed: str) -> None:
    cipher = BodyCipher(KEY)
    assert cipher.encrypt(plain) == sealed
    assert cipher.decrypt(sealed) == plain


@given(st.text())
def test_round_trip(plain: str) -> None:
    cipher = BodyCipher(KEY)
    assert cipher.decrypt(cipher.encrypt(plain)) == plain


@given(st.text(min_size=1), st.integers(min_value=0, max_value=10_000))
def test_a_changed_ciphertext_never_gives_an_unclear_exception(plain: str, place: int) -> None:
    cipher = BodyCipher(KEY)
    raw = bytearray(b64decode(cipher.encrypt(plain)))
    raw[place % len(raw)] ^= 1
    try:
        cipher.decrypt(b64encode(bytes(raw)).decode())
    except ValueError as error:
        assert str(error) == "not a ciphertext of this key"
        assert error.__cause__ is None
        assert error.__context__ is None


@pytest.mark.parametrize(
    "sealed", ["", "AA==", "not base64!", "é", "oy7uWlpoiIULTs1Nfv7KrQ", "====", '{"a":1}']
)
def test_what_is_no_ciphertext(sealed: str) -> None:
    with pytest.raises(ValueError, match="not a ciphertext of this key"):
        BodyCipher(KEY).decrypt(sealed)


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(ValueError, match="not a ciphertext"):
        BodyCipher(OTHER_KEY).decrypt(BodyCipher(KEY).encrypt('{"made": "up"}'))


@pytest.mark.parametrize("key", ["", "AAEC", "x" * 44, "é", KEY + "AAAA"])
def test_a_wrong_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="base64 of 32 bytes") as caught:
        BodyCipher(key)
    assert not key or key not in str(caught.value)


def test_repr_hides_the_key() -> None:
    assert KEY not in repr(BodyCipher(KEY)) + str(vars(BodyCipher(KEY)))


def test_client_and_simulator_share_nothing_but_the_wire() -> None:
    """Written twice: no module of the simulator imports the client, and the other way round."""
    script = (
        "import sys, pkgutil, importlib\n"
        "import tms_pipeline.ssg as package\n"
        "mine = sys.argv[1]\n"
        "if mine == 'client':\n"
        "    names = [m.name for m in pkgutil.iter_modules(package.__path__, 'tms_pipeline.ssg.') if not m.ispkg]\n"
        "    foreign = lambda n: n.startswith('tms_pipeline.ssg.simulator')\n"
        "else:\n"
        "    import tms_pipeline.ssg.simulator as simulator\n"
        "    names = [m.name for m in pkgutil.walk_packages(simulator.__path__, simulator.__name__ + '.')\n"
        "             if not m.name.endswith('__main__')]\n"
        "    foreign = lambda n: n.startswith('tms_pipeline.ssg.') and '.simulator' not in n\n"
        "for name in names:\n"
        "    importlib.import_module(name)\n"
        "bad = [n for n in sys.modules if foreign(n)]\n"
        "assert not bad, bad\n"
        "assert len(names) > 10\n"
    )
    for side in ("client", "simulator"):
        subprocess.run([sys.executable, "-c", script, side], check=True, timeout=60)
