"""Two plants with the same things in them, and everybody who may knock: the rows and columns of the table of rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from uuid import UUID, uuid4

from django.db import connection
from django.test import Client
from django.utils import timezone
from msgspec import to_builtins

from jitapp.accounts.models import Device, Person, token_hash
from jitapp.accounts.pins import set_pin
from jitapp.erp.models import DocumentRequest, ErpConnection
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.plant import enrolling
from jitapp.plant.devices import place_device
from jitapp.plant.models import Loop, Membership, Part, Placement, Plant, Station, UnknownBadge
from jitapp.plant.routes import Route, RouteStop
from jitapp.printing.actions import Order, print_cards
from jitapp.printing.models import PrinterTest, StateSheet
from jitapp.printing.pictures import keep as keep_picture
from jitapp.pull import actions
from jitapp.pull.models import Handover, HandoverSignature, MissingScans
from jitapp.pull.reading.handover import facts_now
from jitapp.rounds.models import LabelPiece, ReadLabel, Walk
from jitapp.symbology.cardcode import make_code
from jitapp.tags.binding import bind
from jitapp.tags.models import Alarm, Reader, ReadPoint, Tag
from jitapp.tags.words import How
from jitapp.web.masters.kinds import KINDS
from jitapp.web.masters.saving import digest
from tests.floor import Floor
from tests.printing.cards import photograph

PIN = "2580"
HOME, AWAY = "QHOME", "QAWAY"
HANDS = frozenset({Role.OPERATOR, Role.HANDLER, Role.SUPPLIER, Role.BUYER})
GROUPS = (
    "strangers and administrators",
    *(f"{what} of {plant}" for plant in (HOME, AWAY) for what in ("devices", "hands", "heads")),
)


@dataclass
class World:
    """A plant whose every code and name begins with the plant's code, with something of each kind in it."""

    code: str
    floor: Floor = field(init=False)
    parked: UUID = field(init=False)
    call: UUID = field(init=False)
    test_page: str = field(init=False)
    print_job: UUID = field(init=False)
    walk: UUID = field(init=False)
    label: UUID = field(init=False)
    missing: int = field(init=False)
    enrolment: UUID = field(init=False)
    reader: Reader = field(init=False)
    point: ReadPoint = field(init=False)
    unknown: Tag = field(init=False)
    bound: str = field(init=False)
    owing: UUID = field(init=False)
    alarm: int = field(init=False)

    def __post_init__(self) -> None:
        code = self.code
        self.floor = floor = Floor(code, now=timezone.now() - timedelta(hours=1))
        for station, kind in (("SMT", "PROCESS"), ("TEST", "PROCESS"), ("ACME", "SUPPLIER")):
            floor.station(f"{code}-{station}", kind)
        floor.bill(f"{code}-BOARD", **{f"{code}-PASTE": 1})
        ends = {"supply": f"{code}-SMT", "demand": f"{code}-TEST"}
        floor.loop(f"{code}-L1", part=f"{code}-BOARD", cards=4, quantity=4, **ends)
        floor.loop(
            f"{code}-EV",
            part=f"{code}-ORDERED",
            kind="EVENT",
            cards=0,
            first=None,
            lead_time_minutes=9,
            **ends,
        )
        floor.loop(f"{code}-OUT", part=f"{code}-BOARD", cards=1, **ends)
        actions.retire_loop(loop_id=Loop.objects.get(code=f"{code}-OUT").pk, reason="over", now=floor.now)
        before = floor.now + timedelta(minutes=1)
        self.leader = self.person("lea", Role.LEADER)
        source = floor.leader()
        floor.scan(f"{code}-L1", 1, "empty", after=10)
        self.parked = uuid4()
        late = floor.scan(f"{code}-L1", 1, "start", id=self.parked, occurred_at=before)
        assert late["outcome"] == "parked"
        assert (
            floor.scan(f"{code}-L1", 2, "hold", reason=f"{code} lot 4711", source=source)["outcome"]
            == "applied"
        )
        made = actions.call_for_help(
            station=f"{code}-SMT", kind="machine", note=f"{code} spindle", now=floor.now, source=source
        )
        self.call = made.uuid
        part = Part.objects.get(number=f"{code}-BOARD")
        keep_picture(part.pk, photograph().data, now=floor.now, person_id=None)
        self.test_page = "KT" + make_code(floor.plant.pk)[2:]
        PrinterTest.objects.create(plant=floor.plant, code=self.test_page, paper="a4", made_at=floor.now)
        made_job = print_cards(
            [floor.card(f"{code}-L1", 3).code],
            Order("https://kanban.example.com", paper="100x50"),
            plant_ids=[floor.plant.pk],
            now=floor.now,
            source=floor.source,
        )
        self.print_job = made_job.jobs[0]
        StateSheet.objects.create(
            area=floor.area,
            hour=floor.now.replace(minute=0, second=0, microsecond=0),
            number=1,
            claimed_at=floor.now,
            made_at=floor.now,
            name=f"{code}.pdf",
            pdf=b"%PDF-1.7",
        )
        self.operator = self.person("ole", Role.OPERATOR)
        self.badge = UnknownBadge.objects.create(
            plant=floor.plant,
            badge=f"{code}-4711",
            device=floor.device,
            first_at=floor.now,
            last_at=floor.now,
        ).pk
        self.missing = MissingScans.objects.create(
            device=floor.device, epoch="a", first=17, last=19, found_at=floor.now
        ).pk
        asked = enrolling.wanted(floor.plant, name=f"{code} wall", kind="wall", station="", intent="")
        self.enrolment = enrolling.begin(asked, person_id=self.leader.pk, now=timezone.now())[0].uuid
        turn = floor.turn(f"{code}-L1", 1)
        self.owing = turn.uuid
        DocumentRequest.objects.create(
            turn=turn,
            key=turn.uuid,
            connection=ErpConnection.objects.create(plant=floor.plant),
            body={"card": floor.card(f"{code}-L1", 1).code, "part": f"{code}-BOARD"},
            detail=f"{code} is locked",
            due_at=floor.now,
        )
        self._of_the_handlers()

    def _of_the_handlers(self) -> None:
        """A route, a finished walk, a label that matched nothing, and one that is gathered."""
        code, plant = self.code, self.floor.plant
        route = Route.objects.create(plant=plant, code=f"{code}-MILK", name=f"{code} round", every_minutes=30)
        for position, station in enumerate(("SMT", "TEST")):
            stands = Station.objects.get(code=f"{code}-{station}")
            RouteStop.objects.create(route=route, position=position, station=stands)
        at = {"began_at": self.floor.now, "finished_at": self.floor.now}
        area = self.floor.area.code
        self.walk = Walk.objects.create(plant=plant, place=area, stations=[], person=self.leader, **at).uuid
        self.label = ReadLabel.objects.create(
            plant=plant,
            raw=f"{code}-label",
            outcome="unmatched",
            code="no_label",
            lot=f"{code}-lot",
            at=self.floor.now,
        ).uuid
        LabelPiece.objects.create(
            plant=plant,
            gathering=self.label,
            identifier="P",
            value=f"{code}-piece",
            raw="P",
            at=self.floor.now,
        )
        handover = Handover.objects.create(
            area=self.floor.area,
            since=self.floor.now,
            until=self.floor.now,
            notes=f"{code} notes",
            facts=to_builtins(facts_now(area, plant.pk, self.floor.now, self.floor.now)),
        )
        self.handover: UUID = handover.uuid
        HandoverSignature.objects.create(
            handover=handover, side="leaving", person=self.operator, how="badge", signed_at=self.floor.now
        )
        self._tags()

    def person(self, name: str, role: Role) -> Person:
        made = Person.objects.create(username=f"{self.code}-{name}", name=f"{self.code} {name}")
        Membership.objects.create(person=made, plant=self.floor.plant, role=role)
        if role is Role.LEADER:
            set_pin(made, PIN)
        return made

    def _tags(self) -> None:
        """A reader with a zone, a tag on a card, one that nobody knows, and an alarm."""
        plant, now = self.floor.plant, self.floor.now
        device = Device.objects.create(
            name=f"{self.code} dock", kind=DeviceKind.READER, token_hash=token_hash(f"{self.code} dock")
        )
        Placement.objects.create(device=device, plant=plant)
        self.reader = Reader.objects.create(device=device, plant=plant, silent_minutes=0)
        self.point = ReadPoint.objects.create(reader=self.reader, name=f"{self.code} gate", purpose="watch")
        serial = f"{self.code.encode().hex()[-8:]}"
        self.bound = f"3034257BF7194E41{serial}".upper()
        plants = frozenset({plant.pk})
        bind(
            tag=self.bound,
            card=self.floor.card(f"{self.code}-L1", 3).code,
            how=How.FORM,
            plant_ids=plants,
            now=now,
        )
        self.unknown = Tag.objects.create(
            identity=f"urn:{self.code}:tag",
            hex=f"3034257BF7194E40{serial}".upper(),
            plant=plant,
            last_seen_at=now,
            last_point=self.point,
        )
        self.alarm = Alarm.objects.create(
            plant=plant, kind="silent", reader=self.reader, first_at=now, last_at=now
        ).pk

    @property
    def words(self) -> dict[str, str]:
        """What stands in the places of an address: here, things of this plant."""
        loop = f"{self.code}-L1"
        return {
            "area": self.floor.area.code,
            "token": "nobody",  # of a wall screen; test_table.py puts in that of whoever asks
            "station": f"{self.code}-SMT",
            "loop_id": str(Loop.objects.get(code=loop).pk),
            "card": self.floor.card(loop, 3).code,
            "held": self.floor.card(loop, 2).code,
            "empty": self.floor.card(loop, 1).code,
            "turn": str(self.floor.turn(loop, 1).uuid),
            "owing": str(self.owing),
            "call": str(self.call),
            "scan": str(self.parked),
            "part": f"{self.code}-BOARD",
            "part_id": str(Part.objects.get(number=f"{self.code}-BOARD").pk),
            "test_page": self.test_page,
            "print_job": str(self.print_job),
            "loop": loop,
            "event_loop": f"{self.code}-EV",
            "supplier": f"{self.code}-ACME-CO",
            "leader": self.leader.username,
            "route": f"{self.code}-MILK",
            "place": self.floor.area.code,
            "walk": str(self.walk),
            "handover": str(self.handover),
            "label": str(self.label),
            "plant": self.code,
            "demand": f"{self.code}-TEST",
            "new_part": f"{self.code}-FRESH",
            "out_loop": str(Loop.objects.get(code=f"{self.code}-OUT").pk),
            "surplus": self.floor.card(f"{self.code}-OUT", 1).code,
            "seen": digest(KINDS["loops"].current(Loop.objects.get(code=loop))),
            "device": str(self.floor.device.uuid),
            "missing": str(self.missing),
            "enrolment": str(self.enrolment),
            "person": str(self.operator.uuid),
            "badge": str(self.badge),
            "reader": str(self.reader.pk),
            "point": str(self.point.pk),
            "tag_id": str(self.unknown.pk),
            "tag": self.unknown.identity,
            "bound": self.bound,
            "alarm": str(self.alarm),
        }

    @cached_property
    def secrets(self) -> list[str]:
        """What nobody outside may read, in small letters: every name, card, turn, call and scan of the plant. Each
        answer to a stranger is searched for them, so that they are looked up once."""
        codes = [self.floor.card(f"{self.code}-L1", number).code for number in (1, 2, 3, 4)]
        found = [self.code, *codes, self.words["turn"], str(self.call), str(self.parked)]
        return [one.lower() for one in found]


@dataclass(frozen=True)
class Identity:
    """Somebody who knocks: by a session, a token, or with nothing."""

    name: str
    plant: str = ""  # where they belong
    role: Role | None = None
    kind: DeviceKind | None = None
    token: str = ""
    session: str = ""
    staff: bool = False  # sees the administration's front page
    permitted: bool = False  # and its tables
    revoked: bool = False

    @property
    def is_person(self) -> bool:
        return bool(self.session) and not self.revoked

    @property
    def is_device(self) -> bool:
        """Whether the token opens the API; that of a wall screen opens boards only."""
        return self.kind not in (None, DeviceKind.WALL) and not self.revoked

    @property
    def is_tablet(self) -> bool:
        return self.is_device and self.kind in (DeviceKind.TABLET, DeviceKind.SCANNER)

    @property
    def group(self) -> str:
        """Which part of the table they stand in."""
        if not self.plant or self.plant == "everywhere" or self.revoked:
            return "strangers and administrators"
        what = "devices" if self.kind else "hands" if self.role in HANDS else "heads"
        return f"{what} of {self.plant}"

    def belongs_to(self, world: World) -> bool:
        return self.plant in (world.code, "everywhere")

    def client(self) -> Client:
        """A browser or a program of this identity, untouched by what it did before."""
        client = Client(headers={"Authorization": f"Bearer {self.token}"} if self.token else {})
        if self.session:
            client.cookies["sessionid"] = self.session
        if self.token:
            client.cookies["device"] = self.token  # a tablet's browser
        return client


def session_of(person: Person) -> str:
    """A session of this person."""
    client = Client()
    client.force_login(person)
    return client.cookies["sessionid"].value


def everybody(home: World, away: World) -> list[Identity]:
    """Anonymous, each role and each kind of token in both plants, administrators, and whoever was revoked."""
    found = [
        Identity("anonymous"),
        Identity("a wrong token", token="jit_nobody"),
        Identity("a wrong session", session="x" * 32, revoked=True),
    ]
    for world in (home, away):
        for role in Role:
            session = session_of(world.person(role.value, role))
            found.append(Identity(f"{role} at {world.code}", world.code, role=role, session=session))
        for kind in DeviceKind:
            token = place_device(f"{world.code} {kind}", kind, plant=world.code)
            found.append(Identity(f"{kind} at {world.code}", world.code, kind=kind, token=token))
    both = away.person("both", Role.LEADER)
    Membership.objects.create(person=both, plant=home.floor.plant, role=Role.OPERATOR)
    found.append(
        Identity("operator at home, leader away", home.code, role=Role.OPERATOR, session=session_of(both))
    )
    staff = Person.objects.create(username="staff", name="Staff", is_staff=True)
    found.append(Identity("staff without permissions", session=session_of(staff), staff=True))
    root = Person.objects.create(username="root", name="Root", is_staff=True, is_superuser=True)
    found.append(Identity("superuser", "everywhere", session=session_of(root), staff=True, permitted=True))
    found.append(Identity("a person of no plant", session=session_of(Person.objects.create(username="nemo"))))
    return found + _revoked(home)


def _revoked(home: World) -> list[Identity]:
    gone = home.person("gone", Role.ADMIN)
    session = session_of(gone)
    Person.objects.filter(pk=gone.pk).update(is_active=False)
    former = Person.objects.create(username="former", name="Former")
    Membership.objects.create(person=former, plant=home.floor.plant, role=Role.LEADER)
    out = session_of(former)
    Membership.objects.filter(person=former).delete()
    Membership.objects.create(person=former, plant=Plant.objects.get(code=AWAY), role=Role.LEADER)
    token = place_device("revoked", DeviceKind.ERP, plant=home.code)
    Device.objects.filter(name="revoked").update(active=False)
    return [
        Identity("a revoked token", token=token),
        Identity("a person who was shut out", home.code, Role.ADMIN, session=session, revoked=True),
        Identity("a leader who went to the other plant", AWAY, Role.LEADER, session=out),
    ]


OF_PLANT = (
    *("plant_area", "plant_station", "plant_part", "plant_loop", "plant_supplier", "plant_calendar"),
    *("plant_membership", "plant_placement", "plant_enrolment", "plant_unknownbadge", "pull_event"),
    *("printing_printjob", "printing_printertest", "plant_route", "rounds_readlabel", "rounds_walk"),
    *("rounds_labelpiece", "erp_erpconnection"),
    *("tags_reader", "tags_tag", "tags_alarm", "plant_masterchange"),
)
OF_LOOP = ("pull_card", "pull_turn", "pull_loopstate", "pull_runout", "pull_wait")
OF_PART = ("printing_partpicture",)
OF_STATION = ("pull_andoncall", "pull_stationstate")
OF_AREA = ("printing_papermove", "printing_statesheet", "pull_handover")


def state_of(plant: Plant) -> tuple[int, ...]:
    """A fingerprint of everything that belongs to a plant; any change of it is another one."""
    # ruff: noqa: S608 (names of tables that stand above)
    total = "coalesce(sum(hashtextextended(t::text, 0)), 0)"
    parts = [f"(SELECT {total} FROM {table} t WHERE plant_id = %(plant)s)" for table in OF_PLANT]
    owners = {"area": OF_AREA, "loop": OF_LOOP, "station": OF_STATION, "part": OF_PART}
    for table, owner in [(name, owner) for owner, names in owners.items() for name in names]:
        parts.append(
            f"(SELECT {total} FROM {table} t WHERE {owner}_id IN"
            f" (SELECT id FROM plant_{owner} WHERE plant_id = %(plant)s))"
        )
    parts.append(
        f"(SELECT {total} FROM pull_settlement t JOIN pull_receipt r ON r.id = t.receipt_id"
        " WHERE r.plant_id = %(plant)s)"
    )
    parts.append(
        f"(SELECT {total} FROM pull_handoversignature t JOIN pull_handover h ON h.id = t.handover_id"
        " WHERE h.area_id IN (SELECT id FROM plant_area WHERE plant_id = %(plant)s))"
    )
    parts += [
        f"(SELECT {total} FROM {table} t JOIN plant_placement p ON p.device_id = t.{key} WHERE p.plant_id = %(plant)s)"
        for table, key in (("accounts_device", "id"), ("pull_missingscans", "device_id"))
    ]
    parts.append(f"(SELECT {total} FROM erp_documentrequest t WHERE connection_id = %(plant)s)")
    parts.append(
        f"(SELECT {total} FROM accounts_person t WHERE id IN"
        " (SELECT person_id FROM plant_membership WHERE plant_id = %(plant)s))"
    )
    parts.append(
        f"(SELECT {total} FROM tags_readpoint t JOIN tags_reader r ON r.device_id = t.reader_id"
        " WHERE r.plant_id = %(plant)s)"
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(parts), {"plant": plant.pk})
        return tuple(cursor.fetchone())
