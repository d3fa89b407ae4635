"""The runouts of a replayed log, instants, causes and owners, are those calculated from its ledger.

A small log in the suite. The whole log of a shop, which is not part of this project:
    JITAPP_LOG=machine-shop.csv pytest tests/independent/test_replayed_log.py -s
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.independent.replaying import replayed

SMALL = Path(__file__).parent.parent / "data" / "small-log.csv"

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_runouts_of_a_small_log_are_those_of_its_ledger() -> None:
    found, summary = replayed(SMALL)
    assert not found, "\n".join([summary, *found[:20]])


@pytest.mark.timeout(3600)
@pytest.mark.skipif("JITAPP_LOG" not in os.environ, reason="names the whole log of a shop in JITAPP_LOG")
def test_the_runouts_of_a_whole_log_are_those_of_its_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    found, summary = replayed(Path(os.environ["JITAPP_LOG"]))
    kinds = Counter(difference.split(": ")[1] for difference in found)
    with capsys.disabled():
        print(f"\n{summary}")  # noqa: T201
        for kind, count in kinds.most_common():
            print(f"{count:>8}  {kind}")  # noqa: T201
    assert not found, "\n".join([summary, *found[:20]])
