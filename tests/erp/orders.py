"""A shop whose orders need documents, and what its workers do about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from jitapp.erp import calling, documents
from jitapp.erp.models import DocumentRequest
from jitapp.outbox import relay
from jitapp.pull import actions, store
from jitapp.pull.models import Turn
from tests.erp.stub import StubErp
from tests.floor import Floor


def shop(*, cards: int = 4, policy: str = "WAIT_FOR_DOC_NUMBER", **more: Any) -> Floor:
    floor = Floor()
    floor.station("ACME", "SUPPLIER")
    floor.station("LINE")
    floor.loop(
        "S1",
        part="SCREW",
        supply="ACME",
        demand="LINE",
        kind="SUPPLIER",
        cards=cards,
        quantity=100,
        doc_policy=policy,
        **more,
    )
    return floor


def drain(floor: Floor) -> None:
    """What the workers do, by the floor's clock."""

    def handle(jobs: Sequence[relay.Job]) -> None:
        messages = [(job.key, job.payload) for job in jobs if job.topic == "pull.changed"]
        actions.propagate(messages, now=floor.now)
        documents.follow(messages, now=floor.now)

    while relay.drain_once(handle, decode=store.decode):
        pass


def call(floor: Floor, **more: Any) -> int:
    drain(floor)
    made = calling.call_due(now=floor.now, **more)
    drain(floor)
    return made


def call_until_quiet(floor: Floor, rounds: int = 60) -> None:
    """Rounds of calls with the clock going on, until every document is settled."""
    for _ in range(rounds):
        call(floor)
        if not DocumentRequest.objects.filter(state__in=["WAITING", "WITHDRAWING"]).exists():
            return
        floor.now += timedelta(seconds=90)
    raise AssertionError(list(DocumentRequest.objects.values_list("state", "problem", "detail")))


def once_everywhere(erp: StubErp) -> None:
    """Every turn has its document, and the ERP has made each of them once."""
    numbers = {str(turn.uuid): turn.document for turn in Turn.objects.exclude(signal_state="CANCELLED")}
    assert numbers == erp.numbers
    assert set(erp.made.values()) <= {1}
    assert len(set(numbers.values())) == len(numbers)
