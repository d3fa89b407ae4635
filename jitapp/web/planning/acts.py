"""What a planner does to a loop whose cards are on the floor. Each act is done for show first, by the very rules that
do it, and taken back: what would be printed, what would be collected and where it is now is no guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as mark

from jitapp.kanban.names import tidy
from jitapp.kanban.quantity import NotAQuantity, in_ascii, read_quantity
from jitapp.kanban.stated import stated
from jitapp.kanban.vocabulary import CardStatus
from jitapp.plant.configs import zone
from jitapp.plant.masters.loops import LOOPS
from jitapp.plant.models import Loop, Part
from jitapp.pull import actions
from jitapp.pull.reading.lists import sizes_of
from jitapp.pull.reading.plans import PlanCard, PlanState, state_of
from jitapp.pull.scan_request import Source
from jitapp.pull.setup import set_up_shop
from jitapp.web.masters.saving import document
from jitapp.web.phrases import clock, plain
from jitapp.web.planning.wanted import free_code

LONGEST_REASON = 200
TITLES = {
    "size": mark("Other cards or containers"),
    "hold": mark("Put the loop on hold"),
    "resume": mark("Let the loop go on"),
    "retire": mark("Retire the loop for good"),
    "successor": mark("Another part follows"),
    "extra": mark("One-off cards"),
    "withdraw": mark("Take back what was planned"),
}


class Wrong(Exception):
    """What was typed cannot be done; the text says at which field and what to write."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class Changed(Exception):
    """Somebody else changed the loop since the page was opened."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be done. `now` does what is shown, `do` what is done: the same, or only planning it for `at`.

    `says` are sentences about what differs.
    """

    name: str
    now: Callable[[], object]
    do: Callable[[], object]
    says: list[str] = field(default_factory=list)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would bring about. `new` cards to print, `again` labels to print again, `collect` cards that are out
    at once, `leaving` those of which `due` go out when they are next empty."""

    act: Act
    new: int
    again: list[PlanCard]
    collect: list[PlanCard]
    leaving: list[PlanCard]
    due: int
    back: list[PlanCard]
    coming: list[PlanCard]

    @property
    def prints(self) -> int:
        """How many cards are to be printed."""
        return self.new + len(self.again)


def act_of(name: str, loop: Loop, sent: QueryDict, source: Source) -> Act:
    """The act that a form asks for. Raises Wrong for what cannot be read."""
    makers: dict[str, Callable[[Loop, QueryDict, Source], Act]] = {
        "size": _size,
        "hold": _hold,
        "resume": _resume,
        "retire": _retire,
        "successor": _successor,
        "extra": _extra,
        "withdraw": _withdraw,
    }
    if name not in makers:
        raise Wrong("", gettext("Choose what is to be done."))
    return makers[name](loop, sent, source)


def preview(loop: Loop, act: Act) -> Preview:
    """Does it, looks, and takes it back. Raises Refused."""
    before = state_of(loop.pk)
    with transaction.atomic():
        act.now()
        after = state_of(loop.pk)
        transaction.set_rollback(True)
    return _compared(act, before, after)


def done(loop: Loop, act: Act, version: str) -> None:
    """Does it, if the loop is still as the page showed it. Raises Refused, and Changed if it is not.

    Every act is a new version, also one that only plans or adds cards: pressed twice it is done once.
    """
    with transaction.atomic():
        if str(Loop.objects.select_for_update().values_list("version", flat=True).get(pk=loop.pk)) != version:
            raise Changed
        act.do()
        Loop.objects.filter(pk=loop.pk, version=int(version)).update(version=F("version") + 1)


def _compared(act: Act, before: PlanState, after: PlanState) -> Preview:
    was = {card.number: card for card in before.cards}
    new = [card for card in after.cards if card.number not in was]
    stayed = [card for card in after.cards if card.number in was]
    out = [card for card in stayed if card.out and not was[card.number].out]
    return Preview(
        act,
        new=len(new),
        again=[
            card for card in stayed if card.label_stale and not was[card.number].label_stale and not card.out
        ],
        collect=out,
        leaving=list(after.leaving) if after.due > before.due else [],
        due=max(0, after.due - before.due),
        back=[card for card in stayed if was[card.number].card_status == CardStatus.SURPLUS and not card.out],
        coming=[card for card in before.cards if card.under_way],
    )


# -- the acts ---------------------------------------------------------------------------------------
def _size(loop: Loop, sent: QueryDict, source: Source) -> Act:
    have, unit = sizes_of([loop.pk]).get(loop.pk, 0), loop.part.unit
    cards, quantity = _whole(sent, "cards", most=1_000), _quantity(sent, "quantity")
    at, reason = _when(sent, "at", loop), _text(sent, "size_reason")
    says = []
    if cards is not None and cards != have:
        says.append(gettext("Cards: {before} → {after}").format(before=have, after=cards))
    else:
        cards = None
    if quantity is not None and quantity != loop.quantity:
        says.append(
            gettext("Pieces in a container: {before} → {after} {unit}").format(
                before=plain(loop.quantity), after=plain(quantity), unit=unit
            )
        )
    else:
        quantity = None
    if not says:
        raise Wrong("cards", gettext("Nothing would change. Write another number."))

    def now() -> object:
        return actions.resize_loop(
            loop_id=loop.pk, now=timezone.now(), cards=cards, quantity=quantity, reason=reason, source=source
        )

    def plan() -> object:
        assert at is not None
        values: dict[str, object] = {}
        if cards is not None:
            values["cards"] = cards
        if quantity is not None:
            values["quantity"] = plain(quantity)
        return actions.plan_revision(
            loop_id=loop.pk, effective_at=at, values=values, reason=reason, author_id=source.person_id
        )

    return Act("size", now, now if at is None else plan, says, at)


def _hold(loop: Loop, sent: QueryDict, source: Source) -> Act:
    reason = _reason(sent, "hold_reason")

    def do() -> None:
        actions.hold_loop(loop_id=loop.pk, reason=reason, now=timezone.now(), source=source)

    says = [
        gettext("Containers can still be emptied and filled; nothing more is asked for until the hold ends.")
    ]
    return Act("hold", do, do, says)


def _resume(loop: Loop, _sent: QueryDict, source: Source) -> Act:
    def do() -> None:
        actions.resume_loop(loop_id=loop.pk, now=timezone.now(), source=source)

    return Act("resume", do, do, [gettext("What was withheld meanwhile goes out at once.")])


def _retire(loop: Loop, sent: QueryDict, source: Source) -> Act:
    reason = _reason(sent, "retire_reason")

    def do() -> None:
        actions.retire_loop(loop_id=loop.pk, reason=reason, now=timezone.now(), source=source)

    says = [
        gettext(
            "Every card is out of use at once and for good; what was asked for and not begun is cancelled."
        )
    ]
    return Act("retire", do, do, says)


def _successor(loop: Loop, sent: QueryDict, source: Source) -> Act:
    number = tidy(_text(sent, "s_part"))
    part = Part.objects.filter(plant=loop.plant_id, number__iexact=number).first() if number else None
    if part is None:
        raise Wrong("s_part", gettext("There is no such part. Choose one of the list, or make it first."))
    cards = _whole(sent, "s_cards", most=1_000) or sizes_of([loop.pk]).get(loop.pk, 0) or 2
    quantity = _quantity(sent, "s_quantity") or loop.quantity
    at, reason = _when(sent, "s_at", loop), _text(sent, "s_reason")
    code = _text(sent, "s_code") or free_code(part.number, loop.demand)

    def made() -> Loop:
        return _loop_to_come(loop, part, code, cards, quantity, source)

    def now() -> None:
        with transaction.atomic():
            actions.succeed(
                loop_id=loop.pk, successor_id=made().pk, now=timezone.now(), reason=reason, source=source
            )

    def plan() -> object:
        assert at is not None
        with transaction.atomic():
            return actions.plan_successor(
                loop_id=loop.pk,
                successor_id=made().pk,
                effective_at=at,
                reason=reason,
                author_id=source.person_id,
            )

    says = [
        gettext(
            "{part} takes the place of {old}: the new loop {code} gets {cards} cards of {quantity} {unit}."
        ).format(
            part=part.number,
            old=loop.part.number,
            code=code,
            cards=cards,
            quantity=plain(quantity),
            unit=part.unit,
        ),
        gettext(
            "From then on every card of this loop goes out when its container is empty. Nothing is thrown away."
        ),
    ]
    return Act("successor", now, now if at is None else plan, says, at)


def _loop_to_come(loop: Loop, part: Part, code: str, cards: int, quantity: Decimal, source: Source) -> Loop:
    """A loop like this one for another part, not begun, with cards that can be printed before the day. Raises
    Refused."""
    if Loop.objects.filter(code__iexact=code).exists():
        raise actions.Refused(
            stated("There is a loop {loop} already. Give the new one another code.", loop=code)
        )
    row = LOOPS.members(loop) | {
        "code": code,
        "part": part.number,
        "status": "DRAFT",
        "quantity": plain(quantity),
    }
    result = set_up_shop(
        document(loop.plant, {"loops": [row]}),
        now=timezone.now(),
        plant_ids=frozenset({loop.plant_id}),
        source=source,
    )
    if result.report.errors:
        error = result.report.errors[0]
        raise actions.Refused(error.said or error.message)
    found = Loop.objects.get(code=code)
    actions.add_cards(loop_id=found.pk, count=cards, first=None, now=timezone.now(), source=source)
    return found


def _extra(loop: Loop, sent: QueryDict, source: Source) -> Act:
    cards, turns = _whole(sent, "x_cards", most=50) or 1, _whole(sent, "x_turns", most=100) or 1
    note = _text(sent, "x_note")
    if not note:
        raise Wrong("x_note", gettext("Say what they are for: it stands with the card."))

    def do() -> object:
        with transaction.atomic():
            return [
                actions.add_extra_card(
                    loop_id=loop.pk, turns=turns, now=timezone.now(), source=source, note=note
                )
                for _ in range(cards)
            ]

    asks = ngettext("{} card more asks at once.", "{} cards more ask at once.", cards).format(cards)
    ends = ngettext(
        "It goes into the red box after {} turn.", "Each goes into the red box after {} turns.", turns
    ).format(turns)
    return Act("extra", do, do, [asks, ends])


def _withdraw(loop: Loop, sent: QueryDict, source: Source) -> Act:
    number = _whole(sent, "number", most=1_000_000)

    def do() -> None:
        by = source.name or "?"
        if number is None or not actions.withdraw_revision(
            loop_id=loop.pk, number=number, by=by, now=timezone.now()
        ):
            raise actions.Refused(
                stated("It was done or taken back before. Look at the list of what is planned.")
            )

    return Act("withdraw", do, do, [gettext("It will not be done.")])


# -- what was typed ---------------------------------------------------------------------------------
def _text(sent: QueryDict, name: str) -> str:
    text = str(sent.get(name, "")).replace("\0", "").strip()
    if len(text) > LONGEST_REASON:
        raise Wrong(name, gettext("Write at most {most} characters.").format(most=LONGEST_REASON))
    return text


def _reason(sent: QueryDict, name: str) -> str:
    reason = _text(sent, name)
    if not reason:
        raise Wrong(name, gettext("Give a reason, so that people at the cards can read it."))
    return reason


def _whole(sent: QueryDict, name: str, *, most: int) -> int | None:
    text = in_ascii(_text(sent, name))
    if not text:
        return None
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Wrong(name, gettext("Write a whole number from {least} to {most}.").format(least=1, most=most))
    return int(text)


def _quantity(sent: QueryDict, name: str) -> Decimal | None:
    text = _text(sent, name)
    if not text:
        return None
    try:
        value = read_quantity(text)
    except NotAQuantity:
        value = Decimal(0)
    if value <= 0:
        raise Wrong(name, gettext("Write a number like 12 or 0.5, without a thousands separator."))
    return value


def _when(sent: QueryDict, name: str, loop: Loop) -> datetime | None:
    """An instant in the plant's time; None for now."""
    text = _text(sent, name)
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise Wrong(name, gettext("Write date and time as 2026-12-24 06:00, or leave it empty for now."))
    at = found if found.tzinfo is not None else found.replace(tzinfo=zone(loop.plant.time_zone))
    if at <= timezone.now():
        said = gettext("{} is past. Write a time to come, or leave it empty for now.")
        raise Wrong(name, said.format(clock(at, loop.plant.time_zone, timezone.now(), exact=True)))
    return at
