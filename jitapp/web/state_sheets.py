"""What stands on a state sheet, in words; and the hourly round that makes and hands out those of all areas."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.plant.models import Area
from jitapp.plant.spoken import spoken
from jitapp.plant.wordings import wordings
from jitapp.printing import state_sheets
from jitapp.printing.layouts.state import SheetCard, SheetHead, SheetLoop, state_sheet
from jitapp.printing.models import StateSheet
from jitapp.printing.pdf import pdf
from jitapp.printing.proof import check
from jitapp.printing.state_sheets import VALID, Made
from jitapp.printing.symbols import qr
from jitapp.pull.reading.board import board
from jitapp.pull.reading.board_row import BoardRow, Tile
from jitapp.web.board import who_acts
from jitapp.web.phrases import Words, clock, plain, words_of

URGENT = {"out", "act"}
SHEET_WORDS = {
    "how": mark(
        "While nothing can be scanned: write the time into the box of what happened, beside it a quantity other than"
        " the usual one, and who did it. A second time goes into the free lines at the end."
    ),
    "emptied": mark("emptied"),
    "started": mark("started"),
    "done": mark("done"),
    "full": mark("full"),
    "quantity": mark("quantity"),
    "by": mark("who"),
    "code": mark("code"),
    "time": mark("day and time"),
    "what": mark("what happened"),
    "free": mark("What did not fit above"),
    "again": mark("(goes on)"),
}
# Where Letter is the paper of offices: the United States, Canada, Mexico and the north of South America.
LETTER_ZONES = frozenset(
    # As a text, because a list of ninety places fills a page.
    """
    Adak Anchorage Boise Chicago Denver Detroit Los_Angeles Menominee New_York Nome Juneau Sitka Metlakatla Yakutat
    Phoenix Toronto Vancouver Winnipeg Regina Edmonton Halifax St_Johns Moncton Goose_Bay Glace_Bay Iqaluit Whitehorse
    Dawson Yellowknife Inuvik Swift_Current Mexico_City Monterrey Merida Cancun Chihuahua Hermosillo Mazatlan Tijuana
    Ojinaga Matamoros Ciudad_Juarez Bahia_Banderas Bogota Caracas Santiago Punta_Arenas Guatemala Costa_Rica Panama
    Managua El_Salvador Tegucigalpa Santo_Domingo Puerto_Rico
    """.split()  # noqa: SIM905
)
_making = threading.Lock()


class How(TypedDict):
    """How a sheet is made: its number (0: by hand), the address of the site that stands on it."""

    number: int
    language: str
    paper: str
    site: str
    now: datetime


class Busy(RuntimeError):
    """Another sheet is being made in this process: it takes seconds, and scans need the other threads."""


# -- the file --------------------------------------------------------------------------------------------
def paper_of(area: Area) -> str:
    """a4 or letter: as it is set, else as offices of the plant's time zone have it."""
    if settings.PAPER_SIZE != "auto":
        return str(settings.PAPER_SIZE)
    zone = area.plant.time_zone
    region, _, place = zone.partition("/")
    american = region == "US" or zone in ("Pacific/Honolulu", "Asia/Manila")
    american = american or (
        region == "America" and place.partition("/")[0] in LETTER_ZONES | {"Indiana", "Kentucky"}
    )
    return "letter" if american or place.startswith("North_Dakota/") else "a4"


def language_of(area: Area) -> str:
    """The language of whoever leads the area, else the installation's."""
    known = dict(settings.LANGUAGES)
    spoken = area.leader.language if area.leader is not None else ""
    return spoken if spoken in known else str(settings.LANGUAGE_CODE)


def make(area: Area, *, number: int, language: str, paper: str, site: str, now: datetime) -> Made:
    """The sheet of an area as it stands now, each of its codes read back. Raises proof.Unreadable."""
    with spoken(language, wordings().of_area(area.code)):
        shown = board(area.code, now=now)
        words, zone = words_of(language), area.plant.time_zone
        head = _head(area, number, site, now, words)
        captions = {name: gettext(text) for name, text in SHEET_WORDS.items()}
        loops = [_loop(row, words, now) for row in sorted(shown.rows, key=lambda row: (row.part, row.loop))]
    pages = state_sheet(loops, head, captions, paper)
    local = now.astimezone(ZoneInfo(zone))
    name = state_sheets.file_name(area, local, number)
    data = pdf(pages, name.removesuffix(".pdf"))
    check(data, pages)
    return Made(data, name, language, paper, len(pages), len(loops))


def make_alone(area: Area, **how: Unpack[How]) -> Made:
    """The same for somebody who waits for it. Raises Busy while another one is being made."""
    if not _making.acquire(blocking=False):
        raise Busy
    try:
        return make(area, **how)
    finally:
        _making.release()


def entry_address(area: Area, site: str) -> str:
    """Where what was written is entered, as it stands on the sheet."""
    return f"{site.rstrip('/')}/b/{area.code}/paper/entry"


def _head(area: Area, number: int, site: str, now: datetime, words: Words) -> SheetHead:
    local = now.astimezone(ZoneInfo(area.plant.time_zone))
    until = (now + VALID).astimezone(ZoneInfo(area.plant.time_zone))
    day = f"{words.days[local.weekday()]} {local:%Y-%m-%d %H:%M}"
    return SheetHead(
        area=area.name,
        plant=area.plant.name or area.plant.code,
        printed=gettext("As it stood on {}").format(day),
        valid=gettext("Valid until about {}").format(f"{until:%H:%M}"),
        sheet=gettext("Sheet {}").format(number) if number else gettext("Sheet printed by hand"),
        page=gettext("Page {} of {}"),
        enter=gettext("Enter these when scanning works again: {}").format(entry_address(area, site)),
    )


def _loop(row: BoardRow, words: Words, now: datetime) -> SheetLoop:
    name, does = who_acts(row, words)
    why = row.hold_reason if row.why_code == "on_hold" else ""
    return SheetLoop(
        part=row.part,
        description=row.description,
        way=f"{row.supply_name} → {row.demand_name}",
        size=f"{row.circulating} × {plain(row.quantity)} {row.unit}".rstrip(),
        state=words.states[row.state],
        who=" ".join(text for text in (name, does, why) if text),
        urgent=row.state in URGENT,
        cards=tuple(_card(tile, row, words, now) for tile in row.tiles),
    )


def _card(tile: Tile, row: BoardRow, words: Words, now: datetime) -> SheetCard:
    return SheetCard(
        code=tile.code,
        symbol=qr(tile.code),
        title=gettext("Card {}").format(tile.number),
        state=" ".join(_state(tile, words)),
        detail=" · ".join(_under_way(tile, row, words, now)),
    )


def _state(tile: Tile, words: Words) -> Iterator[str]:
    yield words.tiles.get(tile.word, tile.word.lower())
    if tile.word == "IN_USE":
        yield f"{plain(tile.contents)}/{plain(tile.quantity)}"
    if tile.reason:
        yield tile.reason


def _under_way(tile: Tile, row: BoardRow, words: Words, now: datetime) -> Iterator[str]:
    def at(instant: datetime) -> str:
        return clock(instant, row.time_zone, now, words.language)

    if tile.due_at is not None:
        yield gettext("due {}").format(at(tile.due_at))
    elif tile.since is not None:
        yield words["since"].format(at(tile.since))
    if tile.promised_at is not None:
        yield words["promised"].format(at(tile.promised_at))


# -- every hour ------------------------------------------------------------------------------------------
def hourly(*, now: datetime) -> int:
    """Makes the sheets of this hour that are not there yet, and hands out what is due; returns how many it made. A
    second call within the hour changes nothing."""
    made = state_sheets.make_due(_hourly, now=now) if settings.PAPER_HOURLY else []
    state_sheets.hand_out(now=now, subject=_letter)
    return len(made)


def _hourly(sheet: StateSheet, now: datetime) -> Made:
    area = sheet.area
    return make(
        area,
        number=sheet.number,
        language=language_of(area),
        paper=paper_of(area),
        site=site_of(),
        now=now,
    )


def site_of() -> str:
    """What addresses on paper begin with where nobody has come by any."""
    return str(settings.SITE_URL)


def _letter(sheet: StateSheet) -> tuple[str, str]:
    """Heading and text of the mail with a sheet."""
    area, language = sheet.area, sheet.language
    with spoken(language, wordings().of_area(area.code)):
        made = sheet.made_at or sheet.hour
        at = f"{made.astimezone(ZoneInfo(area.plant.time_zone)):%Y-%m-%d %H:%M}"
        heading = gettext("State sheet {area}, {at}").format(area=area.name, at=at)
        text = gettext(
            "How every card of {area} stood on {at}. Keep it, or print it: if nothing can be scanned, write on it what"
            " happens, and enter it afterwards at {address}."
        ).format(area=area.name, at=at, address=entry_address(area, site_of()))
    return " ".join(heading.split()), text
