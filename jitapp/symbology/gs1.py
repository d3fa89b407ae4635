"""GS1 element strings: what scanners send of GS1-128, GS1 DataMatrix, GS1 QR, DataBar and GS1 DotCode symbols.

Which application identifiers there are and what form their values have comes from biip's table. What biip leaves open
is checked here, as the GS1 Syntax Dictionary (gs1-syntax-dictionary.txt of the GS1 Syntax Engine, Apache-2.0) has it:
check digits also within 253, 255, 402, 8003, 8006, 8017, 8018 and 8026, company prefixes in front of letters, dates and
times that there are, countries and currencies, and values that end where their separator stands. Which identifiers
must go with which others is not checked: labels in the field break those rules, and nothing here depends on them.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import NamedTuple

from jitapp.symbology.ascii import is_digits
from jitapp.symbology.checks import has_check_digit
from jitapp.symbology.codelists import COUNTRIES, CURRENCIES, are_countries, is_account, is_offer

GS = "\x1d"
_BRACKETED = re.compile(r"\(([0-9]{2,4})\)")


class Element(NamedTuple):
    """An application identifier with its value as it is encoded."""

    ai: str
    value: str


@dataclass(frozen=True, slots=True)
class Elements:
    """The elements of a message in their order, and what is wrong with it."""

    found: tuple[Element, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ai(self) -> Mapping[str, str]:
        """The first value of each identifier."""
        values: dict[str, str] = {}
        for ai, value in self.found:
            values.setdefault(ai, value)
        return values


@dataclass(frozen=True, slots=True)
class Identifier:
    """One application identifier: the form of its value for people and as an expression; `length` of a value that
    goes without separator, else 0."""

    ai: str
    form: str
    pattern: re.Pattern[str]
    length: int


@cache
def identifiers() -> Mapping[str, Identifier]:
    """The application identifiers by their digits.

    biip is loaded when the first label is read: it brings the tables of all company prefixes (some 20 MB), which
    processes that never see a label need not carry.
    """
    table: Mapping[str, object] = import_module(
        "biip.gs1_application_identifiers"
    )._GS1_APPLICATION_IDENTIFIERS
    return {ai: _identifier(ai, entry) for ai, entry in table.items()}


def _identifier(ai: str, entry: object) -> Identifier:
    form = str(getattr(entry, "format")).partition("+")[2]  # noqa: B009  # biip is loaded without its types
    pattern = str(getattr(entry, "pattern")).removeprefix("^" + ai).removesuffix("$")  # noqa: B009
    pattern = _LIMITS.get(ai, pattern)
    length = 0 if getattr(entry, "separator_required") else int(form.removeprefix("N"))  # noqa: B009
    return Identifier(ai, form, re.compile(pattern, re.ASCII), length)


# biip's table lets these be empty, and knows no filler behind the characters of a digital signature.
_LIMITS = {"30": r"\d{1,8}", "7004": r"\d{1,4}", "8030": "[0-9A-Za-z_=-]{1,90}"}


def identifier_of(text: str) -> Identifier | None:
    """The application identifier at the beginning of the text; no two of them begin alike."""
    known = identifiers()
    return next((known[text[:size]] for size in (2, 3, 4) if text[:size] in known), None)


def read_elements(message: str) -> Elements:
    """The elements of a message whose fields end with GS, without its AIM identifier and leading FNC1.

    What cannot be read is named and skipped up to the next separator: the rest of the message is read all the same.
    """
    found: list[Element] = []
    problems: list[str] = []
    for part in message.split(GS):
        _read_part(part, found, problems)
    if not found and not problems:
        problems.append("There is nothing in this GS1 message.")
    return _checked(found, problems)


def _read_part(part: str, found: list[Element], problems: list[str]) -> None:
    """What stands between two separators: values of fixed length, at most one of variable length at the end."""
    while part:
        known = identifier_of(part)
        if known is None:
            problems.append(f"{part[:4]} is no application identifier of GS1.")
            return
        value = part[len(known.ai) :]
        if known.length and len(value) > known.length and is_digits(value[: known.length]):
            value, part = value[: known.length], value[known.length :]
        else:
            part = ""
        _keep(known, value, found, problems)


def read_bracketed(text: str) -> Elements | None:
    """Elements as people read them below a symbol, `(01)09501101530003(10)ABC`; None if the text is not written so.

    A bracket within a value ends it only where a known identifier stands in it.
    """
    begin = _BRACKETED.match(text)
    known = identifiers()
    if begin is None or begin[1] not in known:
        return None
    found: list[Element] = []
    problems: list[str] = []
    places = [match for match in _BRACKETED.finditer(text) if match[1] in known]
    ends = [match.start() for match in places[1:]] + [len(text)]
    for match, end in zip(places, ends, strict=True):
        _keep(known[match[1]], text[match.end() : end].strip(), found, problems)
    return _checked(found, problems)


def read_pairs(pairs: list[tuple[str, str]]) -> Elements:
    """Elements whose identifiers are told already."""
    found: list[Element] = []
    problems: list[str] = []
    for ai, value in pairs:
        known = identifiers().get(ai)
        if known is None:
            problems.append(f"{ai} is no application identifier of GS1.")
        else:
            _keep(known, value, found, problems)
    return _checked(found, problems)


def _keep(known: Identifier, value: str, found: list[Element], problems: list[str]) -> None:
    if known.pattern.fullmatch(value):
        found.append(Element(known.ai, value))
    else:
        problems.append(f"AI {known.ai}: {value or 'nothing'} is not of the form {known.form}.")


def _checked(found: list[Element], problems: list[str]) -> Elements:
    values: dict[str, str] = {}
    for ai, value in found:
        if values.setdefault(ai, value) != value:
            problems.append(f"AI {ai} stands there twice, as {values[ai]} and as {value}.")
        for wrong, why in _RULES.get(ai, ()):
            if wrong(value):
                problems.append(f"AI {ai}: {value} {why}.")
    return Elements(tuple(found), tuple(dict.fromkeys(problems)))


# -- rules within values ---------------------------------------------------------------------------------------
def _wrong_check(start: int, end: int) -> Callable[[str], bool]:
    return lambda value: not has_check_digit(value[start:end])


def _wrong_prefix(start: int) -> Callable[[str], bool]:
    """A GS1 company prefix has four digits or more."""
    return lambda value: not is_digits(value[start : start + 4].ljust(4))


def _wrong_date(start: int, size: int = 6, *, month_alone: bool = False) -> Callable[[str], bool]:
    """YYMMDD or YYYYMMDD; day 00 stands for a whole month where that is allowed.

    Which century two digits of a year mean changes no length of a month before 2100: year 00 is 2000.
    """

    def wrong(value: str) -> bool:
        date = value[start : start + size]
        if not date:
            return False
        year, month, day = int(date[:-4]), int(date[-4:-2]), int(date[-2:])
        if not 1 <= month <= 12:
            return True
        most = monthrange(year + 2000 if size == 6 else max(year, 1), month)[1]
        return not (0 if month_alone else 1) <= day <= most

    return wrong


def _wrong_time(start: int, *most: int) -> Callable[[str], bool]:
    """Pairs of digits, each at most what is told; those that are not there are not wrong."""

    def wrong(value: str) -> bool:
        pairs = [value[place : place + 2] for place in range(start, len(value), 2)]
        return any(int(pair) > limit for pair, limit in zip(pairs, most, strict=False))

    return wrong


def _wrong_piece(value: str) -> bool:
    """Piece and total of 8006 and 8026."""
    piece, total = value[14:16], value[16:18]
    return piece == "00" or total == "00" or piece > total


_CHECK = "has a wrong check digit"
_PREFIX = "does not begin with a GS1 company prefix"
_DATE = "is no date"
_TIME = "is no time of day"
_COUNTRY = "does not name a country"
Rule = tuple[Callable[[str], bool], str]


def _rules() -> dict[str, tuple[Rule, ...]]:
    whole = ("00", "01", "02", "03", "402", *(str(ai) for ai in range(410, 418)), "8017", "8018")
    rules: dict[str, tuple[Rule, ...]] = {ai: ((_wrong_check(0, 18), _CHECK),) for ai in whole}
    rules |= {ai: ((_wrong_check(0, 13), _CHECK),) for ai in ("253", "255")}
    rules |= {
        ai: ((_wrong_check(0, 14), _CHECK), (_wrong_piece, "is no piece of a total"))
        for ai in ("8006", "8026")
    }
    rules["8003"] = ((_wrong_check(1, 14), _CHECK),)
    rules |= {ai: ((_wrong_prefix(0), _PREFIX),) for ai in ("401", "7023", "8004", "8010", "8013", "8014")}
    rules |= {ai: ((_wrong_date(0, month_alone=True), _DATE),) for ai in ("11", "12", "13", "15", "16", "17")}
    rules |= {ai: ((_wrong_date(0), _DATE),) for ai in ("4326", "7006")}
    rules |= {
        ai: ((_wrong_date(0, month_alone=ai != "7003"), _DATE), (_wrong_time(6, 23, 59), _TIME))
        for ai in ("7003", "7011")
    }
    rules |= {
        ai: ((_wrong_date(0, month_alone=True), _DATE), (_wrong_delivery, _TIME)) for ai in ("4324", "4325")
    }
    rules["7007"] = ((_wrong_date(0), _DATE), (_wrong_date(6), _DATE))
    rules["7250"] = ((_wrong_date(0, 8), _DATE),)
    rules["7251"] = ((_wrong_date(0, 8), _DATE), (_wrong_time(8, 23, 59), _TIME))
    rules["8008"] = ((_wrong_date(0), _DATE), (_wrong_time(6, 23, 59, 59), _TIME))
    return rules | _list_rules()


def _list_rules() -> dict[str, tuple[Rule, ...]]:
    """Of values that stand in lists, or have a form of their own."""
    first = ((lambda value: value[:3] not in COUNTRIES, _COUNTRY),)
    processor = ((lambda value: value[:3] not in COUNTRIES | {"999"}, _COUNTRY),)
    currency = ((lambda value: value[:3] not in CURRENCIES, "does not begin with a currency"),)
    rules: dict[str, tuple[Rule, ...]] = dict.fromkeys(("421", "422", "424", "426"), first)
    rules |= {ai: ((lambda value: not are_countries(value), _COUNTRY),) for ai in ("423", "425")}
    rules |= {f"703{number}": processor for number in range(10)}
    rules |= {f"{kind}{places}": currency for kind in ("391", "393") for places in range(10)}
    rules["8001"] = ((lambda value: value[12] not in "019", "has no direction of winding"),)
    rules["8007"] = ((lambda value: not is_account(value), "is no bank account"),)
    rules["8112"] = ((lambda value: not is_offer(value), "is no coupon"),)
    return rules


def _wrong_delivery(value: str) -> bool:
    """99 hours and 99 minutes say that no time is meant."""
    return value[6:10] != "9999" and _wrong_time(6, 23, 59)(value)


_RULES = _rules()
