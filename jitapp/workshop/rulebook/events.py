"""docs/rules/events.md: every type of event in the ledger, from the types themselves."""

from __future__ import annotations

from jitapp.kanban.book import EVENT_TYPES, TYPES, members_of
from jitapp.kanban.events.scans import ScanApplied
from jitapp.workshop.rulebook.markdown import page, table


def events() -> str:
    """The page."""
    rows = [
        (f"`{name}`", meaning, ", ".join(f"`{member}`" for member in members_of(name)))
        for name, meaning in EVENT_TYPES.items()
    ]
    scans = [
        (f"`{each.__struct_config__.tag}`", " ".join((each.__doc__ or "").split()))
        for each in sorted(TYPES[ScanApplied.type], key=lambda each: str(each.__struct_config__.tag))
    ]
    return page(
        "Events",
        "The ledger only grows; folding its events in the order of `loop_seq` gives the present state back (rule C11)."
        " Quantities are decimal strings, instants ISO 8601. An event has its facts in `data`; a member that has its"
        " default is left out. Who must act, what a turn waits for and whether a loop is dry follow from the state that"
        " the events lead to.",
        table(("type", "means", "data"), rows),
        "## What a scan did",
        "`scan.applied` is told apart by its member `intent`.",
        table(("intent", "means"), scans),
    )
