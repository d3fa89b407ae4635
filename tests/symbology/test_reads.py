"""The corpus of reads that the browser's static/js/codes.js is held against too (tests/journeys/test_codes.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jitapp.symbology.cardcode import codes_in
from jitapp.symbology.commandcode import read_command
from jitapp.symbology.decode import cards_in, decode

READS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("reads.json").read_text())


@pytest.mark.parametrize("read", READS, ids=lambda read: read["why"])
def test_a_read_of_the_corpus_says_what_stands_beside_it(read: dict[str, Any]) -> None:
    text, cards = read["text"], read["cards"]
    if read.get("bad") and codes_in(text):
        # Of a right and a wrong code the browser takes none; here the right one is named, with what stands around it.
        assert decode(text).problems
    elif len(cards) > 1:
        assert cards_in(text) == cards
        assert decode(text).may_be == tuple(cards)
    else:
        assert ([decode(text).card] if decode(text).card else []) == cards
    if "command" in read and not cards:
        command = read_command(text)
        assert command is not None
        assert (command.name.name, command.number) == (read["command"]["name"], read["command"]["number"])
    elif not cards:
        assert read_command(text) is None
