"""What the rules refuse, as planners read it: in their language, with the labels and words of the forms."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation
from django.utils.translation import gettext

from jitapp.accounts.models import Person
from jitapp.kanban.stated import Chain, Stated, members, stated, stated_of
from jitapp.kanban.vocabulary import StationKind
from jitapp.plant.masters.wrong import twins
from jitapp.plant.shopfile import FORMAT
from jitapp.pull.actions import Refused
from jitapp.pull.setup import set_up_shop
from jitapp.web.masters.refusals import in_words, refused
from tests.web.catalogue import LANGUAGES
from tests.web.shop import Shop, a_person, every_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    made = every_state()
    a_person(made, roles=("planner",), username="eva")
    return made


@pytest.fixture
def eva(shop: Shop) -> Client:
    made = Client()
    made.force_login(Person.objects.get(username="eva"))
    return made


def texts(page: Any) -> str:
    return str(page.content.decode())


def said(language: str, sentence: Stated, kind: str = "stations") -> str:
    with translation.override(language):
        return in_words(kind, sentence)


def test_a_sentence_says_its_facts_in_english() -> None:
    assert str(twins("A-1", "a-1")).startswith("A-1 and a-1 differ only in capital letters.")
    many = stated_of(2, "{n} open turn", "{n} open turns")
    assert (str(many), str(stated_of(1, "{n} open turn", "{n} open turns"))) == (
        "2 open turns",
        "1 open turn",
    )
    assert str(stated("{what}, {kinds}", what=many, kinds=("A", "B"))) == "2 open turns, A, B"
    assert str(Chain(("A", "B", "A"), stated("is made from"))) == "A is made from B is made from A"


def test_members_and_words_of_the_domain_are_named_as_the_form_names_them() -> None:
    needs = stated("A new loop needs {members}.", members=members(["quantity", "supply"]))
    assert said("de", needs, "loops") == (
        "Einem neuen Regelkreis fehlt: “Stück in einem Behälter”, “Von: wer füllt”."
    )
    kind = stated(
        "A station of kind {kind} names its supplier, and no other station does.", kind=StationKind.SUPPLIER
    )
    assert "SUPPLIER" in str(kind)
    assert "SUPPLIER" not in said("en", kind)
    assert said("es", kind) == (
        "Un puesto de clase “Desde aquí entrega un proveedor” indica su proveedor, y ningún otro puesto lo hace."
    )


def test_numbers_take_the_form_of_the_language() -> None:
    turns = [stated_of(n, "{n} open turn", "{n} open turns") for n in (1, 2, 5)]
    assert [said("pl", each) for each in turns] == ["1 otwarty cykl", "2 otwarte cykle", "5 otwartych cykli"]


def test_a_circle_is_told_with_words_between_its_parts() -> None:
    circle = stated(
        "The bills go in a circle: {circle}. Take one of these lines out.",
        circle=Chain(("LID", "BOX", "LID"), stated("is made from")),
    )
    assert "LID est fait de BOX est fait de LID" in said("fr", circle, "bills")


def test_a_refusal_without_facts_stands_behind_what_it_is_about() -> None:
    with translation.override("de"):
        assert refused(Refused("An order needs a key.")).endswith(" (An order needs a key.)")
        assert refused(
            Refused(stated("A loop needs at least one card. Retire the loop instead."))
        ).startswith("Ein Regelkreis braucht mindestens eine Karte.")
    with translation.override("en"):
        assert refused(Refused("An order needs a key.")) == "An order needs a key."


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_a_form_says_why_in_the_language_of_the_page(eva: Client, language: str) -> None:
    eva.cookies["django_language"] = language
    made = eva.post("/plan/stations/new", {"code": "DOCK-9", "kind": "SUPPLIER", "plant": "ORLANDO"})
    assert made.status_code == 422
    kind = stated(
        "A station of kind {kind} names its supplier, and no other station does.", kind=StationKind.SUPPLIER
    )
    assert html.escape(said(language, kind)) in texts(made)
    assert (language == "en") == ("names its supplier" in texts(made))


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
def test_loops_in_bulk_say_why_in_the_language_of_the_page(eva: Client, shop: Shop, language: str) -> None:
    eva.cookies["django_language"] = language
    sent = {"pick": [shop.loops["L-MOVE"].pk], "do": "retire", "reason": "not made any more"}
    (outcome,) = eva.post("/plan/loops/bulk", sent).context["outcomes"]
    under_way = "is under way. Receive it or correct it, then retire the loop."
    assert (under_way in outcome.problem) == (language == "en")
    assert "(" not in outcome.problem  # no English sentence stands behind a translated headline
    with translation.override(language):
        pattern = gettext("Card {n} is under way. Receive it or correct it, then retire the loop.")
    assert re.fullmatch(re.escape(pattern).replace(r"\{n\}", r"\d+"), outcome.problem)


def test_files_and_the_api_read_english_whatever_the_language(shop: Shop) -> None:
    plant = shop.plant
    row = {"code": "DOCK-9", "kind": "SUPPLIER"}
    with translation.override("de"):
        done = set_up_shop(
            {"shop": FORMAT, "plants": [{"code": plant.code, "stations": [row]}]},
            now=timezone.now(),
            dry_run=True,
        )
    (problem,) = done.report.errors
    assert problem.message == "A station of kind SUPPLIER names its supplier, and no other station does."
