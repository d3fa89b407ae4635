"""Tags of EPC Tag Data Standard 2: SGTIN+, DSGTIN+, SSCC+, GRAI+, GIAI+, SGLN+ and their kin.

They hold the GS1 key in plain digits and need no length of a company prefix; they have no URN and map to GS1 elements.
Written from the standard itself (TDS 2.3, sections 14.5 and 14.6, tables E and F). The '++' schemes of TDS 2.3 are the
same with the name of a host behind, which says where to ask and not what the thing is: it is left unread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Field = Callable[["Bits"], str]
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_CODE40 = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"
_DATES = ("11", "13", "15", "16", "17", "7006", "7007")  # by the indicator in front of a prioritised date
_DELIMITER, _TERMINATOR = 14, 15


class Bits:
    """The bits of a tag, taken from the left. ValueError where there are not enough."""

    def __init__(self, hexadecimal: str) -> None:
        self._bits = f"{int(hexadecimal, 16):0{len(hexadecimal) * 4}b}"
        self._place = 0

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        end = self._place + count
        if end > len(self._bits):
            raise ValueError("The tag ends before its content does.")
        taken = self._bits[self._place : end]
        self._place = end
        return int(taken, 2) if taken else 0


def _digits(count: int) -> Field:
    """Fixed-length numeric (14.5.4): four bits a digit."""

    def read(bits: Bits) -> str:
        taken = [bits.take(4) for _ in range(count)]
        if max(taken) > 9:
            raise ValueError("A digit of the tag is none.")
        return "".join(map(str, taken))

    return read


def _number(length_bits: int) -> Field:
    """Variable-length numeric string without encoding indicator (14.5.13)."""
    return lambda bits: _integer(bits, bits.take(length_bits))


def _integer(bits: Bits, length: int) -> str:
    """So many digits as one number, in as few bits as hold all numbers of that length."""
    if not length:
        return ""
    width = (10**length - 1).bit_length()
    value = str(bits.take(width)).zfill(length)
    if len(value) > length:
        raise ValueError("A number of the tag has too many digits.")
    return value


def _text(bits: Bits) -> str:
    """Variable-length alphanumeric (14.5.6): an indicator of the encoding, the length, the characters."""
    encoding, length = bits.take(3), bits.take(5)
    if encoding == 0:
        return _integer(bits, length)
    if encoding in (1, 2):
        alphabet = "0123456789ABCDEF" if encoding == 1 else "0123456789abcdef"
        return "".join(alphabet[bits.take(4)] for _ in range(length))
    if encoding == 3:
        return "".join(_BASE64[bits.take(6)] for _ in range(length))
    if encoding == 4:
        return "".join(chr(bits.take(7)) for _ in range(length))
    if encoding == 5:
        return "".join(_three(bits.take(16)) for _ in range(-(-length // 3)))[:length]
    raise ValueError(f"The tag uses an encoding that is not known ({encoding}).")


def _three(value: int) -> str:
    """URN Code 40 (14.5.6.5): three characters in 16 bits."""
    rest, third = divmod(value - 1, 40)
    first, second = divmod(rest, 40)
    if not 0 <= first < 40:
        raise ValueError("A character of the tag is none.")
    return _CODE40[first] + _CODE40[second] + _CODE40[third]


def _delimited(bits: Bits) -> str:
    """Delimited/terminated numeric (14.5.5): digits up to a terminator, or to a delimiter with characters behind."""
    digits = ""
    while (nibble := bits.take(4)) < 10:
        digits += str(nibble)
    if nibble == _TERMINATOR:
        return digits
    if nibble == _DELIMITER:
        return digits + _text(bits)
    raise ValueError("A digit of the tag is none.")


def _date(bits: Bits) -> str:
    """YYMMDD in 16 bits (14.5.8)."""
    return f"{bits.take(7):02d}{bits.take(4):02d}{bits.take(5):02d}"


# Header: the name, and the identifiers with how their values are encoded, in their order. Parts of one value have the
# same identifier.
_SCHEMES: Mapping[str, tuple[str, tuple[tuple[str, Field], ...]]] = {
    "F0": ("CPI+", (("8010", _delimited), ("8011", _number(4)))),
    "F1": ("GRAI+", (("8003", _digits(14)), ("8003", _text))),
    "F2": ("SGLN+", (("414", _digits(13)), ("254", _text))),
    "F3": ("ITIP+", (("8006", _digits(18)), ("21", _text))),
    "F4": ("GSRN+", (("8018", _digits(18)),)),
    "F5": ("GSRNP+", (("8017", _digits(18)),)),
    "F6": ("GDTI+", (("253", _digits(13)), ("253", _text))),
    "F7": ("SGTIN+", (("01", _digits(14)), ("21", _text))),
    "F8": ("SGCN+", (("255", _digits(13)), ("255", _number(4)))),
    "F9": ("SSCC+", (("00", _digits(18)),)),
    "FA": ("GIAI+", (("8004", _delimited),)),
    "FB": ("DSGTIN+", (("01", _digits(14)), ("21", _text))),
}
# The '++' schemes by their headers, with the scheme that they begin like.
_WITH_HOST = {
    "E6": "F0",
    "E7": "F4",
    "E8": "F5",
    "E9": "F2",
    "EA": "F6",
    "EB": "F1",
    "EC": "F8",
    "ED": "F3",
    "EE": "FA",
    "EF": "F9",
    "FC": "FB",
    "FD": "F7",
}


def scheme_of(digits: str) -> str:
    """The name of the scheme by the header; empty for a tag that is none of these."""
    header = digits[:2]
    if header in _WITH_HOST:
        return f"{_SCHEMES[_WITH_HOST[header]][0]}+"
    return _SCHEMES[header][0] if header in _SCHEMES else ""


def read_plus(digits: str) -> list[tuple[str, str]]:
    """The GS1 identifiers of a tag with their values. ValueError with the reason for one that cannot be read."""
    bits = Bits(digits)
    header = f"{bits.take(8):02X}"
    header = _WITH_HOST.get(header, header)
    bits.take(1 + 3)  # whether more data follow, and the filter value
    values: dict[str, str] = {}
    dated: tuple[str, str] | None = None
    if header == "FB":
        kind = bits.take(4)
        if kind >= len(_DATES):
            raise ValueError(f"The tag has a kind of date that is not known ({kind}).")
        dated = (_DATES[kind], _date(bits))
    for ai, field in _SCHEMES[header][1]:
        values[ai] = values.get(ai, "") + field(bits)
    if values.get("254") == "0":
        del values["254"]  # a location without extension
    return [*values.items(), *([dated] if dated is not None else [])]
