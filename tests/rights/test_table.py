"""Every route, page, stream and command against everybody who may knock: who gets in, what they read, what they change.

The rows are made from the declarations that `manage.py routes` prints; a route without a case here fails. Everything
is asked for things of the plant QHOME. Nobody who does not belong to it may read a name of it or change anything in it,
and whoever the declaration lets in is not turned away.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.management import get_commands
from django.db import transaction

from jitapp.api.operations import ANYBODY, BASE, ERP_ONLY, EVERY_DEVICE
from jitapp.kanban.vocabulary import DeviceKind, Role
from jitapp.live.ticket import open_ticket
from jitapp.plant import configs
from jitapp.symbology.cardcode import make_code
from jitapp.web.device import PEOPLE_OR_TABLET, TABLETS
from jitapp.web.visit import PEOPLE, PRINTERS, READERS
from jitapp.web.wall import WALLS
from jitapp.workshop.management.commands.routes import STAFF, TICKET, routes
from tests.rights.world import AWAY, GROUPS, HOME, PIN, Identity, World, everybody, state_of

pytestmark = pytest.mark.django_db

SETTLERS = frozenset({Role.LEADER, Role.PLANNER, Role.ADMIN})
LEADERS = frozenset({Role.LEADER, Role.ADMIN})
HOLDERS = SETTLERS | {Role.QUALITY}
DECIDERS = HOLDERS | {Role.BUYER}
WORKERS = frozenset(Role) - {Role.SUPPLIER}  # take a call
EVERYBODY = frozenset(Role)
DEVICES = frozenset(DeviceKind) - {DeviceKind.WALL}  # a wall shows, and changes nothing
ERP = frozenset({DeviceKind.ERP})
NOT_READERS = DEVICES - {DeviceKind.READER}


@dataclass(frozen=True)
class Case:
    """How an address is asked: `places` fill it, `body` is sent. `may` are the roles or kinds of device at home whose
    asking changes the plant; None: it is only read, or what it changes is no matter of the plant's."""

    places: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    may: frozenset[Any] | None = None
    form: bool = False


def scan(intent: str, card: str = "card") -> dict[str, Any]:
    return {"id": "$uuid", "code": f"${card}", "intent": intent}


ZONE = {
    "name": "Other",
    "purpose": "watch",
    "moment": "arrive",
    "refire_minutes": "1",
    "silence_ms": "3000",
    "enter_reads": "1",
    "margin_db": "4",
    "active": "on",
}
PAPER_LINE = {
    "id": "$uuid",
    "position": "0",
    "code": "$card",
    "day": "2026-11-16",
    "time": "9:00",
    "what": "emptied",
    "quantity": "",
    "by": "",
    "note": "",
}
LEADS = {"by": "$leader", "pin": PIN}
CODE = {"code": "$loop"}
CASES: dict[tuple[str, str], Case] = {
    ("POST", "/s/"): Case(body=scan("remove"), may=SETTLERS),
    # A person's browser becomes a device at its first scan; what may be scanned: tests/web/test_tablet_doors.py.
    ("POST", "/s/scans"): Case(body={"scans": [scan("remove")]}),
    ("POST", "/s/beat"): Case(body={"waiting": 3}),
    ("GET", "/s/words/<str:language>"): Case({"language": "de"}),
    ("POST", "/s/station/"): Case(body={"station": "$station"}, form=True),
    ("POST", "/s/tray/<uuid:scan>"): Case(
        body={"settle": "discard", "reason": "seen", "id": "$uuid"}, may=SETTLERS, form=True
    ),
    ("POST", "/s/sign-in"): Case(body={"badge": "4711"}),
    ("POST", "/s/allow"): Case(body={"id": "$uuid", "code": "$card", "badge": "4711", "pin": "2580"}),
    ("POST", "/s/sign-out"): Case(body={}),
    ("POST", "/devices/enrol"): Case(
        body={"plant": "$plant", "name": "Line 2", "kind": "tablet"}, may=LEADERS, form=True
    ),
    ("POST", "/devices/<uuid:device>"): Case(
        {"device": "$device"}, {"name": "Line 3"}, may=LEADERS, form=True
    ),
    ("POST", "/devices/<uuid:device>/again"): Case({"device": "$device"}, {}, may=LEADERS, form=True),
    ("POST", "/devices/<uuid:device>/revoke"): Case({"device": "$device"}, {}, may=LEADERS, form=True),
    ("POST", "/devices/missing/<int:missing>"): Case(
        {"missing": "$missing"}, {"note": "seen"}, may=LEADERS, form=True
    ),
    ("POST", "/sys/erp/documents/<uuid:turn>/again"): Case(
        {"turn": "$owing"}, {}, may=frozenset({Role.BUYER, Role.PLANNER, Role.LEADER, Role.ADMIN}), form=True
    ),
    ("POST", "/sys/erp/<str:plant>/calls"): Case(
        {"plant": "$plant"}, {"calls": "off"}, may=frozenset({Role.ADMIN}), form=True
    ),
    ("POST", "/people/new"): Case(
        body={
            "plant": "$plant",
            "username": "new.one",
            "name": "New One",
            "language": "de",
            "roles": ["operator"],
        },
        may=frozenset({Role.ADMIN}),
        form=True,
    ),
    ("GET", "/people/<uuid:person>"): Case({"person": "$person"}),
    ("POST", "/people/<uuid:person>"): Case(
        {"person": "$person"}, {"do": "pin", "pin": "7391"}, may=LEADERS, form=True
    ),
    ("POST", "/people/badges/<int:badge>"): Case({"badge": "$badge"}, {}, may=LEADERS, form=True),
    ("GET", "/device/enrol/<str:code>"): Case({"code": "NO-SUCH-CODE"}),
    ("POST", "/device/enrol/<str:code>"): Case({"code": "NO-SUCH-CODE"}, {}, form=True),
    ("GET", "/plan/<str:kind>"): Case({"kind": "stations"}),
    ("GET", "/plan/<str:kind>/new"): Case({"kind": "parts"}),
    ("POST", "/plan/<str:kind>/new"): Case(
        {"kind": "parts"}, {"plant": "$plant", "number": "$new_part"}, may=SETTLERS, form=True
    ),
    ("GET", "/plan/<str:kind>/<int:pk>"): Case({"kind": "parts", "pk": "$part_id"}),
    ("POST", "/plan/<str:kind>/<int:pk>"): Case(
        {"kind": "parts", "pk": "$part_id"}, {"description": "Other"}, may=SETTLERS, form=True
    ),
    ("POST", "/plan/<str:kind>/bulk"): Case(
        {"kind": "parts"},
        {"pick": "$part_id", "do": "set-description", "description": "Other", "confirm": "1"},
        may=SETTLERS,
        form=True,
    ),
    ("POST", "/plan/words"): Case(
        body={"place": "$plant", "language": "en", "bin-singular": "tray", "bin-plural": "trays"},
        may=SETTLERS,
        form=True,
    ),
    ("POST", "/l/new"): Case(
        body={
            "plant": "$plant",
            "part": "$part",
            "supply": "$station",
            "demand": "$demand",
            "quantity": "2",
            "cards": "2",
        },
        may=SETTLERS,
        form=True,
    ),
    ("POST", "/l/<int:loop_id>/edit"): Case(body={"do": "remark", "remark": "seen"}, may=SETTLERS, form=True),
    ("POST", "/l/<int:loop_id>/settings"): Case(
        body={"seen": "$seen", "lead_time_minutes": "77", "confirm": "1"}, may=SETTLERS, form=True
    ),
    ("POST", "/l/<int:loop_id>/collected"): Case(
        {"loop_id": "$out_loop"}, {"card": "$surplus"}, may=SETTLERS, form=True
    ),
    ("POST", "/device/doctor"): Case(
        body={
            "stamp": "passed",
            "problems": [],
            "suffix": "Enter",
            "layout": "",
            "numpad": False,
            "letters": "kept",
            "controls": "kept",
            "several": "apart",
            "gap": 5,
            "unidentified": False,
        }
    ),
    ("POST", "/calls/new"): Case(
        body={"station": "$station", "kind": "help", "id": "$uuid"}, may=EVERYBODY, form=True
    ),
    ("POST", "/shift/<str:area>/leave"): Case(body={"notes": "reel", "id": "$uuid"}, may=LEADERS, form=True),
    ("POST", "/shift/<str:area>/<uuid:handover>/arrive"): Case(body={}, may=LEADERS, form=True),
    ("POST", "/calls/<uuid:call>/take"): Case(body={}, may=WORKERS, form=True),
    ("POST", "/calls/<uuid:call>/solve"): Case(body={"reason": "belt"}, may=WORKERS, form=True),
    ("POST", "/calls/<uuid:call>/take-back"): Case(body={}, may=WORKERS, form=True),
    ("POST", "/holds/<str:code>"): Case({"code": "$card"}, {"reason": "seen"}, HOLDERS, form=True),
    ("POST", "/holds/<str:code>/decide"): Case(
        {"code": "$held"}, {"decision": "use", "id": "$uuid", "reason": "seen"}, DECIDERS, form=True
    ),
    ("POST", "/changeovers/<str:station>"): Case(body={"to_family": "A"}, may=EVERYBODY, form=True),
    ("POST", "/print/file"): Case(body={"card": "$card", "paper": "100x50"}, may=SETTLERS, form=True),
    ("POST", "/print/verify"): Case(body={"code": "$test_page"}, may=SETTLERS, form=True),
    ("GET", "/print/tests/<str:code>"): Case({"code": "$test_page"}),
    ("GET", "/pictures/<int:part>"): Case({"part": "$part_id"}),
    ("POST", "/pictures/<int:part>/keep"): Case({"part": "$part_id"}, {"remove": "1"}, SETTLERS, form=True),
    ("GET", "/b/<str:area>/paper/<int:number>"): Case({"number": "1"}),
    ("POST", "/b/<str:area>/paper/send"): Case(body={}, form=True),
    ("POST", "/b/<str:area>/paper/entry"): Case(body={"do": "keep"} | PAPER_LINE, may=SETTLERS, form=True),
    ("POST", "/b/<str:area>/paper/entry/line"): Case(body=PAPER_LINE, may=SETTLERS, form=True),
    # Books one's own lines only; whose those are: tests/web/test_paper.py.
    ("POST", "/b/<str:area>/paper/entry/book"): Case(body={}, form=True),
    ("POST", "/k/<str:code>/lost"): Case({"code": "$card"}, {"reason": "seen"}, SETTLERS, form=True),
    ("POST", "/k/<str:code>/undo"): Case({"code": "$card"}, {}, form=True),
    # A code that nobody knows is no thing of a plant: it stands where whoever found it works.
    ("POST", "/k/<str:code>/unknown"): Case({"code": make_code(4_711_000_001)}, {}, form=True),
    ("GET", "/l/<int:loop_id>/e/<int:seq>"): Case({"seq": "1"}),
    ("POST", "/r/<str:route>/scan"): Case(body={"code": "$card", "id": "$uuid"}, form=True),
    ("POST", "/r/<str:route>/cannot"): Case(
        body={"card": "$card", "reason": "blocked", "id": "$uuid"}, may=EVERYBODY, form=True
    ),
    ("POST", "/recv/scan"): Case(body={"code": "$card", "id": "$uuid"}, may=EVERYBODY, form=True),
    ("POST", "/recv/labels/<uuid:label>/settle"): Case(body={"note": "seen"}, may=EVERYBODY, form=True),
    ("POST", "/recv/gathered/<uuid:label>"): Case(body={"away": "1"}, may=EVERYBODY, form=True),
    ("POST", "/walk/<str:place>/begin"): Case(body={}, may=EVERYBODY, form=True),
    ("POST", "/walk/<str:place>/seen"): Case(body={"code": "$card"}, form=True),
    ("POST", "/walk/<str:place>/stand"): Case(body={"station": ""}, form=True),
    ("POST", "/walk/<str:place>/mend"): Case(body={"card": "$card", "remedy": "seen"}, form=True),
    ("POST", "/walk/<str:place>/finish"): Case(body={}, form=True),
    ("POST", "/tags/bind"): Case(body={"tag": "$tag", "card": "$card"}, may=SETTLERS, form=True),
    ("POST", "/tags/unbind"): Case(body={"tag": "$bound", "reason": "torn"}, may=SETTLERS, form=True),
    ("POST", "/tags/ignore"): Case(body={"tag": "$tag", "reason": "lorry"}, may=SETTLERS, form=True),
    ("POST", "/tags/alarms/<int:alarm>/close"): Case(body={}, may=SETTLERS, form=True),
    ("POST", "/tags/points/<int:point>"): Case(body=ZONE, may=SETTLERS, form=True),
    ("POST", "/tags/readers/<int:reader>/new"): Case(body=ZONE | {"antennas": "7"}, may=SETTLERS, form=True),
    ("POST", "/tags/readers/<int:reader>"): Case(
        body={"adapter": "zebra", "silent_minutes": "9", "language": "en"}, may=SETTLERS, form=True
    ),
    # Without a demonstration it only leads on; who may end one: tests/web/test_own_shop.py.
    ("POST", "/start"): Case(body={"plant": "Mine", "confirm": "BOARDWORKS"}, form=True),
    ("POST", "/start/first"): Case(body={"plant": "Mine", "first_code": "guess"}, form=True),
    ("GET", "/learn/sheet/<str:role>"): Case({"role": "operator"}),
    ("POST", "/learn/<str:lesson>"): Case({"lesson": "scan"}, {"do": "done"}, form=True),
    ("POST", "/demo"): Case(body={"operators": "go"}, form=True),
    ("GET", "/demo/try/<str:word>/<str:code>"): Case({"word": "none", "code": "$card"}),
    ("POST", "/demo/stand"): Case(body={"station": "$station"}, form=True),
    ("GET", "/demo/seen/<str:code>"): Case({"code": "$card"}),
    # Without the word that a board of the demonstration gives nobody changes anything: tests/web/test_trying.py.
    ("POST", "/demo/try/<str:word>/<str:code>"): Case(
        {"word": "none", "code": "$card"}, {"id": "$uuid"}, form=True
    ),
    ("POST", "/language/"): Case(body={"language": "de"}, form=True),
    ("POST", "/login/"): Case(body={"username": "$leader", "password": "guess"}, form=True),
    ("POST", "/logout/"): Case(body={}, form=True),
    ("GET", "/k/<str:code>"): Case({"code": "$card"}),
    # -- the API -----------------------------------------------------------------------------------------------
    ("POST", "/api/v1/scans"): Case(body=scan("remove"), may=ERP),
    ("POST", "/api/v1/scans/batch"): Case(body={"scans": [scan("remove") | LEADS]}, may=NOT_READERS),
    ("POST", "/api/v1/scans/{id}/settle"): Case(
        {"id": "$scan"}, {"how": "discard", "reason": "seen", **LEADS}, NOT_READERS
    ),
    ("POST", "/api/v1/calls"): Case(body={"station": "$station", "kind": "help"}, may=DEVICES),
    ("POST", "/api/v1/calls/{id}/take"): Case({"id": "$call"}, LEADS, NOT_READERS),
    ("POST", "/api/v1/calls/{id}/solve"): Case({"id": "$call"}, {"reason": "belt"}, DEVICES),
    ("GET", "/api/v1/calls/{id}"): Case({"id": "$call"}),
    ("POST", "/api/v1/stations/{code}/states"): Case({"code": "$station"}, {"kind": "down"}, DEVICES),
    ("POST", "/api/v1/stations/{code}/states/{kind}/end"): Case({"code": "$station", "kind": "down"}, {}),
    ("POST", "/api/v1/stations/{code}/changeover"): Case({"code": "$station"}, {"to_family": "A"}, DEVICES),
    ("POST", "/api/v1/stations/{code}/changeover/finish"): Case({"code": "$station"}, {}),
    ("POST", "/api/v1/turns/{id}/{verb}"): Case({"id": "$turn", "verb": "acknowledge"}, {}),
    ("POST", "/api/v1/turns/{id}/document"): Case({"id": "$turn"}, {"document": "4500"}, ERP),
    ("POST", "/api/v1/turns/{id}/fail"): Case({"id": "$turn"}, {"reason": "closed"}, ERP),
    ("POST", "/api/v1/turns/{id}/retry-document"): Case({"id": "$turn"}, {}),
    ("POST", "/api/v1/print-jobs"): Case(body={"cards": ["$card"], "paper": "100x50"}, may=ERP),
    ("GET", "/api/v1/print-jobs/{id}"): Case({"id": "$print_job"}),
    ("GET", "/api/v1/print-jobs/{id}/file"): Case({"id": "$print_job"}),
    ("POST", "/api/v1/tag-reads"): Case(body={"reads": [{"epc": "$bound"}]}, may=DEVICES),
    ("PUT", "/api/v1/tags/{tag}"): Case({"tag": "$tag"}, {"card": "$card"}, ERP),
    ("POST", "/api/v1/tags/{tag}/unbind"): Case({"tag": "$bound"}, {"reason": "torn"}, ERP),
    ("PUT", "/api/v1/areas/{code}"): Case({"code": "$area"}, {"name": "Other"}, ERP),
    ("PUT", "/api/v1/parts/{number}"): Case({"number": "$part"}, {"description": "Other"}, ERP),
    ("PUT", "/api/v1/bills/{part}"): Case({"part": "$part"}, {"components": {}}),
    ("PUT", "/api/v1/stations/{code}"): Case({"code": "$station"}, {"name": "Other"}, ERP),
    ("PUT", "/api/v1/suppliers/{code}"): Case({"code": "$supplier"}, {"name": "Other"}, ERP),
    ("PUT", "/api/v1/loops/{code}"): Case(CODE, {"lead_time_minutes": 77}, ERP),
    ("PUT", "/api/v1/bins/{code}"): Case({"code": "BIN-1"}, {"card": "$card"}),
    ("POST", "/api/v1/loops/{code}/change"): Case(CODE, {"cards": "5"}, ERP),
    ("POST", "/api/v1/loops/{code}/hold"): Case(CODE, {"reason": "audit"}, ERP),
    ("POST", "/api/v1/loops/{code}/resume"): Case(CODE, {}),
    ("POST", "/api/v1/loops/{code}/retire"): Case({"code": "$event_loop"}, {"reason": "over"}, ERP),
    ("POST", "/api/v1/loops/{code}/printed"): Case(CODE, {}),
    ("POST", "/api/v1/loops/{code}/order"): Case({"code": "$event_loop"}, {"quantity": "3"}, ERP),
    ("POST", "/api/v1/upserts"): Case(
        body={"upserts": [{"type": "station", "code": "$station", "name": "Other"}]}, may=ERP
    ),
}
KEYS = {
    "areas": "area",
    "stations": "station",
    "boards": "station",
    "parts": "part",
    "bills": "part",
    "loops": "loop",
    "suppliers": "supplier",
    "cards": "card",
    "turns": "turn",
    "calls": "call",
    "tags": "tag",
}
ADMIN = ("/admin/", "/admin/plant/loop/", "/admin/accounts/person/", "/admin/plant/station/")
# What a stranger who finds a card is told: where it belongs.
TOLD_BY_A_CARD = (f"{HOME}-Smt".lower(), f"{HOME}-Test".lower())


@pytest.fixture
def worlds(settings: LazySettings) -> tuple[World, World]:
    settings.DEMO = "0"
    return World(HOME), World(AWAY)


def rows() -> Iterator[tuple[str, str, str]]:
    """(method, address, who) of everything that is served over HTTP, streams aside."""
    for address, methods, who in routes():
        if who == TICKET:
            continue
        if address == "/admin/...":
            yield from (("GET", page, who) for page in ADMIN)
            continue
        yield from ((method, address, who) for method in methods.split(", "))


def case_of(method: str, address: str) -> Case:
    """The case of a route; pages and lists that are only read need none of their own."""
    if (method, address) in CASES:
        return CASES[method, address]
    assert method == "GET", f"{method} {address} has no case: say how it is asked, and who may"
    thing = address.removeprefix(f"{BASE}/").split("/")[0]
    return Case({"id": "$turn", "code": f"${KEYS.get(thing, '')}"})


def filled(value: Any, words: dict[str, str]) -> Any:
    """`$name` becomes the thing of that name, `$uuid` a fresh one."""
    if isinstance(value, dict):
        return {name: filled(each, words) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, words) for each in value]
    if isinstance(value, str) and value.startswith("$"):
        return str(uuid4()) if value == "$uuid" else words[value[1:]]
    return value


def path_of(address: str, case: Case, words: dict[str, str]) -> str:
    """The address with a thing of the plant in each place."""

    def place(found: re.Match[str]) -> str:
        name = found["a"] or found["b"]
        given = filled(case.places.get(name, ""), words) or words.get({"number": "part"}.get(name, name), "")
        assert given, f"{address}: nothing for {name}"
        return str(given)

    return re.sub(r"<\w+:(?P<a>\w+)>|\{(?P<b>\w+)\}", place, address)


def ask(who: Identity, method: str, path: str, body: Any, *, form: bool) -> Any:
    """One request by this identity."""
    client = who.client()
    if method == "GET":
        return client.get(path)
    if form:
        return client.post(path, body or {})
    return client.generic(method, path, json.dumps(body or {}), content_type="application/json")


def is_turned_away(answer: Any) -> bool:
    to = answer.headers.get("Location", "") + answer.headers.get("HX-Redirect", "")
    return answer.status_code in (401, 403) or "/login/" in to


def may_enter(who: Identity, declared: str, address: str) -> bool:
    """Whether the declaration lets this identity in."""
    if declared in (READERS, PEOPLE, PRINTERS):
        return who.is_person
    if declared in (PEOPLE_OR_TABLET, TABLETS):
        return who.is_tablet or (declared == PEOPLE_OR_TABLET and who.is_person)
    if declared in (EVERY_DEVICE, ERP_ONLY):
        return who.is_device and (declared == EVERY_DEVICE or who.kind is DeviceKind.ERP)
    if declared == WALLS:
        return who.kind is DeviceKind.WALL and not who.revoked
    if declared == STAFF:
        return who.staff if address == ADMIN[0] else who.permitted
    assert declared == ANYBODY, declared
    return True


def leak_of(answer: Any, secrets: list[str], sent: list[str]) -> str:
    """The first secret in the answer that was not in the question."""
    text = (answer.content.decode(errors="replace") + str(dict(answer.headers))).lower()
    # Not "k" or "b" of an address: without these letters no card code would be found any more.
    for word in sorted({word for word in sent if len(word) > 3}, key=len, reverse=True):
        text = text.replace(word.lower(), "")
    return next((secret for secret in secrets if secret in text), "")


def words_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from words_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from words_in(each)
    elif isinstance(value, str) and len(value) > 3:
        yield value


@dataclass
class Table:
    """The cells, and what was wrong in them."""

    home: World
    cells: int = 0
    wrong: list[str] = field(default_factory=list)
    untouched: tuple[int, ...] = field(init=False)  # the plant's state, to which each cell is undone

    def __post_init__(self) -> None:
        self.untouched = state_of(self.home.floor.plant)

    def cell(self, who: Identity, method: str, address: str, declared: str, words: dict[str, str]) -> None:
        """One request, undone afterwards."""
        self.cells += 1
        case = case_of(method, address)
        words = {**words, "token": who.token or "nobody"}  # of a wall screen, whose address it is
        path, body = path_of(address, case, words), filled(case.body, words)
        sent = [path, *path.split("/")[-2:], *words_in(body)]
        plant = self.home.floor.plant
        with transaction.atomic():
            answer = ask(who, method, path, body, form=case.form)
            changed = method != "GET" and state_of(plant) != self.untouched
            transaction.set_rollback(True)
        configs._Kept.current = None
        label = f"{who.name}: {method} {address} -> {answer.status_code}"
        self._judge(who, may_enter(who, declared, address), declared, case, answer, changed, label)
        told = TOLD_BY_A_CARD if address == "/k/<str:code>" else ()
        if not who.belongs_to(self.home) and (leak := leak_of(answer, self.home.secrets, [*sent, *told])):
            self.wrong.append(f"{label} tells {leak}")

    def _judge(
        self,
        who: Identity,
        enters: bool,
        declared: str,
        case: Case,
        answer: Any,
        changed: bool,
        label: str,
    ) -> None:
        at_home = who.belongs_to(self.home)
        if answer.status_code >= 500:
            self.wrong.append(f"{label} is a fault")
        if not enters and not is_turned_away(answer):
            self.wrong.append(f"{label}, though only for {declared}")
        if changed and not (enters and at_home):
            self.wrong.append(f"{label} changed the plant")
        if not (enters and at_home and who.plant == self.home.code):
            return
        allowed = case.may is None or who.role in case.may or who.kind in case.may
        if is_turned_away(answer) and allowed and declared != ANYBODY:
            self.wrong.append(f"{label} is turned away at home: {answer.content[:200]!r}")
        if case.may is not None and changed != allowed:
            self.wrong.append(f"{label} changed: {changed}, may: {allowed}: {answer.content[:300]!r}")


@pytest.mark.timeout(1200)  # more than a thousand requests each
@pytest.mark.parametrize("group", GROUPS)
def test_rights_table_every_route_against_everybody(worlds: tuple[World, World], group: str) -> None:
    home, away = worlds
    identities, table = [who for who in everybody(home, away) if who.group == group], Table(home)
    words, found = home.words, list(rows())
    assert {(method, address) for method, address, _ in found} >= CASES.keys()
    for who in identities:
        for method, address, declared in found:
            table.cell(who, method, address, declared, words)
    assert not table.wrong, "\n".join(table.wrong)
    assert table.cells == len(identities) * len(found) > 200


def test_rights_table_has_everybody_in_it(worlds: tuple[World, World]) -> None:
    groups = [who.group for who in everybody(*worlds)]
    assert set(groups) == set(GROUPS)
    assert len(groups) * len(list(rows())) > 2_500


@pytest.mark.timeout(1200)
def test_rights_table_in_a_demonstration_strangers_read_its_plant_alone(
    worlds: tuple[World, World], settings: LazySettings
) -> None:
    home, away = worlds
    settings.DEMO, settings.DEMO_PLANT = "1", AWAY
    stranger, table = Identity("a stranger"), Table(home)
    for method, address, declared in rows():
        if declared == READERS and method == "GET":
            case = case_of(method, address)
            own = ask(stranger, method, path_of(address, case, away.words), None, form=False)
            assert own.status_code == 200, address
            table.cells += 1
            other = path_of(address, case, home.words)
            answer = ask(stranger, method, other, None, form=False)
            assert leak_of(answer, home.secrets, [other, *other.split("/")]) == "", address
        else:
            table.cell(stranger, method, address, declared, home.words)
    assert not table.wrong, "\n".join(table.wrong)


def test_rights_table_streams(worlds: tuple[World, World]) -> None:
    """A ticket is given for a board that may be read, and opens that board alone."""
    home, away = worlds
    area, identities = home.floor.area.code, everybody(home, away)
    for who in identities:
        answer = who.client().get(f"/b/{area}/rows")
        ticket = answer.headers.get("X-Ticket", "")
        assert bool(ticket) == (who.is_person and who.belongs_to(home)), who.name
        if ticket:
            assert open_ticket(ticket).channel == f"{area}:en"


def test_rights_table_commands() -> None:
    """A command is run by whoever has a shell and the installation's secrets: nothing that is served runs one."""
    ours = {app.name for app in apps.get_app_configs() if app.name.startswith("jitapp.")}
    commands = [name for name, app in get_commands().items() if app in ours]
    assert {"api_token", "pin", "verify", "routes"} <= set(commands)
    served = [
        *Path("jitapp/web").rglob("*.py"),
        *Path("jitapp/api").rglob("*.py"),
        *Path("jitapp/live").rglob("*.py"),
    ]
    assert len(served) > 40
    for file in served:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        named = {part for node in imports for alias in node.names for part in alias.name.split(".")}
        named |= {
            node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and node.module
        }
        assert not named & {"call_command", "execute_from_command_line", "subprocess", "management"}, file
