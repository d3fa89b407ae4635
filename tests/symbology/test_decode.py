"""One decoder for everything a shop scans."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jitapp.symbology.cardcode import COMBINATIONS, make_code
from jitapp.symbology.commandcode import Command, CommandName
from jitapp.symbology.decode import Site, cards_in, decode, decode_epc
from jitapp.symbology.meaning import meaning_of
from jitapp.symbology.reading import How, Kind

CODE, OTHER = make_code(1_234_567), make_code(987_654_321_012)
numbers = st.integers(0, COMBINATIONS - 1)
# What scanners send is full of signs that mean something to one reader or another.
PIECES = (
    "[)> >[)> 06 05 P12345 15K ]C1 ]d2 ]Q1 (01) (10) https:// /k/ /01/ 09501101530003 ? = urn:epc:id: urn:epc:tag:"
    f" sgtin-96: 3.0614141. % . 30 F7 E2 {{GS}} ^] \x1d \x1e \x04 \u241d \ud800 \x00 é ß ² {CODE} {OTHER}"
)
pieces = st.sampled_from(PIECES.split(" "))
anything = st.one_of(
    st.text(max_size=60), st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=8).map("".join)
)


@given(anything)
@example("")
@example("\ud800")
def test_any_text_is_read_without_an_exception_and_is_told_as_json(text: str) -> None:
    for reading in (decode(text), decode(text, Site(identifiers=frozenset({"P", "Q"}))), decode_epc(text)):
        assert reading.raw == text
        told = reading.told()
        assert isinstance(told["problems"], list)
        assert reading.kind != Kind.UNKNOWN or told["problems"]


@pytest.mark.parametrize(
    ("raw", "how", "clean"),
    [
        (CODE, How.PLAIN, True),
        (CODE.lower(), How.PLAIN, True),
        (f"\x02{CODE}\r\n", How.PLAIN, True),
        (f"]C0{CODE}", How.PLAIN, True),
        (f"HTTPS://SHOP.EXAMPLE/K/{CODE}", How.PLAIN, True),
        (f"https://other.example:8443/jit/k/{CODE.lower()}/?from=phone#top", How.PLAIN, True),
        (f"]Q1https://shop.example/k/{CODE}", How.PLAIN, True),
        (f"https://shop.example/cards?code={CODE}", How.PLAIN, True),
        (f"{CODE[:2]}-{CODE[2:6]} {CODE[6:]}", How.TYPED, True),
        (CODE.replace("0", "O").replace("1", "l"), How.TYPED, True),
        (CODE[2:], How.BARE, True),
        (f"kb12{CODE}", How.PLAIN, False),
    ],
)
def test_a_card_code_is_found_however_it_is_carried(raw: str, how: How, clean: bool) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.card, reading.how) == (Kind.CARD, CODE, how)
    assert (reading.problems == ()) is clean


def test_two_codes_in_one_read_are_both_named_and_none_is_taken() -> None:
    raw = f"{CODE}{OTHER}"
    assert cards_in(raw) == [CODE, OTHER]
    reading = decode(raw)
    assert (reading.card, reading.may_be) == ("", (CODE, OTHER))
    assert CODE in reading.problems[0]
    assert OTHER in reading.problems[0]
    assert decode(f"{CODE}{CODE}").card == CODE


def test_a_card_beside_a_misread_one_or_beside_a_command_is_not_taken_alone() -> None:
    wrong = CODE[:-1] + ("0" if CODE[-1] != "0" else "1")
    command = Command(CommandName.QTY, 12).code
    for raw in (
        CODE + wrong,
        wrong + CODE,
        f"https://a/k/{wrong}https://a/k/{CODE}",
    ):
        reading = decode(raw)
        assert (reading.kind, reading.card, reading.may_be) == (Kind.CARD, "", (CODE,)), raw
        assert reading.problems
    for raw in (command + CODE, f"{CODE}\t{command}"):
        assert decode(raw).card == CODE
        assert decode(raw).problems
        assert meaning_of(raw).refusal == "two_codes"
    assert decode(f"https://kbserver01x.example/k/{CODE}").card == CODE
    assert decode(command).problems == ("This is the command card QTY: scan it at a tablet.",)
