"""NRIC and FIN: the check letter, worked out over whole columns of bytes. Source: ssg-api 9.1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

SHAPE = re.compile(r"[STFGM][0-9]{7}[A-Z]")
WEIGHTS = np.array([2, 7, 6, 5, 4, 3, 2], dtype=np.int64)
# What is added to the weighted sum, and the letters by the sum modulo 11.
OFFSETS = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}
LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}

_OFFSET_OF = np.zeros(256, dtype=np.int64)
_LETTER_OF = np.zeros((256, 11), dtype=np.uint8)
for _prefix, _offset in OFFSETS.items():
    _OFFSET_OF[ord(_prefix)] = _offset
    _LETTER_OF[ord(_prefix)] = np.frombuffer(LETTERS[_prefix].encode(), dtype=np.uint8)


def check_letter_faults(values: npt.NDArray[Any] | pd.Series[Any] | Sequence[str | None]) -> npt.NDArray[np.bool_]:
    """True where a nine-character number has another check letter than its digits give.

    False for blank values and for what has not the shape of an NRIC or FIN (another check's business).
    """
    cells = [value if isinstance(value, str) else "" for value in np.asarray(values, dtype=object).tolist()]
    faulty = np.zeros(len(cells), dtype=bool)
    joined = "".join(cells)
    if len(joined) == 9 * len(cells) and joined.isascii() and set(map(len, cells)) <= {9}:
        places = None
    else:
        places = np.array([at for at, cell in enumerate(cells) if len(cell) == 9 and cell.isascii()], dtype=np.int64)
        joined = "".join(cells[at] for at in places.tolist())
    if not joined:
        return faulty
    letters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(-1, 9)
    prefix, digits, last = letters[:, 0], letters[:, 1:8].astype(np.int64) - 48, letters[:, 8]
    shaped = (_LETTER_OF[prefix, 0] > 0) & ((digits >= 0) & (digits <= 9)).all(axis=1) & (last >= 65) & (last <= 90)
    remainder = (digits @ WEIGHTS + _OFFSET_OF[prefix]) % 11
    wrong: npt.NDArray[np.bool_] = shaped & (_LETTER_OF[prefix, remainder] != last)
    if places is None:
        return wrong
    faulty[places] = wrong
    return faulty


def id_type(nric: str) -> str:
    """NRIC for S and T, FIN for F, G and M, OTHERS for anything else (ssg-api 9.1)."""
    if not SHAPE.fullmatch(nric):
        return "OTHERS"
    return "NRIC" if nric[0] in "ST" else "FIN"


def make_nric(prefix: str, serial: int) -> str:
    """The number with the right check letter, for tests and demos. Raises ValueError past seven digits."""
    if prefix not in OFFSETS or not 0 <= serial <= 9_999_999:
        raise ValueError("a prefix of S, T, F, G or M and a serial of at most seven digits are needed")
    digits = f"{serial:07d}"
    total = sum(int(digit) * int(weight) for digit, weight in zip(digits, WEIGHTS, strict=True)) + OFFSETS[prefix]
    return f"{prefix}{digits}{LETTERS[prefix][total % 11]}"
