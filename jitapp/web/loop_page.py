"""The page of one loop: when it runs dry and when the refill comes, its stock over time, its bins and cards, measured
times, where its numbers come from, its runouts, and its log.

All but the forms is in parts that the page asks for again when its row changes (`loop_now`); they are drawn by one
function, so that the page and its renewal cannot differ.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from types import SimpleNamespace

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.kanban.vocabulary import CardStatus
from jitapp.kanban.worktime import WorkCalendar
from jitapp.live.ticket import channel_of, make_ticket
from jitapp.plant.models import Loop
from jitapp.pull.reading.board import board_rows
from jitapp.pull.reading.board_row import BoardRow
from jitapp.pull.reading.history import history_of
from jitapp.pull.reading.log import runouts_of
from jitapp.pull.reading.projections import Calendars, Use, in_force, use_of
from jitapp.pull.reading.sheets import stale_labels_of
from jitapp.pull.reading.standstill import watch
from jitapp.pull.reading.stock import Stock, stock
from jitapp.pull.reading.turn_times import StepTimes, TurnTimes, turn_times
from jitapp.web import charts, past_things, stands
from jitapp.web.board import chip, margin_bar, no_rate, task_lines, tick, who_acts
from jitapp.web.happenings import kind_word
from jitapp.web.headers import live_base
from jitapp.web.loop_log import log_context
from jitapp.web.loop_pictures import DAYS, Needs, Place, lead_picture, length, numbers, stock_picture
from jitapp.web.phrases import Words, clock, plain, words_of
from jitapp.web.visit import READERS, Viewer, declared, readers, viewer_of

FEW = 3  # turns from which times are told
ZOOM_DAYS = 30


@require_GET
@readers
def loop_page(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """All about one loop."""
    viewer, now = viewer_of(request), timezone.now()
    loop = _visible_loop(viewer, loop_id)
    if "at" in request.GET:
        return past_things.loop_page_then(request, loop, viewer)
    words = words_of(viewer.language)
    area = loop.demand.area
    channel = channel_of(area.code, viewer.language) if area is not None else ""
    context = _parts(request, loop, words, now) | {
        "live": live_base(request) + "/live/board" if area is not None else "",
        "channel": channel,
        "ticket": make_ticket(channel, request.session.session_key) if channel else "",
        "now_ms": int(now.timestamp() * 1000),
        "clock": clock(now, loop.plant.time_zone, now),
        "script_words": _words_for_script(words),
        "query": request.META.get("QUERY_STRING", ""),
        "kind": kind_word(loop.kind),
        "labels": stale_labels_of(loop_id),
    }
    return render(request, "loop/page.html", context)


@require_GET
@declared(READERS)
def loop_now(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """The parts of the page as they are now; 304 while they are what the browser has."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return HttpResponse(status=401)
    try:
        loop = _visible_loop(viewer, loop_id)
    except Http404:
        return HttpResponse(status=404)
    html = render_to_string(
        "loop/parts.html", _parts(request, loop, words_of(viewer.language), now), request=request
    )
    tag = f'"{hashlib.sha256(html.encode()).hexdigest()[:24]}"'
    response = HttpResponse(status=304)
    if request.headers.get("If-None-Match") != tag:
        response = HttpResponse(html, content_type="text/html; charset=utf-8")
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    response["X-Stands"] = stands.header(watch.latest())
    response["X-Now"] = str(int(now.timestamp() * 1000))
    if loop.demand.area is not None:
        response["X-Ticket"] = make_ticket(
            channel_of(loop.demand.area.code, viewer.language), request.session.session_key
        )
    return response


@require_GET
@declared(READERS)
def loop_stock(request: HttpRequest, loop_id: int) -> HttpResponseBase:
    """The stock line as numbers, for the picture that can be zoomed."""
    viewer, now = viewer_of(request), timezone.now()
    if not viewer.plant_ids:
        return JsonResponse({}, status=401)
    loop = _visible_loop(viewer, loop_id)
    begin = now - timedelta(days=ZOOM_DAYS)
    demand, _ = calendars_of(loop)
    response = JsonResponse(numbers(stock(loop_id, begin, now), demand.idle_spans(begin, now)))
    response["Cache-Control"] = "private, no-cache"
    return response


def _visible_loop(viewer: Viewer, loop_id: int) -> Loop:
    """Raises Http404."""
    loop = (
        Loop.objects.select_related("part", "plant", "demand__area", "supply__supplier", "supply__area")
        .filter(pk=loop_id, plant_id__in=viewer.plant_ids)
        .first()
    )
    if loop is None:
        raise Http404(gettext("There is no such loop, or it belongs to a plant you are not a member of."))
    return loop


def _parts(request: HttpRequest, loop: Loop, words: Words, now: datetime) -> dict[str, object]:
    """What changes while somebody looks."""
    rows = board_rows([loop.pk], now=now)
    row = rows[0] if rows else None
    days = next((each for each in DAYS if request.GET.get("days") == str(each)), DAYS[0])
    demand, supply = calendars_of(loop)
    history = history_of([loop.pk])[loop.pk]
    use = use_of(history, in_force(demand, history, now), now)
    times = turn_times(loop.pk, supply)
    line = stock(loop.pk, now - timedelta(days=days), now)
    place = Place(
        part=loop.part.number,
        unit=loop.part.unit,
        quantity=loop.quantity,
        containers=row.circulating if row else 0,
        time_zone=loop.plant.time_zone,
        calendar=demand,
    )
    picture = stock_picture(line, place, _needs(use, times), words)
    return {
        "loop": loop,
        "row": row,
        "words": words,
        "now": now,
        "days": days,
        "choices": DAYS,
        "state": _state(row, words, now) if row else None,
        "tasks": list(task_lines(row.tasks, words)) if row else [],
        "picture": picture,
        "svg": mark_safe(picture.svg),  # noqa: S308 (escaped in charts)
        "steps": [_step(each, loop, times, words) for each in times.steps],
        "lead": _lead(times, loop, words, now),
        "facts": _facts(loop, line, use, times, words, now),
        "runouts": runouts_of(loop.pk),
        **log_context(request, loop, words),
    }


# -- the state in a sentence ---------------------------------------------------------------------------------
def _state(row: BoardRow, words: Words, now: datetime) -> dict[str, object]:
    """When it runs dry, when the refill comes and by how much that is too late, who must act, why, and since when."""
    dry_at = row.runout_since or row.runs_out_at
    margin = None
    if dry_at is not None and row.refill_at is not None:
        margin = (dry_at - max(row.refill_at, now)).total_seconds()
    name, does = who_acts(row, words) if row.owner_party else ("", "")
    why = (
        row.hold_reason if row.why_code == "on_hold" and row.hold_reason else words.whys.get(row.why_code, "")
    )
    since = row.owner_since or row.why_since
    return {
        "chip": mark_safe(chip(row.state, words)),  # noqa: S308 (made of our own words)
        "dry": _dry(row, words, now),
        "refill": _refill(row, margin, words, now),
        "bar": mark_safe(margin_bar(margin)) if margin is not None else "",  # noqa: S308 (numbers alone)
        "who": name,
        "does": does,
        "why": row.problem if row.why_code == "error" and row.problem else why.format(row.upstream),
        "since": _tick("since", since, now, words) if since and name else "",
        "since_at": clock(since, row.time_zone, now, words.language) if since else "",
    }


def _tick(mode: str, at: datetime, now: datetime, words: Words) -> SafeString:
    return mark_safe(tick(mode, at, now, words))  # noqa: S308 (escaped there)


def _dry(row: BoardRow, words: Words, now: datetime) -> SafeString | str:
    if row.runout_since is not None:
        return format_html(
            gettext("Nothing has been left for {} (since {})."),
            _tick("since", row.runout_since, now, words),
            clock(row.runout_since, row.time_zone, now, words.language),
        )
    if row.runs_out_at is None:
        said = no_rate(row, words, now)
        return f"{said[:1].upper()}{said[1:]}."
    return format_html(
        gettext("Runs dry in {} ({})."),
        _tick("out", row.runs_out_at, now, words),
        clock(row.runs_out_at, row.time_zone, now, words.language),
    )


def _refill(row: BoardRow, margin: float | None, words: Words, now: datetime) -> SafeString | str:
    if row.refill_at is None:
        return gettext("No refill was asked for.")
    at = clock(row.refill_at, row.time_zone, now, words.language)
    ticking = _tick("in", row.refill_at, now, words)
    if row.refill_at < now:
        return format_html(gettext("The refill has not come: expected {}, {}."), at, ticking)
    if margin is None or abs(margin) < 60:
        return format_html(gettext("The refill comes {} ({})."), ticking, at)
    by = words.span(abs(margin))
    if margin < 0:
        return format_html(gettext("The refill comes {} ({}): {} too late."), ticking, at, by)
    return format_html(gettext("The refill comes {} ({}): {} before that."), ticking, at, by)


# -- measured times ------------------------------------------------------------------------------------------
def _step(step: StepTimes, loop: Loop, times: TurnTimes, words: Words) -> dict[str, object]:
    found = [charts.quantile(step.minutes, share) for share in (0.5, 0.8, 0.95)]
    allowed = loop.ack_within_minutes if step.reason == "ack" and loop.ack_required else None
    most = max([each.minutes[-1] for each in times.steps], default=0.0)
    return {
        "name": words.whys.get(step.reason, step.reason),
        "waits": step.waits,
        "turns": len(step.minutes),
        "p50": length(found[0], words),
        "p80": length(found[1], words),
        "p95": length(found[2], words),
        "allowed": length(allowed, words) if allowed is not None else "",
        "late": allowed is not None and found[1] > allowed,
        "bar": mark_safe(  # noqa: S308 (numbers alone)
            charts.bar(found[1], most, marks=[(found[0], "p50"), (found[2], "p95")])
        ),
    }


def _lead(times: TurnTimes, loop: Loop, words: Words, now: datetime) -> dict[str, object] | None:
    if len(times.lead) < FEW or times.since is None:
        return None
    p80 = charts.quantile(times.lead, 0.8)
    late = sum(minutes > loop.lead_time_minutes for minutes in times.lead)
    return {
        "svg": mark_safe(lead_picture(times.lead, loop.lead_time_minutes, words)),  # noqa: S308 (escaped there)
        "turns": len(times.lead),
        "since": clock(times.since, loop.plant.time_zone, now, words.language),
        "p50": length(charts.quantile(times.lead, 0.5), words),
        "p80": length(p80, words),
        "p95": length(charts.quantile(times.lead, 0.95), words),
        "planned": length(loop.lead_time_minutes, words),
        "late": late,
        "over": p80 > loop.lead_time_minutes,
    }


def _needs(use: Use | None, times: TurnTimes) -> Needs | None:
    """Pieces used while a refill is under way; None while one of the two is not measured."""
    if use is None or len(times.lead) < FEW:
        return None
    return Needs(use.rate * charts.quantile(times.lead, 0.5), use.rate * charts.quantile(times.lead, 0.95))


def _facts(
    loop: Loop, line: Stock, use: Use | None, times: TurnTimes, words: Words, now: datetime
) -> list[tuple[str, str, str]]:
    """The numbers of the loop: (name, value, where it comes from)."""
    unit, zone = loop.part.unit, loop.plant.time_zone
    circulating = loop.cards.filter(card_status=CardStatus.IN_CIRCULATION).count()
    found = [
        (gettext("Cards in circulation"), str(circulating), gettext("counted now")),
        (gettext("A card asks for"), f"{plain(loop.quantity)} {unit}", gettext("planned")),
        (
            gettext("Full, the loop holds"),
            f"{plain(line.most)} {unit}",
            gettext("the contents of its containers"),
        ),
        (
            gettext("Lead time"),
            length(loop.lead_time_minutes, words),
            gettext("planned, in the working time of {}").format(loop.supply.name),
        ),
    ]
    if len(times.lead) >= FEW and times.since is not None:
        found.append(
            (
                gettext("Measured lead time"),
                length(charts.quantile(times.lead, 0.8), words),
                gettext("four of five of {n} refills since {at}, in the working time of {station}").format(
                    n=len(times.lead),
                    at=clock(times.since, zone, now, words.language),
                    station=loop.supply.name,
                ),
            )
        )
    if use is not None:
        found += _use_facts(loop, use, times, now, words)
    return found


def _use_facts(
    loop: Loop, use: Use, times: TurnTimes, now: datetime, words: Words
) -> list[tuple[str, str, str]]:
    unit = loop.part.unit
    source = gettext("{n} containers emptied since {at}, in the working time of {station}").format(
        n=use.turns,
        at=clock(use.since, loop.plant.time_zone, now, words.language),
        station=loop.demand.name,
    )
    found = [(gettext("Use"), gettext("{} an hour").format(f"{_figures(use.rate * 60)} {unit}"), source)]
    if len(times.lead) >= FEW:
        pieces = use.rate * charts.quantile(times.lead, 0.8)
        found.append(
            (
                gettext("Used during a refill"),
                f"{_figures(pieces)} {unit}",
                gettext("use × measured lead time: {} containers").format(
                    _figures(pieces / float(loop.quantity))
                ),
            )
        )
    return found


def _figures(value: float) -> str:
    """Two figures that count; whole numbers from ten on."""
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def calendars_of(loop: Loop) -> tuple[WorkCalendar, WorkCalendar]:
    """The working time of the demand station and of the supply station."""
    supplier = loop.supply.supplier
    at = SimpleNamespace(
        plant=loop.plant_id,
        demand_calendar=loop.demand.calendar_id,
        supply_calendar=loop.supply.calendar_id or (supplier.calendar_id if supplier else None),
    )
    found = Calendars([at])
    return found.of_demand(at), found.of_supply(at)


def _words_for_script(words: Words) -> dict[str, str]:
    names = ("in", "any", "overdue", "min", "h", "d", "s", "ago")
    return {
        **{name: words[name] for name in names},
        "live": gettext("LIVE"),
        "polling": gettext("POLLING"),
        "connecting": gettext("CONNECTING"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
        "pieces": gettext("pieces"),
        "time": gettext("Time"),
        **stands.board_words(),
    }
