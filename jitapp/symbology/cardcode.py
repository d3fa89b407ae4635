"""Card codes: `KB`, eight symbols and a check symbol, all from the same 32-symbol alphabet.

The check is a weighted sum over GF(32), weights being successive powers of the generator 2 of x^5 + x^2 + 1. By
construction every single wrong symbol and every swap of neighbours is caught: the weights are non-zero and pairwise
different. The alphabet leaves out I, L, O and U, so that nothing is mistaken for 1 or 0.
"""

from __future__ import annotations

import re

from jitapp.symbology.ascii import is_digits, upper

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
PREFIX = "KB"
BODY_LENGTH = 8
CODE_LENGTH = len(PREFIX) + BODY_LENGTH + 1
COMBINATIONS = 32**BODY_LENGTH
_SHAPE = re.compile(rf"{PREFIX}[{ALPHABET}]{{{BODY_LENGTH + 1}}}")
_POLYNOMIAL = 0b100101


def _times_two(value: int) -> int:
    value <<= 1
    return value ^ _POLYNOMIAL if value & 0b100000 else value


def _powers() -> tuple[int, ...]:
    powers = [1]
    for _ in range(30):
        powers.append(_times_two(powers[-1]))
    return tuple(powers)


_POWER = _powers()
_LOG = {power: exponent for exponent, power in enumerate(_POWER)}


def _times_power(value: int, exponent: int) -> int:
    return _POWER[(_LOG[value] + exponent) % 31] if value else 0


def check_symbol(body: str) -> str:
    """The check symbol of eight symbols; KeyError for a symbol outside the alphabet."""
    total = 0
    for place, symbol in enumerate(body):
        total ^= _times_power(VALUE[symbol], place + 1)
    return ALPHABET[total]


def make_code(number: int) -> str:
    """The card code whose eight symbols spell `number` (0 <= number < 32**8)."""
    if not 0 <= number < COMBINATIONS:
        raise ValueError(f"A card code holds 0 to {COMBINATIONS - 1}, not {number}.")
    body = "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (BODY_LENGTH - 1), -1, -5))
    return f"{PREFIX}{body}{check_symbol(body)}"


def is_card_code(text: str) -> bool:
    """Whether `text` is exactly a card code with the right check symbol."""
    return bool(_SHAPE.fullmatch(text)) and check_symbol(text[2:-1]) == text[-1]


def codes_in(raw: str) -> list[str]:
    """Every valid card code inside what a scanner sent, each once, in the order of the read.

    Searched from the end, because rubbish stands in front (a code that was half typed when the scanner fired); codes do
    not overlap.
    """
    text = upper(raw)
    found: list[str] = []
    free, start = len(text), text.rfind(PREFIX)
    while start >= 0:
        end = start + CODE_LENGTH
        if end <= free and is_card_code(text[start:end]):
            found.append(text[start:end])
            free = start
        start = text.rfind(PREFIX, 0, start + 1)
    return list(dict.fromkeys(reversed(found)))


_HOST = re.compile(r"HTTPS?://[^/]*")


def misread_in(raw: str, found: list[str]) -> list[str]:
    """What has the shape of a card code beside the codes that were found, with a wrong check symbol: a second card
    whose read failed. Names of hosts are not looked at."""
    if len(raw) < 2 * CODE_LENGTH:
        return []
    text = upper(raw)
    if text.count(PREFIX) == len(found):
        return []
    text = _HOST.sub(" ", text)
    for code in found:
        text = text.replace(code, " ")
    return _SHAPE.findall(text)


def find_card_code(raw: str) -> str | None:
    """The card code inside what a scanner sent (a URL, half-typed rubbish before it); None if there is none or more
    than one: the last alone would lose the others."""
    found = codes_in(raw)
    return found[0] if len(found) == 1 else None


def meant_code(text: str) -> str | None:
    """The one card code that a text means, as `find_card_code` or as somebody types it; None if it means none."""
    return find_card_code(text) or typed_card_code(text.strip())


# How people write what they read off a card: O and I are not in the alphabet, L neither.
_SPELLING = str.maketrans("OIL", "011", " -\u00a0\u2010\u2011\u2012\u2013")
_LONGEST_SPELLING = 40


def typed_card_code(text: str) -> str | None:
    """The card code that somebody typed: O for 0, I or L for 1, in any case, with blanks and hyphens, with or without
    its KB. None unless the check symbol is right.

    Digits alone are never a code without KB: every 32nd number of nine digits would be one.
    """
    if len(text) > _LONGEST_SPELLING:
        return None
    spelled = upper(text).translate(_SPELLING)
    if not spelled.startswith(PREFIX):
        spelled = PREFIX + spelled
        if is_digits(spelled[2:]):
            return None
    return spelled if is_card_code(spelled) else None


def looks_like_card_code(raw: str) -> bool:
    """Whether the text has a card code's shape, whatever its check symbol says."""
    return bool(_SHAPE.search(upper(raw)))
