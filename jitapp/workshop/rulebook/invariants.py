"""docs/rules/invariants.md: what must always be true, and who keeps watch."""

from __future__ import annotations

from dataclasses import dataclass

from jitapp.pull.proof.differences import RULES
from jitapp.workshop.rulebook.markdown import page, table

ANYTHING = "test_machine.py::the_book_holds"
SCANS = "test_properties.py::test_any_sequence_of_scans_keeps_the_rules"
PIECES = "test_properties.py::test_pieces_are_neither_made_nor_lost_by_draws"


@dataclass(frozen=True, slots=True)
class Kept:
    """A rule, what of it the database itself refuses, and the property tests that hold it against anything."""

    rule: str
    constraints: tuple[str, ...] = ()
    tests: tuple[str, ...] = (ANYTHING,)


INVARIANTS: dict[str, Kept] = {
    "C1": Kept(
        "A card is in exactly one supply status; the cards of a loop come and go only by events.",
        ("card_number_once", "card_status_known", "card_supply_status_known"),
    ),
    "C2": Kept(
        "At most one open turn per card, at most one live document per turn.",
        ("turn_one_open_per_card", "turn_number_once", "turn_document_once"),
        (ANYTHING, SCANS),
    ),
    "C3": Kept(
        "A scan id has one effect; sent again it gets the first answer, with other content a conflict.",
        ("event_scan_once",),
        (),
    ),
    "C4": Kept("A card's movement begins where the one before it ended.", (), (ANYTHING, SCANS)),
    "C5": Kept(
        "Nothing is made, moved or received without a turn that is RELEASED or ACKNOWLEDGED.",
        ("turn_step_needs_release",),
        (ANYTHING, SCANS),
    ),
    "C6": Kept(
        "Received is what was asked, or a reason stands beside it.", ("turn_difference_needs_reason",)
    ),
    "C7": Kept("No station has more cards in process than its limit.", (), ()),
    "C8": Kept(
        "An emptied card asks once, a consumption draws once, a cascade reaches each component loop once per turn.",
        ("draw_once_per_turn_and_loop", "link_once"),
        (ANYTHING, SCANS, PIECES),
    ),
    "C9": Kept(
        "A runout is open if and only if an ACTIVE loop in circulation has nothing usable, from and to the instant.",
        ("runout_one_open_per_loop", "runout_opened_once"),
        (ANYTHING, SCANS),
    ),
    "C10": Kept(
        "Every open turn has exactly one party that must act next, and since when.",
        ("turn_open_has_owner",),
        (ANYTHING, SCANS),
    ),
    "C11": Kept(
        "The present state is the fold of the ledger, and the ledger only grows.",
        ("event_grows_only", "event_not_truncated", "event_loop_seq_once"),
        (ANYTHING, SCANS),
    ),
    "C12": Kept("Cards out of circulation have no released turn that is not flagged for recall."),
    "C13": Kept("Each side scans only its own steps; an override is on record.", (), ()),
    "C14": Kept(
        "Contents and asked quantity are at most the turn's, or a reason stands beside it.",
        ("card_contents_bounds",),
        (ANYTHING, SCANS, PIECES),
    ),
}


def invariants() -> str:
    """The page."""
    return page(
        "What must always be true",
        "Each rule is a constraint of the database where it can be one, a property test, and a line in the output of"
        " `python manage.py verify`. Tests are those of tests/kanban; C3, C7 and C13 are held by stories and races"
        " (tests/races, tests/pull), because they need the database or a second actor.",
        table(
            ("rule", "says", "refused by the database", "property test", "line of verify"),
            [
                (
                    name,
                    kept.rule,
                    ", ".join(f"`{each}`" for each in kept.constraints),
                    ", ".join(f"`{each}`" for each in kept.tests),
                    RULES[name],
                )
                for name, kept in INVARIANTS.items()
            ],
        ),
    )
