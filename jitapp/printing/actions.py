"""Prints, and keeps what was printed: files are made and read back first, then the rows are written."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from jitapp.accounts.models import Person
from jitapp.plant.models import Plant, Station
from jitapp.plant.wordings import wordings
from jitapp.printing import pictures, proof
from jitapp.printing.carriers import Carrier, codes_of, work_code
from jitapp.printing.drawing import Drawing
from jitapp.printing.facts import Printed
from jitapp.printing.fonts import lacking
from jitapp.printing.layouts import signs
from jitapp.printing.layouts.parts import Copy
from jitapp.printing.layouts.sheets import PAPERS, Paper, pages
from jitapp.printing.models import PrintedCard, PrinterTest, PrintJob
from jitapp.printing.pdf import pdf
from jitapp.printing.queries import CardToPrint, Why, cards_to_print
from jitapp.printing.symbols import NoSymbol, Symbol, code128, qr
from jitapp.printing.words import captions, command_words
from jitapp.printing.zpl import DOTS_PER_MM, zpl
from jitapp.pull import actions as pull
from jitapp.pull.reading.labels import lost_cards
from jitapp.pull.scan_request import Source
from jitapp.symbology.cardcode import COMBINATIONS, make_code

MOST = 1_000  # cards of a file
FORMS = ("pdf", *(f"zpl{dpi}" for dpi in DOTS_PER_MM))
TEST_PREFIX = "KT"
PATIENCE_S = 3.0  # how long one label waits for a file that is being made
_printing = threading.Lock()


class PrintRefused(ValueError):
    """Nothing is printed; `code` says why, `named` what it is about."""

    def __init__(self, code: str, named: str = "") -> None:
        super().__init__(f"{code} {named}".strip())
        self.code = code
        self.named = named


@dataclass(frozen=True, slots=True)
class Order:
    """How it is to be printed: paper and form by name, the codes, the language, the site's address for the codes."""

    site: str
    paper: str = "a4-4"
    form: str = "pdf"
    carrier: Carrier = Carrier.OWN
    language: str = "en"
    gs1_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Printout:
    """A file that may be handed out: every code on it was read back (of ZPL: is drawn by the printer itself). `jobs`
    are the rows that keep it, one a plant; none where nothing is kept."""

    data: bytes
    name: str
    media_type: str
    count: int
    codes: int
    shortened: list[str] = field(default_factory=list)
    lacking: str = ""
    jobs: tuple[UUID, ...] = ()


@contextmanager
def _alone(patience_s: float = 0.0) -> Iterator[None]:
    """One file at a time in a process: it takes seconds, and scans need the other threads. Raises PrintRefused."""
    if not _printing.acquire(timeout=patience_s):
        raise PrintRefused("busy")
    try:
        yield
    finally:
        _printing.release()


# -- cards -------------------------------------------------------------------------------------------
def print_cards(
    codes: Sequence[str], order: Order, *, plant_ids: Collection[int], now: datetime, source: Source
) -> Printout:
    """The file of these cards, in the order of the lists; they count as printed from now on.

    Raises PrintRefused: none, too many or unknown cards, cards that are lost, a paper that the form does not have, a
    code that does not read as it was meant.
    """
    found = _cards(codes, plant_ids)
    with _alone():
        made = _file(found, order, now)
    with transaction.atomic():
        jobs = tuple(
            _keep(
                [one for one in found if one.facts.plant_id == plant_id], plant_id, order, made, now, source
            )
            for plant_id in sorted({one.facts.plant_id for one in found})
        )
    for loop_id in sorted({one.facts.loop_id for one in found if one.facts.label_stale}):
        quantities = {one.facts.code: one.facts.quantity for one in found if one.facts.loop_id == loop_id}
        pull.mark_printed(loop_id=loop_id, now=now, source=source, printed=quantities)
    return replace(made, jobs=jobs)


def label(code: str, order: Order, *, plant_ids: Collection[int], now: datetime) -> Printout:
    """The file of one card as it would be printed now; nothing is kept, and the card counts as printed no more than
    before. Raises PrintRefused."""
    found = _cards([code], plant_ids)
    with _alone(PATIENCE_S):
        return _file(found, order, now)


def file_of(job: PrintJob, *, site: str, gs1_prefix: str) -> Printout:
    """The file of a job again, with the facts that were printed and not those of now; nothing is kept. Raises
    PrintRefused, also where a card of it is lost or gone since."""
    order = Order(site, job.paper, job.form, Carrier(job.carrier), job.language, gs1_prefix)
    kept = list(job.cards.select_related("card").order_by("id"))
    known = {one.facts.code: one.facts for one in _cards([row.card.code for row in kept], [job.plant_id])}
    found = [
        CardToPrint(known[row.card.code], msgspec.convert(row.facts, Printed), row, Why.NOT) for row in kept
    ]
    with _alone(PATIENCE_S):
        return _file(found, order, job.at)


def _cards(codes: Sequence[str], plant_ids: Collection[int]) -> list[CardToPrint]:
    wanted = list(dict.fromkeys(codes))
    if not wanted:
        raise PrintRefused("nothing_chosen")
    if len(wanted) > MOST:
        raise PrintRefused("too_many", str(MOST))
    found = cards_to_print(plant_ids, codes=wanted)
    missing = set(wanted) - {one.facts.code for one in found}
    if missing:
        first = min(missing)
        lost = lost_cards(plant_ids, missing)
        raise PrintRefused("card_lost" if first in lost else "unknown_card", first)
    return found


def _file(found: Sequence[CardToPrint], order: Order, now: datetime) -> Printout:
    _checked(order)
    drawings = pages(PAPERS[order.paper], copies(found, order, now))
    name = f"cards-{now:%Y%m%d-%H%M}-{order.paper}"
    letters = lacking(
        "".join(f"{one.now.part}{one.now.description}{one.now.supply}{one.now.demand}" for one in found)
    )
    return made_file(drawings, order, name=name, title=name, count=len(found), letters=letters)


def _checked(order: Order) -> None:
    paper = PAPERS.get(order.paper)
    if paper is None or order.form not in FORMS:
        raise PrintRefused("unknown_paper", f"{order.paper} {order.form}")
    if order.form != "pdf" and paper.sheet is not None:
        raise PrintRefused("label_printer_needs_label", order.paper)


def copies(found: Sequence[CardToPrint], order: Order, now: datetime) -> list[Copy]:
    """What is drawn of each card. Raises PrintRefused for facts that no code can hold."""
    known = wordings()
    spoken_at = {
        one.facts.demand_id: known.of_place(one.facts.demand_id, {one.facts.plant_id}) for one in found
    }
    words = {wording: captions(order.language, wording) for wording in spoken_at.values()}
    photographs = pictures.pictures_of({one.facts.part_id for one in found})
    made = []
    for one in found:
        try:
            main, linear, second = codes_of(
                one.now,
                order.carrier,
                site=order.site,
                gs1_prefix=order.gs1_prefix,
                supplier_code=one.facts.supplier_code,
            )
        except NoSymbol:
            raise PrintRefused("no_symbol", one.facts.code) from None
        date = f"{now.astimezone(ZoneInfo(one.facts.time_zone)):%Y-%m-%d}"
        work, photograph = work_code(one.now.standard_work), photographs.get(one.facts.part_id)
        said = words[spoken_at[one.facts.demand_id]]
        made.append(Copy(one.now, said, one.revision, date, main, linear, second, work, photograph))
    return made


def made_file(
    drawings: Sequence[Drawing], order: Order, *, name: str, title: str, count: int, letters: str = ""
) -> Printout:
    """The file, each of its codes read back. Raises PrintRefused."""
    shortened = list(dict.fromkeys(text for drawing in drawings for text in drawing.shortened))
    read = sum(len(drawing.codes) for drawing in drawings)
    try:
        if order.form != "pdf":
            data = zpl(drawings, int(order.form.removeprefix("zpl")))
            proof.check_zpl(data, drawings)
            return Printout(data, f"{name}.zpl", "application/zpl", count, read, shortened, letters)
        data = pdf(drawings, title)
        read = proof.check(data, drawings)
    except proof.Unreadable as error:
        raise PrintRefused("unreadable", error.text) from None
    return Printout(data, f"{name}.pdf", "application/pdf", count, read, shortened, letters)


def _keep(
    found: Sequence[CardToPrint], plant_id: int, order: Order, made: Printout, now: datetime, source: Source
) -> UUID:
    job = _job(PrintJob.What.CARDS, plant_id, order, len(found), now, source)
    job.notes = {"shortened": made.shortened, "lacking": made.lacking}
    job.save()
    PrintedCard.objects.bulk_create(
        PrintedCard(
            job=job,
            card_id=one.facts.card_id,
            revision=one.revision,
            fingerprint=one.now.fingerprint,
            facts=msgspec.to_builtins(one.now),
        )
        for one in found
    )
    return job.uuid


def _job(
    what: PrintJob.What, plant_id: int, order: Order, count: int, now: datetime, source: Source
) -> PrintJob:
    return PrintJob(
        plant_id=plant_id,
        person_id=source.person_id,
        device_id=source.device_id if source.person_id is None else None,
        at=now,
        what=what,
        paper=order.paper,
        form=order.form,
        carrier=order.carrier if what == PrintJob.What.CARDS else "",
        language=order.language,
        count=count,
    )


def preview(code: str, order: Order, *, plant_ids: Collection[int], now: datetime, dpi: float) -> bytes:
    """One card as a PNG, as it would come out; nothing is kept. Raises PrintRefused."""
    found = _cards([code], plant_ids)
    paper = PAPERS.get(order.paper)
    if paper is None:
        raise PrintRefused("unknown_paper", order.paper)
    drawn = [paper.layout(copy, *paper.piece) for copy in copies(found, order, now)]
    return proof.preview(pdf(drawn, code), dpi)


# -- commands, badges, stations -------------------------------------------------------------------------
def print_commands(order: Order, *, plant_id: int, now: datetime, source: Source) -> Printout:
    """The sheet of command cards."""
    words = command_words(order.language)
    shown = []
    for command in signs.commands():
        title, effect = words[command.name.name]
        titled, said = title.format(command.number), effect.format(command.number)
        shown.append(signs.Sign(titled, said, "", qr(command.code), code128(command.code)))
    return _signs(PrintJob.What.COMMANDS, shown, signs.COMMAND_PAPERS, order, plant_id, now, source)


def print_badges(
    order: Order, *, plant_id: int, now: datetime, source: Source, person: UUID | None = None
) -> Printout:
    """A card for everybody of the plant who has a badge, or for one person, with badge and name. Raises PrintRefused if
    nobody has one."""
    plant = Plant.objects.get(pk=plant_id)
    people = Person.objects.filter(memberships__plant=plant, is_active=True, badge__isnull=False).distinct()
    if person is not None:
        people = people.filter(uuid=person)
    words = captions(order.language)
    shown = [
        signs.Sign(holder.name or holder.username, plant.name, words["badge"], *_both(holder.badge or ""))
        for holder in people.order_by("name", "username")
    ]
    return _signs(PrintJob.What.BADGES, shown, signs.BADGE_PAPERS, order, plant_id, now, source)


def print_stations(order: Order, *, plant_id: int, now: datetime, source: Source, area: str = "") -> Printout:
    """A sign for each station of the plant, or of one of its areas. Raises PrintRefused if there is none."""
    stations = Station.objects.filter(plant_id=plant_id).select_related("area")
    if area:
        stations = stations.filter(area__code=area)
    known = wordings()
    shown = [
        signs.Sign(
            station.name,
            station.area.name if station.area else "",
            captions(order.language, known.of_place(station.pk, {plant_id}))["station"],
            *_both(station.code),
        )
        for station in stations.order_by("area__code", "position", "code")
    ]
    return _signs(PrintJob.What.STATIONS, shown, signs.STATION_PAPERS, order, plant_id, now, source)


def _both(text: str) -> tuple[Symbol, Symbol | None]:
    """The square code, and the linear one if it can hold the text."""
    try:
        return qr(text), code128(text)
    except NoSymbol:
        return qr(text), None


def _signs(
    what: PrintJob.What,
    shown: Sequence[signs.Sign],
    papers: dict[str, Paper],
    order: Order,
    plant_id: int,
    now: datetime,
    source: Source,
) -> Printout:
    if not shown:
        raise PrintRefused("nothing_there", what)
    if order.paper not in papers or order.form != "pdf":
        raise PrintRefused("unknown_paper", f"{order.paper} {order.form}")
    with _alone():
        drawings = signs.sheet(papers[order.paper], shown)
        name = f"{what}-{now:%Y%m%d-%H%M}"
        made = made_file(drawings, order, name=name, title=name, count=len(shown))
    _job(what, plant_id, order, len(shown), now, source).save()
    return made


# -- is the printer true? --------------------------------------------------------------------------------
def print_test(order: Order, *, printer: str, plant_id: int, now: datetime, source: Source) -> Printout:
    """The test page: a ruler, and a code of its own that is to be scanned back."""
    if order.paper not in ("a4", "letter"):
        raise PrintRefused("unknown_paper", order.paper)
    code = TEST_PREFIX + make_code(secrets.randbelow(COMBINATIONS))[2:]
    zone = ZoneInfo(Plant.objects.get(pk=plant_id).time_zone)
    date = f"{now.astimezone(zone):%Y-%m-%d %H:%M}"
    square = qr(f"{order.site.rstrip('/')}/print/tests/{code}")
    drawn = signs.test_page(order.paper, captions(order.language), printer, square, code128(code), date)
    with _alone():
        made = made_file([drawn], order, name=f"test-{code}", title=code, count=1)
    with transaction.atomic():
        PrinterTest.objects.create(
            plant_id=plant_id,
            code=code,
            printer=printer[:60],
            paper=order.paper,
            person_id=source.person_id,
            made_at=now,
        )
        _job(PrintJob.What.TEST, plant_id, order, 1, now, source).save()
    return made


def verify_test(
    code: str, *, plant_ids: Collection[int], now: datetime, source: Source, measured: Decimal | None
) -> PrinterTest:
    """The code of a test page was read from paper. Raises PrintRefused if no test has it."""
    with transaction.atomic():
        test = PrinterTest.objects.select_for_update().filter(code=code, plant_id__in=plant_ids).first()
        if test is None:
            raise PrintRefused("unknown_test", code)
        test.verified_at, test.verified_by_id = now, source.person_id
        if measured is not None:
            test.measured = measured
        test.save(update_fields=["verified_at", "verified_by", "measured"])
        return test


def verify_card(code: str, *, plant_ids: Collection[int], now: datetime, source: Source) -> PrintedCard:
    """A printed card was scanned back: its newest print is verified. Raises PrintRefused if none is known."""
    with transaction.atomic():
        newest = PrintedCard.objects.filter(card__code=code, job__plant_id__in=plant_ids).order_by("-id")
        last = newest.select_for_update(of=("self",)).first()
        if last is None:
            raise PrintRefused("never_printed", code)
        last.verified_at, last.verified_by_id = now, source.person_id
        last.save(update_fields=["verified_at", "verified_by"])
        return last
