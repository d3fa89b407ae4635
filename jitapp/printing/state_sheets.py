"""State sheets as rows: one an hour and area, the last KEPT are there; and how they are handed out, into a folder and
by mail. A way that fails is tried again later, and says why; it never stops the others.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import models

from jitapp.outages import store
from jitapp.plant.models import Area
from jitapp.printing.models import StateSheet

logger = logging.getLogger(__name__)

KEPT = 48  # of an area
VALID = timedelta(hours=1)  # then the next one is there
ABANDONED = timedelta(minutes=10)  # whoever began a sheet then has ended
RETRIES_MIN = (1, 2, 5, 10)  # minutes to the next try; the last one from then on
MAIL_TIMEOUT_S = 10
UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Made:
    """A finished file: its bytes, its name, how many pages and loops."""

    data: bytes
    name: str
    language: str
    paper: str
    pages: int
    loops: int


Maker = Callable[[StateSheet, datetime], Made]


def hour_of(now: datetime) -> datetime:
    """The beginning of the hour."""
    return now.replace(minute=0, second=0, microsecond=0)


# -- one an hour -----------------------------------------------------------------------------------------
def make_due(make: Maker, *, now: datetime) -> list[StateSheet]:
    """Makes the sheet of this hour for every area with loops that has none; a second call changes nothing."""
    made = []
    for area in _areas_without(hour_of(now)):
        sheet = _claim(area, now)
        if sheet is not None and _fill(sheet, make, now):
            _forget_old(area)
            made.append(sheet)
    return made


def _areas_without(hour: datetime) -> list[Area]:
    there = StateSheet.objects.filter(hour=hour, made_at__isnull=False)
    with_loops = Area.objects.filter(stations__loops_in__isnull=False).exclude(pk__in=there.values("area"))
    return list(with_loops.distinct().select_related("plant", "leader").order_by("pk"))


def _claim(area: Area, now: datetime) -> StateSheet | None:
    """The row of this hour, if nobody else is at it."""
    hour = hour_of(now)
    last = StateSheet.objects.filter(area=area).aggregate(last=models.Max("number"))["last"] or 0
    # A row that is there already is left alone, whoever wrote it a moment ago.
    StateSheet.objects.bulk_create(
        [StateSheet(area=area, hour=hour, number=last + 1, claimed_at=now - 2 * ABANDONED)],
        ignore_conflicts=True,
    )
    free = StateSheet.objects.filter(
        area=area, hour=hour, made_at__isnull=True, claimed_at__lt=now - ABANDONED
    )
    if not free.update(claimed_at=now):
        return None
    return StateSheet.objects.select_related("area__plant", "area__leader").get(area=area, hour=hour)


def _fill(sheet: StateSheet, make: Maker, now: datetime) -> bool:
    try:
        made = make(sheet, now)
    except store.ERRORS:
        raise
    except Exception as error:  # one area's sheet must not cost the others theirs
        logger.exception("The state sheet of area %s could not be made.", sheet.area.code)
        StateSheet.objects.filter(pk=sheet.pk).update(problem=f"{type(error).__name__}: {error}"[:500])
        return False
    for name in ("language", "paper", "pages", "loops", "name"):
        setattr(sheet, name, getattr(made, name))
    sheet.pdf, sheet.made_at, sheet.problem = made.data, now, ""
    sheet.try_at = now if ways(sheet.area) else None
    sheet.save()
    return True


def _forget_old(area: Area) -> None:
    newest = StateSheet.objects.filter(area=area).order_by("-hour").values_list("pk", flat=True)[:KEPT]
    old = StateSheet.objects.filter(area=area).exclude(pk__in=list(newest))
    names = list(old.exclude(name="").values_list("name", flat=True))
    old.delete()
    if settings.PAPER_FOLDER:
        for name in names:
            _remove(Path(settings.PAPER_FOLDER) / name)


# -- handed out ------------------------------------------------------------------------------------------
def ways(area: Area) -> list[str]:
    """How the sheets of an area are handed out here: folder, mail."""
    found = ["folder"] if settings.PAPER_FOLDER else []
    return found + (["mail"] if settings.MAIL_HOST and addresses(area) else [])


def addresses(area: Area) -> list[str]:
    """Who gets the sheets of an area by mail: named for it, for its plant, or for all."""
    found = []
    for each in settings.PAPER_MAIL:
        named, _, address = each.rpartition("=")
        if not named or named.casefold() in (area.code.casefold(), area.plant.code.casefold()):
            found.append(address)
    return list(dict.fromkeys(found))


def hand_out(*, now: datetime, subject: Callable[[StateSheet], tuple[str, str]]) -> list[StateSheet]:
    """Hands out the newest sheet of each area that is due; `subject` gives heading and text of its mail. A sheet that
    a newer one has followed is not handed out any more. Returns those that it tried."""
    tried = []
    due = StateSheet.objects.filter(try_at__lte=now, made_at__isnull=False).order_by("area", "-hour")
    for each in due.distinct("area").values_list("pk", flat=True):
        # Whoever gets the row has it for a while; no transaction is held open while a mail server answers.
        if not StateSheet.objects.filter(pk=each, try_at__lte=now).update(try_at=now + ABANDONED):
            continue
        sheet = StateSheet.objects.select_related("area__plant").get(pk=each)
        older = StateSheet.objects.filter(area=sheet.area, hour__lt=sheet.hour, try_at__isnull=False)
        older.update(try_at=None)
        _hand_out(sheet, now, subject)
        tried.append(sheet)
    return tried


def _hand_out(sheet: StateSheet, now: datetime, subject: Callable[[StateSheet], tuple[str, str]]) -> None:
    todo = ways(sheet.area)
    if "folder" in todo and sheet.filed_at is None:
        sheet.folder_problem = _problem(lambda: file_into(Path(settings.PAPER_FOLDER), sheet))
        sheet.filed_at = None if sheet.folder_problem else now
    if "mail" in todo and sheet.mailed_at is None:
        sheet.mail_problem = _problem(lambda: mail(sheet, addresses(sheet.area), *subject(sheet)))
        sheet.mailed_at = None if sheet.mail_problem else now
    sheet.tries += 1
    wait = RETRIES_MIN[min(sheet.tries, len(RETRIES_MIN)) - 1]
    failed = sheet.folder_problem or sheet.mail_problem
    sheet.try_at = now + timedelta(minutes=wait) if failed else None
    sheet.save(update_fields=["folder_problem", "filed_at", "mail_problem", "mailed_at", "tries", "try_at"])


def _problem(way: Callable[[], None]) -> str:
    try:
        way()
    except Exception as error:  # whatever a file system or a mail server says is told, and tried again
        logger.warning("A state sheet could not be handed out: %s", error)
        said = str(error).strip() or type(error).__name__
        return said[:300]
    return ""


def file_into(folder: Path, sheet: StateSheet) -> None:
    """Lays the file into the folder, whole or not at all: what watches the folder never sees half of it. Raises
    OSError."""
    unfinished = folder / f".{sheet.name}{UNFINISHED}"
    try:
        with unfinished.open("wb") as file:
            file.write(bytes(sheet.pdf or b""))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / sheet.name)
    except OSError:
        _remove(unfinished)
        raise


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("%s could not be removed: %s", path, error)


def mail(sheet: StateSheet, to: Sequence[str], heading: str, text: str) -> None:
    """Sends the file. Raises what the mail server says, also where it does not take every address."""
    connection = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=settings.MAIL_HOST,
        port=settings.MAIL_PORT,
        username=settings.MAIL_USER,
        password=settings.MAIL_PASSWORD,
        use_tls=settings.MAIL_TLS == "starttls",
        use_ssl=settings.MAIL_TLS == "tls",
        timeout=MAIL_TIMEOUT_S,
    )
    message = EmailMessage(heading, text, settings.MAIL_FROM, list(to), connection=connection)
    message.attach(sheet.name, bytes(sheet.pdf or b""), "application/pdf")
    message.send()


def try_again(area: Area, *, now: datetime) -> bool:
    """Has the newest sheet of an area handed out at once, also ways that have it already failed; False without one."""
    newest = StateSheet.objects.filter(area=area, made_at__isnull=False).order_by("-hour").first()
    if newest is None or not ways(area):
        return False
    StateSheet.objects.filter(pk=newest.pk).update(try_at=now)
    return True


# -- asked by pages --------------------------------------------------------------------------------------
def sheets_of(area: Area) -> list[StateSheet]:
    """The kept sheets of an area, the newest first, without their files."""
    return list(StateSheet.objects.filter(area=area).defer("pdf").order_by("-hour")[:KEPT])


def newest_of(area_ids: Collection[int]) -> list[StateSheet]:
    """The newest sheet of each area."""
    found = StateSheet.objects.filter(area__in=area_ids).defer("pdf").select_related("area__plant")
    return list(found.order_by("area", "-hour").distinct("area"))


def file_name(area: Area, made_at: datetime, number: int) -> str:
    """`plant-area-20261128-1400-nr12.pdf`, in the plant's time, of letters that every file system has."""
    words = [re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in (area.plant.code, area.code)]
    words[1] = words[1] or f"area{area.pk}"
    return f"{'-'.join(word for word in words if word)}-{made_at:%Y%m%d-%H%M}-nr{number}.pdf"
