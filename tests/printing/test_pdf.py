"""Check 38: page boxes within 0.5 mm, page counts, every code decoded from 200 dpi, the code in letters; and what is
drawn of real part numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp

from jitapp.printing import proof
from jitapp.printing.carriers import Carrier
from jitapp.printing.drawing import Box, Code, Drawing, Picture, Text, fitted
from jitapp.printing.fonts import lacking, visual, width
from jitapp.printing.layouts.card import LEAST_QR, card
from jitapp.printing.layouts.sheets import PAPERS, Paper, pages
from jitapp.printing.pdf import POINTS_PER_MM, pdf
from jitapp.printing.proof import DPI, Unreadable, check, raster
from jitapp.printing.symbols import NoSymbol, code128, qr
from tests.printing.cards import REAL_PARTS, copy_of, photograph

SIZES = {
    "a4-4": (210, 297),
    "a4-8": (297, 210),
    "a4-16": (210, 297),
    "letter-4": (215.9, 279.4),
    "letter-8": (279.4, 215.9),
    "a6": (105, 148),
    "a7": (74, 105),
    "100x50": (100, 50),
    "85x54": (85.6, 54),
    "100x150": (100, 150),
}
SINGLE = [name for name, paper in PAPERS.items() if paper.sheet is None]


def read(made: bytes) -> Counter[bytes]:
    """What an independent pass reads off every page of a PDF, at 200 dots an inch."""
    document = pypdfium2.PdfDocument(made)
    found: Counter[bytes] = Counter()
    for page in document:
        found.update(bytes(one.bytes) for one in zxingcpp.read_barcodes(raster(page, 200)))
    document.close()
    return found


def meant(drawings: list[Drawing]) -> Counter[bytes]:
    return Counter(code.symbol.meant for drawing in drawings for code in drawing.codes)


@pytest.mark.parametrize("name", PAPERS)
def test_pages_have_their_true_size_and_every_code_is_read_back(name: str) -> None:
    paper = PAPERS[name]
    drawings = pages(paper, [copy_of(number) for number in range(1, 6)])
    made = pdf(drawings, name)
    document = pypdfium2.PdfDocument(made)
    assert len(document) == -(-5 // paper.per_page)
    for page in document:
        size = [points / POINTS_PER_MM for points in page.get_size()]
        assert size == pytest.approx(SIZES[name], abs=0.5)
        assert [edge / POINTS_PER_MM for edge in page.get_mediabox()][2:] == pytest.approx(
            SIZES[name], abs=0.5
        )
    document.close()
    assert check(made, drawings) == sum(meant(drawings).values()) > 0
    assert read(made) == meant(drawings)


@pytest.mark.parametrize("name", ["a4-16", "a4-8"])
def test_16_cards_on_paper_at_200_dpi_are_16_of_16(name: str) -> None:
    copies = [copy_of(number) for number in range(1, 17)]
    found = read(pdf(pages(PAPERS[name], copies), name))
    addresses = {f"https://kanban.example.com/k/{copy.facts.code}".encode() for copy in copies}
    assert len(addresses & set(found)) == 16
    assert len({copy.facts.code.encode() for copy in copies} & set(found)) == 16


@pytest.mark.parametrize("name", PAPERS)
@pytest.mark.parametrize("carrier", Carrier)
def test_every_choice_of_codes_is_read_back_from_every_paper(name: str, carrier: Carrier) -> None:
    drawings = pages(PAPERS[name], [copy_of(1, carrier=carrier, prefix="4012345")])
    made = pdf(drawings, name)
    check(made, drawings)
    said = set(read(made))
    code = copy_of(1).facts.code
    assert code.encode() in said
    assert (f"https://kanban.example.com/k/{code}".encode() in said) == (carrier is not Carrier.GS1_QR)
    assert (f"80044012345{code}".encode() in said) == (carrier in (Carrier.GS1, Carrier.GS1_QR))
    supplier = f"[)>\x1e06\x1dPPCB-100\x1dQ12\x1d15K{code}\x1dVACME\x1e\x04".encode()
    assert (supplier in said) == (carrier is Carrier.ISO15434)


def test_without_a_gs1_prefix_the_code_is_a_companys_own_number() -> None:
    drawings = pages(PAPERS["a6"], [copy_of(1, carrier=Carrier.GS1)])
    assert f"91{copy_of(1).facts.code}".encode() in read(pdf(drawings, "a6"))


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("part", REAL_PARTS)
def test_a_part_number_of_real_life_stands_on_the_card_whole(name: str, part: str) -> None:
    copy = copy_of(1, part=part, picture=photograph())
    drawing = pages(PAPERS[name], [copy])[0]
    assert part not in drawing.shortened
    found, whole = "", visual(part).replace(" ", "")
    for line in (item.text.replace(" ", "") for item in drawing.items if isinstance(item, Text)):
        found = found + line if whole.startswith(found + line) else found
    assert found == whole
    check(pdf([drawing], part), [drawing])


@pytest.mark.parametrize("name", SINGLE)
def test_nothing_is_drawn_beyond_the_edge_or_into_a_code(name: str) -> None:
    for part in REAL_PARTS:
        drawing = pages(
            PAPERS[name], [copy_of(1, part=part, description="Größte " * 28, picture=photograph())]
        )[0]
        for item in drawing.items:
            if isinstance(item, Text):
                wide = width(item.face, item.size, item.text)
                left = item.x - {"left": 0.0, "center": wide / 2, "right": wide}[item.align]
                assert left > 1.5, item
                assert left + wide < drawing.width - 1.5, item
                for code in drawing.codes:
                    assert not _overlap(code, left, item.y - item.size * 0.25, wide, item.size * 0.25), (
                        item,
                        code,
                    )
            elif isinstance(item, Code | Box):
                assert item.x >= 0, item
                assert item.x + item.w <= drawing.width, item
                assert item.y + item.h <= drawing.height, item


def _overlap(code: Code, x: float, y: float, w: float, h: float) -> bool:
    return x < code.x + code.w and code.x < x + w and y < code.y + code.h and code.y < y + h


@pytest.mark.parametrize("name", SINGLE)
def test_the_large_code_is_at_least_25_mm_with_modules_of_half_a_millimetre(name: str) -> None:
    drawing = pages(PAPERS[name], [copy_of(1)])[0]
    large = max((code for code in drawing.codes), key=lambda code: code.h)
    assert large.w >= LEAST_QR - 0.01
    assert large.module >= 0.5
    quiet = 4 * large.module
    for other in drawing.items:
        if isinstance(other, Code) and other is not large:
            assert not _overlap(
                other, large.x - quiet, large.y - quiet, large.w + 2 * quiet, large.h + 2 * quiet
            )
    assert large.x >= quiet - 0.8
    assert large.y >= quiet - 0.8


def test_what_does_not_fit_ends_in_an_ellipsis_and_is_told() -> None:
    text = (
        "Leiterplatte für ein Steuergerät, geprüft, mit einer Beschreibung, die auf kein Etikett passt, " * 2
    )
    drawing = pages(PAPERS["100x50"], [copy_of(1, description=text)])[0]
    assert drawing.shortened == [text]
    assert any(item.text.endswith("…") for item in drawing.items if isinstance(item, Text))
    assert not pages(PAPERS["a6"], [copy_of(1)])[0].shortened


def test_fonts_are_embedded_and_the_code_can_be_taken_as_text() -> None:
    copy = copy_of(3, part="Płyta/Žďár Плата Ä")
    made = pdf(pages(PAPERS["a6"], [copy]), "card")
    assert made.count(b"/FontFile2") >= 3
    document = pypdfium2.PdfDocument(made)
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert copy.facts.code in text.split()
    for words in ("Płyta/Žďár Плата Ä", "Card 3 of 6", "SCAN WHEN EMPTY", "12 pcs", "Rev. 2", "2026-11-28"):
        assert words in text, words


def test_the_card_speaks_the_language_that_was_chosen() -> None:
    drawing = pages(PAPERS["a6"], [copy_of(3, language="de")])[0]
    said = {item.text for item in drawing.items if isinstance(item, Text)}
    assert {"Karte 3 von 6", "Menge", "Von", "Nach", "LEER? SCANNEN"} <= said


def test_a_replacement_with_a_higher_number_is_no_card_7_of_6() -> None:
    assert copy_of(7).which == "Card 7"


def test_letters_that_no_font_has_are_told_and_crash_nothing() -> None:
    assert lacking("Ab ÄłЖאع→") == ""
    assert lacking("中 漢中") == "中漢"
    drawing = pages(PAPERS["100x50"], [copy_of(1, part="中-1")])[0]
    check(pdf([drawing], "x"), [drawing])


def test_words_from_right_to_left_are_drawn_in_their_order() -> None:
    assert visual("PCB-100") == "PCB-100"
    assert visual("לוח") == "חול"
    assert visual("לוח-100") == "100-חול"
    assert visual("PCB לוח") == "PCB חול"


def test_a_text_shrinks_before_it_is_broken_within_a_word() -> None:
    fit = fitted("ABCDEFGHIJ", "bold", w=20, h=10, largest=40, smallest=6, lines=1)
    assert fit.lines == ("ABCDEFGHIJ",)
    assert 6 <= fit.size < 10
    broken = fitted("A" * 60, "bold", w=20, h=10, largest=40, smallest=9, lines=2, whole=True)
    assert "".join(broken.lines) == "A" * 60


# -- the proof -------------------------------------------------------------------------------------------
def test_a_code_that_says_something_else_than_was_meant_refuses_the_file() -> None:
    drawing = card(copy_of(1), 105, 148)
    wrong = [
        replace(item, symbol=replace(item.symbol, rows=qr("https://kanban.example.com/k/KB00000000X").rows))
        if isinstance(item, Code)
        and item.symbol.meant.endswith(copy_of(1).facts.code.encode())
        and item.height == 0
        else item
        for item in drawing.items
    ]
    spoiled = Drawing(105, 148, wrong)
    with pytest.raises(Unreadable, match="page 1"):
        check(pdf([spoiled], "x"), [spoiled])


def test_a_code_that_something_covers_refuses_the_file() -> None:
    drawing = card(copy_of(1), 105, 148)
    code = drawing.codes[0]
    spoiled = Drawing(105, 148, [*drawing.items, Box(code.x + 8, code.y + 8, 16, 16)])
    with pytest.raises(Unreadable):
        check(pdf([spoiled], "x"), [spoiled])


def test_a_code_that_nobody_meant_is_refused_unless_it_is_in_a_photograph() -> None:
    own, stray = (
        Code(10, 10, qr("KB12345678X"), 1.0),
        Code(60, 10, qr("https://elsewhere.example.com/pay"), 0.8),
    )
    shown = Drawing(100, 50, [own])
    with pytest.raises(Unreadable, match="elsewhere"):
        check(pdf([Drawing(100, 50, [own, stray])], "x"), [shown])
    photo = photograph()
    with_photo = Drawing(
        100, 50, [own, Picture(55, 5, 40, 30, photo.data), Box(58, 8, 28, 28, grey=1.0), stray]
    )
    assert check(pdf([with_photo], "x"), [Drawing(100, 50, [own, Picture(55, 5, 40, 30, photo.data)])]) == 1


def test_the_fine_look_finds_what_the_coarse_one_missed() -> None:
    """At 200 dpi a module of 0.1 mm is less than a dot; at 400 dpi the code is read in its own place."""
    tiny = Drawing(40, 20, [Code(5, 5, qr("KB12345678X"), 0.22)])
    made = pdf([tiny], "x")
    assert DPI / 25.4 * 0.22 < 2
    assert check(made, [tiny]) == 1


def test_previews_are_pictures_of_the_page() -> None:
    made = proof.preview(pdf(pages(PAPERS["100x50"], [copy_of(1)]), "x"), 100)
    assert made.startswith(b"\x89PNG")


@pytest.mark.parametrize("text", ["", "ä", "x" * 61])
def test_what_a_linear_code_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(NoSymbol):
        code128(text)


def test_pieces_lie_side_by_side_with_marks_where_they_are_cut() -> None:
    paper: Paper = PAPERS["a4-4"]
    page = pages(paper, [copy_of(number) for number in range(1, 5)])[0]
    large = sorted((code.x, code.y) for code in page.codes if code.w > 30 and code.height == 0)
    right, below = large[2], large[1]
    assert (right[0] - large[0][0], right[1] - large[0][1]) == pytest.approx((105, 0), abs=0.01)
    assert (below[0] - large[0][0], below[1] - large[0][1]) == pytest.approx((0, 148.5), abs=0.01)
