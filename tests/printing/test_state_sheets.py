"""State sheets: one an hour, what stands on them, how they are handed out, and what is told when that fails."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from django.conf import LazySettings

from jitapp import switchboard
from jitapp.env import Nonsense, env_recipients
from jitapp.plant.models import Area, Plant
from jitapp.printing import state_sheets
from jitapp.printing.models import StateSheet
from jitapp.printing.proof import raster
from jitapp.pull.models import Card
from jitapp.web import state_sheets as sheets
from tests.floor import START, Floor
from tests.stories.shops import two_bins

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _set_up(settings: LazySettings) -> None:
    settings.PAPER_HOURLY, settings.PAPER_SIZE = True, "auto"
    settings.PAPER_FOLDER, settings.PAPER_MAIL = "", []
    settings.MAIL_HOST, settings.MAIL_PORT, settings.MAIL_TLS = "", 25, "none"
    settings.MAIL_USER = settings.MAIL_PASSWORD = ""
    settings.MAIL_FROM = "jitapp@example.com"
    settings.SITE_URL = "https://kanban.example.com"


@pytest.fixture
def floor() -> Floor:
    floor = two_bins(cards=3)
    floor.scan("L", 1, "empty", after=5)
    floor.scan("L", 1, "start", after=5)
    return floor


def text_of(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    found = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return found


def codes_in(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    found = [read.text for page in document for read in zxingcpp.read_barcodes(raster(page, 200))]
    document.close()
    return found


# -- one an hour -----------------------------------------------------------------------------------------
def test_every_area_with_loops_gets_one_sheet_an_hour_and_no_more(floor: Floor) -> None:
    Area.objects.create(plant=floor.plant, code="EMPTY", name="Nothing here")
    now = START + timedelta(minutes=20)
    assert [sheets.hourly(now=now), sheets.hourly(now=now + timedelta(minutes=39))] == [1, 0]
    assert sheets.hourly(now=now + timedelta(minutes=40)) == 1
    found = StateSheet.objects.order_by("hour")
    assert [(sheet.area_id, sheet.number) for sheet in found] == [(floor.area.pk, 1), (floor.area.pk, 2)]
    assert [sheet.hour.minute for sheet in found] == [0, 0]


def test_the_last_ones_are_kept(
    floor: Floor, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert state_sheets.KEPT == 48
    monkeypatch.setattr(state_sheets, "KEPT", 3)
    settings.PAPER_FOLDER = str(tmp_path)
    strange = tmp_path / "letter.pdf"
    strange.write_bytes(b"not ours")
    for hour in range(5):
        sheets.hourly(now=START + timedelta(hours=hour))
    assert sorted(StateSheet.objects.values_list("number", flat=True)) == [3, 4, 5]
    names = set(StateSheet.objects.values_list("name", flat=True))
    assert {path.name for path in tmp_path.iterdir()} == names | {"letter.pdf"}


def test_it_is_not_made_by_itself_where_that_is_switched_off(floor: Floor, settings: LazySettings) -> None:
    settings.PAPER_HOURLY = False
    assert sheets.hourly(now=START) == 0
    assert not StateSheet.objects.exists()


def test_a_sheet_that_was_begun_and_never_finished_is_made_after_a_while(floor: Floor) -> None:
    hour = state_sheets.hour_of(START)
    StateSheet.objects.create(area=floor.area, hour=hour, number=1, claimed_at=START)
    assert sheets.hourly(now=START + timedelta(minutes=5)) == 0, "somebody else is at it"
    assert sheets.hourly(now=START + timedelta(minutes=11)) == 1
    assert StateSheet.objects.get().pdf


def test_a_fault_with_one_area_leaves_the_others_theirs(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = Floor("OTHER")
    other.station("OTHER-A")
    other.station("OTHER-B")
    other.loop("OTHER-L", part="OTHER-P", supply="OTHER-A", demand="OTHER-B")
    make = sheets.make

    def torn(area: Area, **how: Any) -> Any:
        if area == floor.area:
            raise ValueError("no such font")
        return make(area, **how)

    monkeypatch.setattr(sheets, "make", torn)
    assert sheets.hourly(now=START) == 1
    assert "no such font" in StateSheet.objects.get(area=floor.area).problem
    assert StateSheet.objects.get(area=other.area).pdf
    assert "could not be made" in caplog.text
    monkeypatch.setattr(sheets, "make", make)
    assert sheets.hourly(now=START + timedelta(minutes=11)) == 1
    assert StateSheet.objects.get(area=floor.area).problem == ""


def test_the_relay_makes_them(floor: Floor) -> None:
    assert switchboard.keep_papers() == 1
    assert StateSheet.objects.get().hour <= datetime.now(UTC)


# -- what stands on it -----------------------------------------------------------------------------------
def test_every_card_is_on_the_sheet_with_its_code_its_state_and_boxes(floor: Floor) -> None:
    sheets.hourly(now=START + timedelta(minutes=20))
    sheet = StateSheet.objects.get()
    data, codes = bytes(sheet.pdf or b""), list(Card.objects.values_list("code", flat=True))
    assert sorted(codes_in(data)) == sorted(codes)
    said = text_of(data)
    for expected in (
        *codes,
        "PART",
        "Cell → Line",
        "3 × 4",
        "Card 1",
        "in work",
        "full",
        "Sheet 1",
        "As it stood on Mon 2026-11-16 08:20",
        "Valid until about 09:20",
        "https://kanban.example.com/b/PLANT-AREA/paper/entry",
        "emptied",
        "started",
        "done",
        "quantity",
        "who",
        "What did not fit above",
    ):
        assert expected in said, expected
    assert (sheet.loops, sheet.pages, sheet.name) == (1, 1, "plant-plant-area-20261116-0820-nr1.pdf")


@pytest.mark.parametrize("language", ["de", "es", "fr", "pl"])
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_in_every_language_no_text_is_cut(floor: Floor, language: str, paper: str) -> None:
    made = sheets.make(floor.area, number=7, language=language, paper=paper, site="", now=START)
    said = text_of(made.data)
    assert "…" not in said
    assert "emptied" not in said
    sizes = {"a4": (595, 842), "letter": (612, 792)}
    document = pypdfium2.PdfDocument(made.data)
    assert tuple(round(side) for side in document[0].get_size()) == sizes[paper]
    document.close()


def test_many_loops_go_over_several_pages_and_no_card_is_lost() -> None:
    floor = Floor()
    floor.station("A")
    floor.station("B")
    for number in range(40):
        floor.loop(f"L{number}", part=f"P{number}", supply="A", demand="B", cards=1 + number % 5)
    made = sheets.make(floor.area, number=1, language="en", paper="a4", site="", now=START)
    assert made.loops == 40
    assert made.pages > 2
    assert sorted(codes_in(made.data)) == sorted(Card.objects.values_list("code", flat=True))
    assert f"Page {made.pages} of {made.pages}" in text_of(made.data)


@pytest.mark.parametrize(
    ("zone", "paper"),
    [
        ("Europe/Berlin", "a4"),
        ("America/New_York", "letter"),
        ("America/Indiana/Knox", "letter"),
        ("America/Sao_Paulo", "a4"),
        ("America/Toronto", "letter"),
        ("America/Argentina/Buenos_Aires", "a4"),
        ("UTC", "a4"),
    ],
)
def test_the_paper_is_that_of_offices_there(floor: Floor, zone: str, paper: str) -> None:
    Plant.objects.update(time_zone=zone)
    assert sheets.paper_of(Area.objects.get()) == paper


def test_the_language_is_that_of_whoever_leads_the_area(floor: Floor) -> None:
    assert sheets.language_of(floor.area) == "en"
    floor.area.leader = floor.person("ines", language="de")
    assert sheets.language_of(floor.area) == "de"


# -- into a folder ---------------------------------------------------------------------------------------
def test_it_is_laid_into_the_folder_whole(floor: Floor, settings: LazySettings, tmp_path: Path) -> None:
    settings.PAPER_FOLDER = str(tmp_path)
    sheets.hourly(now=START)
    sheet = StateSheet.objects.get()
    (path,) = tmp_path.iterdir()
    assert path.name == sheet.name
    assert path.read_bytes() == bytes(sheet.pdf or b"")
    assert sheet.filed_at == START
    assert sheet.try_at is None


def test_a_folder_that_fails_is_told_and_tried_again_and_stops_nothing(
    floor: Floor, settings: LazySettings, tmp_path: Path
) -> None:
    folder = tmp_path / "printer"
    settings.PAPER_FOLDER = str(folder)
    assert sheets.hourly(now=START) == 1
    sheet = StateSheet.objects.get()
    assert "No such file" in sheet.folder_problem
    assert sheet.try_at == START + timedelta(minutes=1)
    folder.mkdir()
    sheets.hourly(now=START + timedelta(seconds=59))
    assert list(folder.iterdir()) == [], "not yet"
    sheets.hourly(now=START + timedelta(seconds=61))
    assert [path.name for path in folder.iterdir()] == [sheet.name]
    sheet.refresh_from_db()
    assert (sheet.folder_problem, sheet.tries) == ("", 2)
    assert sheet.try_at is None


def test_a_sheet_that_a_newer_one_has_followed_is_not_handed_out(
    floor: Floor, settings: LazySettings, tmp_path: Path
) -> None:
    folder = tmp_path / "printer"
    settings.PAPER_FOLDER = str(folder)
    for hour in range(3):
        sheets.hourly(now=START + timedelta(hours=hour))
    folder.mkdir()
    sheets.hourly(now=START + timedelta(hours=2, minutes=30))
    newest = StateSheet.objects.order_by("-hour")[0]
    assert [path.name for path in folder.iterdir()] == [newest.name]


# -- by mail ---------------------------------------------------------------------------------------------
class _Smtp(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs: it keeps what it is given, or refuses an address."""

    server: MailServer

    def handle(self) -> None:
        self._say("220 test")
        to: list[str] = []
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word.startswith(b"RCPT"):
                address = line.decode().partition("<")[2].partition(">")[0]
                known = address not in self.server.unknown
                to += [address] if known else []
                self._say("250 ok" if known else "550 nobody has this address")
            elif word == b"DATA":
                self._say("354 go on")
                self.server.letters.append((to, b"".join(iter(self.rfile.readline, b".\r\n"))))
                self._say("250 kept")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server of this test alone."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.letters: list[tuple[list[str], bytes]] = []
        self.unknown: set[str] = set()


@pytest.fixture
def server(settings: LazySettings) -> Iterator[MailServer]:
    with MailServer() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        settings.MAIL_HOST, settings.MAIL_PORT = "127.0.0.1", made.server_address[1]
        yield made
        made.shutdown()
        thread.join()


def test_it_is_sent_by_mail_to_whom_the_area_names(
    floor: Floor, settings: LazySettings, server: MailServer
) -> None:
    settings.PAPER_MAIL = ["all@example.com", "plant-area=ines@example.com", "OTHER=no@example.com"]
    sheets.hourly(now=START)
    sheets.hourly(now=START + timedelta(minutes=30))
    ((to, letter),) = server.letters
    assert to == ["all@example.com", "ines@example.com"]
    read = email.message_from_bytes(letter, policy=email.policy.default)
    assert read["subject"] == "State sheet Hall, 2026-11-16 08:00"
    (attached,) = list(read.iter_attachments())
    sheet = StateSheet.objects.get()
    assert attached.get_filename() == sheet.name
    assert attached.get_content() == bytes(sheet.pdf or b"")
    assert sheet.mailed_at == START


def test_mail_that_fails_is_tried_again_later_each_time_while_the_folder_has_its_sheet_once(
    floor: Floor, settings: LazySettings, server: MailServer, tmp_path: Path
) -> None:
    settings.PAPER_FOLDER, settings.PAPER_MAIL = str(tmp_path), ["gone@example.com"]
    server.unknown.add("gone@example.com")
    sheets.hourly(now=START)
    sheet = StateSheet.objects.get()
    assert "nobody has this address" in sheet.mail_problem
    assert sheet.filed_at == START
    assert sheet.mailed_at is None
    (path,) = tmp_path.iterdir()
    path.unlink()  # the printer has taken it
    waits = []
    now = START
    for _ in range(5):
        assert sheet.try_at is not None
        waits.append((sheet.try_at - now).total_seconds() / 60)
        now = sheet.try_at
        sheets.hourly(now=now)
        sheet.refresh_from_db()
    assert waits == [1, 2, 5, 10, 10]
    assert list(tmp_path.iterdir()) == [], "the folder gets it once"
    server.unknown.clear()
    sheets.hourly(now=now + timedelta(minutes=10))
    assert len(server.letters) == 1
    sheet.refresh_from_db()
    assert (sheet.mail_problem, sheet.try_at) == ("", None)


def test_a_mail_server_that_is_away_is_told(floor: Floor, settings: LazySettings, server: MailServer) -> None:
    settings.PAPER_MAIL = ["ines@example.com"]
    server.server_close()
    server.socket.close()
    assert sheets.hourly(now=START) == 1
    assert "refused" in StateSheet.objects.get().mail_problem


def test_addresses_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JITAPP_PAPER_MAIL", "a@example.com, HALL-1=b@example.com")
    assert env_recipients("JITAPP_PAPER_MAIL") == ["a@example.com", "HALL-1=b@example.com"]
    monkeypatch.setenv("JITAPP_PAPER_MAIL", "a@example.com, ines")
    with pytest.raises(Nonsense, match="ines"):
        env_recipients("JITAPP_PAPER_MAIL")
