"""The words of the board in a person's language, looked up once per language; short enough for a chip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django.utils import translation
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.bidi import isolated
from jitapp.plant.configs import zone
from jitapp.plant.spoken import current_wording, spoken
from jitapp.plant.wording.kept import Wording
from jitapp.pull.reading.tasks import TurnName

STATE_WORDS = {
    "out": mark("OUT"),
    "act": mark("ACT"),
    "soon": mark("SOON"),
    "move": mark("MOVING"),
    "ok": mark("OK"),
    "held": mark("HELD"),
}
STATE_HELP = {
    "out": mark("nothing left"),
    "act": mark("needs action"),
    "soon": mark("keep watch"),
    "move": mark("on the way"),
    "ok": mark("full"),
    "held": mark("on hold"),
}
TILE_WORDS = {
    "FULL": mark("full"),
    "IN_USE": mark("in use"),
    "EMPTY": mark("empty"),
    "WAIT": mark("waits"),
    "IN_PROCESS": mark("in work"),
    "COMPLETED": mark("done"),
    "IN_TRANSIT": mark("coming"),
    "ERROR": mark("error"),
    "HELD": mark("held"),
    "BLOCKED": mark("blocked"),
    "LOST": mark("lost"),
    "SURPLUS": mark("surplus"),
    "OBSOLETE": mark("old"),
    "NEW": mark("new"),
    "REMOVED": mark("removed"),
}
# Who must do what: the name of the party stands before it.
DO_WORDS = {
    "queue": mark("to start"),
    "process": mark("to finish"),
    "collect": mark("to collect"),
    "transit": mark("to bring"),
    "ack": mark("to answer"),
    "supplier": mark("to deliver"),
    "accumulate": mark("to release"),
    "doc": mark("to give the order number"),
    "error": mark("to put it right"),
    "rejected": mark("to find a way"),
    "supply_short": mark("to fill the supermarket"),
    "withheld": mark("to release"),
    "held": mark("to decide"),
    "put_away": mark("to put away"),
    "receiver_not_ready": mark("to make room"),
    "down": mark("to repair"),
    "setup": mark("to change over"),
    "no_operator": mark("to send somebody"),
    "planned_stop": mark("to go on"),
    "quality": mark("to decide"),
    "starved": mark("to bring parts"),
    "on_hold": mark("to end the hold"),
    "cards_held": mark("to decide"),
    "no_signal": mark("to find the cards"),
    "upstream": mark("to get parts"),
}
WHY_WORDS = {
    "queue": mark("not started yet"),
    "process": mark("being made"),
    "collect": mark("finished, not collected"),
    "transit": mark("on its way"),
    "ack": mark("waits for the answer"),
    "supplier": mark("the supplier is filling it"),
    "accumulate": mark("waits for a batch"),
    "doc": mark("waits for an order number"),
    "error": mark("stands in ERROR: see its card"),
    "rejected": mark("the supplier said no"),
    "supply_short": mark("no full container in the supermarket"),
    "withheld": mark("not released yet"),
    "held": mark("card on hold"),
    "put_away": mark("at the dock, not put away"),
    "receiver_not_ready": mark("no room where it goes"),
    "down": mark("station is down"),
    "setup": mark("station changes over"),
    "no_operator": mark("nobody at the station"),
    "planned_stop": mark("planned stop"),
    "quality": mark("line stopped for quality"),
    "starved": mark("station lacks parts"),
    "on_hold": mark("loop on hold"),
    "cards_held": mark("containers held or blocked"),
    "no_signal": mark("no card was scanned empty"),
    "upstream": mark("waits for {}"),
}
# Causes of runouts: what the oldest turn waited for longest, or one of these, which mean the whole loop.
CAUSE_WORDS = {
    **WHY_WORDS,
    "quality": mark("all containers held or blocked"),
    "loop_on_hold": mark("the loop was put on hold"),
}
PARTY_WORDS = {
    "station": mark("Station"),
    "supplier": mark("Supplier"),
    "planner": mark("Planner"),
    "buyer": mark("Buyer"),
    "handler": mark("Material handler"),
    "receiving": mark("Receiving"),
    "person": mark("Whoever held it"),
    "erp": mark("ERP"),
    "maintainer": mark("Maintenance"),
    "leader": mark("Leader"),
    "quality": mark("Quality"),
}
OTHER_WORDS = {
    "late": mark("late"),
    "in": mark("in {}"),
    "ago": mark("{} ago"),
    "min": mark("min"),
    "h": mark("h"),
    "d": mark("d"),
    "s": mark("s"),
    "now": mark("now"),
    "any": mark("any minute"),
    "since": mark("since {}"),
    "overdue": mark("{} late"),
    "no_rate": mark("no rate yet"),
    "idle": mark("nothing used since {}"),
    "by_order": mark("made by order"),
    "short": mark("{} too late"),
    "ahead": mark("{} to spare"),
    "not_asked": mark("not asked"),
    "quiet": mark("nothing waits"),
    "no_cards": mark("no cards yet"),
    "promised": mark("promised {}"),
    "promised_late": mark("promised {}, late"),
    "answer_late": mark("no answer yet: card {cards}"),
    "demand_cancelled": mark(
        "card {card}, turn {turn}: the demand was cancelled ({loop}, card {gone_card}, turn {gone_turn}): decide"
        " whether it goes on"
    ),
}


@dataclass(frozen=True, slots=True)
class Words:
    """Every word of a row in one language."""

    language: str
    states: dict[str, str]
    states_help: dict[str, str]
    tiles: dict[str, str]
    does: dict[str, str]
    whys: dict[str, str]
    causes: dict[str, str]
    parties: dict[str, str]
    others: dict[str, str]
    days: tuple[str, ...]  # short names, Monday first

    def __getitem__(self, name: str) -> str:
        return self.others[name]

    def demand_cancelled(self, card: int, turn: int | None, gone: TurnName) -> str:
        """The task of whoever fills a turn that `gone` no longer needs."""
        return self["demand_cancelled"].format(
            card=card, turn=turn, loop=gone.loop, gone_card=gone.card_number, gone_turn=gone.turn_number
        )

    def span(self, seconds: float) -> str:
        """A length of time in at most two numbers: 45 s, 12 min, 3 h 05, 2 d."""
        if seconds < 60:
            return f"{max(int(seconds), 0)} {self['s']}"
        minutes = int(seconds // 60)
        if minutes < 60:
            return f"{minutes} {self['min']}"
        hours, minutes = divmod(minutes, 60)
        if hours < 24:
            return f"{hours} {self['h']} {minutes:02d}"
        return f"{hours // 24} {self['d']}"


def words_of(language: str, wording: Wording | None = None) -> Words:
    """The words of a language, with those that a site has of its own: what is spoken now, if they are not told."""
    return _words_of(language, current_wording() if wording is None else wording)


@lru_cache(maxsize=128)
def _words_of(language: str, wording: Wording) -> Words:
    with spoken(language, wording):
        return Words(
            language,
            states=_translated(STATE_WORDS),
            states_help=_translated(STATE_HELP),
            tiles=_translated(TILE_WORDS),
            does=_translated(DO_WORDS),
            whys=_translated(WHY_WORDS),
            causes=_translated(CAUSE_WORDS),
            parties=_translated(PARTY_WORDS),
            others=_translated(OTHER_WORDS),
            days=tuple(str(WEEKDAYS_ABBR[day]) for day in range(7)),
        )


def _translated(table: dict[str, str]) -> dict[str, str]:
    return {key: gettext(text) for key, text in table.items()}


def clock(at: datetime, time_zone: str, now: datetime, language: str = "en", *, exact: bool = False) -> str:
    """The time of day on a 24-hour clock in the plant; on another day with the weekday, farther away the date alone,
    or with `exact` date and time."""
    local, today = at.astimezone(zone(time_zone)), now.astimezone(zone(time_zone))
    if local.date() == today.date():
        return local.strftime("%H:%M")
    if abs((local.date() - today.date()).days) < 7:
        return f"{words_of(language).days[local.weekday()]} {local:%H:%M}"
    date = f"{local:%Y-%m-%d %H:%M}" if exact else f"{local:%Y-%m-%d}"
    return isolated(date) if from_the_right(language) else date


@lru_cache(maxsize=16)
def from_the_right(language: str) -> bool:
    """Whether the language is written from right to left."""
    return bool(translation.get_language_info(language)["bidi"])


def promise(at: datetime, late: bool, time_zone: str, now: datetime, words: Words) -> str:
    """A supplier's promise, with its time of day on whatever day; `late`: it is for after the due time."""
    said = clock(at, time_zone, now, words.language, exact=True)
    return words["promised_late" if late else "promised"].format(said)


def plain(quantity: Decimal) -> str:
    """A quantity as short as it can be written."""
    return format(quantity.normalize(), "f")
