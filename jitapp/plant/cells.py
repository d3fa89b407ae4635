"""From a cell to the text that its member takes: as the sheet shows it, or refused with the cell named.

A spreadsheet turns what is typed into numbers and dates. Where a number is wanted that does no harm. In a part number
it does: there only what is shown without doubt is taken.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum

from jitapp.plant.rows import Unreadable
from jitapp.plant.workbook import GENERAL, Cell

# A number in a spreadsheet has fifteen digits: the sixteenth of 0.1 * 3 is noise, and that of a part number is lost.
_DIGITS = 15
_MOST = Decimal(10) ** _DIGITS
_LARGEST = 308  # the exponent of the largest number that a spreadsheet holds
_AS_TEXT = "Format the column as text and type it again"
_MINUTES = 1_440
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[(?P<bracket>[^\]]*)\]|_(?P<padding>.)|(?P<sign>.)', re.S
)


class Takes(Enum):
    """What a member is, and how that is said."""

    TEXT = "a text"
    NUMBER = "a number"
    BOOL = "TRUE or FALSE"
    DATE = "a date like 2026-12-25"
    TIME = "a time like 06:00"
    TIMES = "times like 06:00, 14:00"


def read_cell(cell: Cell, takes: Takes, *, since_1904: bool = False) -> str:
    """The cell's content for a member. Raises Unreadable, whose text goes behind the cell's address."""
    match cell.kind:
        case "formula":
            raise Unreadable(
                "the formula has no stored value. Save the file in a spreadsheet program, or write the value"
            )
        case "error":
            raise Unreadable(f"the cell shows {cell.text}, an error. Correct it")
        case "bool":
            return _bool(cell, takes)
        case "date":
            return _instant(_iso(cell.text), takes, cell)
        case "number":
            return _number(cell, takes, since_1904)
    text = cell.text.strip()
    return text.lower() if takes is Takes.BOOL and text.lower() in ("true", "false") else text


def _bool(cell: Cell, takes: Takes) -> str:
    true = cell.text in ("1", "true")
    if takes is not Takes.BOOL:
        what = _AS_TEXT if takes is Takes.TEXT else "Correct it"
        raise Unreadable(f"the cell holds {'TRUE' if true else 'FALSE'}, expected {takes.value}. {what}")
    return "true" if true else "false"


def _number(cell: Cell, takes: Takes, since_1904: bool) -> str:
    try:
        value = Decimal(cell.text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value.adjusted() > _LARGEST:
        raise Unreadable(f"{cell.text[:40]!r} is no number. Correct it")
    value = Decimal(format(value, f".{_DIGITS}g"))
    shape = _section(cell.format, value)
    shows = _shows(shape)
    if "elapsed" in shows or shows == {"time"}:
        return _time_of_day(value, takes, elapsed="elapsed" in shows)
    if shows:
        return _instant(_serial(value, since_1904), takes, cell)
    match takes:
        case Takes.NUMBER:
            return _plain(value)
        case Takes.BOOL if value in (0, 1):
            return _plain(value)
        case Takes.TEXT:
            return _as_shown(value, shape, cell.format)
    raise Unreadable(f"{_plain(value)} stands there, expected {takes.value}")


# -- dates and times ------------------------------------------------------------------------------------


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"{text!r} is no date. Correct it") from None


def _serial(value: Decimal, since_1904: bool) -> datetime:
    """The instant of a spreadsheet's day number; day 60 of 1900 never was."""
    first = date(1904, 1, 1) if since_1904 else date(1899, 12, 31 if value < 60 else 30)
    try:
        return datetime.combine(first, time()) + timedelta(seconds=round(float(value) * 86_400))
    except OverflowError:
        raise Unreadable(f"{_plain(value)} is no date. Correct it") from None


def _instant(at: datetime, takes: Takes, cell: Cell) -> str:
    shown = at.date().isoformat() if (at.hour, at.minute, at.second) == (0, 0, 0) else at.isoformat(" ")
    if takes is not Takes.DATE:
        raise Unreadable(
            f"the cell holds the date {shown}, expected {takes.value}. What looks like a date (1-2, MAR1) becomes one"
            f" as it is typed. {_AS_TEXT}"
        )
    if shown != at.date().isoformat():
        raise Unreadable(f"the cell holds {shown}, expected a date without a time of day")
    return shown


def _time_of_day(value: Decimal, takes: Takes, *, elapsed: bool) -> str:
    """06:00 of a quarter of a day; 24:00 where the format counts hours, midnight where it is a clock."""
    seconds = round(float(value) * 60 * _MINUTES)
    minutes, rest = divmod(seconds if elapsed else seconds % (60 * _MINUTES), 60)
    shown = f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")
    if takes not in (Takes.TIME, Takes.TIMES):
        raise Unreadable(f"the cell holds the time {shown}, expected {takes.value}. {_AS_TEXT}")
    if rest or not 0 <= minutes <= _MINUTES:
        raise Unreadable(f"the cell holds {shown}, expected a time of day in whole minutes, up to 24:00")
    return shown


# -- number formats -------------------------------------------------------------------------------------


def _section(code: str, value: Decimal) -> str:
    """The part of a format that counts for a value: positive; negative; zero."""
    parts, part, quoted = [], "", False
    for sign in code:
        quoted ^= sign == '"'
        if sign == ";" and not quoted and not part.endswith("\\"):
            parts.append(part)
            part = ""
        else:
            part += sign
    parts.append(part)
    if value < 0 and len(parts) > 1:
        return parts[1]
    return parts[2] if value == 0 and len(parts) > 2 else parts[0]


def _shows(shape: str) -> set[str]:
    """What of a date or a time a format shows; empty for a number."""
    found: set[str] = set()
    months = False
    if shape.strip().lower() == GENERAL.lower():
        return found
    for token in _TOKEN.finditer(shape):
        bracket, sign = (token["bracket"] or "").lower(), (token["sign"] or "").lower()
        if bracket in ("h", "hh", "m", "mm", "s", "ss"):
            found.add("elapsed")
        elif sign in ("d", "y"):
            found.add("date")
        elif sign in ("h", "s"):
            found.add("time")
        elif sign == "m":
            months = True
    return found if found or not months else {"date"}  # minutes beside hours or seconds, else months


def _plain(value: Decimal) -> str:
    """As short as it can be written, without an exponent."""
    return format(value.normalize(), "f") if value else "0"


def _as_shown(value: Decimal, shape: str, code: str) -> str:
    """What the sheet shows of a number that stands where a text is wanted."""
    if abs(value) >= _MOST:
        raise Unreadable(
            f"the cell holds the number {value.normalize():E}, and a spreadsheet keeps {_DIGITS} digits. {_AS_TEXT}"
        )
    if shape.strip().lower() in (GENERAL.lower(), "@", ""):
        return _plain(value)
    shown = _laid_out(value, shape)
    if not shown:
        raise Unreadable(f"the cell holds the number {_plain(value)}, shown by the format {code}. {_AS_TEXT}")
    return shown


def _laid_out(value: Decimal, shape: str) -> str | None:
    """The digits of a number in a format of zeros and signs, as 00815 or 12-0007; None for any other format, and where
    digits are hidden."""
    tokens: list[tuple[str, bool]] = []  # text, whether it stands for a digit
    for token in _TOKEN.finditer(shape):
        sign = token["sign"]
        if token["quoted"] is not None or token["escaped"] is not None:
            tokens.append((token["quoted"] or token["escaped"] or "", False))
        elif token["bracket"] is not None:
            if not token["bracket"].startswith("$-") and not token["bracket"].isalpha():
                return None
        elif sign is None:
            tokens.append((" ", False))
        elif sign in "0#.":
            tokens.append((sign, True))
        elif sign in "-+/() :" or (sign == "," and abs(value) < 1_000):
            tokens.append(("" if sign == "," else sign, False))
        else:
            return None
    places = "".join(text for text, digit in tokens if digit)
    whole, point, behind = places.partition(".")
    if not places or "." in behind:
        return None
    digits = format(abs(value).quantize(Decimal(1).scaleb(-len(behind))), "f")
    if Decimal(digits) != abs(value) or "#" in behind:
        return None
    front, _, decimals = digits.partition(".")
    front = front.lstrip("0").rjust(whole.count("0"), "0")
    return ("-" if value < 0 else "") + _fill(tokens, front, decimals, bool(point))


def _fill(tokens: list[tuple[str, bool]], front: str, decimals: str, has_point: bool) -> str:
    """Digits into their places, from the point to both sides; what is left over stands before the first."""
    point = next((at for at, (text, digit) in enumerate(tokens) if digit and text == "."), len(tokens))
    shown: list[str] = []
    first = next(at for at, (text, digit) in enumerate(tokens) if digit)
    for at in range(point - 1, -1, -1):
        text, digit = tokens[at]
        if not digit:
            shown.insert(0, text)
        elif at == first:
            shown.insert(0, front)
            front = ""
        else:
            shown.insert(0, front[-1:])
            front = front[:-1]
    if has_point:
        shown.append(".")
    for text, digit in tokens[point + 1 :]:
        shown.append(decimals[:1] if digit else text)
        decimals = decimals[1:] if digit else decimals
    return "".join(shown)
