"""What a reader says: one value for a read, whatever the make of the reader; how its parts are read. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

MOST_BYTES = 2_000_000
MOST_READS = 20_000  # in one body
MOST_REFUSED_NAMED = 20
LONGEST_EPC_BYTES = 62  # 496 bits: what the length field of a tag's protocol word can say
LONGEST_NAME = 80
FIRST_YEAR, LAST_YEAR = 2000, 2100
WEAKEST, STRONGEST = -200.0, 50.0  # dBm; anything else is no signal strength
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"(\.\d{6})\d+")


class Read(msgspec.Struct, frozen=True):
    """One sighting of a tag.

    `epc` is the tag's memory in capital hex digits, `at` the instant by the reader's clock (None: when it came in),
    `rssi` the strength in dBm, `pc` the protocol word in hex where the reader tells it. `came`: when it
    came in by our clock, for reads that were kept by a process of ours since.
    """

    epc: str
    antenna: int | None = None
    at: datetime | None = None
    rssi: float | None = None
    tid: str = ""
    pc: str = ""
    came: datetime | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A read that cannot be used: its place in the body, counted from 0, and why."""

    place: int
    code: str
    detail: str


class Batch(msgspec.Struct, frozen=True):
    """What one body holds. `reader` is the name that it gives, `sent_at` the reader's clock when it was sent."""

    reads: tuple[Read, ...]
    refused: tuple[Refusal, ...] = ()
    reader: str = ""
    sent_at: datetime | None = None

    @property
    def received(self) -> int:
        """How many reads the body held."""
        return len(self.reads) + len(self.refused)


class Unusable(ValueError):
    """A body, or a read, that cannot be used: a stable code and one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def epc_of(value: object) -> str:
    """Tag memory as capital hex digits; blanks, hyphens and 0x are how people write it. Raises Unusable."""
    if not isinstance(value, str):
        raise Unusable("epc_missing", "The read names no tag. Send its memory as hex digits in `epc`.")
    text = value.strip().replace(" ", "").replace("-", "").upper().removeprefix("0X")
    if not text:
        raise Unusable("epc_missing", "The read names no tag. Send its memory as hex digits in `epc`.")
    if len(text) % 2 or len(text) > 2 * LONGEST_EPC_BYTES or not re.fullmatch(r"[0-9A-F]+", text):
        shown = value[:40]
        raise Unusable(
            "epc_unreadable",
            f"{shown!r} is no tag memory: 1 to {LONGEST_EPC_BYTES} whole bytes as hex digits.",
        )
    return text


def hex_or_nothing(value: object) -> str:
    """Further memory (TID, protocol word) in capital hex digits; empty for what is none: it decides nothing."""
    try:
        return epc_of(value)
    except Unusable:
        return ""


def antenna_of(value: object) -> int | None:
    """The antenna's number as the reader counts. Raises Unusable."""
    if value is None or value == "":
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 65_535:
        raise Unusable("antenna_unreadable", "`antenna` is a whole number from 0 to 65535.")
    return number


def rssi_of(value: object, *, divisor: float = 1.0) -> float | None:
    """The signal strength in dBm. Raises Unusable."""
    if value is None or value == "":
        return None
    try:
        number = float(value) / divisor if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        number = None
    if number is None or isinstance(value, bool) or not WEAKEST <= number <= STRONGEST:
        raise Unusable("rssi_unreadable", "`rssi` is a strength in dBm, such as -55.")
    return number


def instant_of(value: object) -> datetime | None:
    """An instant: ISO 8601 with offset, to any fraction of a second, or milliseconds since 1970. Raises Unusable."""
    if value is None or value == "":
        return None
    found = _from_number(value) if isinstance(value, int | float) else _from_text(value)
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Unusable(
            "time_unreadable",
            "The time of the read cannot be read. Write 2026-11-21T09:00:00.123+01:00, or milliseconds since 1970.",
        )
    return found


def _from_number(value: float) -> datetime | None:
    """Milliseconds since 1970."""
    if isinstance(value, bool):
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except (OverflowError, ValueError):
        return None


def _from_text(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    text = _FRACTION.sub(r"\1", value.strip())  # nanoseconds of some readers
    if re.search(r"[+-]\d{4}$", text):  # +0100: some firmware leaves the colon out
        text = f"{text[:-2]}:{text[-2:]}"
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None
