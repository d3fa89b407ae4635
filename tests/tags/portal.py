"""A small floor with a reader, and tags on its cards; whatever is sent comes in by the clock of the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jitapp.accounts.models import Device, new_token, token_hash
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement, Station
from jitapp.tags.binding import bind
from jitapp.tags.intake import Received, receive
from jitapp.tags.models import Reader, ReadPoint, Visit
from jitapp.tags.reads import Batch, Read
from jitapp.tags.words import How
from tests.floor import Floor

LOOP = "L1"


def epc(number: int) -> str:
    """Tag memory of an SGTIN-96 with this serial number."""
    return f"3034257BF7194E40{number:08X}"


@dataclass
class Portal:
    """A reader at TEST, where emptied containers leave: `cards` cards, each with the tag of its number."""

    cards: int = 2
    floor: Floor = field(default_factory=Floor)
    device: Device = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        self.floor.station("SMT")
        self.floor.station("TEST")
        self.floor.loop(LOOP, part="BOARD", supply="SMT", demand="TEST", cards=self.cards)
        self.device, self.token = self.reader("DOCK-1")
        for number in range(1, self.cards + 1):
            self.bind(number, number)
        self.floor.now += timedelta(hours=1)

    @property
    def now(self) -> datetime:
        return self.floor.now

    def reader(self, name: str, station: str | None = "TEST") -> tuple[Device, str]:
        token = new_token()
        device = Device.objects.create(name=name, kind=DeviceKind.READER, token_hash=token_hash(token))
        at = Station.objects.get(code=station) if station else None
        Placement.objects.create(device=device, plant=self.floor.plant, station=at)
        return device, token

    def point(self, name: str = "gate", *, device: Device | None = None, **settings: object) -> ReadPoint:
        reader, _ = Reader.objects.get_or_create(
            device=device or self.device, defaults={"plant": self.floor.plant}
        )
        settings.setdefault("station", Station.objects.get(code="TEST"))
        settings.setdefault("intent", "empty")
        return ReadPoint.objects.create(reader=reader, name=name, **settings)

    def bind(self, tag: int, card: int) -> None:
        bind(
            tag=epc(tag),
            card=self.floor.card(LOOP, card).code,
            how=How.FORM,
            plant_ids=frozenset({self.floor.plant.pk}),
            now=self.floor.now,
            move=True,
        )

    def send(self, *reads: Read, device: Device | None = None, sent_at: datetime | None = None) -> Received:
        """A body that comes in now."""
        who = device or self.device
        return receive(Batch(reads, sent_at=sent_at), reader_id=who.pk, name=who.name, now=self.now)

    def see(
        self,
        *tags: int,
        after: float = 0.0,
        antenna: int | None = 1,
        rssi: float | None = -55.0,
        device: Device | None = None,
    ) -> Received:
        """The tags are read once, so many seconds after what was read before."""
        self.floor.now += timedelta(seconds=after)
        reads = [Read(epc(tag), antenna, self.now, rssi) for tag in tags]
        return self.send(*reads, device=device)

    def visits(self, tag: int) -> list[Visit]:
        return list(
            Visit.objects.filter(tag__hex=epc(tag)).select_related("point").order_by("arrived_at", "pk")
        )
