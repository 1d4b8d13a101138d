"""Made-up people and companies: valid in form, belonging to nobody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from stdnum.sg import uen as uen_numbers

_WEIGHTS = (2, 7, 6, 5, 4, 3, 2)
_OFFSETS = {"S": 0, "T": 4, "F": 0, "G": 4, "M": 3}
_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK", "M": "XWUTRQPNJLK"}

# Prefixes by their share, in a fixed round, so that even a small term has all five series.
_SERIES = "SSTSGSSFSMSSTSGSSFGS"

_GIVEN_OF = {
    "chinese": ("Wei Ming", "Mei Lin", "Jia Hui", "Kok Leong", "Siew Ling", "Zhi Hao", "Xin Yi", "Boon Kiat", "Li Ting",
                "Hock Seng", "Shu Fen", "Yong Sheng"),
    "malay": ("Nur Aisyah", "Muhammad Hakim", "Siti Zulaikha", "Ahmad Faris", "Farah Nadia", "Iskandar", "Hidayah",
              "Khairul", "Rosnah", "Syafiq"),
    "indian": ("Priya", "Arun", "Kavitha", "Suresh", "Meena", "Rajesh", "Lakshmi", "Vikram", "Harpreet", "Farida"),
    "eurasian": ("Marie", "Clarence", "Bernadette", "Desmond", "Yvette", "Julian"),
    "other": ("Maria Luz", "Thi Hanh", "Aung Min", "Somchai", "Ngoc Anh", "Dewi", "Min Thu", "Jose"),
}
_FAMILY_OF = {
    "chinese": ("Tan", "Lim", "Lee", "Ng", "Ong", "Wong", "Goh", "Chua", "Koh", "Teo", "Ang", "Yeo", "Sim", "Foo"),
    "malay": ("Rahman", "Ismail", "Osman", "Yusof", "Salleh", "Hamid", "Karim", "Bakar"),
    "indian": ("Nair", "Pillai", "Menon", "Muthu", "Raman", "Singh", "Gopal", "Maran"),
    "eurasian": ("de Souza", "Pereira", "Oliveiro", "Sequeira", "D'Almeida", "Westerhout"),
    "other": ("Santos", "Nguyen", "Htun", "Wijaya", "Cruz", "Tran", "Srisai"),
}
_LANGUAGES = {"chinese": ("EL", "MN", "MN"), "malay": ("EL", "MY"), "indian": ("EL", "TM"), "eurasian": ("EL",),
              "other": ("EL",)}
_COMPANIES = 14


@dataclass(frozen=True, slots=True)
class Trainee:
    """A made-up trainee, all values canonical."""

    nric: str
    name: str
    birth: str
    email: str
    phone: str
    residency: str
    language: str


@dataclass(frozen=True, slots=True)
class Employer:
    """A made-up company that sponsors trainees."""

    uen: str
    contact: str
    email: str
    phone: str


def check_letter(prefix: str, digits: str) -> str:
    """The check letter of a NRIC or FIN (ssg-api 9.1)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) + _OFFSETS[prefix]
    return _LETTERS[prefix][total % 11]


def make_nric(prefix: str, serial: int) -> str:
    """A valid NRIC or FIN of that series."""
    digits = f"{serial:07d}"
    return f"{prefix}{digits}{check_letter(prefix, digits)}"


def nric_is_valid(nric: str) -> bool:
    """True if the shape and check letter are right."""
    return (
        len(nric) == 9 and nric[0] in _OFFSETS and nric[1:8].isdigit() and nric[8] == check_letter(nric[0], nric[1:8])
    )


def wrong_letter(nric: str) -> str:
    """The same number with a check letter that does not fit."""
    letters = _LETTERS[nric[0]]
    return nric[:8] + letters[(letters.index(nric[8]) + 1) % 11]


class Numbers:
    """Hands out each NRIC once, counting down from 9999999: serials that are believed to be unissued."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._last = dict.fromkeys(_OFFSETS, 10_000_000)

    def take(self, prefix: str) -> str:
        """The next number of a series."""
        self._last[prefix] -= self._rng.randint(1, 3)
        return make_nric(prefix, self._last[prefix])


def phone_number(rng: random.Random) -> str:
    """A number of a range that Singapore gives to mobiles."""
    return f"{rng.choice('89')}{rng.randint(1, 8)}{rng.randrange(1_000_000):06d}"


def make_people(rng: random.Random, numbers: Numbers, *, today: date) -> Iterator[Trainee]:
    """Made-up trainees without end."""
    index = 0
    while True:
        prefix = _SERIES[index % len(_SERIES)]
        index += 1
        foreign = prefix in "FGM"
        groups = ("other", "other", "chinese", "malay", "indian") if foreign else (
            "chinese", "chinese", "chinese", "malay", "malay", "indian", "indian", "eurasian", "other")
        group = rng.choice(groups)
        name = _name(rng, group)
        residency = "foreigner" if foreign else ("pr" if rng.random() < 0.2 else "citizen")
        slug = "".join(letter if letter.isalpha() else "." for letter in name.lower().replace("'", "").replace("/", ""))
        yield Trainee(
            nric=numbers.take(prefix), name=name, birth=_birth(rng, prefix, today).isoformat(),
            email=f"{slug}.{index}@example.com", phone=phone_number(rng), residency=residency,
            language=rng.choice(_LANGUAGES[group]),
        )


def make_employers(rng: random.Random) -> tuple[Employer, ...]:
    """Made-up companies. UENs 2019 99xxx: far above the highest number given in that year."""
    employers = []
    for index in range(_COMPANIES):
        digits = f"201999{rng.randrange(10) + index * 10:03d}"
        name = _name(rng, rng.choice(("chinese", "malay", "indian")))
        employers.append(Employer(digits + uen_numbers.calc_local_company_check_digit(digits), name,
                                  f"hr{index + 1:02d}@example.com", phone_number(rng)))
    return tuple(employers)


def _name(rng: random.Random, group: str) -> str:
    given, family = rng.choice(_GIVEN_OF[group]), rng.choice(_FAMILY_OF[group])
    if group == "chinese":
        return f"{family} {given}"
    if group == "malay":
        return f"{given} {'binte' if given.split()[0] in _WOMEN else 'bin'} {family}"
    if group == "indian" and family != "Singh":
        return f"{given} {'d/o' if given in _WOMEN else 's/o'} {family}"
    return f"{given} {family}"


_WOMEN = frozenset({"Nur", "Siti", "Farah", "Hidayah", "Rosnah", "Priya", "Kavitha", "Meena", "Lakshmi", "Harpreet",
                    "Farida"})


def _birth(rng: random.Random, prefix: str, today: date) -> date:
    # T numbers belong to people born from 2000 on, S numbers to those born before; everybody is an adult.
    adult = date(today.year - 19, 1, 1)
    first, last = (date(2000, 1, 1), adult) if prefix == "T" else (date(1952, 1, 1), min(date(1999, 12, 31), adult))
    return first + timedelta(days=rng.randrange(max((last - first).days, 1)))
