"""What one scanner read says, in the browser (static/js/codes.js): the same as in Python, and never a guess."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from jitapp.symbology.cardcode import COMBINATIONS, find_card_code, make_code
from jitapp.symbology.commandcode import Command, CommandName
from tests.journeys.bench import ROOT, bench, call
from tests.journeys.keyboards import LAYOUTS, SHIFT_LOCK, shown, unmistakable
from tests.symbology.test_cardcode import errors_of

READS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "symbology" / "reads.json").read_text())
ADDRESS = "https://kanban.test/k/"


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    with bench() as files:
        made = chromium.new_page()
        made.goto(f"{files.url}/")
        yield made
        made.close()


def some(count: int, seed: int) -> list[str]:
    """Codes of cards that exist: those that another layout would show as another card are not given to any."""
    chance = random.Random(seed)
    made = (make_code(chance.randrange(COMBINATIONS)) for _ in iter(int, 1))
    return list(islice((code for code in made if unmistakable(code)), count))


def reads(page: Page, texts: list[str], options: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """readCodes of every text."""
    found: list[dict[str, Any]] = page.evaluate(
        "async ([texts, options]) => { const { readCodes } = await import('/static/js/codes.js');"
        " return texts.map((text, at) => readCodes(text, options?.[at])) }",
        [texts, options],
    )
    return found


@pytest.mark.parametrize("read", READS, ids=lambda read: read["why"])
def test_a_read_of_the_corpus_says_what_stands_beside_it(page: Page, read: dict[str, Any]) -> None:
    (found,) = reads(page, [read["text"]])
    assert found["cards"] == read["cards"]
    assert found["command"] == read.get("command")
    assert found["looksLikeCard"] == read.get("bad", False)


def test_codes_are_found_as_on_the_server(page: Page) -> None:
    good = some(300, seed=7)
    rubbish = [f"KB{code}" for code in good[:50] if find_card_code(f"KB{code[:9]}") is None]
    cases = [*good, *rubbish, "", "KB", good[0][:-1], "KBILOU00000", *(f"xyz{code.lower()}" for code in good)]
    assert [call(page, "codes.js", "findCardCode", case) for case in cases[:20]] == good[:20]
    assert [read["cards"] for read in reads(page, cases)] == [
        [code] if (code := find_card_code(case)) else [] for case in cases
    ]


def test_c09_every_wrong_symbol_and_every_swap_of_neighbours_is_refused(page: Page) -> None:
    """At every place, in the prefix too, by every letter and digit, of cards and commands, with KB or without."""
    commands = [Command(name, 250).code for name in CommandName]
    wrong = [text for code in (*some(40, seed=9), *commands) for text in sorted(errors_of(code))]
    twins = {f"KB{code[2:]}" for code in commands}  # which no card has: see layouts.is_unmistakable
    wrong += [text[2:] for text in wrong if text.startswith("KB")]
    wrong += [text.lower() for text in wrong]
    found = zip(wrong, reads(page, wrong), strict=True)
    taken = {text.upper()[-9:] for text, read in found if read["codes"]}
    assert taken == {twin[-9:] for twin in twins}
    assert len(wrong) > 40 * 4 * 11 * 30


@pytest.mark.parametrize("name", CommandName)
def test_every_command_card_is_read(page: Page, name: CommandName) -> None:
    number = 250 if name is CommandName.QTY else 0
    found = reads(page, [Command(name, number).code, Command(name, number).code.lower()])
    assert [read["command"] for read in found] == [{"name": name.name, "number": number}] * 2
    assert [read["cards"] for read in found] == [[], []]


WAYS = [
    (computer, caps)
    for computer, caps in product(LAYOUTS, ("", "letters", "everything"))
    if caps != "everything" or computer in SHIFT_LOCK
]


@pytest.mark.parametrize(("computer", "caps"), WAYS)
def test_every_layout_is_read_back_by_its_keys(page: Page, computer: str, caps: str) -> None:
    """A scanner that thinks of a US keyboard, at a computer with another layout: bare codes and addresses."""
    codes = some(200, seed=11)
    texts = [code if place % 2 else f"{ADDRESS}{code}" for place, code in enumerate(codes)]
    seen = [shown(text, "us", computer, caps) for text in texts]
    # With Caps Lock on, whoever thinks of the computer's own layout may be meant as well: then it is refused.
    options = [{"physical": text, "capsLock": bool(caps), "bare": False} for text in texts]
    found = [read["cards"] for read in reads(page, seen, options)]
    wrong = [(code, read) for code, read in zip(codes, found, strict=True) if read not in ([code], [])]
    assert wrong == []
    assert found.count([]) <= (8 if caps == "everything" else 0)


# What the characters alone prove: all addresses, and bare codes where digits became signs. Y and Z of a bare code prove
# nothing, because one wrong letter gives the same.
PROVED = {("fr", ""), ("fr", "letters"), ("cz", ""), ("cz", "letters")}


@pytest.mark.parametrize(("computer", "caps"), WAYS)
def test_the_wrong_characters_alone_are_read_back_or_refused(page: Page, computer: str, caps: str) -> None:
    codes = some(300, seed=13)
    bare = [read["cards"] for read in reads(page, [shown(code, "us", computer, caps) for code in codes])]
    links = [shown(ADDRESS + code, "us", computer, caps) for code in codes]
    addresses = [read["cards"] for read in reads(page, links)]
    for found in (bare, addresses):
        wrong = [(code, read) for code, read in zip(codes, found, strict=True) if read not in ([code], [])]
        assert wrong == []
    if computer in ("us", "uk", "es"):
        assert bare.count([]) == addresses.count([]) == 0
    elif (computer, caps) in PROVED:
        assert bare.count([]) <= 15, "only where two layouts give valid codes, or no digit stands in it"
    else:
        assert 0 < bare.count([]) < 200
    if caps != "everything":
        assert addresses.count([]) <= 10


def test_what_the_doctor_found_needs_no_proof(page: Page) -> None:
    codes = some(300, seed=17)
    seen = [shown(code, "us", "de") for code in codes]
    found = reads(page, seen, [{"layout": "us>de"}] * len(seen))
    assert [read["cards"] for read in found] == [[code] for code in codes]


@pytest.mark.parametrize("scanner", ["fr", "cz"])
def test_a_scanner_that_thinks_of_another_layout_is_read_back_at_a_us_computer(
    page: Page, scanner: str
) -> None:
    codes = some(300, seed=19)
    seen = [shown(code, scanner, "us") for code in codes]
    for options in ({}, {"physical": None}):
        given = [{"physical": text} if "physical" in options else {} for text in seen]
        found = [read["cards"] for read in reads(page, seen, given)]
        wrong = [(code, read) for code, read in zip(codes, found, strict=True) if read not in ([code], [])]
        assert wrong == []
        assert found.count([]) <= 15


def test_any_text_is_read_without_an_exception(page: Page) -> None:
    chance = random.Random(23)
    signs = "KBkb01OIL -/\x1d\x1e\x04é&\"'ß´^😀\ufffdZzYyQqAa:;.,()[]{}"
    texts = ["".join(chance.choice(signs) for _ in range(chance.randrange(60))) for _ in range(3_000)]
    found = reads(page, texts, [{"physical": text, "capsLock": True} for text in texts])
    assert len(found) == len(texts)
    assert (ROOT / "static" / "js" / "codes.js").exists()


def test_what_every_page_loads_for_scanning_is_small() -> None:
    files = [ROOT / "static" / "js" / name for name in ("codes.js", "capture.js")]
    assert sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) <= 8 * 1024
