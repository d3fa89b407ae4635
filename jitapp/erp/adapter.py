"""What an ERP adapter is: the fixed shape of every package in `adapters/`, and the values that pass through it. Pure.

An adapter knows how one kind of ERP is spoken to. It knows no database, no clock and no socket: leases, repeats,
pauses and the calls themselves are the same for all of them (calling.py, client.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DocumentTask:
    """What has to be done at an ERP: make the document of a turn, or (`withdraw`) take it back.

    `turn` is the turn's id: every call about its document has the same. `url` is the address of the plant's ERP.
    `order` holds the members of DocumentOrder (docs/api.md). `number` is the document's, empty while it is unknown.
    """

    turn: str
    url: str
    order: Mapping[str, object]
    withdraw: bool = False
    number: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call. `message_id` names the message in a signature: a repeat of the call has the same one."""

    method: str
    url: str
    message_id: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status with the beginning of the body, or (status 0) why nothing did."""

    status: int = 0
    body: bytes = b""
    retry_after: str = ""
    error: str = ""
    took_ms: int = 0


class Kind(Enum):
    """What to do about a reply."""

    DONE = "done"
    REFUSED = "refused"  # final: the data is wrong, a person must act
    AGAIN = "again"  # ask again later


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problem` is a code, `detail` what the other side said; `wait_s` is what it asked us to wait, if it did.

    `number`: of the document, when it was made. `down`: the ERP as a whole did not reply as it should, so that the
    other documents of the plant are not asked for now.
    """

    kind: Kind
    number: str = ""
    problem: str = ""
    detail: str = ""
    wait_s: float | None = None
    down: bool = False


class Adapter(Protocol):
    """One kind of ERP. The same task always gives the same call, so that a repeat makes no second document."""

    def call(self, task: DocumentTask) -> Call:
        """The call that does the task, without its signature."""
        ...

    def sign(self, call: Call, keys: Sequence[bytes], at: int) -> Mapping[str, str]:
        """The headers that prove who calls. `keys`: the plant's secrets, the newest first, at least one; `at`: when
        the call is made, in seconds since 1970."""
        ...

    def verdict(self, task: DocumentTask, reply: Reply, *, now: float) -> Verdict:
        """What the reply to the task's call means. `now` in seconds since 1970, for a Retry-After that is a date.

        DONE for a task to make a document needs its `number`; `jitapp.erp.verdicts` reads what HTTP itself says.
        """
        ...
