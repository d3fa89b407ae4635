"""The corpus of reads that the browser's static/js/codes.js is held against too (tests/journeys/test_codes.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jitapp.symbology.commandcode import read_command
from jitapp.symbology.decode import cards_in, decode

READS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reads.json").read_text())


@pytest.mark.parametrize("read", READS, ids=lambda read: read["why"])
def test_a_read_of_the_corpus_says_what_stands_beside_it(read: dict[str, Any]) -> None:
    text, cards = read["text"], read["cards"]
    reading = decode(text)
    if len(cards) > 1 or (cards and "command" in read):
        # The browser makes a scan of each, in order; a door that takes one code names them all and takes none.
        assert cards_in(text) == cards
        assert reading.may_be == tuple(cards)
        assert "command" in read or reading.card == ""
    else:
        assert ([reading.card] if reading.card else []) == cards
    if read.get("bad"):
        assert reading.problems
    if "command" in read and not cards:
        command = read_command(text)
        assert command is not None
        assert (command.name.name, command.number) == (read["command"]["name"], read["command"]["number"])
    elif not cards:
        assert read_command(text) is None
