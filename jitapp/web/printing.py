"""Cards and labels: which are to be printed, how, and whether the printer prints true.

Leaders, planners and administrators print; everybody of the plant sees what was printed. The file is the answer to the
form, so that a browser opens or saves it; every code on it was read back before.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from jitapp.accounts.models import Person
from jitapp.kanban.quantity import NotAQuantity, read_quantity
from jitapp.kanban.vocabulary import Role
from jitapp.plant.models import Loop, Membership, Plant
from jitapp.printing import actions
from jitapp.printing.actions import FORMS, MOST, TEST_PREFIX, Order, Printout, PrintRefused
from jitapp.printing.carriers import Carrier
from jitapp.printing.facts import Change
from jitapp.printing.layouts.sheets import PAPERS
from jitapp.printing.layouts.signs import COMMAND_PAPERS
from jitapp.printing.models import PrinterTest, PrintJob
from jitapp.printing.queries import (
    MOST_READ,
    CardToPrint,
    Why,
    cards_to_print,
    codes_of_job,
    job_of,
    newest_jobs,
    newest_tests,
)
from jitapp.symbology.cardcode import find_card_code
from jitapp.web.calls import source_of
from jitapp.web.print_words import (
    CARRIER_WORDS,
    FACT_WORDS,
    FORM_WORDS,
    PAPER_WORDS,
    REFUSAL_TEXT,
    WHAT_WORDS,
    WHY_WORDS,
)
from jitapp.web.visit import PRINTERS, P, Page, Viewer, areas_of, declared, people, viewer_of

PRINTING_ROLES = frozenset({Role.LEADER, Role.PLANNER, Role.ADMIN})
SHOWN = 200  # rows of a list; what is beyond them is printed with "all of this list"
PREVIEW_DPI = 150
CHOICES = "printing"  # the cookie that keeps paper, form, codes and language of this device
PDF_POLICY = "script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def prints_at(viewer: Viewer, request: HttpRequest) -> frozenset[int]:
    """The plants whose cards this person may print."""
    if isinstance(request.user, Person) and request.user.is_superuser:
        return viewer.plant_ids
    return frozenset(plant for plant, roles in viewer.roles.items() if roles & PRINTING_ROLES)


def printers(page: Page[P]) -> Page[P]:
    """Says who prints; the page itself refuses the others in a sentence."""
    return declared(PRINTERS)(people(page))


# -- the page ----------------------------------------------------------------------------------------
@require_GET
@printers
def print_page(request: HttpRequest) -> HttpResponseBase:
    """Cards to print by area and loop, what they will look like, and what was printed last."""
    viewer, asked = viewer_of(request), request.GET
    mine = prints_at(viewer, request)
    chosen = [code for code in asked.getlist("card") if find_card_code(code)][:SHOWN]
    every = asked.get("show") == "all" or bool(chosen)
    found = _listed(asked, mine or viewer.plant_ids)
    order = order_of(request, request.COOKIES.get(CHOICES, ""))
    context = {
        "viewer": viewer,
        "may_print": bool(mine),
        "areas": areas_of(viewer),
        "loops": _loops(viewer, asked.get("area", "")),
        "area": asked.get("area", ""),
        "loop": asked.get("loop", ""),
        "every": every,
        "chosen": chosen,
        "rows": [row_of(one) for one in found[:SHOWN]],
        "count": len(found),
        "beyond": max(0, len(found) - SHOWN),
        "full": len(found) >= MOST_READ,
        "most": MOST,
        "sample": found[0].facts.code if found else "",
        "order": order,
        "papers": [
            (name, gettext(PAPER_WORDS[name]), paper.sheet is not None) for name, paper in PAPERS.items()
        ],
        "forms": [(form, gettext(FORM_WORDS[form])) for form in FORMS],
        "carriers": [(carrier.value, gettext(CARRIER_WORDS[carrier])) for carrier in Carrier],
        "languages": settings.LANGUAGES,
        "sign_papers": [(name, name.upper() if name == "a4" else name.title()) for name in COMMAND_PAPERS],
        "jobs": [
            (job, gettext(WHAT_WORDS[PrintJob.What(job.what)]), _paper(job)) for job in newest_jobs(mine)
        ],
        "tests": newest_tests(mine),
        "plants": Plant.objects.filter(pk__in=mine).order_by("name"),
        "only_here": _only_here(order.site),
    }
    return render(request, "printing/page.html", context)


def _listed(asked: QueryDict, plants: frozenset[int]) -> list[CardToPrint]:
    """The cards that the filter names; without one those that are to be printed."""
    chosen = [code for each in asked.getlist("card") if (code := find_card_code(each))]
    if chosen:
        return cards_to_print(plants, codes=chosen[:SHOWN])
    loop = Loop.objects.filter(code=asked.get("loop", "").replace("\0", ""), plant_id__in=plants).first()
    return cards_to_print(
        plants,
        loop_id=loop.pk if loop else None,
        area=asked.get("area", "").replace("\0", ""),
        due=asked.get("show") != "all",
    )


def _loops(viewer: Viewer, area: str) -> list[tuple[str, str]]:
    found = Loop.objects.filter(plant_id__in=viewer.plant_ids).select_related("part")
    if area:
        found = found.filter(demand__area__code=area.replace("\0", ""))
    return [
        (loop.code, f"{loop.part.number} · {loop.code}") for loop in found.order_by("part__number", "code")
    ]


def row_of(one: CardToPrint) -> dict[str, object]:
    """A card with its words: why it is to be printed, and what is wrong on its newest print."""
    why = gettext(WHY_WORDS[one.why]).format(one.facts.replaces) if one.why else ""
    return {
        "one": one,
        "facts": one.facts,
        "now": one.now,
        "last": one.last,
        "why": why,
        "state": {Why.LOST: "act", Why.NEVER: "soon", Why.NOT: "ok"}.get(one.why, "soon"),
        "changes": [said_change(change) for change in one.changes],
    }


def said_change(change: Change) -> str:
    """`Quantity: 12 → 8`, in the reader's language."""
    return f"{gettext(FACT_WORDS[change.name])}: {change.before or '–'} → {change.now or '–'}"


def _paper(job: PrintJob) -> str:
    return gettext(PAPER_WORDS[job.paper]) if job.paper in PAPER_WORDS else job.paper.upper()


def _only_here(site: str) -> bool:
    """Whether the printed address is one that no other device can open."""
    host = urlsplit(site).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


# -- how to print --------------------------------------------------------------------------------------
def order_of(request: HttpRequest, kept: str = "") -> Order:
    """What the form says, else what this device printed last, else the usual; words that nobody knows are left out."""
    asked = request.POST if request.method == "POST" else request.GET
    last = QueryDict(kept[:200])

    def word(name: str, known: Callable[[str], bool], usual: str) -> str:
        return next(
            (text for text in (asked.get(name, ""), last.get(name, "")) if text and known(text)), usual
        )

    language = get_language() or settings.LANGUAGE_CODE
    carriers = [carrier.value for carrier in Carrier]
    return Order(
        site=str(settings.SITE_URL) or request.build_absolute_uri("/").rstrip("/"),
        paper=word("paper", lambda text: text in PAPERS, "a4-4"),
        form=word("form", lambda text: text in FORMS, "pdf"),
        carrier=Carrier(word("carrier", lambda text: text in carriers, Carrier.OWN)),
        language=word("language", lambda text: text in dict(settings.LANGUAGES), language),
        gs1_prefix=str(settings.GS1_PREFIX),
    )


@require_GET
@people
def preview(request: HttpRequest) -> HttpResponseBase:
    """One card as it will come out, for whoever may read its plant."""
    viewer = viewer_of(request)
    code = find_card_code(request.GET.get("card", ""))
    if code is None:
        raise Http404
    try:
        made = actions.preview(
            code, order_of(request), plant_ids=viewer.plant_ids, now=timezone.now(), dpi=PREVIEW_DPI
        )
    except PrintRefused as refused:
        raise Http404(said(refused)) from None
    response = HttpResponse(made, content_type="image/png")
    response["Cache-Control"] = "private, no-store"
    return response


# -- printing --------------------------------------------------------------------------------------------
@require_POST
@printers
def print_file(request: HttpRequest) -> HttpResponseBase:
    """The file of cards (ticked, all of a list, or those of a job), commands, badges, stations, or the test page."""
    viewer = viewer_of(request)
    plants = prints_at(viewer, request)
    try:
        if not plants:
            raise PrintRefused("not_yours")
        made = _printed(request, viewer, plants)
    except PrintRefused as refused:
        messages.error(request, said(refused))
        return redirect(_back(request))
    response = HttpResponse(made.data, content_type=made.media_type)
    shown = "inline" if made.media_type == "application/pdf" else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="{made.name}"'
    response["Content-Security-Policy"] = PDF_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Codes-Read-Back"] = str(made.codes)
    if request.POST.get("what", "cards") == "cards":
        _remember(response, order_of(request))
    return response


def _printed(request: HttpRequest, viewer: Viewer, plants: frozenset[int]) -> Printout:
    asked, now, source = request.POST, timezone.now(), source_of(viewer)
    what = asked.get("what", "cards")
    if what == "cards":
        codes, order = _codes(request, plants)
        return actions.print_cards(codes, order, plant_ids=plants, now=now, source=source)
    order = order_of(request)
    paper = asked.get("paper", "a4")
    order = Order(site=order.site, paper=paper[:20], language=order.language)
    plant = _plant(asked.get("plant", ""), plants)
    if what == "commands":
        return actions.print_commands(order, plant_id=plant, now=now, source=source)
    if what == "badges":
        person, plant = _whose(asked.get("person", ""), plant, plants)
        return actions.print_badges(order, plant_id=plant, now=now, source=source, person=person)
    if what == "stations":
        area = asked.get("area", "").replace("\0", "")
        return actions.print_stations(order, plant_id=plant, now=now, source=source, area=area)
    if what == "test":
        printer = " ".join(asked.get("printer", "").replace("\0", "").split())[:60]
        return actions.print_test(order, printer=printer, plant_id=plant, now=now, source=source)
    raise PrintRefused("unknown_paper", what[:20])


def _codes(request: HttpRequest, plants: frozenset[int]) -> tuple[list[str], Order]:
    asked, order = request.POST, order_of(request)
    if asked.get("job"):
        job = _job(asked["job"], plants)
        again = Order(order.site, job.paper, job.form, Carrier(job.carrier), job.language, order.gs1_prefix)
        return codes_of_job(job), again
    if asked.get("all"):
        return [one.facts.code for one in _listed(asked, plants)], order
    return [find_card_code(code) or code[:40] for code in asked.getlist("card")], order


def _job(text: str, plants: frozenset[int]) -> PrintJob:
    try:
        found = job_of(UUID(text), plants)
    except ValueError:
        found = None
    if found is None:
        raise PrintRefused("unknown_job")
    return found


def _plant(code: str, plants: frozenset[int]) -> int:
    """The plant that the form names, else the only one."""
    found = (
        Plant.objects.filter(pk__in=plants, code=code.replace("\0", "")).values_list("pk", flat=True).first()
    )
    return found if found is not None else min(plants)


def _whose(person: str, plant: int, plants: frozenset[int]) -> tuple[UUID | None, int]:
    """The person whose badge alone is wanted, and the plant in which they work; nobody, where none is named."""
    if not person:
        return None, plant
    works = Membership.objects.filter(plant__in=plants, person__badge__isnull=False, person__is_active=True)
    try:
        found = works.filter(person__uuid=UUID(person)).values_list("plant_id", flat=True).first()
    except ValueError:
        found = None
    if found is None:
        raise PrintRefused("no_badge")
    return UUID(person), found


def _remember(response: HttpResponse, order: Order) -> None:
    kept = QueryDict(mutable=True)
    kept.update(
        {"paper": order.paper, "form": order.form, "carrier": order.carrier, "language": order.language}
    )
    response.set_cookie(CHOICES, kept.urlencode(), max_age=31_536_000, samesite="Lax", httponly=True)


# -- scanned back ------------------------------------------------------------------------------------------
@require_POST
@printers
def verify(request: HttpRequest) -> HttpResponseBase:
    """A test page or a printed card was scanned back: its printer printed it so that it can be read."""
    viewer, typed = viewer_of(request), request.POST.get("code", "").replace("\0", "").strip()[:200]
    plants, now, source = prints_at(viewer, request), timezone.now(), source_of(viewer)
    try:
        if not plants:
            raise PrintRefused("not_yours")
        test, card = _test_code(typed), find_card_code(typed)
        if test:
            measured = _millimetres(request.POST.get("measured", ""))
            done = actions.verify_test(test, plant_ids=plants, now=now, source=source, measured=measured)
            messages.info(request, _told(done))
        elif card:
            actions.verify_card(card, plant_ids=plants, now=now, source=source)
            messages.info(request, gettext("Card {} was read back: its print is verified.").format(card))
        else:
            raise PrintRefused("code_unreadable", typed[:40])
    except PrintRefused as refused:
        messages.error(request, said(refused))
    return redirect(_back(request))


@require_GET
@printers
def test_page(request: HttpRequest, code: str) -> HttpResponseBase:
    """Where the code of a test page leads a phone: one press verifies the printer."""
    viewer = viewer_of(request)
    test = PrinterTest.objects.filter(code=code.upper()[:11], plant_id__in=viewer.plant_ids).first()
    if test is None:
        raise Http404(
            gettext("There is no such test page, or it belongs to a plant you are not a member of.")
        )
    may = test.plant_id in prints_at(viewer, request)
    return render(request, "printing/test.html", {"test": test, "may_print": may})


def _test_code(typed: str) -> str:
    """The code of a test page in what was typed or scanned, also in its address."""
    last = typed.upper().rstrip("/").rpartition("/")[2]
    body = last.removeprefix(TEST_PREFIX)
    return last if last.startswith(TEST_PREFIX) and find_card_code(f"KB{body}") == f"KB{body}" else ""


def _told(test: PrinterTest) -> str:
    name = test.printer or gettext("The printer")
    if test.measured is not None and abs(test.measured - 100) > Decimal("0.5"):
        return gettext(
            "{}: the code was read, but 100 mm are {} mm on paper. Print again at 100 %, without fitting to the page."
        ).format(name, f"{test.measured.normalize():f}")
    return gettext("{}: print verified.").format(name)


def _millimetres(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        found = read_quantity(text.strip().replace(",", "."))
    except NotAQuantity:
        found = None
    if found is None or not 0 < found < 1_000:
        raise PrintRefused("not_millimetres", text.strip()[:20])
    return found


def said(refused: PrintRefused) -> str:
    """Why nothing was printed, in the reader's language."""
    return gettext(REFUSAL_TEXT[refused.code]).format(refused.named)


def _back(request: HttpRequest) -> str:
    """The list from which somebody printed, with its filter."""
    kept = QueryDict(mutable=True)
    for name in ("area", "loop", "show"):
        if text := request.POST.get(name, ""):
            kept[name] = text[:80]
    return f"/print?{kept.urlencode()}" if kept else "/print"
