"""The page of cards to print: who prints, what is listed and why, what is kept, and what is refused in a sentence."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from jitapp.accounts.models import Person
from jitapp.plant.models import Loop, Membership, Part, StandardWork, Station
from jitapp.plant.routes import Route, RouteStop
from jitapp.printing import actions as printing
from jitapp.printing.models import PartPicture, PrintedCard, PrinterTest, PrintJob
from jitapp.printing.pdf import pdf
from jitapp.printing.proof import raster
from jitapp.pull import actions
from jitapp.pull.models import Card, Event
from jitapp.symbology.commandcode import read_command
from tests.floor import Floor
from tests.stories.shops import two_bins
from tests.web.shop import a_person, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def floor(settings: LazySettings) -> Floor:
    settings.DEMO = "0"
    settings.SITE_URL = "https://kanban.example.com"
    return two_bins()


@pytest.fixture
def lea(floor: Floor, client: Client) -> Person:
    return logged_in(floor, client, "planner")


def logged_in(floor: Floor, client: Client, role: str) -> Person:
    person = Person.objects.create(username=role, name=role.title(), badge=f"B-{role.upper()}")
    Membership.objects.create(person=person, plant=floor.plant, role=role)
    client.force_login(person)
    return person


def codes(loop: str = "L") -> list[str]:
    return list(Card.objects.filter(loop__code=loop).order_by("number").values_list("code", flat=True))


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def listed(client: Client, question: str = "") -> list[str]:
    """The codes of the cards on the list."""
    return re.findall(r'name="card" value="(\w+)"', text(client, f"/print{question}"))


def printed(client: Client, **asked: Any) -> Any:
    answer = client.post("/print/file", asked)
    assert answer.status_code == 200, answer.headers.get("Location")
    return answer


def refused(client: Client, **asked: Any) -> str:
    """The sentence with which the page comes back."""
    answer = client.post("/print/file", asked, follow=True)
    found = re.findall(r'<p class="(?:error|done)" role="status">(.*?)</p>', answer.content.decode())
    assert found, "it was printed"
    return str(found[0])


def read(file: bytes) -> Counter[str]:
    document = pypdfium2.PdfDocument(file)
    found = Counter(
        bytes(one.bytes).decode() for page in document for one in zxingcpp.read_barcodes(raster(page, 200))
    )
    document.close()
    return found


# -- the list ---------------------------------------------------------------------------------------------
def test_cards_that_were_never_printed_are_listed_until_they_are(
    floor: Floor, lea: Person, client: Client
) -> None:
    mine = codes()
    assert set(mine) <= set(listed(client))
    made = printed(client, card=mine, paper="a6")
    assert made["Content-Type"] == "application/pdf"
    assert made["Content-Disposition"].startswith("inline")
    found = read(made.content)
    for code in mine:
        assert found[code] == 1
        assert found[f"https://kanban.example.com/k/{code}"] == 1
    assert not set(mine) & set(listed(client))
    assert set(mine) <= set(listed(client, "?show=all&loop=L"))
    job = PrintJob.objects.get()
    assert (job.what, job.paper, job.form, job.count, job.person) == ("cards", "a6", "pdf", len(mine), lea)
    assert {one.card.code for one in PrintedCard.objects.select_related("card")} == set(mine)


def test_what_changed_since_the_print_is_said_and_a_new_print_is_another_revision(
    floor: Floor, lea: Person, client: Client
) -> None:
    mine = codes()
    printed(client, card=mine, paper="a6")
    Part.objects.filter(loops__code="L").update(description="Now of steel")
    actions.resize_loop(loop_id=Loop.objects.get(code="L").pk, quantity=Decimal(9), now=timezone.now())
    page = text(client, "/print")
    assert "Its label is out of date" in page
    assert re.search(r"Quantity: \S+ → 9", page)
    assert "→ Now of steel" in page
    printed(client, card=mine[:1], paper="a6")
    assert list(
        Card.objects.order_by("number").filter(loop__code="L").values_list("label_stale", flat=True)
    ) == [
        False,
        True,
    ]
    assert [one.revision for one in PrintedCard.objects.filter(card__code=mine[0]).order_by("id")] == [1, 2]
    assert mine[0] not in listed(client)
    assert mine[1] in listed(client)
    printed(client, card=mine[:1], paper="a6")
    assert PrintedCard.objects.filter(card__code=mine[0]).latest("id").revision == 2


def test_another_number_of_cards_makes_every_print_out_of_date(
    floor: Floor, lea: Person, client: Client
) -> None:
    mine = codes()
    printed(client, card=mine, paper="a6")
    made = actions.resize_loop(loop_id=Loop.objects.get(code="L").pk, cards=3, now=timezone.now())
    assert set(listed(client, "?loop=L")) == {*mine, *made}
    assert "Cards in the loop: 2 → 3" in text(client, "/print?loop=L")


def test_a_print_that_was_overtaken_by_a_change_leaves_the_label_stale(floor: Floor) -> None:
    """The quantity on paper is compared under the lock of the loop: what is printed wrong stays to be printed."""
    loop = Loop.objects.get(code="L")
    actions.resize_loop(loop_id=loop.pk, quantity=Decimal(9), now=floor.now)
    first, second = codes()
    held = {first: Decimal(9), second: Decimal(8)}
    assert actions.mark_printed(loop_id=loop.pk, now=floor.now, printed=held) == 1
    assert list(Card.objects.filter(label_stale=True).values_list("code", flat=True)) == [second]
    assert actions.mark_printed(loop_id=loop.pk, now=floor.now, printed={}) == 0


def test_the_list_is_narrowed_by_area_loop_and_card(floor: Floor, lea: Person, client: Client) -> None:
    mine = codes()
    assert listed(client, f"?card={mine[1]}") == [mine[1]]
    assert set(listed(client, "?loop=L")) == set(mine)
    area = Loop.objects.get(code="L").demand.area
    assert area is not None
    assert set(mine) <= set(listed(client, f"?area={area.code}"))
    assert listed(client, "?area=NOWHERE") == []
    assert client.get("/print?area=%00&loop=%00").status_code == 200


def test_a_whole_list_is_printed_without_ticking(floor: Floor, lea: Person, client: Client) -> None:
    made = printed(client, all="1", show="all", loop="L", paper="a4-4")
    assert set(codes()) <= set(read(made.content))
    assert len(pypdfium2.PdfDocument(made.content)) == 1


def test_a_print_can_be_made_again(floor: Floor, lea: Person, client: Client) -> None:
    first = printed(client, card=codes(), paper="a7", carrier="15k", language="de")
    again = printed(client, job=str(PrintJob.objects.get().uuid))
    assert read(again.content) == read(first.content)
    assert PrintJob.objects.count() == 2
    assert "not known in your plant" in refused(client, job="no uuid")


def test_the_device_keeps_how_it_printed(floor: Floor, lea: Person, client: Client) -> None:
    printed(client, card=codes(), paper="100x50", form="zpl300", carrier="gs1")
    page = text(client, "/print")
    for chosen in ('value="100x50" selected', 'value="zpl300" selected', 'value="gs1" selected'):
        assert chosen in page
    client.cookies["printing"] = "paper=<script>&form=exe"
    assert 'value="a4-4" selected' in text(client, "/print")


def test_zpl_is_a_file_to_send_to_the_printer(floor: Floor, lea: Person, client: Client) -> None:
    made = printed(client, card=codes(), paper="100x50", form="zpl203")
    assert made["Content-Disposition"].startswith("attachment")
    assert made.content.startswith(b"^XA")
    assert made.content.count(b"^XZ") == len(codes())
    said = refused(client, card=codes(), paper="a4-4", form="zpl203")
    assert "A label printer has no sheets" in said


def test_a_card_shows_what_the_shop_knows_of_it(floor: Floor, lea: Person, client: Client) -> None:
    loop = Loop.objects.select_related("supply", "demand", "part").get(code="L")
    StandardWork.objects.create(part=loop.part, station=loop.supply, url="https://wiki.example.com/w/1")
    actions.bind_bin(code="BIN-7", card_id=Card.objects.get(code=codes()[0]).pk)
    made = printed(client, card=codes()[:1], paper="a6")
    assert read(made.content)["https://wiki.example.com/w/1"] == 1
    document = pypdfium2.PdfDocument(made.content)
    words = document[0].get_textpage().get_text_range()
    for fact in (loop.part.number, loop.supply.name, loop.demand.name, "BIN-7", "Card 1 of 2", codes()[0]):
        assert fact in words


def test_a_card_names_the_route_on_which_its_container_is_carried(
    floor: Floor, lea: Person, client: Client
) -> None:
    printed(client, card=codes(), paper="a6")
    loop = Loop.objects.get(code="L")
    for code, name, loops in (("MILK", "Milk run", []), ("LIDS", "Lids", ["OTHER"])):
        route = Route.objects.create(plant=floor.plant, code=code, name=name, every_minutes=30, loops=loops)
        for place, station in enumerate((loop.supply, loop.demand)):
            RouteStop.objects.create(route=route, position=place, station=station)
    assert "Route: – → Milk run" in text(client, "/print")
    document = pypdfium2.PdfDocument(printed(client, card=codes()[:1], paper="a6").content)
    words = document[0].get_textpage().get_text_range()
    assert "Milk run" in words
    assert "Lids" not in words


# -- refusals ---------------------------------------------------------------------------------------------
def test_what_cannot_be_printed_is_said_by_name(
    floor: Floor, lea: Person, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = codes()[0]
    assert "No card is chosen" in refused(client)
    assert "There is no card KB00000000X" in refused(client, card=["KB00000000X"])
    floor.scan("L", 1, "lost")
    assert f"Card {first} is reported lost" in refused(client, card=[first])
    monkeypatch.setattr(printing, "MOST", 1)
    assert "at most 1 cards" in refused(client, card=codes()[1:])
    assert not PrintJob.objects.exists()


def test_a_file_whose_codes_do_not_read_back_is_not_handed_out(
    floor: Floor, lea: Person, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cards that print the code of one: what is read is not what was meant."""
    real = pdf
    monkeypatch.setattr(printing, "pdf", lambda pages, title: real([pages[0], pages[0]], title))
    assert "could not be read back from the finished page" in refused(client, card=codes(), paper="a6")
    assert not PrintJob.objects.exists()


def test_only_one_file_is_made_at_a_time(floor: Floor, lea: Person, client: Client) -> None:
    with printing._alone():
        assert "Somebody else is printing" in refused(client, card=codes())
    printed(client, card=codes())


@pytest.mark.parametrize(
    ("role", "may"), [("operator", False), ("handler", False), ("leader", True), ("admin", True)]
)
def test_who_prints(floor: Floor, client: Client, role: str, may: bool) -> None:
    logged_in(floor, client, role)
    page = text(client, "/print")
    assert ('id="go"' in page) is may
    assert ("Leaders, planners and administrators print." in page) is not may
    if may:
        printed(client, card=codes())
    else:
        assert refused(client, card=codes()) == "Leaders, planners and administrators print. Ask yours."


def test_nobody_prints_the_cards_of_another_plant(floor: Floor, lea: Person, client: Client) -> None:
    other = make_shop()
    theirs = other.card(other.loop("THEIRS", "SECRET-7", "PASTE", "TEST"), 1, "FULL")
    assert "SECRET-7" not in text(client, "/print?show=all")
    assert "There is no card" in refused(client, card=[theirs.code])
    assert client.get(f"/print/preview?card={theirs.code}").status_code == 404


def test_somebody_who_is_not_logged_in_is_sent_to_the_login(floor: Floor, client: Client) -> None:
    assert "/login/" in client.get("/print")["Location"]
    assert "/login/" in client.post("/print/file", {"card": codes()})["Location"]


# -- the preview and the printer's test ----------------------------------------------------------------------
def test_the_preview_is_the_page_itself(floor: Floor, lea: Person, client: Client) -> None:
    answer = client.get(f"/print/preview?card={codes()[0]}&paper=100x50")
    image = Image.open(BytesIO(answer.content))
    assert image.width / image.height == pytest.approx(2, abs=0.01)
    assert codes()[0].encode() in {bytes(one.bytes) for one in zxingcpp.read_barcodes(image.convert("L"))}
    assert not PrintJob.objects.exists()
    assert client.get("/print/preview?card=nonsense").status_code == 404


def test_a_printer_is_verified_by_scanning_its_test_page_back(
    floor: Floor, lea: Person, client: Client
) -> None:
    made = printed(client, what="test", paper="a4", printer="  Office, 2nd   floor ")
    test = PrinterTest.objects.get()
    assert test.printer == "Office, 2nd floor"
    address = f"https://kanban.example.com/print/tests/{test.code}"
    assert set(read(made.content)) == {test.code, address}
    page = text(client, f"/print/tests/{test.code}")
    assert "It can be read" in page
    for typed in (test.code.lower(), address):
        answer = client.post("/print/verify", {"code": typed, "measured": "99,8"}, follow=True)
        assert "Office, 2nd floor: print verified." in answer.content.decode()
    test.refresh_from_db()
    assert (test.verified_by, test.measured) == (lea, Decimal("99.8"))


def test_a_printer_that_scales_is_told_so(floor: Floor, lea: Person, client: Client) -> None:
    printed(client, what="test", paper="letter")
    code = PrinterTest.objects.get().code
    answer = client.post("/print/verify", {"code": code, "measured": "97"}, follow=True)
    assert "100 mm are 97 mm on paper" in answer.content.decode()
    answer = client.post("/print/verify", {"code": code, "measured": "wide"}, follow=True)
    assert "wide is no length in millimetres" in answer.content.decode()
    assert PrinterTest.objects.get().measured == 97


def test_a_printed_card_is_verified_by_scanning_it_back(floor: Floor, lea: Person, client: Client) -> None:
    code = codes()[0]
    answer = client.post("/print/verify", {"code": code}, follow=True)
    assert f"No print of card {code} is known" in answer.content.decode()
    printed(client, card=[code])
    answer = client.post("/print/verify", {"code": f"https://old.example.com/k/{code}"}, follow=True)
    assert f"Card {code} was read back: its print is verified." in answer.content.decode()
    assert PrintedCard.objects.get().verified_by == lea
    answer = client.post("/print/verify", {"code": "4006381333931"}, follow=True)
    assert "neither the code of a test page nor of a card" in answer.content.decode()


# -- commands, badges, stations ----------------------------------------------------------------------------------
def test_command_cards_say_what_they_do_and_are_read_as_commands(
    floor: Floor, lea: Person, client: Client
) -> None:
    found = read(printed(client, what="commands", paper="a4", language="de").content)
    commands = [read_command(code) for code in found]
    assert all(commands)
    names = Counter(str(command.name.name) for command in commands if command)
    assert names == {"UNDO": 1, "HELP": 1, "QTY": 7, "HOLD": 1, "OVERRIDE": 1, "END_SHIFT": 1, "BRIGHT": 1}
    assert set(found.values()) == {2}  # the square code and the linear one


def test_badges_of_the_plant_and_of_nobody_else(floor: Floor, lea: Person, client: Client) -> None:
    other = a_person(make_shop(), username="stranger")
    Person.objects.filter(pk=other.pk).update(badge="B-STRANGER")
    logged_in(floor, client, "leader")
    Person.objects.filter(username="leader").update(badge="Ä-17")  # a linear code cannot hold it
    found = read(printed(client, what="badges", paper="letter").content)
    assert found == {"B-PLANNER": 2, "Ä-17": 1}


def test_the_badge_of_one_person_is_printed_from_their_page(floor: Floor, client: Client) -> None:
    logged_in(floor, client, "leader")
    mia = Person.objects.create(username="mia", name="Mia", badge="B-MIA")
    Membership.objects.create(person=mia, plant=floor.plant, role="operator")
    assert f'name="person" value="{mia.uuid}"' in text(client, f"/people/{mia.uuid}")
    assert set(read(printed(client, what="badges", person=str(mia.uuid)).content)) == {"B-MIA"}
    stranger = Person.objects.create(username="eve", name="Eve", badge="B-EVE")
    bare = Person.objects.create(username="ole", name="Ole")
    Membership.objects.create(person=bare, plant=floor.plant, role="operator")
    assert 'name="person"' not in text(client, f"/people/{bare.uuid}")
    for person in (str(stranger.uuid), str(bare.uuid), "nobody"):
        assert "has no badge yet" in refused(client, what="badges", person=person)


def test_station_signs_of_an_area(floor: Floor, lea: Person, client: Client) -> None:
    stations = list(Station.objects.filter(plant=floor.plant).values_list("code", flat=True))
    assert set(read(printed(client, what="stations", paper="a4").content)) == set(stations)
    assert "nothing to print there" in refused(client, what="stations", paper="a4", area="NOWHERE")


# -- pictures of parts -------------------------------------------------------------------------------------------
def picture(form: str = "PNG", size: tuple[int, int] = (1600, 900), **options: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", size, "#884400").save(made, form, **options)
    return made.getvalue()


def upload(client: Client, data: bytes, name: str = "part.png") -> str:
    part = Loop.objects.get(code="L").part
    file = SimpleUploadedFile(name, data)
    to = f"/l/{Loop.objects.get(code='L').pk}"
    answer = client.post(f"/pictures/{part.pk}/keep", {"picture": file, "next": to}, follow=True)
    assert answer.request["PATH_INFO"] == to
    return "".join(re.findall(r'<p class="(?:error|done)" role="status">(.*?)</p>', answer.content.decode()))


def test_a_picture_is_drawn_again_and_stands_on_the_card(floor: Floor, lea: Person, client: Client) -> None:
    assert "is kept" in upload(client, picture("JPEG", exif=b"Exif\0\0secret place"))
    kept = PartPicture.objects.get()
    assert (kept.width, kept.height, kept.added_by) == (800, 450, lea)
    assert b"secret place" not in bytes(kept.data)
    address = f"/pictures/{kept.part_id}"
    answer = client.get(address)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    made = printed(client, card=codes()[:1], paper="a6").content
    document = pypdfium2.PdfDocument(made)
    assert any(isinstance(one, pypdfium2.PdfImage) for one in document[0].get_objects())
    client.post(f"{address}/keep", {"remove": "1"})
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no picture that can be read"),
        (b"GIF89a" + b"\0" * 40, "no picture that can be read"),
        (b"<!doctype html><script>alert(1)</script>", "no picture that can be read"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "no picture that can be read"),
        (b"", "no picture that can be read"),
        (b"\xff\xd8\xff" + b"\0" * 4_000_001, "more than 4 MB"),
    ],
)
def test_what_is_no_picture_is_refused(
    floor: Floor, lea: Person, client: Client, data: bytes, sentence: str
) -> None:
    assert sentence in upload(client, data, "part.jpg")
    assert not PartPicture.objects.exists()


def test_a_picture_that_is_huge_when_unpacked_or_cut_off_is_refused(
    floor: Floor, lea: Person, client: Client
) -> None:
    for form, size in (("PNG", (4_001, 4_000)), ("JPEG", (10_000, 5_001)), ("WEBP", (4_001, 4_000))):
        assert "too many pixels" in upload(client, picture(form, size)), form
    assert "no picture that can be read" in upload(client, picture("JPEG")[:2_000])
    assert not PartPicture.objects.exists()


def test_a_photograph_of_a_telephone_is_taken_and_stands_upright(
    floor: Floor, lea: Person, client: Client
) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # held upright: to be turned by a quarter
    assert "is kept" in upload(client, picture("JPEG", (6_000, 4_000), exif=turned.tobytes()))
    kept = PartPicture.objects.get()
    assert kept.width < kept.height == 800


def test_operators_give_no_pictures(floor: Floor, client: Client) -> None:
    logged_in(floor, client, "operator")
    assert "give parts their pictures" in upload(client, picture())
    assert not PartPicture.objects.exists()


# -- a lost card ---------------------------------------------------------------------------------------------------
def test_a_lost_card_is_reported_on_its_page_and_its_replacement_printed(
    floor: Floor, lea: Person, client: Client
) -> None:
    printed(client, card=codes())
    first = codes()[0]
    assert "Report it lost and print a replacement" in text(client, f"/k/{first}")
    answer = client.post(f"/k/{first}/lost", {"reason": "not at the rack"}, follow=True)
    new = Card.objects.get(replaces=1)
    assert answer.redirect_chain[-1][0] == f"/print?card={new.code}"
    assert "In place of lost card 1" in answer.content.decode()
    assert listed(client)[0] == new.code
    assert Card.objects.get(code=first).note == "not at the rack"
    assert f"/print?card={new.code}" in text(client, f"/k/{first}")
    assert Event.objects.filter(type="card.lost", card__code=first).count() == 1
    again = client.post(f"/k/{first}/lost")
    assert again["Location"] == f"/print?card={new.code}"
    assert Card.objects.filter(replaces=1).count() == 1
    printed(client, card=[new.code])
    assert new.code not in listed(client)
    assert not Card.objects.get(pk=new.pk).label_stale


def test_operators_report_it_by_a_scan(floor: Floor, client: Client) -> None:
    logged_in(floor, client, "operator")
    first = codes()[0]
    answer = client.post(f"/k/{first}/lost", follow=True)
    assert "Leaders and planners report a card lost here" in answer.content.decode()
    assert Card.objects.get(code=first).card_status == "IN_CIRCULATION"
    assert client.post("/k/KB00000000X/lost").status_code == 404


def test_the_loop_page_says_how_many_are_to_be_printed(floor: Floor, lea: Person, client: Client) -> None:
    address = f"/l/{Loop.objects.get(code='L').pk}"
    assert "2 cards of this loop are to be printed." in text(client, address)
    printed(client, card=codes())
    assert "Every card of this loop has a print" in text(client, address)
    assert 'href="/print?loop=L&amp;show=all"' in text(client, address)
    assert "Newest print:" in text(client, f"/k/{codes()[0]}")


def test_the_page_warns_of_an_address_that_only_this_machine_opens(
    floor: Floor, lea: Person, client: Client, settings: LazySettings
) -> None:
    assert "JITAPP_SITE_URL" not in text(client, "/print")
    settings.SITE_URL = "http://127.0.0.1:8000"
    assert "JITAPP_SITE_URL" in text(client, "/print")
