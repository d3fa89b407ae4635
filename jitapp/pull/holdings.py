"""What the floor holds of loops, for changes of master data (plant.holdings)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from jitapp.kanban.vocabulary import CardStatus, SignalState, SupplyStatus
from jitapp.plant.holdings import CardHeld, TurnHeld
from jitapp.plant.models import Loop, Station
from jitapp.pull.models import Card, Draw, LoopState, Turn
from jitapp.pull.reading.lists import cards_per_loop, sizes_of


class Floor:
    """Cards and open turns as the tables have them."""

    def counts(self, loop_ids: Collection[int]) -> Mapping[int, int]:
        """Cards that are not removed, by loop."""
        return cards_per_loop(loop_ids)

    def sizes(self, loop_ids: Collection[int]) -> Mapping[int, int]:
        """Cards that count, by loop (kanban.resizing)."""
        return sizes_of(loop_ids)

    def cards(self, loop_ids: Collection[int]) -> Mapping[int, Sequence[CardHeld]]:
        """Cards that are not removed, by loop. Locks stations and loops in the order of every scan."""
        ids = sorted(loop_ids)
        _lock(ids)
        turns = {
            turn.card_id: TurnHeld(
                SignalState(turn.signal_state),
                turn.step,
                turn.document,
                tuple(each for each in (turn.asked, turn.made, turn.received) if each is not None),
            )
            for turn in Turn.objects.filter(loop__in=ids, closed_at__isnull=True)
        }
        found: dict[int, list[CardHeld]] = {}
        rows = Card.objects.filter(loop__in=ids).exclude(card_status=CardStatus.REMOVED)
        for card in rows.order_by("loop_id", "number"):
            held = CardHeld(
                card.code,
                card.card_status == CardStatus.IN_CIRCULATION,
                SupplyStatus(card.supply_status),
                card.quantity,
                card.contents,
                card.booked,
                turns.get(card.pk),
            )
            found.setdefault(card.loop_id, []).append(held)
        return found

    def booked(self, part_ids: Collection[int]) -> Mapping[int, frozenset[str]]:
        """Components that open turns have booked and not yet used, by the part that is made of them."""
        _lock(sorted(Loop.objects.filter(part__in=list(part_ids)).values_list("pk", flat=True)))
        found: dict[int, set[str]] = {}
        for part_id, number in Draw.objects.filter(
            turn__loop__part__in=list(part_ids), turn__closed_at__isnull=True, booked__gt=0
        ).values_list("turn__loop__part", "loop__part__number"):
            found.setdefault(part_id, set()).add(number)
        return {part_id: frozenset(numbers) for part_id, numbers in found.items()}


def _lock(loop_ids: Sequence[int]) -> None:
    """Stations, then loops, each by id."""
    ends = Station.objects.filter(loops_in__in=loop_ids) | Station.objects.filter(loops_out__in=loop_ids)
    stations = sorted(set(ends.values_list("pk", flat=True)))
    list(Station.objects.select_for_update(no_key=True).filter(pk__in=stations).order_by("pk"))
    list(LoopState.objects.select_for_update().filter(pk__in=loop_ids).order_by("pk"))
