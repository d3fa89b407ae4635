"""A call and its answer, what the answer of the ERP means, and when to ask again. Pure: the dice are handed in."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum

LONGEST_NUMBER = 60
LONGEST_DETAIL = 300
ROW_CAP_S = 120.0  # longest pause of a document, before the jitter
HOST_CAP_S = 30.0  # longest pause of a whole ERP that does not answer
RETRY_AFTER_CAP_S = 3_600.0
LATER_S = 60.0  # the ERP took the order and will give the number later
DATA_WRONG = frozenset({400, 409, 422})
GONE = frozenset({404, 410})


class Kind(Enum):
    """What to do about an answer."""

    DONE = "done"
    REFUSED = "refused"  # final: the data is wrong, a person must act
    AGAIN = "again"  # ask again later


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `key` is the idempotency key, `message_id` names this message in the signature."""

    method: str
    url: str
    key: str
    message_id: str
    body: bytes
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status with the beginning of the body, or (status 0) why nothing did."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    error: str = ""
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` is a code, `detail` what the other side said; `wait_s` is what it asked us to wait, if it did.

    `down`: the ERP as a whole did not answer as it should, so that the others need not ask it now.
    """

    kind: Kind
    number: str = ""
    problem: str = ""
    detail: str = ""
    wait_s: float | None = None
    down: bool = False


def judge(reply: Reply, *, now: float) -> Verdict:
    """The answer to "make a document". `now` in seconds since 1970."""
    if (common := _no_answer(reply, now)) is not None:
        return common
    number = _member(reply.body, "number")
    if reply.status == 202 and number is None:
        return Verdict(Kind.AGAIN, problem="number_later", wait_s=_wait(reply, now) or LATER_S)
    if number is None:
        return Verdict(Kind.AGAIN, problem="answer_unreadable", detail=_text(reply.body))
    number = number.strip()
    if not number or len(number) > LONGEST_NUMBER or not number.isprintable():
        return Verdict(Kind.REFUSED, problem="number_unusable", detail=_clean(number))
    return Verdict(Kind.DONE, number=number)


def judge_recall(reply: Reply, *, now: float) -> Verdict:
    """The answer to "take the document back": one that is not known there is gone too."""
    if reply.status in GONE:
        return Verdict(Kind.DONE)
    return _no_answer(reply, now) or Verdict(Kind.DONE)


def _no_answer(reply: Reply, now: float) -> Verdict | None:
    """The verdict on everything but a 2xx."""
    status = reply.status
    if 200 <= status < 300:
        return None
    if not status:
        return Verdict(Kind.AGAIN, problem="no_answer", detail=_clean(reply.error), down=True)
    said = _member(reply.body, "detail") or _member(reply.body, "title") or _text(reply.body)
    detail = _clean(f"{status} {said}")
    if status in DATA_WRONG:
        return Verdict(Kind.REFUSED, problem="refused", detail=_clean(said) or str(status))
    if status == 429 or status >= 500:
        problem = "busy" if status in (429, 503) else "broken"
        return Verdict(Kind.AGAIN, problem=problem, detail=detail, wait_s=_wait(reply, now), down=True)
    # A wrong address, a token or a redirect: people mend it on either side, and then all go on.
    problem = "redirected" if 300 <= status < 400 else "not_understood"
    return Verdict(Kind.AGAIN, problem=problem, detail=detail, down=True)


def pause(failures: int, cap: float, dice: float) -> float:
    """Seconds until the next try: 1, 2, 4 ... up to `cap`, give or take a fifth; `dice` in [0, 1)."""
    return min(2.0 ** min(max(failures - 1, 0), 20), cap) * (0.8 + 0.4 * dice)


def _wait(reply: Reply, now: float) -> float | None:
    """Retry-After in seconds, as a number or a date, at most an hour."""
    text = reply.retry_after.strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(seconds, 0.0), RETRY_AFTER_CAP_S)


def _member(body: bytes, name: str) -> str | None:
    """A text or a whole number from the JSON object of a body."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    value = read.get(name) if isinstance(read, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _text(body: bytes) -> str:
    return _clean(body[:2_000].decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """One line of what can be printed, cut to what is kept."""
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(plain.split())[:LONGEST_DETAIL]
