"""ZPL as a real renderer prints it: every code read back byte for byte, and nothing in a part number is a command."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from jitapp.printing.carriers import Carrier
from jitapp.printing.layouts.sheets import PAPERS, pages
from jitapp.printing.proof import Unreadable, check_zpl
from jitapp.printing.zpl import data, read_data, zpl
from tests.printing.cards import REAL_PARTS, copy_of, photograph
from tests.printing.zebra import printed, scanned


@pytest.mark.parametrize(("name", "dpi"), [("100x50", 203), ("100x50", 300), ("85x54", 203), ("a6", 203)])
def test_labels_are_read_back_byte_for_byte(chromium: Browser, name: str, dpi: int) -> None:
    paper = PAPERS[name]
    parts = [*REAL_PARTS[:4], REAL_PARTS[-1]]
    copies = [
        copy_of(
            number, part=part, carrier=carrier, picture=photograph() if number % 2 else None, prefix="4012345"
        )
        for number, (part, carrier) in enumerate(zip(parts, [*Carrier, Carrier.ISO15434], strict=True))
    ]
    drawings = pages(paper, copies)
    made = zpl(drawings, dpi)
    check_zpl(made, drawings)
    labels = printed(chromium, made, *paper.piece, dpi)
    assert len(labels) == len(copies)
    for label, drawing in zip(labels, drawings, strict=True):
        assert {said for _, said in scanned(label)} == {code.symbol.meant for code in drawing.codes}


def test_a_label_is_ink_where_the_pdf_has_it(chromium: Browser) -> None:
    """Letters of every script arrive: those that the printer lacks are sent as pictures."""
    paper = PAPERS["100x50"]
    drawings = pages(paper, [copy_of(1, part=part) for part in ("PCB-100", "Плата-100", "")])
    made = zpl(drawings, 203)
    assert made.decode().count("^GFA") > 0
    with_latin, with_cyrillic, without = printed(chromium, made, *paper.piece)
    box = (280, 20, 790, 105)  # dots: where the part number stands
    ink = [
        sum(1 for dot in label.crop(box).tobytes() if dot < 128)
        for label in (with_latin, with_cyrillic, without)
    ]
    assert ink[2] == 0
    assert min(ink[:2]) > 1_000


def test_the_head_of_every_label_says_how_large_it_is() -> None:
    text = zpl(pages(PAPERS["100x50"], [copy_of(1), copy_of(2)]), 203).decode()
    assert text.count("^XA\n^CI28") == text.count("^XZ") == 2
    assert "^PW800\n^LL400" in text
    assert "^PW1181\n^LL591" in zpl(pages(PAPERS["100x50"], [copy_of(1)]), 300).decode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_becomes_a_command_and_every_text_is_read_back(text: str) -> None:
    field = data(text)
    inside = field.removeprefix("^FH_^FD").removesuffix("^FS")
    assert not set("^~") & set(inside)
    assert inside.isascii()
    assert inside.isprintable()
    assert read_data(inside) == text


def test_a_code_whose_data_was_changed_refuses_the_file() -> None:
    drawings = pages(PAPERS["100x50"], [copy_of(1)])
    made = zpl(drawings, 203)
    check_zpl(made, drawings)
    code = copy_of(1).facts.code.encode()
    with pytest.raises(Unreadable, match="page 1"):
        check_zpl(made.replace(b"^FD" + code, b"^FDKB00000000X"), drawings)
