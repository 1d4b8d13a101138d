"""The check letter of NRIC and FIN (ssg-api 9.1)."""

import re

_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_LETTERS = {
    "S": "JZIHGFEDCBA",
    "T": "JZIHGFEDCBA",
    "F": "XWUTRQPNMLK",
    "G": "XWUTRQPNMLK",
    "M": "XWUTRQPNJLK",
}
_OFFSETS = {"S": 0, "F": 0, "T": 4, "G": 4, "M": 3}


def check_letter_fits(number: str) -> bool:
    """True for nine characters, S T F G or M in front, seven digits, and the letter that they give."""
    if not re.fullmatch(r"[STFGM]\d{7}[A-Z]", number):
        return False
    prefix = number[0]
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[1:8], strict=True))
    return _LETTERS[prefix][(total + _OFFSETS[prefix]) % 11] == number[8]
