"""Labels of other people: GS1, Digital Link, ISO 15434, retail numbers, SAP's barcode, single data identifiers."""

from __future__ import annotations

from typing import Any

import pytest

from jitapp.symbology.cardcode import make_code
from jitapp.symbology.decode import Site, decode
from jitapp.symbology.meaning import canonical, meaning_of
from jitapp.symbology.reading import Kind

CODE = make_code(77)
GTIN = "09501101530003"
LABEL = "[)>\x1e06\x1dP8613013591\x1d1T\x1dQ448\x1d15K{}\x1d6JUN449113031\x1e\x04"


def elements(**pairs: str) -> dict[str, str]:
    return {name.removeprefix("ai"): value for name, value in pairs.items()}


@pytest.mark.parametrize(
    "carrier", ["]C1{}", "]d2{}", "]Q3{}", "]e0{}", "]J1{}", "\x1d{}", "\u241d{}", "{{GS}}{}", "{{FNC1}}{}"]
)
def test_element_strings_are_read_where_the_symbol_says_that_they_are_some(carrier: str) -> None:
    reading = decode(carrier.format(f"01{GTIN}10ABC\x1d17290331"))
    assert (reading.kind, dict(reading.ai)) == (Kind.GS1, elements(ai01=GTIN, ai10="ABC", ai17="290331"))
    assert reading.problems == ()


@pytest.mark.parametrize(
    "raw", [f"01{GTIN}10ABC", "10000123", "3700012", "2112345", f"]C001{GTIN}", f"]Q101{GTIN}"]
)
def test_bare_digits_are_never_taken_for_application_identifiers(raw: str) -> None:
    assert decode(raw).kind is Kind.UNKNOWN


def test_element_strings_in_brackets_are_read_as_people_write_them() -> None:
    reading = decode(f"(01) {GTIN} (10)A(2012)B(91){CODE}")
    assert dict(reading.ai) == elements(ai01=GTIN, ai10="A(2012)B", ai91=CODE)
    assert reading.card == CODE
    assert decode("(2) boxes").kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("]C1", "There is nothing in this GS1 message."),
        ("]C1\x1d", "There is nothing in this GS1 message."),
        ("]C10112345678901234", "AI 01: 12345678901234 has a wrong check digit."),
        ("]C12531313131313134", "AI 253: 1313131313134 has a wrong check digit."),
        ("]C140213131313131313132", "AI 402: 13131313131313132 has a wrong check digit."),
        ("]C1800302112345678901ABC", "AI 8003: 02112345678901ABC has a wrong check digit."),
        ("]C18017313131313131313139", "AI 8017: 313131313131313139 has a wrong check digit."),
        ("]C18026123456789012341212", "AI 8026: 123456789012341212 has a wrong check digit."),
        ("]C18006123456789012310302", "AI 8006: 123456789012310302 is no piece of a total."),
        ("]C18004ABC1234", "AI 8004: ABC1234 does not begin with a GS1 company prefix."),
        ("]C111110229", "AI 11: 110229 is no date."),
        ("]C17003170229" + "2400", "AI 7003: 1702292400 is no date."),
        ("]C170031702282400", "AI 7003: 1702282400 is no time of day."),
        ("]C170072112252", "AI 7007: 2112252 is not of the form N6[+N6]."),
        ("]C121123456789012345678901", "AI 21: 123456789012345678901 is not of the form X..20."),
        ("]C130", "AI 30: nothing is not of the form N..8."),
        ("]C1891234", "8912 is no application identifier of GS1."),
        ("]C110ABC\x1d10DEF", "AI 10 stands there twice, as ABC and as DEF."),
        ("]C199ABC~", "AI 99: ABC~ is not of the form X..90."),
    ],
)
def test_what_is_wrong_with_an_element_string_is_named(raw: str, problem: str) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.problems[0]) == (Kind.GS1, problem)


@pytest.mark.parametrize(
    "raw", ["]C111121200", "]C111000229", "]C143242912319999", "]C110ABC\x1d10ABC", f"]C101{GTIN}\x1d"]
)
def test_what_only_looks_wrong_is_not_named(raw: str) -> None:
    assert decode(raw).problems == ()


def test_the_rest_of_a_message_is_read_behind_what_cannot_be() -> None:
    reading = decode(f"]C115021\x1d01{GTIN}")
    assert dict(reading.ai) == elements(ai01=GTIN)
    assert len(reading.problems) == 1


@pytest.mark.parametrize(
    "start", ["https://id.gs1.org", "HTTPS://ID.GS1.ORG", "http://a:8080/stem", "]Q1https://[2001:db8::1]"]
)
def test_a_digital_link_is_read_whatever_its_host(start: str) -> None:
    reading = decode(f"{start}/01/{GTIN}/10/A%2FB/21/7?17=290331&linkType=all#x")
    wanted = elements(ai01=GTIN, ai10="A/B", ai21="7", ai17="290331")
    assert (reading.kind, dict(reading.ai), reading.problems) == (Kind.DIGITAL_LINK, wanted, ())


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("01/9501101530003", "AI 01: 9501101530003 has 13 digits instead of 14."),
        (f"01/{GTIN}/21/7?21=7", "AI 21 stands there twice."),
        (f"01/{GTIN}?10=ABC", "AI 10 belongs in the path of the address, not in its query."),
        (f"01/{GTIN}/21/7/10/A", "21, 10 cannot follow 01 in that order."),
        (f"01/{GTIN}/89/7", "89 cannot follow 01 in that order."),
        (f"01/{GTIN}?89=7", "89 is no application identifier of GS1."),
        (f"01/{GTIN}/", "The address ends with a slash."),
        (f"gtin/{GTIN}", "gtin is no application identifier of GS1."),
        (f"01/{GTIN}/10/A<B", "The address holds characters that no address may hold."),
    ],
)
def test_what_is_wrong_with_a_digital_link_is_named_and_the_link_read(rest: str, problem: str) -> None:
    reading = decode(f"https://id.gs1.org/{rest}")
    assert (reading.kind, reading.ai["01"]) == (Kind.DIGITAL_LINK, GTIN)
    assert problem in reading.problems


@pytest.mark.parametrize(
    "raw", ["https://shop.example/2024/01/news", "https://shop.example/", "http://", "https://a/k/KB123"]
)
def test_an_address_of_something_else_is_an_address(raw: str) -> None:
    reading = decode(raw)
    assert reading.kind is Kind.URL
    assert reading.problems


@pytest.mark.parametrize(
    "raw",
    [
        LABEL.format("4711"),
        "]d1" + LABEL.format("4711"),
        LABEL.format("4711").removesuffix("\x1e\x04"),
        ">" + LABEL.format("4711").replace("[)>\x1e", "[)>"),
        LABEL.format("4711").translate({0x1D: "\u241d", 0x1E: "\u241e", 0x04: "\u2404"}),
        LABEL.format("4711").replace("\x1d", "{GS}").replace("\x1e", "{RS}").replace("\x04", "{EOT}"),
        LABEL.format("4711").replace("\x1d", "^]").replace("\x1e", "^^").replace("\x04", ""),
        # Some of the controls as they are, others by name.
        LABEL.format("4711").replace("\x1e", "{RS}").replace("\x04", "{EOT}"),
        LABEL.format("4711").replace("\x1e", "\u241e").replace("\x04", ""),
        LABEL.format("4711").replace("\x04", "^D"),
        LABEL.format("4711").replace("\x1d", "<GS>"),
    ],
)
def test_an_envelope_is_read_as_labels_carry_it_and_scanners_send_it(raw: str) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.problems) == (Kind.ISO15434, ())
    wanted = [("P", "8613013591"), ("1T", ""), ("Q", "448"), ("15K", "4711"), ("6J", "UN449113031")]
    assert list(reading.di) == wanted
    assert (reading.first("1T", "Q"), reading.first("V")) == ("448", "")


@pytest.mark.parametrize("value", ["A^^B", "A^D", "{RS}A", "A{RS}B"])
def test_what_only_looks_like_a_separator_stays_in_its_value(value: str) -> None:
    reading = decode(LABEL.format(value))
    assert (reading.first("15K"), reading.problems) == (value, ())


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("(422)123", "AI 422: 123 does not name a country."),
        ("(423)276123", "AI 423: 276123 does not name a country."),
        ("(7030)123ABC", "AI 7030: 123ABC does not name a country."),
        ("(3912)1231000", "AI 3912: 1231000 does not begin with a currency."),
        ("(8007)DE89370400440532013001", "AI 8007: DE89370400440532013001 is no bank account."),
        ("(8001)12345678901234", "AI 8001: 12345678901234 has no direction of winding."),
        ("(8112)123", "AI 8112: 123 is no coupon."),
    ],
)
def test_what_is_in_no_list_is_read_and_named(raw: str, said: str) -> None:
    reading = decode(raw)
    assert (len(reading.ai), reading.problems) == (1, (said,))


@pytest.mark.parametrize(
    "raw",
    ["(422)276", "(423)276756", "(7030)999ABC", "(3912)9781000", "(8007)DE89370400440532013000"],
)
def test_what_is_in_a_list_is_read_clean(raw: str) -> None:
    assert decode(raw).problems == ()


def test_our_own_code_in_15k_closes_our_own_card() -> None:
    assert decode(LABEL.format(CODE)).card == CODE
    assert meaning_of(LABEL.format(CODE)).names == (CODE,)


def test_an_envelope_of_gs1_elements_free_text_and_two_formats() -> None:
    reading = decode(f"[)>\x1e05\x1d01{GTIN}\x1d10A\x1e06\x1dQ5\x1e07free text\x1e\x04")
    assert dict(reading.ai) == elements(ai01=GTIN, ai10="A")
    assert (reading.di, reading.other, reading.problems) == ((("Q", "5"),), ("free text",), ())


def test_binary_content_is_taken_by_its_length() -> None:
    reading = decode(
        "[)>\x1e01\x1d027\x1d840\x1e06\x1d20Z0.00\x1c134\x1d\x1e09\x1dX\x1dz\x1d4\x1d-\x1e\x1d\x04\x1e06\x1dQ1\x1e\x04"
    )
    assert list(reading.di) == [("20Z", "0.00\x1c134"), ("Q", "1")]
    assert reading.problems == ()


def test_health_industry_content_and_text_elements() -> None:
    reading = decode("[)>\x1e06\x1d+/ACMRN123456/V200912190833\x1e\x04")
    assert (reading.di, reading.other, reading.problems) == ((), ("+/ACMRN123456/V200912190833",), ())
    reading = decode("[)>\x1e12\x1dMFR D1234\x1d12345\x1dSER 7\x1e\x04")
    assert (reading.di, reading.other, reading.problems) == ((("MFR", "D1234"), ("SER", "7")), ("12345",), ())


@pytest.mark.parametrize("raw", ["[)>06P12345Q1015K4711", "[)>061P4L001415KKB1", "[)> 06 P12"])
def test_an_envelope_without_separators_is_refused_by_name(raw: str) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.separators_lost, reading.di) == (Kind.ISO15434, True, ())
    assert "separators are missing" in reading.problems[0]
    assert meaning_of(raw).refusal == "separators_lost"


@pytest.mark.parametrize(
    "raw",
    [
        "[)>",
        "[)>\x1e",
        "[)>\x1e06\x1e",
        "[)>\x1e06\x1d",
        "[)>\x1e0612345",
        "[)>\x1e06\x1d!!",
        "[)>\x1eXX\x1dP1",
    ],
)
def test_a_broken_envelope_is_named(raw: str) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.di) == (Kind.ISO15434, ())
    assert reading.problems


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("96385074", "00000096385074"),
        ("614141000036", "00614141000036"),
        ("4006381333931", "04006381333931"),
        ("]E04006381333931", "04006381333931"),
        ("]E3400638133393112", "04006381333931"),
        ("10614141000415", "10614141000415"),
    ],
)
def test_retail_numbers_of_every_length_are_one_number(raw: str, number: str) -> None:
    reading = decode(raw)
    assert (reading.kind, dict(reading.ai), reading.problems) == (Kind.GTIN, elements(ai01=number), ())


@pytest.mark.parametrize(
    "raw", ["4006381333932", "]E04006381333932", "00000000", "123456789", "12345678901234567"]
)
def test_other_digits_are_nothing(raw: str) -> None:
    reading = decode(raw)
    assert reading.kind is Kind.UNKNOWN
    assert reading.problems


def test_saps_barcode_is_the_kanban_and_the_status_to_set() -> None:
    reading = decode("00000012342")
    assert (reading.kind, reading.card, reading.status) == (Kind.SAP_KANBAN, "0000001234", "2")
    assert decode("00000012347").kind is Kind.UNKNOWN  # SAP has no such status
    assert decode("00000012342", Site(sap_kanban=False)).kind is Kind.UNKNOWN


def test_single_data_identifiers_are_read_only_where_the_site_has_switched_them_on() -> None:
    site = Site(identifiers=frozenset({"P", "1P", "15K"}))
    assert decode("P12345").kind is Kind.UNKNOWN
    assert decode("P12345", site).di == (("P", "12345"),)
    assert decode("1P4L0014", site).di == (("1P", "4L0014"),)
    assert decode(f"15K{CODE}", site).card == CODE
    assert decode("Q50", site).kind is Kind.UNKNOWN


def test_what_a_site_adds_to_every_scan_is_taken_off() -> None:
    assert decode(f"~{CODE}#", Site(prefix="~", suffix="#")).problems == ()


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("urn:epc:tag:giai-96:3.0614141.02", "urn:epc:id:giai:0614141.02"),
        ("]C180044012345KAN7", "(8004)4012345KAN7"),
        ("]C100376104250021234569", "(00)376104250021234569"),
        (f"https://id.gs1.org/01/{GTIN}/21/7", f"(01){GTIN}(21)7"),
        (LABEL.format("4711"), "15K4711"),
        (LABEL.format(""), "6JUN449113031"),
        ("4006381333931", "04006381333931"),
        ("00000012342", "0000001234"),
        (CODE.lower(), CODE),
        (" BIN-1 ", "BIN-1"),
    ],
)
def test_a_thing_is_kept_under_one_spelling(raw: str, name: str) -> None:
    assert canonical(decode(raw)) == name


def test_the_public_members_are_those_that_apply() -> None:
    told: dict[str, Any] = decode(LABEL.format(CODE)).told()
    assert list(told) == ["kind", "di", "card", "problems"]
    assert told["di"][0] == ["P", "8613013591"]
    assert decode(f"]C101{GTIN}").told() == {"kind": "gs1", "ai": {"01": GTIN}, "problems": []}
