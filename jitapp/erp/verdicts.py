"""What HTTP says about a call whatever the ERP, and when to call again. Pure: the source of chance is a parameter."""

from __future__ import annotations

import json
import unicodedata
from email.utils import parsedate_to_datetime

from jitapp.erp.adapter import Kind, Reply, Verdict

LONGEST_NUMBER = 60
LONGEST_DETAIL = 300
ROW_CAP_S = 120.0  # longest pause of a document, before the jitter
HOST_CAP_S = 30.0  # longest pause of a whole ERP that does not answer
RETRY_AFTER_CAP_S = 3_600.0
DATA_WRONG = frozenset({400, 409, 422})
GONE = frozenset({404, 410})
# The problems that this room finds itself, whatever the adapter; the words for them stand in jitapp/web/documents.py.
OWN_PROBLEMS = frozenset(
    {
        "no_address",
        "no_secret",
        "address_refused",
        "adapter_unknown",
        "adapter_failed",
        "switched_off",
        "number_refused",
    }
)


def not_done(reply: Reply, *, said: str, now: float) -> Verdict | None:
    """The verdict on everything but a 2xx, for which it is None. `said`: the ERP's own words, as the adapter found
    them in the body; empty: the body itself."""
    status = reply.status
    if 200 <= status < 300:
        return None
    if not status:
        return Verdict(Kind.AGAIN, problem="no_answer", detail=one_line(reply.error), down=True)
    said = one_line(said) or one_line(reply.body)
    if status in DATA_WRONG:
        return Verdict(Kind.REFUSED, problem="refused", detail=said or str(status))
    detail = one_line(f"{status} {said}")
    if status == 429 or status >= 500:
        problem = "busy" if status in (429, 503) else "broken"
        wait_s = retry_after_s(reply.retry_after, now=now)
        return Verdict(Kind.AGAIN, problem=problem, detail=detail, wait_s=wait_s, down=True)
    # A wrong address, a token or a redirect: once people have corrected it on either side, all documents go on.
    problem = "redirected" if 300 <= status < 400 else "not_understood"
    return Verdict(Kind.AGAIN, problem=problem, detail=detail, down=True)


def number_verdict(number: str) -> Verdict:
    """DONE with the number of a document; REFUSED where it cannot be kept: empty, too long, or not printable."""
    number = number.strip()
    if not number or len(number) > LONGEST_NUMBER or not number.isprintable():
        return Verdict(Kind.REFUSED, problem="number_unusable", detail=one_line(number))
    return Verdict(Kind.DONE, number=number)


def pause(failures: int, cap: float, chance: float) -> float:
    """Seconds until the next try: 1, 2, 4 ... up to `cap`, plus or minus a fifth; `chance` is random in [0, 1)."""
    return min(2.0 ** min(max(failures - 1, 0), 20), cap) * (0.8 + 0.4 * chance)


def retry_after_s(text: str, *, now: float) -> float | None:
    """The seconds of a Retry-After header, which is a number or a date: 0 to one hour. None where it says neither."""
    text = text.strip()
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


def json_member(body: bytes, name: str) -> str | None:
    """A text or a whole number from the JSON object of a body; None where there is none."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return None
    value = read.get(name) if isinstance(read, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def one_line(said: str | bytes) -> str:
    """Foreign text as one printable line of at most LONGEST_DETAIL characters."""
    text = said if isinstance(said, str) else said[:2_000].decode("utf-8", "replace")
    plain = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(plain.split())[:LONGEST_DETAIL]
