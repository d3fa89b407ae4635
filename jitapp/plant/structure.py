"""What a plant must not be: a structure in which a pull would chase its own tail.

Three graphs must be free of circles: the bills; the loops of one part, from station to station; and the loops as
a cascade follows them, from a loop to the loops of the components that its supply source consumes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from jitapp.kanban.stated import Chain, Stated, stated
from jitapp.kanban.vocabulary import LoopStatus, StationKind
from jitapp.plant.models import BillOfMaterials, Epoch, Loop


@dataclass(frozen=True, slots=True)
class LoopEdge:
    """A loop as the cascade sees it."""

    code: str
    part: str
    supply: str
    supply_kind: str
    demand: str


def lock_master_data() -> None:
    """Master data has one writer at a time, so that two right changes never make one wrong structure."""
    Epoch.objects.select_for_update().get_or_create(id=1)


def check_structure(plant_ids: Iterable[int]) -> list[Stated]:
    """One sentence for every kind of circle in the plants' bills and loops as they stand in the database."""
    plants = list(plant_ids)
    bills = BillOfMaterials.objects.filter(parent__plant__in=plants).values_list(
        "parent__number", "component__number"
    )
    loops = (
        Loop.objects.filter(plant__in=plants)
        .exclude(status=LoopStatus.RETIRED)
        .values_list("code", "part__number", "supply__code", "supply__kind", "demand__code")
    )
    return circles(list(bills), [LoopEdge(*row) for row in loops])


def circles(bills: Iterable[tuple[str, str]], loops: Iterable[LoopEdge]) -> list[Stated]:
    """The same for given facts: bills as (parent, component)."""
    components: dict[str, set[str]] = defaultdict(set)
    for parent, component in bills:
        components[parent].add(component)
    edges = list(loops)
    return [
        *_bill_circles(components),
        *_part_circles(edges),
        *_cascade_circles(edges, components),
    ]


def _bill_circles(components: Mapping[str, set[str]]) -> Iterable[Stated]:
    if circle := _circle(components):
        yield stated(
            "The bills go in a circle: {circle}. Take one of these lines out.",
            circle=Chain(tuple(circle), stated("is made from")),
        )


def _part_circles(loops: list[LoopEdge]) -> Iterable[Stated]:
    fed_by: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for loop in loops:
        fed_by[loop.part][loop.demand].add(loop.supply)
    for part in sorted(fed_by):
        if circle := _circle(fed_by[part]):
            yield stated(
                "The loops of part {part} go in a circle: {circle}. Take one of these loops out.",
                part=part,
                circle=Chain(tuple(circle), stated("is supplied by")),
            )


def _cascade_circles(loops: list[LoopEdge], components: Mapping[str, set[str]]) -> Iterable[Stated]:
    at: dict[tuple[str, str], set[str]] = defaultdict(set)
    for loop in loops:
        at[loop.demand, loop.part].add(loop.code)
    pulls: dict[str, set[str]] = {}
    for loop in loops:
        # A process consumes the components of the bill; a supermarket takes the part from its own loop.
        taken = (
            {loop.part} if loop.supply_kind == StationKind.SUPERMARKET else components.get(loop.part, set())
        )
        pulls[loop.code] = {code for part in taken for code in at.get((loop.supply, part), ())}
    if circle := _circle(pulls):
        yield stated(
            "A pull would never end: loop {circle}. Take one of these loops out.",
            circle=Chain(tuple(circle), stated("pulls")),
        )


def _circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The nodes of one circle, the first again at the end; empty without one."""
    try:
        TopologicalSorter({node: sorted(graph[node]) for node in sorted(graph)}).prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return nodes[::-1]  # graphlib walks from the needed to the one that needs it
    return []
