"""Where a card belongs."""

from __future__ import annotations

from jitapp.pull.models import Card


def place_of_card(code: str) -> tuple[str | None, int] | None:
    """The area, by its code, and the plant of a card, by its code as it stands in an address; None for no card."""
    found = Card.objects.filter(code=code.upper())
    return found.values_list("loop__demand__area__code", "loop__plant_id").first()
