"""Several web processes take in what one reader sends: there is one presence, and one scan."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections

from jitapp.pull.models import Receipt
from jitapp.tags.intake import receive
from jitapp.tags.models import Sighting, Visit
from jitapp.tags.reads import Batch, Read
from jitapp.tags.words import Why
from tests.tags.portal import Portal, epc

pytestmark = pytest.mark.django_db(transaction=True)
THREADS, BODIES, TAGS = 4, 5, 6


def test_one_presence_and_one_scan_for_all_processes() -> None:
    portal = Portal(cards=TAGS)
    portal.point()
    other, _ = portal.reader("DOCK-2")
    faults: list[BaseException] = []
    begin = threading.Barrier(THREADS)

    def send(number: int) -> None:
        try:
            begin.wait(30)
            device = portal.device if number % 2 else other
            for body in range(BODIES):
                at = portal.now - timedelta(milliseconds=100 * (BODIES - body))
                reads = tuple(Read(epc(tag), 1, at, -50) for tag in (*range(1, TAGS + 1), 20 + number, 30))
                receive(Batch(reads), reader_id=device.pk, name=device.name, now=portal.now)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not faults
    gate = Visit.objects.filter(point__reader=portal.device.pk)
    assert gate.filter(card__isnull=False).count() == TAGS
    # Whichever reader was first has the tags; if both were at the same instant, each gave its signal.
    given = Receipt.objects.filter(device__in=[portal.device, other]).values_list("device", "card")
    assert len(given) == len(set(given)), "no reader signals twice"
    assert len({card for _, card in given}) == TAGS, "every card has signalled"
    held = Visit.objects.filter(card__isnull=False, why=Why.CROSSED)
    assert len(given) + held.count() == 2 * TAGS
    reads = Sighting.objects.filter(reader=portal.device.pk, tag__hex=epc(1)).values_list("reads", flat=True)
    assert list(reads) == [THREADS // 2 * BODIES]
