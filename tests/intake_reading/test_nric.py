"""The check letter of NRIC and FIN."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tms_pipeline.intake.nric import check_letter_faults, id_type, make_nric

# Source: ssg-api 9.1, worked values.
RIGHT = ["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K", "S5398242E", "T5398242A", "M5398242L"]


def test_the_worked_values_are_right() -> None:
    assert not check_letter_faults(RIGHT).any()


@pytest.mark.parametrize("number", RIGHT)
def test_every_other_letter_is_wrong(number: str) -> None:
    others = [number[:8] + chr(letter) for letter in range(65, 91) if chr(letter) != number[8]]
    assert check_letter_faults(others).all()


def test_what_has_not_the_shape_is_no_fault_of_the_letter() -> None:
    values = pd.Series(
        ["S1234567D", None, "", "S1234567A", "X1234567D", "S12345", "S12E4567D", "Š1234567D"], dtype=object
    )
    assert check_letter_faults(values).tolist() == [False, False, False, True, False, False, False, False]


def test_numbers_are_made_right() -> None:
    made = [make_nric(prefix, serial) for prefix in "STFGM" for serial in range(0, 9_999_999, 999_983)]
    assert not check_letter_faults(np.array(made, dtype=object)).any()
    assert [make_nric(number[0], int(number[1:8])) for number in RIGHT] == RIGHT
    with pytest.raises(ValueError, match="seven digits"):
        make_nric("S", 10_000_000)
    with pytest.raises(ValueError, match="prefix"):
        make_nric("X", 1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("S1234567D", "NRIC"),
        ("T1234567J", "NRIC"),
        ("F1234567N", "FIN"),
        ("G1234567X", "FIN"),
        ("M1234567K", "FIN"),
        ("E1234567X", "OTHERS"),
        ("", "OTHERS"),
    ],
)
def test_the_kind_of_number(number: str, expected: str) -> None:
    assert id_type(number) == expected
