"""One act of a handler on a page: what its form says, as it is posted, or as a device kept it and sends it later.

The pages of rounds, receiving and walks and the door of the tablets (`/s/scans`) do the same with it and say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Outcome
from jitapp.pull.scan_request import Answer, Conflict, ScanRequest, Source
from jitapp.web.said import Said, said_of

CODE_LIMIT = 4_096
# The longest that each member may be; what a form says besides is no part of the act.
LONGEST = {
    "do": 20, "place": 60, "code": CODE_LIMIT, "doing": 4, "card": 40, "reason": 200, "note": 200, "rest": 10,
    "label": 40, "remedy": 20,
    "station": 60,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did: `do` names it, `place` the route or the place that is walked along, `label` a label or one
    that is gathered. `told` is its id and when it was, as the device knows it."""

    told: ScanRequest
    do: str = ""
    place: str = ""
    code: str = ""
    doing: str = ""
    card: str = ""
    reason: str = ""
    note: str = ""
    rest: str = ""
    label: str = ""
    remedy: str = ""
    station: str = ""

    @property
    def label_id(self) -> UUID | None:
        """The label that it names."""
        try:
            return UUID(self.label)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act: what is said of it, and the answer of the scan, if it made one."""

    said: Said
    outcome: Outcome
    answer: Answer | None = field(default=None)


Doer = Callable[[Act, Source, datetime], Done]


def scanned(answer: Answer | Conflict, said: Said | None = None) -> Done:
    """An act that was a scan; `said` is what the page says instead of the scan's own answer."""
    if isinstance(answer, Conflict):
        return Done(said or said_of(answer), Outcome.REFUSED)
    return Done(said or said_of(answer), Outcome(answer.body["outcome"]), answer)


def refused(said: Said) -> Done:
    """Nothing was done."""
    return Done(said, Outcome.REFUSED)


def kept(said: Said) -> Done:
    """It is on record."""
    return Done(said, Outcome.APPLIED)


def posted_act(request: HttpRequest, do: str, place: str = "") -> Act:
    """The act of a form; its id makes a second sending the same act. Longer texts are cut: the forms allow no more."""
    told = ScanRequest(posted_id(request), "")
    said = {name: request.POST.get(name, "").replace("\0", "")[:most] for name, most in LONGEST.items()}
    return Act(told, **{**said, "do": do, "place": place, "code": request.POST.get("code", "")[:CODE_LIMIT]})


def kept_act(said: object, told: ScanRequest) -> Act | None:
    """The act that a device kept, beside its code; None for one that is not to be understood."""
    if not isinstance(said, Mapping):
        return None
    names = {each.name for each in fields(Act)} - {"told", "code"}
    texts = {name: value for name, value in said.items() if name in names and value is not None}
    if any(
        not isinstance(value, str) or len(value) > LONGEST[name] or "\0" in value
        for name, value in texts.items()
    ):
        return None
    return Act(told, code=told.code, **texts)


def posted_id(request: HttpRequest) -> UUID:
    """The id that came with the form, so that a second sending is the same; else a new one."""
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        return new_uuid()
