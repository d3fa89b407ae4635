"""The words of a site on its pages, boards and scans, in one process with places that speak otherwise."""

from __future__ import annotations

import ast
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_lazy, ngettext, pgettext

from jitapp.plant import wordings as kept
from jitapp.plant.history import MasterChange
from jitapp.plant.models import Area, Membership, Plant, Station
from jitapp.plant.spoken import current_wording, spoken
from jitapp.plant.wording.kept import HOUSE_WORDS, Wording, wording
from jitapp.plant.wording.terms import FORMS, TERMS
from jitapp.plant.wordings import wordings
from jitapp.printing.actions import Order, copies
from jitapp.printing.queries import cards_to_print
from jitapp.pull.reading.board import board
from jitapp.web.board import render_rows
from jitapp.web.calls import render_numbers
from jitapp.web.masters.renamed import TERM_WORDS
from jitapp.web.phrases import words_of
from jitapp.web.scan_words import scan_words
from jitapp.web.state_sheets import SHEET_WORDS
from jitapp.web.wording_form import FORM_WORDS, SENTENCES
from tests.floor import Floor
from tests.plant.words import OTHERS, of_the_demonstration
from tests.web.catalogue import pairs
from tests.web.shop import Shop, a_person, every_state

DEMO = of_the_demonstration()
ENGLISH = wording({"en": DEMO["en"]})
JITAPP = Path(__file__).parents[2] / "jitapp"


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """What one test renamed is no other test's word."""
    kept.forget()
    yield
    kept.forget()


# -- what is spoken ------------------------------------------------------------------------------------
def test_only_one_place_sets_the_language() -> None:
    """Whoever else did would speak without the words of the site."""
    found = []
    for file in sorted(JITAPP.rglob("*.py")):
        if file == JITAPP / "plant" / "spoken.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "django.utils.translation"
            ):
                names = {each.name for each in node.names}
                if names & {"override", "activate", "deactivate", "deactivate_all", "trans_real"}:
                    found.append(f"{file.name}:{node.lineno}")
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("override", "activate", "deactivate")
                and isinstance(node.value, ast.Name)
                and node.value.id == "translation"
            ):
                found.append(f"{file.name}:{node.lineno}")
    assert found == []


def test_every_way_to_say_something_has_the_words() -> None:
    lazy = gettext_lazy("Put the container in its place.")
    with spoken("en", ENGLISH):
        assert gettext("Put the container in its place.") == "Put the tray in its place."
        assert str(lazy) == "Put the tray in its place."
        assert get_language() == "en"
        assert current_wording() == ENGLISH
        with spoken("de"):
            assert gettext("Put the container in its place.").startswith("Stellen Sie den Behälter")
        with spoken("de", HOUSE_WORDS):
            assert current_wording() == HOUSE_WORDS
        assert gettext("Put the container in its place.") == "Put the tray in its place."
        assert pgettext("nowhere", "no such text of ours: bin") == "no such text of ours: bin"
    assert str(lazy) == "Put the container in its place."
    assert not current_wording()


def test_plurals_have_the_words_in_their_number() -> None:
    singular, plural = next(
        english.split("\0")
        for english in pairs("de")
        if "\0" in english and re.search(r"\bcontainers?\b", english)
    )
    with spoken("en", ENGLISH):
        assert "tray" in ngettext(singular, plural, 1)
        assert "trays" in ngettext(singular, plural, 5)
    assert "container" in ngettext(singular, plural, 1)
    with spoken("de", wording(DEMO)):
        assert "Korb" in ngettext(singular, plural, 1)
        assert "Körbe" in ngettext(singular, plural, 5)


def test_what_is_none_of_our_sentences_is_left_alone_and_not_kept() -> None:
    """A text that somebody typed may come to gettext by a fault; it must not be altered there."""
    with spoken("en", ENGLISH):
        assert gettext("Bin station 5, part of my card") == "Bin station 5, part of my card"


def test_threads_speak_each_with_their_own_words() -> None:
    heard: dict[str, set[str]] = {}
    together = threading.Barrier(4)

    def speak_so(name: str, language: str, words: Wording) -> None:
        together.wait()
        found = set()
        for _ in range(200):
            with spoken(language, words):
                found.add(gettext("no full container in the supermarket"))
        heard[name] = found

    plain = wording({})
    asked = [
        ("a", "en", ENGLISH),
        ("b", "en", plain),
        ("c", "de", wording(DEMO)),
        ("d", "de", wording(OTHERS)),
    ]
    threads = [threading.Thread(target=speak_so, args=each) for each in asked]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert heard == {
        "a": {"no full tray in the supermarket"},
        "b": {"no full container in the supermarket"},
        "c": {"kein voller Korb im Supermarkt"},
        "d": {"keine volle Schublade im Supermarkt"},
    }


def test_tables_of_words_are_made_once_for_each_wording() -> None:
    words = wording(DEMO)
    assert words_of("en", words).whys["supply_short"] == "no full tray in the supermarket"
    assert words_of("en", words) is words_of("en", wording(DEMO))
    assert words_of("en").whys["supply_short"] == "no full container in the supermarket"
    assert "Korb" in json.dumps(
        scan_words("de", wording({"de": {"card": DEMO["de"]["bin"]}})), ensure_ascii=False
    )


# -- pages -----------------------------------------------------------------------------------------------
@pytest.fixture
def shop(db: None, settings: LazySettings) -> Shop:
    """Two areas: SMT speaks as the demonstration's supplies do, the yard as we do; a part of each is named like a
    word of ours."""
    settings.DEMO = "0"
    made = every_state(timezone.now())
    Area.objects.filter(pk=made.area.pk).update(words=DEMO)
    yard = Area.objects.create(plant=made.plant, code="YARD", name="Yard of bins")
    for code, place in (("GATE", 40), ("SHED", 50)):
        made.stations[code] = Station.objects.create(
            plant=made.plant, area=yard, code=code, name=f"{code} station", kind="PROCESS", position=place
        )
    for code, demand in (("L-HERE", "TEST"), ("L-THERE", "GATE")):
        loop = made.loop(code, f"Bin station {demand}", "REFLOW" if demand == "TEST" else "SHED", demand)
        loop.part.description = "part of a card container"
        loop.part.save()
    a_person(made, roles=("planner",), username="eva")
    a_person(made, roles=("operator",), username="ole")
    return made


def browser(username: str, language: str = "en") -> Client:
    made = Client()
    made.force_login(Membership.objects.get(person__username=username).person)
    made.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return made


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


TYPED = (
    "Bin station TEST",
    "Bin station GATE",
    "part of a card container",
    "GATE station",
    "SHED station",
    "Yard of bins",
)


def own_words(text: str) -> str:
    """A page without what people typed in these tests, and without addresses and names in the markup."""
    text = re.sub(r"<[^>]*>", " ", text)
    for typed in (
        "Bin station TEST",
        "Bin station GATE",
        "part of a card container",
        "GATE station",
        "SHED station",
        "Yard of bins",
    ):
        text = text.replace(typed, "")
    return text


def test_a_board_has_the_words_of_its_area_and_what_people_typed_as_it_is(shop: Shop) -> None:
    here, there = "/b/SMT", "/b/YARD"
    eva = browser("eva")
    renamed, plain = page(eva, here), page(eva, there)
    assert "Bin station TEST" in renamed
    assert "part of a card container" in renamed
    assert "Bin station GATE" in plain
    assert re.search(r"\b(?:bin|container|station)s?\b", own_words(renamed), re.IGNORECASE) is None
    for _ in range(2):
        assert "tray" not in own_words(page(eva, there)).lower()
        assert page(eva, "/b/SMT/rows").count("Bin station TEST") == 1


def test_rows_drawn_for_all_have_the_words_of_their_area(shop: Shop) -> None:
    wordings()
    now = timezone.now()
    rows = [
        replace(row, why_code="supply_short", owner_party="station", owner_name="")
        for code in ("SMT", "YARD")
        for row in board(code, now=now).rows
        if row.loop in ("L-HERE", "L-THERE")
    ]
    assert [row.area for row in rows] == ["SMT", "YARD"]
    drawn: dict[str, str] = {channel: html.decode() for channel, _, _, html in render_rows(rows, now)}
    assert "no full tray in the supermarket" in drawn["SMT:en"]
    assert "Bin station TEST" in drawn["SMT:en"]
    assert "Cabinet <span" in drawn["SMT:en"]
    assert "no full container in the supermarket" in drawn["YARD:en"]
    assert "kein voller Korb" in drawn["SMT:de"]
    assert "kein voller Behälter" in drawn["YARD:de"]
    assert {channel.partition(":")[2] for channel in drawn} == {code for code, _ in settings.LANGUAGES}


def test_pages_of_one_place_and_pages_of_several(shop: Shop) -> None:
    eva = browser("eva")
    loop, other = shop.loops["L-HERE"], shop.loops["L-THERE"]
    assert "tray" in own_words(page(eva, f"/l/{loop.pk}")).lower()
    assert "tray" not in own_words(page(eva, f"/l/{other.pk}")).lower()
    card = shop.loops["L-OK"].cards.get(number=1)
    renamed = own_words(page(eva, f"/k/{card.code}"))
    assert re.search(r"\b(?:bin|container|station)s?\b", renamed, re.IGNORECASE) is None
    assert "tray" in renamed
    assert "tray" not in own_words(page(eva, "/calls")).lower()
    assert "tray" not in own_words(page(eva, "/")).lower()
    assert page(eva, "/b/supply/TEST")
    Plant.objects.filter(pk=shop.plant.pk).update(words={"en": {"part": DEMO["en"]["part"]}})
    assert "Items" in page(eva, "/plan/")
    page(eva, "/b/YARD")
    assert wordings().of_area("YARD").words == {"en": {"part": DEMO["en"]["part"]}}
    assert wordings().of_area("SMT").words == DEMO


@pytest.mark.django_db
def test_a_board_and_its_loop_then_speak_as_they_do_now(settings: LazySettings) -> None:
    settings.DEMO = "0"
    floor = Floor(now=timezone.now().astimezone(UTC).replace(second=0, microsecond=0) - timedelta(hours=3))
    floor.station("STORE")
    floor.station("CABINET")
    loop = floor.loop("L", part="Bin station TEST", supply="STORE", demand="CABINET", cards=2, quantity=4)
    floor.scan("L", 1, "empty")
    floor.scan("L", 2, "empty")
    Area.objects.filter(pk=floor.area.pk).update(words=DEMO)
    Membership.objects.create(person=floor.person("eva"), plant=floor.plant, role="planner")
    at = f"{floor.now + timedelta(minutes=5):%Y-%m-%dT%H:%M}"
    for address in (f"/b/PLANT-AREA?at={at}", f"/l/{loop.pk}?at={at}", f"/l/{loop.pk}"):
        shown = page(browser("eva"), address)
        assert "Bin station TEST" in shown
        said = own_words(shown.partition("<main")[2])
        assert re.search(r"\b(?:bin|container|station)s?\b", said, re.IGNORECASE) is None, address


@pytest.mark.parametrize("language", list(FORMS))
def test_a_scan_page_has_the_words_of_its_station_also_without_a_network(shop: Shop, language: str) -> None:
    ole = browser("ole", language)
    ole.post("/s/station/", {"station": "TEST"})
    here = page(ole, "/s/")
    assert wording(DEMO).words[language]["station"]["singular"].lower() in own_words(here).lower()
    told = ole.get(f"/s/words/{language}").json()
    assert told == json.loads(json.dumps(scan_words(language, wordings().of_area("SMT"))))
    ole.post("/s/station/", {"station": "GATE"})
    page(ole, "/s/")
    assert ole.get(f"/s/words/{language}").json() == json.loads(json.dumps(scan_words(language, HOUSE_WORDS)))
    stranger = Client()
    stranger.cookies["area"] = "SMT"
    assert stranger.get(f"/s/words/{language}").json() == json.loads(
        json.dumps(scan_words(language, HOUSE_WORDS))
    )


def test_the_place_of_a_guest_or_of_another_plant_tells_nothing(shop: Shop) -> None:
    other = Plant.objects.create(code="ELSEWHERE", name="Elsewhere", words=OTHERS)
    Area.objects.create(plant=other, code="FAR", name="Far", words=OTHERS)
    eva = browser("eva")
    for address in ("/b/FAR", "/plan/words?place=ELSEWHERE:FAR"):
        answer = eva.get(address)
        assert answer.status_code == 404
        assert "urn" not in own_words(answer.content.decode()).split()


def test_numbers_of_calls_go_with_their_area(shop: Shop) -> None:
    wordings()
    drawn = render_numbers(["SMT", "YARD"], now=timezone.now())
    assert len(drawn) == 2 * len(settings.LANGUAGES)


def test_the_words_cost_a_page_one_short_question(shop: Shop) -> None:
    eva = browser("eva")
    page(eva, "/b/YARD/rows")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page(eva, "/b/YARD/rows")
    assert sum("plant_epoch" in each["sql"] for each in asked) == 1
    assert not any(
        each["sql"].startswith('SELECT "plant_plant"."id", "plant_plant"."words"') for each in asked
    )


# -- scans -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_scan_is_answered_with_the_words_of_where_it_was_made(settings: LazySettings) -> None:
    floor = Floor()
    floor.station("STORE")
    floor.station("CABINET")
    floor.loop("L", part="Bin station 5", supply="STORE", demand="CABINET", cards=2, quantity=4)
    plain = floor.scan("L", 1, "receive")
    Area.objects.filter(pk=floor.area.pk).update(words=DEMO)
    Plant.objects.filter(pk=floor.plant.pk).update(words=DEMO)
    with CaptureQueriesContext(connection) as first:
        renamed = floor.scan("L", 1, "receive")
    assert any("words" in each["sql"] for each in first)
    with CaptureQueriesContext(connection) as second:
        floor.scan("L", 1, "receive")
    assert not any('"words"' in each["sql"] for each in second)
    assert "Bin station 5" in plain["message"]
    assert "Bin station 5" in renamed["message"]
    said = " ".join(str(renamed[name]) for name in ("message", "next")).replace("Bin station 5", "")
    assert re.search(r"\b(?:bin|container|station)s?\b", said, re.IGNORECASE) is None


def test_cards_and_signs_have_the_words_of_their_station(shop: Shop) -> None:
    here, there = (shop.card(shop.loops[code], 1, "FULL") for code in ("L-HERE", "L-THERE"))
    order = Order("http://127.0.0.1", language="de")
    found = [one for one in cards_to_print({shop.plant.pk}) if one.facts.code in (here.code, there.code)]
    said = {one.facts.code: one.words["container"] for one in copies(found, order, timezone.now())}
    assert said == {here.code: "Korb", there.code: "Behälter"}


# -- the page of the words ------------------------------------------------------------------------------
def given(language: str, words: dict[str, dict[str, str]], **more: str) -> dict[str, str]:
    named = {f"{term}-{form}": text for term, forms in words.items() for form, text in forms.items()}
    return {"place": "ORLANDO:YARD", "language": language, **named, **more}


@pytest.mark.parametrize("language", list(FORMS))
def test_words_are_typed_looked_at_saved_and_given_back(shop: Shop, language: str) -> None:
    eva = browser("eva", language)
    address = f"/plan/words?place=ORLANDO:YARD&language={language}"
    fresh = eva.get(address)
    seen = str(fresh.context["seen"])
    assert [each.term for each in fresh.context["told"]] == list(TERMS)
    assert all(before == after for each in fresh.context["told"] for before, after in each.sentences)
    words = OTHERS[language]
    looked = eva.post("/plan/words", given(language, words, seen=seen, do="look"))
    assert looked.status_code == 200
    told = {each.term: each for each in looked.context["told"]}
    for term, forms in words.items():
        changed = [after for before, after in told[term].sentences if before != after]
        assert changed, term
        stem = forms["singular"].lower()[:4]
        assert any(stem in after.lower() for after in changed), term
    yard = Area.objects.get(code="YARD")
    assert yard.words == {}
    saved = eva.post("/plan/words", given(language, words, seen=seen))
    assert saved.status_code == 302
    yard.refresh_from_db()
    assert yard.words == {language: words}
    change = MasterChange.objects.get(kind="areas", key="YARD")
    assert str(change.person) == "Eva"
    assert words["bin"]["singular"] in page(eva, address)
    again = eva.get(address)
    assert len(again.context["history"]) == 1
    assert len(again.context["history"][0].lines) == len(TERMS)
    row = eva.get(f"/plan/areas/{yard.pk}").content.decode()
    assert f"{words['bin']['singular']}, {words['bin']['plural']}" in row
    assert "singular" not in row
    back = eva.post("/plan/words", given(language, words, seen=str(again.context["seen"]), do="ours:bin"))
    assert back.status_code == 302
    yard.refresh_from_db()
    assert set(yard.words[language]) == set(TERMS) - {"bin"}


def test_the_words_of_a_plant_stand_in_its_history_too(shop: Shop) -> None:
    eva = browser("eva")
    asked = given("en", OTHERS["en"]) | {"place": "ORLANDO"}
    assert eva.post("/plan/words", asked).status_code == 302
    assert Plant.objects.get(pk=shop.plant.pk).words == {"en": OTHERS["en"]}
    assert MasterChange.objects.get().kind == "plants"
    assert len(eva.get("/plan/words?place=ORLANDO&language=en").context["history"]) == 1
    # An area without words of its own speaks as its plant does; the form of the area shows that as its starting point.
    told = eva.get("/plan/words?place=ORLANDO:YARD&language=en").context["told"]
    assert told[0].ours == "urn, urns"


def test_what_cannot_be_a_word_is_refused_by_name_and_kept(shop: Shop) -> None:
    eva = browser("eva")
    for text, sentence in (
        ("", "This form is missing."),
        ("<script>alert(1)</script>", "Write one word of letters: no blank, no digit, no sign."),
        ("two trays", "Write one word of letters: no blank, no digit, no sign."),
        ("t" * 31, "Write at most 30 letters."),
    ):
        answer = eva.post("/plan/words", given("en", {"bin": {"singular": text, "plural": "trays"}}))
        assert answer.status_code == 422
        said = answer.content.decode()
        assert sentence in said
        assert 'value="trays"' in said
        assert "<script>alert" not in said
        bin_word = answer.context["told"][0]
        assert bin_word.boxes[0].value == text
        assert bin_word.boxes[0].problems == [sentence]
    answer = eva.post("/plan/words", given("de", {"bin": {**DEMO["de"]["bin"], "gender": ""}}))
    assert answer.context["told"][0].gender_problem == "Choose the gender: articles follow it."
    assert Area.objects.get(code="YARD").words == {}


def test_two_who_change_at_once_do_not_overwrite_each_other(shop: Shop) -> None:
    eva = browser("eva")
    seen = str(eva.get("/plan/words?place=ORLANDO:YARD&language=en").context["seen"])
    assert eva.post("/plan/words", given("en", OTHERS["en"], seen=seen)).status_code == 302
    second = eva.post("/plan/words", given("en", DEMO["en"], seen=seen))
    assert second.status_code == 409
    assert 'value="tray"' in second.content.decode()
    assert Area.objects.get(code="YARD").words == {"en": OTHERS["en"]}
    third = eva.post("/plan/words", given("en", DEMO["en"], seen=str(second.context["seen"])))
    assert third.status_code == 302


def test_operators_look_and_do_not_change(shop: Shop) -> None:
    ole = browser("ole")
    assert "disabled" in page(ole, "/plan/words?place=ORLANDO:YARD&language=en")
    assert ole.post("/plan/words", given("en", OTHERS["en"])).status_code == 403
    assert Client().get("/plan/words").status_code == 302
    assert browser("eva").get("/plan/words?place=NOWHERE").status_code == 404


def test_the_sentences_that_are_shown_are_sentences_of_the_product() -> None:
    known = pairs("de")
    assert [text for texts in SENTENCES.values() for text in texts if text not in known] == []
    assert set(TERM_WORDS) == set(SENTENCES) == set(TERMS)
    assert {form.name for forms in FORMS.values() for form in forms} <= set(FORM_WORDS)
    assert SHEET_WORDS


# -- files and API ---------------------------------------------------------------------------------------
def test_shop_files_and_rest_have_the_words_and_their_checks(shop: Shop) -> None:
    from jitapp.pull.setup import set_up_shop

    def load(words: object) -> list[str]:
        head = {"code": "ORLANDO", "areas": [{"code": "YARD", "words": words}]}
        done = set_up_shop({"shop": "1", "plants": [head]}, now=timezone.now())
        return [problem.message for problem in done.report.errors]

    assert load({"en": DEMO["en"]}) == []
    assert Area.objects.get(code="YARD").words == {"en": DEMO["en"]}
    assert load({"en": {"bin": {"singular": "t<b>", "plural": "trays"}}}) == [
        "The singular of bin in en may have nothing but letters: one word, no blank, no sign."
    ]
    assert load({"en": {"box": {"singular": "tray", "plural": "trays"}}}) == [
        "'box' is no word that can be renamed. There are bin, station, part, card."
    ]
    assert load({"en": {"bin": {"singular": "tray"}}}) == ["The plural of bin in en is missing."]
    assert Area.objects.get(code="YARD").words == {"en": DEMO["en"]}
