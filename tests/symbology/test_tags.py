"""RFID tags and EPC URNs; the bits of the tags of EPC Tag Data Standard 2 are put together here."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitapp.symbology.cardcode import make_code
from jitapp.symbology.decode import decode, decode_epc
from jitapp.symbology.reading import Kind

GIAI_96 = "3476451FD40000000000162E"


def test_a_tag_has_its_identity_its_urn_with_the_filter_and_its_elements() -> None:
    reading = decode_epc(GIAI_96)
    assert reading.kind is Kind.EPC
    assert (reading.urn, reading.tag_urn) == (
        "urn:epc:id:giai:9521141.5678",
        "urn:epc:tag:giai-96:3.9521141.5678",
    )
    assert (dict(reading.ai), reading.problems) == ({"8004": "95211415678"}, ())
    for raw in (GIAI_96.lower(), " ".join(GIAI_96), GIAI_96 + "0000"):
        assert decode_epc(raw).urn == reading.urn


def test_the_filter_value_changes_the_tag_and_not_the_thing() -> None:
    other = decode_epc("3436451FD40000000000162E")
    assert other.urn == decode_epc(GIAI_96).urn
    assert other.tag_urn != decode_epc(GIAI_96).tag_urn


@pytest.mark.parametrize(
    "raw",
    ["urn:epc:id:giai:9521141.5678", "urn:epc:tag:giai-96:3.9521141.5678", "URN:EPC:ID:GIAI:9521141.5678"],
)
def test_a_urn_is_read_to_the_same_thing(raw: str) -> None:
    reading = decode(raw)
    assert (reading.kind, reading.urn, dict(reading.ai)) == (
        Kind.EPC,
        "urn:epc:id:giai:9521141.5678",
        {"8004": "95211415678"},
    )


def test_a_card_code_of_ours_behind_the_company_prefix_of_a_giai_is_the_card() -> None:
    code = make_code(77)
    tag = hexadecimal("11111010" + "0000" + nibbles("9521141") + "1110" + alphanumeric(code, 5))
    assert decode_epc(tag).card == code
    for raw in (
        f"urn:epc:id:giai:9521141.{code}",
        f"]C180049521141{code}",
        f"https://id.gs1.org/8004/9521141{code}",
    ):
        assert decode(raw).card == code


def test_parts_of_aircraft_are_read_which_the_library_cannot() -> None:
    reading = decode_epc("3B0E0CF5E76C9047759AD00373DC7602E7200")
    assert reading.tag_urn == "urn:epc:tag:adi-var:3.35962.PQ7VZ4.M37GXB92"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "is not the hex"),
        ("XYZ", "is not the hex"),
        ("E28011606000020497CB0065", "E2 is no header"),
        ("3476451FD4", "giai-96 has 96 bits; these are 40"),
        ("307C" + "0" * 20, "This is no sgtin-96"),
        ("F737952114111A" + "0" * 20, "A digit of the tag is none"),
        ("F737", "The tag ends before its content does"),
        ("FB37" + "0" * 30, "a kind of date that is not known"),
    ],
)
def test_a_tag_that_cannot_be_read_says_why(raw: str, said: str) -> None:
    reading = decode_epc(raw)
    assert (reading.kind, reading.urn) == (Kind.UNKNOWN, "")
    assert said in reading.problems[0]


def test_hex_is_a_tag_for_a_scanner_only_if_it_can_be_nothing_else() -> None:
    assert decode(GIAI_96).kind is Kind.EPC
    assert decode("3034257BF7194E4000001A85").urn == "urn:epc:id:sgtin:0614141.812345.6789"
    assert decode("303425789719454000001985").kind is Kind.UNKNOWN  # digits alone
    assert decode("E28011606000020497CB0065").kind is Kind.UNKNOWN


# -- tags of TDS 2, put together as the standard says ----------------------------------------------------------
def nibbles(digits: str) -> str:
    return "".join(f"{int(digit):04b}" for digit in digits)


def alphanumeric(text: str, encoding: int) -> str:
    """14.5.6 with this indicator."""
    head = f"{encoding:03b}{len(text):05b}"
    if encoding == 0:
        return head + f"{int(text or 0):0{(10 ** len(text) - 1).bit_length()}b}" * bool(text)
    if encoding in (1, 2):
        return head + "".join(f"{int(char, 16):04b}" for char in text)
    if encoding == 3:
        table = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
        return head + "".join(f"{table.index(char):06b}" for char in text)
    if encoding == 4:
        return head + "".join(f"{ord(char):07b}" for char in text)
    table = " " + string.ascii_uppercase + "-.:" + string.digits
    padded = text.ljust(-(-len(text) // 3) * 3)
    groups = (padded[place : place + 3] for place in range(0, len(padded), 3))
    values = ([table.index(char) for char in group] for group in groups)
    return head + "".join(f"{1600 * first + 40 * second + third + 1:016b}" for first, second, third in values)


def hexadecimal(bits: str) -> str:
    bits += "0" * (-len(bits) % 16)
    return f"{int(bits, 2):0{len(bits) // 4}X}"


ALPHABETS = {
    0: string.digits,
    1: "0123456789ABCDEF",
    2: "0123456789abcdef",
    3: string.ascii_letters + string.digits + "-_",
    4: string.ascii_letters + string.digits + "!\"%&'()*+,-./:;<=>?_",
    5: string.ascii_uppercase + string.digits + "-.:",
}
serials = st.sampled_from(sorted(ALPHABETS)).flatmap(
    lambda encoding: st.tuples(st.just(encoding), st.text(ALPHABETS[encoding], min_size=1, max_size=20))
)


@given(serials)
def test_serials_come_back_in_every_encoding(serial: tuple[int, str]) -> None:
    encoding, text = serial
    tag = hexadecimal("11110111" + "0" + "011" + nibbles("79521141123453") + alphanumeric(text, encoding))
    reading = decode_epc(tag)
    assert (dict(reading.ai), reading.problems) == ({"01": "79521141123453", "21": text}, ())
    asset = hexadecimal(
        "11110001" + "1" + "000" + nibbles("09521141123454") + alphanumeric(text[:16], encoding)
    )
    assert decode_epc(asset).ai == {"8003": f"09521141123454{text[:16]}"}


def test_the_other_schemes_of_tds_2() -> None:
    assert decode_epc(hexadecimal("11111001" + "0000" + nibbles("095201234567891235"))).ai == {
        "00": "095201234567891235"
    }
    giai = hexadecimal("11111010" + "0000" + nibbles("9521141") + "1110" + alphanumeric("A-1", 4))
    assert decode_epc(giai).ai == {"8004": "9521141A-1"}
    assert decode_epc(hexadecimal("11111010" + "0000" + nibbles("95211415678") + "1111")).ai == {
        "8004": "95211415678"
    }
    place = hexadecimal("11110010" + "0011" + nibbles("9521141123454") + alphanumeric("0", 0))
    assert decode_epc(place).ai == {"414": "9521141123454"}
    dated = (
        "11111011"
        + "0011"
        + "0100"
        + f"{22:07b}{6:04b}{30:05b}"
        + nibbles("79521141123453")
        + alphanumeric("7", 0)
    )
    assert decode_epc(hexadecimal(dated)).ai == {"01": "79521141123453", "21": "7", "17": "220630"}


@given(st.text("0123456789ABCDEFabcdef", max_size=60))
def test_any_hex_is_read_without_an_exception(text: str) -> None:
    reading = decode_epc(text)
    assert reading.problems or reading.kind is Kind.EPC


@pytest.mark.parametrize(
    "header", [*(f"{byte:02X}" for byte in range(0x2C, 0x42)), *(f"{byte:02X}" for byte in range(0xE6, 0xFE))]
)
@given(rest=st.text("0123456789ABCDEF", min_size=10, max_size=60))
def test_any_content_behind_a_known_header_is_read_without_an_exception(header: str, rest: str) -> None:
    assert decode_epc(header + rest).raw == header + rest
