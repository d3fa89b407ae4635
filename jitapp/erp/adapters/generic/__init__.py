"""An ERP, or a small service in front of one, that implements the calls of docs/api.md.

POST to the plant's address with the order as JSON makes a document and returns its number; DELETE of the address with
the turn's id behind it takes the document back. Calls are signed by the Standard Webhooks scheme.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from jitapp.erp import signing
from jitapp.erp.adapter import Adapter, Call, DocumentTask, Kind, Reply, Verdict
from jitapp.erp.verdicts import GONE, json_member, not_done, number_verdict, one_line, retry_after_s

LATER_S = 60.0  # the ERP took the order and will give the number later


class Generic:
    """The contract of docs/api.md, section "What an ERP must answer"."""

    def call(self, task: DocumentTask) -> Call:
        """POST with the order, or DELETE without a body."""
        headers = {"Accept": "application/json", "Idempotency-Key": task.turn}
        if task.withdraw:
            url = f"{task.url.rstrip('/')}/{task.turn}"
            return Call("DELETE", url, f"withdrawal_{task.turn}", headers=headers)
        body = json.dumps(task.order, separators=(",", ":"), sort_keys=True).encode()
        headers["Content-Type"] = "application/json"
        return Call("POST", task.url, f"document_{task.turn}", body, headers)

    def sign(self, call: Call, keys: Sequence[bytes], at: int) -> Mapping[str, str]:
        """The three headers of Standard Webhooks."""
        return signing.headers(keys, call.message_id, at, call.body)

    def verdict(self, task: DocumentTask, reply: Reply, *, now: float) -> Verdict:
        """A document that is not known there is withdrawn too."""
        if task.withdraw and reply.status in GONE:
            return Verdict(Kind.DONE)
        said = json_member(reply.body, "detail") or json_member(reply.body, "title") or ""
        if (failed := not_done(reply, said=said, now=now)) is not None:
            return failed
        if task.withdraw:
            return Verdict(Kind.DONE)
        number = json_member(reply.body, "number")
        if number is None and reply.status == 202:
            wait_s = retry_after_s(reply.retry_after, now=now)
            return Verdict(Kind.AGAIN, problem="number_later", wait_s=wait_s or LATER_S)
        if number is None:
            return Verdict(Kind.AGAIN, problem="answer_unreadable", detail=one_line(reply.body))
        return number_verdict(number)


ADAPTER: Adapter = Generic()
