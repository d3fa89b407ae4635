"""The decoder against public test suites (tests/symbology/suites.py says which, and where their files are looked for).

Where the decoder and a suite do not agree the reason stands here, and nothing else may differ.
"""

from __future__ import annotations

import os

import pytest

from tests.symbology.suites import Row, suites, vectors

VECTORS, SUITES = vectors(), suites()
# What a suite allows only by an option of its own is read here as that option has it, and a problem names it.
OPTIONS = ("permit_zero_suppressed_gtin", "PermitZeroSuppressedGTINinDLuris", "PermitUnknownAIs", "alphas")


def explained(row: Row) -> bool:
    """Whether the disagreement has its reason above."""
    return row.valid and any(option in row.note for option in OPTIONS) and bool(row.reading().problems)


@pytest.mark.skipif(
    "JITAPP_VECTORS" not in os.environ, reason="names the folder of test vectors in JITAPP_VECTORS"
)
def test_every_vector_is_read_as_its_source_says() -> None:
    assert len(VECTORS) >= 400
    assert [(row.id, row.raw) for row in VECTORS if not row.right() and not explained(row)] == []
    assert sum(not row.right() for row in VECTORS) <= 6


@pytest.mark.skipif(
    "JITAPP_VECTORS" not in os.environ, reason="names the folder of test vectors in JITAPP_VECTORS"
)
def test_short_numbers_in_an_address_are_read_and_named() -> None:
    short = [
        row for row in VECTORS if row.valid and "permit_zero_suppressed_gtin" in row.note and not row.right()
    ]
    assert len(short) == 6
    for row in short:
        found = row.reading()
        assert list(found.ai.items()) == row.ai
        assert len(found.problems) == 1


@pytest.mark.skipif(
    "JITAPP_SUITES" not in os.environ, reason="names a folder of public test suites in JITAPP_SUITES"
)
def test_every_row_of_the_public_suites_is_read_as_it_says() -> None:
    assert SUITES
    assert [(row.id, row.raw) for row in SUITES if not row.right() and not explained(row)] == []
