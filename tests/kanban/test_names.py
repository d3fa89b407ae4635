"""Names are matched as people write them, and twins from before keep their exact names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.kanban.names import Names, folded, tidy


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("BW-12\r", "BW-12"),
        ("\ufeffBW-12\x1d", "BW-12"),
        ("  KXT \t 321\nLHS ", "KXT 321 LHS"),
        ("A\u0308-1", "\u00c4-1"),
        ("a\u00a0b", "a b"),
        ("\u200e12\u200f", "12"),
        (" \r\n", ""),
    ],
)
def test_a04_a_name_is_kept_without_what_nobody_sees(written: str, kept: str) -> None:
    assert tidy(written) == kept


def test_a04_case_blanks_and_control_characters_do_not_matter() -> None:
    assert folded("bw-12 ") == folded("BW-12\r")
    assert folded("STRASSE") == folded("straße")
    assert folded("bw-12") != folded("bw-13")


def test_a04_what_is_written_exactly_so_is_found_first() -> None:
    names: Names[int] = Names()
    for name, thing in (("ZS2", 1), ("M26-Bolt", 2), ("M26-BOLT", 3), ("ZS2", 4)):
        names.add(name, thing)
    assert [names.find(text) for text in ("ZS2", "zs2 ", "M26-BOLT", "M26-Bolt", "m26-bolt", "", "ZS3")] == [
        1,
        None,  # the second ZS2 is somebody else's
        3,
        2,
        None,
        None,
        None,
    ]


@given(st.text(max_size=30))
def test_a04_a_tidy_name_is_tidy(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert folded(tidy(text)) == folded(text) == folded(folded(text))
