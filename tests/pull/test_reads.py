"""From what a scanner sends to the card: every carrier of a card's code, names of other systems, and reads of which the
last code alone must never count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Identifier, Membership
from jitapp.pull import actions
from jitapp.pull.actions import stages
from jitapp.pull.models import Event, Receipt
from jitapp.pull.scan_request import Answer, ScanRequest, Source, escaped, unescaped
from jitapp.symbology.cardcode import make_code
from jitapp.symbology.layouts import is_unmistakable, pressed
from tests.floor import Floor
from tests.stories.shops import two_bins

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("true_ledger")]

TAG = "urn:epc:id:giai:0614141.02"
ENVELOPE = "[)>\x1e06\x1dP{part}\x1dQ10\x1d15K{kanban}\x1dV123\x1e\x04"


@pytest.fixture
def floor() -> Floor:
    return two_bins()


def scan(floor: Floor, raw: str) -> dict[str, Any]:
    answer = floor.send(ScanRequest(id=new_uuid(), code=raw, station="LINE", intent="empty"))
    assert isinstance(answer, Answer), answer
    assert Receipt.objects.get(scan_id=answer.body["id"]).raw == escaped(raw)
    return answer.body


def known_as(floor: Floor, name: str, card: int = 2) -> None:
    Identifier.objects.create(code=name, kind=Identifier.Kind.CARD, target_id=floor.card("L", card).pk)


@pytest.mark.parametrize(
    "raw",
    [
        "{code}",
        "{lower}",
        "https://elsewhere.example:8443/k/{code}?from=phone",
        "{code:.4}-{tail}",
        " {code:.2} {body} ",
        "{body}",
        "{typed}",
        "]C191{code}",
        "]d28004{code}",
        "]Q1https://id.gs1.org/01/09501101530003/21/{code}",
        "[)>\x1e06\x1d15K{code}\x1dP1\x1e\x04",
        ">[)>06\x1d15K{code}",
        "\x1d91{code}",
    ],
)
def test_a_cards_own_code_is_read_from_every_carrier(floor: Floor, raw: str) -> None:
    code = floor.card("L", 2).code
    sent = raw.format(
        code=code,
        lower=code.lower(),
        tail=code[4:],
        body=code[2:],
        typed=code.replace("0", "o").replace("1", "l"),
    )
    assert scan(floor, sent)["code"] == "emptied"
    assert floor.status("L") == ["IN_USE", "EMPTY"]


@pytest.mark.parametrize("layout", ["de", "fr", "cz", "es", "uk"])
@pytest.mark.parametrize("caps", ["off", "letters"])
def test_a_code_typed_through_a_wrong_keyboard_layout_is_read(floor: Floor, layout: str, caps: str) -> None:
    code = floor.card("L", 2).code
    assert scan(floor, pressed(code, layout, caps))["code"] == "emptied"


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("15K4711", ENVELOPE.format(part="X", kanban="4711")),
        ("4711", ENVELOPE.format(part="X", kanban="4711")),
        ("(8004)4012345KAN7", "]C180044012345KAN7"),
        ("(8004)4012345KAN7", "https://id.gs1.org/8004/4012345KAN7"),
        ("4012345KAN7", "(8004)4012345KAN7"),
        ("BLUE-7", "]C191BLUE-7"),
        ("(01)09501101530003(21)7", "]d2010950110153000321" + "7"),
        (TAG, "urn:epc:tag:giai-96:3.0614141.02"),
        (TAG, "urn:epc:tag:giai-96:1.0614141.02"),
        ("0000001234", "00000012342"),
        ("PALLET017", "PALLET017"),
    ],
)
def test_a_name_of_another_system_is_looked_up_in_its_own_spelling(floor: Floor, name: str, raw: str) -> None:
    known_as(floor, name)
    assert scan(floor, raw)["code"] == "emptied"
    assert floor.status("L") == ["IN_USE", "EMPTY"]


@pytest.mark.parametrize(
    ("raw", "code", "shown"),
    [
        ("4006381333931", "makers_label", "GTIN 04006381333931"),
        ("]d2010950110153000310ABC", "makers_label", "GTIN 09501101530003"),
        (ENVELOPE.format(part="8613013591", kanban=""), "makers_label", "8613013591"),
        ("https://id.gs1.org/01/09501101530003", "makers_label", "GTIN 09501101530003"),
        (ENVELOPE.format(part="X", kanban="4711"), "unknown_card", "4711"),
        ("[)>06P12345Q10", "separators_lost", ""),
        ("10000123", "not_a_card_code", "10000123"),
        ("00000012342", "not_a_card_code", "00000012342"),
        ("PART 7", "not_a_card_code", "PART 7"),
    ],
)
def test_what_names_no_card_is_refused_by_name(floor: Floor, raw: str, code: str, shown: str) -> None:
    answer = scan(floor, raw)
    assert (answer["outcome"], answer["code"]) == ("refused", code)
    assert shown in answer["message"]
    assert not Event.objects.filter(scan_id=answer["id"]).exists()


def test_two_codes_in_one_read_are_refused_with_both_and_move_none(floor: Floor) -> None:
    first, second = floor.card("L", 1).code, floor.card("L", 2).code
    answer = scan(floor, first + second)
    assert (answer["outcome"], answer["code"]) == ("refused", "two_codes")
    assert answer["message"] == f"Several codes in one read: {first} + {second}."
    assert floor.status("L") == ["FULL", "FULL"]


def test_a_label_that_is_known_as_two_cards_moves_none(floor: Floor) -> None:
    known_as(floor, "15K4711", 1)
    known_as(floor, "55B900", 2)
    answer = scan(floor, "[)>\x1e06\x1d15K4711\x1d55B900\x1e\x04")
    assert (answer["code"], answer["message"]) == (
        "two_codes",
        "Several codes in one read: 15K4711 + 55B900.",
    )


def test_a_wrong_symbol_is_a_bad_read_though_a_layout_would_make_a_code_of_it(floor: Floor) -> None:
    """A Y for a Z may be a slip or a German keyboard: only a card that there is decides."""
    code = next(code for code in map(make_code, range(1, 10_000)) if "Z" in code[2:])
    answer = scan(floor, pressed(code, "de"))
    assert answer["code"] == "bad_check"


def test_an_unknown_kanban_number_is_given_to_its_card_in_the_spelling_of_its_label(floor: Floor) -> None:
    raw = ENVELOPE.format(part="X", kanban="4711")
    unknown = scan(floor, raw)
    lea = floor.person("lea")
    Membership.objects.create(person=lea, plant=floor.plant, role=Role.LEADER)
    plants = frozenset({floor.plant.pk})
    leader = Source(person_id=lea.pk, plant_ids=plants, roles={floor.plant.pk: frozenset({Role.LEADER})})
    typed = f" {floor.card('L', 2).code[2:].lower().replace('0', 'o')} "
    done = actions.settle_scan(
        scan_id=UUID(unknown["id"]), how="assign", card=typed, key=new_uuid(), now=floor.now, source=leader
    )
    assert done.how == "assigned"
    assert Identifier.objects.filter(code="15K4711", target_id=floor.card("L", 2).pk).exists()
    assert scan(floor, ENVELOPE.format(part="Y", kanban="4711"))["code"] == "emptied"


def test_a_single_data_identifier_is_looked_up_where_the_shop_has_switched_it_on(
    floor: Floor, settings: Any
) -> None:
    known_as(floor, "4711")
    assert scan(floor, "15K4711")["code"] == "not_a_card_code"
    settings.DATA_IDENTIFIERS = frozenset({"15K", "P"})
    assert (scan(floor, "P123")["code"], scan(floor, "15K4711")["code"]) == ("makers_label", "emptied")


def test_remembered_codes_cost_no_question(floor: Floor, django_assert_num_queries: Any) -> None:
    code = floor.card("L", 2).code
    scan(floor, code)
    with django_assert_num_queries(0):
        found = stages.read(
            [ScanRequest(id=new_uuid(), code=code), ScanRequest(id=new_uuid(), code=code.lower())]
        )
    assert {each.card_id for each in found} == {floor.card("L", 2).pk}


@given(st.text(max_size=40).filter(lambda text: "\\" not in text))
def test_a_raw_scan_is_had_back_from_the_receipt(raw: str) -> None:
    assert unescaped(escaped(raw)) == raw


@given(st.text(st.sampled_from("\\xuU0189aftrn"), max_size=20))
def test_any_stored_text_is_read_back_without_an_exception(stored: str) -> None:
    assert isinstance(unescaped(stored), str)


def test_new_cards_have_codes_that_no_layout_makes_another_of(floor: Floor) -> None:
    assert all(is_unmistakable(floor.card("L", number).code) for number in (1, 2))
