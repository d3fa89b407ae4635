"""docs/rules/settings.md: every setting of loops, places, parts and suppliers, and every environment variable."""

from __future__ import annotations

from django.apps import apps
from django.db.models import NOT_PROVIDED, Field

from jitapp.workshop.rulebook.markdown import page, table
from jitapp.workshop.rulebook.reading import explained, variables

# Fields whose help text is not written beside them, because their names or the rules say it.
MEANINGS: dict[str, dict[str, str]] = {
    "Loop": {
        "code": "natural key; on boards, in files and in the API",
        "part": "the one part of the loop",
        "demand": "the station that empties",
        "supply": "the station that fills; what filling means depends on its kind",
        "kind": "two bins, production, withdrawal, supplier, transfer between plants, or an order (event)",
        "status": "on hold, emptying and receiving go on and only the signal is withheld",
        "hold_reason": "said to everybody who scans while the loop is on hold",
        "consume_at": "when a BACKFLUSH supply station draws the components of a turn",
        "trigger": "what opens a turn: empty, first piece taken, a sibling, or a quantity",
        "min_turn_minutes": "a container cannot be empty sooner than this after it came full; 0: no such guard",
        "min_turn_level": "whether a container that is empty too soon is warned about or refused",
        "bounce_ms": "the same device, card and intent within it change nothing",
        "undo_window_s": "how long the last scan can be taken back, further bounded by what others did since",
        "max_empty_allowed": "empty cards that are normal in this loop, for its urgency",
        "accumulate": "what is gathered before signals go out together",
        "accumulate_cards": "CARDS: so many",
        "doc_policy": "whether a signal asks the ERP for a document, or waits for its number",
        "gr_policy": "what posts the goods receipt: the scan to FULL, the receipt itself, or each its own",
    },
    "Area": {
        "code": "natural key; `supply` is taken by a page",
        "name": "as people call it",
        "leader": "comes when a call asks for the area's leader",
    },
    "Calendar": {
        "code": "natural key within the plant",
        "name": "as people call it",
        "is_default": "the plant's working time; in files `default`",
        "is_receiving": "in files `receiving`",
        "shifts": "when work is done, in the plant's local time; none: every minute",
        "holidays": "days without a shift",
    },
    "Station": {
        "code": "natural key",
        "name": "as people call it",
        "area": "whose board shows the loops that this station uses",
        "kind": "PROCESS makes, SUPERMARKET picks, SUPPLIER ships, SHIPPING is the customer's end",
        "consumption": "SCAN: its people scan emptied containers; BACKFLUSH: the bill of a turn is drawn; never both",
        "default_intent": "what a scan without an intent means here; empty: what fits the card",
        "readiness_checks": "to be ticked before a start",
        "standard_work": "address of the standard work at this station",
        "calendar": "working time; empty: the plant's",
        "supplier": "whose station it is; SUPPLIER stations only",
    },
    "Part": {
        "number": "natural key; one number per stage of making",
        "description": "for people",
        "unit": "unit of measure",
        "decimals": "decimals of a quantity, at most 6",
        "gtin": "as on the maker's label",
    },
    "Supplier": {
        "code": "natural key",
        "name": "as people call it",
        "calendar": "working time; empty: the plant's",
        "ack_within_minutes": "how soon a signal must be acknowledged; empty: no clock",
    },
    "Route": {
        "code": "natural key",
        "name": "as people call it",
        "handler": "who usually walks it",
    },
    "RouteStop": {
        "route": "the route",
        "position": "place in walking order",
        "station": "where the round stops",
        "minutes": "minutes after the departure",
    },
}
NOT_SET_BY_PEOPLE = frozenset({"id", "uuid", "plant", "version", "revision"})


class Unexplained(LookupError):
    """A setting or a variable of which nobody says what it means; the sentence says where to write it."""


def settings() -> str:
    """The page."""
    parts = [
        "Settings stand in the shop file, in the API and in the administration under these names. How they shape the"
        " moves of a card is drawn in [states.md](states.md)."
    ]
    for name in MEANINGS:
        parts += [f"## {name}", table(("setting", "default", "one of", "means"), _rows(name))]
    parts += [
        "## Environment",
        "Read when a process starts; nonsense ends the start with a sentence that names the variable. `DATABASE_URL`,"
        " `REDIS_URL` and `SECRET_KEY` may also stand in files that `DATABASE_URL_FILE` and so on name.",
        table(("variable", "is", "default", "means", "read by"), _environment()),
    ]
    return page("Settings", *parts)


def _rows(model: str) -> list[tuple[str, str, str, str]]:
    rows = []
    for field in apps.get_model("plant", model)._meta.fields:
        if field.name in NOT_SET_BY_PEOPLE:
            continue
        means = "; ".join(filter(None, (MEANINGS[model].get(field.name), str(field.help_text))))
        if not means:
            raise Unexplained(
                f"Nobody says what {model}.{field.name} means: give it a help_text, or a line in"
                " jitapp/workshop/rulebook/settings.py."
            )
        choices = ", ".join(str(value) for value, _ in field.choices or ())
        rows.append((f"`{field.name}`", _default(field), choices, means))
    return rows


def _default(field: Field) -> str:  # type: ignore[type-arg]
    default = None if field.default is NOT_PROVIDED else field.get_default()
    if default in ("", None):
        return "none" if field.null or field.blank else "must be given"
    return f"`{default}`"


def _environment() -> list[tuple[str, str, str, str, str]]:
    known = explained("docs/operations.md")
    rows = []
    for name, variable in sorted(variables().items()):
        if name not in known:
            raise Unexplained(f"Nobody says what {name} means: add it to the table in docs/operations.md.")
        default, means = known[name]
        rows.append((f"`{name}`", variable.kind, default, means, ", ".join(sorted(variable.modules))))
    return rows
