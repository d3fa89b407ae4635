"""A tag has the name under which every door looks the thing up: rules stand in one place (symbology/meaning)."""

from __future__ import annotations

import pytest

from jitapp.symbology.decode import decode_epc
from jitapp.symbology.meaning import canonical
from jitapp.tags.identity import identity_of
from tests.symbology.test_tags import alphanumeric, hexadecimal, nibbles

FILTER = "0011"
DATE = "0100" + f"{29:07b}{3:04b}{31:05b}"  # 17, 2029-03-31
GTIN, PLACE = nibbles("79521141123453"), nibbles("9521141123454")


@pytest.mark.parametrize(
    ("bits", "name"),
    [
        ("11110111" + FILTER + GTIN + alphanumeric("7", 0), "(01)79521141123453(21)7"),
        ("11111011" + FILTER + DATE + GTIN + alphanumeric("7", 0), "(01)79521141123453(21)7"),
        ("11111001" + FILTER + nibbles("095201234567891235"), "(00)095201234567891235"),
        ("11111010" + FILTER + nibbles("95211415678") + "1111", "(8004)95211415678"),
        ("11110001" + FILTER + nibbles("09521141123454") + alphanumeric("A1", 4), "(8003)09521141123454A1"),
        ("11110010" + FILTER + PLACE + alphanumeric("SHELF4", 4), "(414)9521141123454(254)SHELF4"),
        ("11110010" + FILTER + PLACE + alphanumeric("0", 0), "(414)9521141123454"),
        ("11110100" + FILTER + nibbles("952114112345678906"), "(8018)952114112345678906"),
    ],
    ids=["SGTIN+", "DSGTIN+", "SSCC+", "GIAI+", "GRAI+", "SGLN+", "SGLN+ alone", "GSRN+"],
)
def test_a_tag_without_a_urn_is_named_by_its_key_of_gs1(bits: str, name: str) -> None:
    memory = hexadecimal(bits)
    assert decode_epc(memory).problems == ()
    assert identity_of(memory) == canonical(decode_epc(memory)) == name
