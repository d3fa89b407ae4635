"""A shop's log through the real scan path, and then the table of runouts beside what the ledger says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from django.utils import timezone

from jitapp.plant.models import Loop
from jitapp.pull import actions
from jitapp.pull.models import Runout
from jitapp.pull.setup import set_up_shop
from jitapp.workshop.floor_log import read_log
from jitapp.workshop.floor_shop import convert
from jitapp.workshop.replaying import read_lines, replay
from tests.independent.adapters import differences, entries_of, history_of
from tests.independent.calculation import dry_spells


def replayed(log: Path, *, lines: int | None = None) -> tuple[list[str], str]:
    """Replays the first `lines` scans (None: all) of a log into the empty database; the differences, and a summary.

    The sweeper looks once more at the end, so that the causes of open runouts are compared too.
    """
    with log.open(encoding="utf-8-sig", newline="") as rows:
        conversion = convert(read_log(rows))
    done = set_up_shop(conversion.shop, now=timezone.now())
    assert not done.report.errors, done.report.errors
    scans = read_lines([json.dumps(line) for line in conversion.lines[:lines]])
    replay(scans)
    now = scans[-1].at
    actions.sweep(now=now)
    found = [
        difference
        for loop in Loop.objects.order_by("code").values_list("code", flat=True)
        for difference in differences(loop, now=now)
    ]
    return found, _summary(found, len(scans))


def _summary(found: list[str], scans: int) -> str:
    spells = [
        spell
        for loop in Loop.objects.select_related("supply")
        for spell in dry_spells(history_of(loop, entries_of(loop)))
    ]
    kinds = Counter(difference.split(": ")[1] for difference in found)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()) or "no difference"
    return (
        f"{scans} scans; {len(spells)} runouts by the ledger, {Runout.objects.count()} rows in the table,"
        f" {Runout.objects.filter(closed_at__isnull=True).count()} of them open; {told}"
    )
