"""A shelf of twenty bins with six planted differences, and who walks along it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jitapp.accounts.models import Person
from jitapp.plant.models import Membership
from jitapp.pull.models import Card
from jitapp.pull.scan_request import Source
from jitapp.symbology.cardcode import make_code
from tests.floor import START, Floor

UNKNOWN = make_code(4_242_424)
BINS = 20


@dataclass
class Shelf:
    """`standing` are the codes of the twenty bins that really stand there; `planted` the differences by their kind."""

    floor: Floor
    walker: Person
    standing: list[str] = field(default_factory=list)
    planted: dict[str, str] = field(default_factory=dict)

    def source(self, *roles: str) -> Source:
        return Source(
            person_id=self.walker.pk,
            plant_ids=frozenset({self.floor.plant.pk}),
            roles={self.floor.plant.pk: frozenset(roles or ("handler",))},
        )


def a_shelf(now: datetime = START) -> Shelf:
    """LINE with loops from STORE; DOCK-2 is another place. In the system sixteen bins stand at LINE: fifteen do."""
    floor = Floor(now=now)
    for code, kind in (("STORE", "SUPERMARKET"), ("LINE", "PROCESS"), ("DOCK-2", "PROCESS")):
        floor.station(code, kind)
    floor.loop("MANY", part="SCREW", supply="STORE", demand="LINE", cards=12, quantity=100)
    floor.loop("SOME", part="NUT", supply="STORE", demand="LINE", cards=8, quantity=50)
    floor.loop("AWAY", part="FOIL", supply="STORE", demand="DOCK-2", cards=2, quantity=5)
    walker = floor.person("willa")
    Membership.objects.create(person=walker, plant=floor.plant, role="handler")
    shelf = Shelf(floor, walker)
    codes = {(card.loop.code, card.number): card.code for card in Card.objects.select_related("loop")}
    floor.scan("SOME", 1, "empty")  # stands there all the same
    floor.scan("SOME", 2, "hold", reason="bent", source=floor.leader())
    floor.scan("SOME", 3, "remove", source=floor.leader())
    shelf.planted = {
        "missing": codes["MANY", 12],
        "elsewhere": codes["AWAY", 1],
        "not_full": codes["SOME", 1],
        "held": codes["SOME", 2],
        "withdrawn": codes["SOME", 3],
        "unknown": UNKNOWN,
    }
    own = [code for (loop, _), code in codes.items() if loop in ("MANY", "SOME")]
    shelf.standing = [code for code in own if code != shelf.planted["missing"]]
    shelf.standing += [shelf.planted["elsewhere"], UNKNOWN]
    # Twenty bins in all: one that is right stands in the wash and is empty in the system, so nobody misses it.
    floor.scan("MANY", 1, "empty")
    shelf.standing.remove(codes["MANY", 1])
    assert len(shelf.standing) == BINS, len(shelf.standing)
    floor.now += timedelta(minutes=30)
    return shelf
