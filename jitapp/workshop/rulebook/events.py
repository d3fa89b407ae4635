"""docs/rules/events.md: every type of event in the ledger."""

from __future__ import annotations

from jitapp.kanban.events import EVENT_TYPES
from jitapp.workshop.rulebook.markdown import page, table
from jitapp.workshop.rulebook.reading import written


def events() -> str:
    """The page."""
    found = written(EVENT_TYPES)
    return page(
        "Events",
        "The ledger only grows; folding its events in the order of `loop_seq` gives the present state back (rule C11)."
        " Quantities are decimal strings, instants ISO 8601. An event has its facts in `data`; those that can occur"
        " are listed.",
        table(
            ("type", "means", "facts", "written by"),
            [
                (
                    f"`{name}`",
                    meaning,
                    ", ".join(f"`{fact}`" for fact in sorted(found[name].facts)),
                    ", ".join(sorted(found[name].modules)),
                )
                for name, meaning in EVENT_TYPES.items()
            ],
        ),
    )
