"""What the pages of a loop and of a card take from the printing room."""

from __future__ import annotations

from django import template
from django.template import Context

from jitapp.kanban.conditions import PARTICIPATING
from jitapp.kanban.vocabulary import CardStatus
from jitapp.plant.models import Loop
from jitapp.printing.models import PartPicture
from jitapp.printing.queries import cards_to_print, due_count
from jitapp.pull.reading.labels import lost_cards
from jitapp.pull.reading.sheets import CardSheet
from jitapp.web.printing import prints_at, row_of
from jitapp.web.visit import viewer_of

register = template.Library()
_OUT = frozenset(str(status) for status in CardStatus) - {str(status) for status in PARTICIPATING}


@register.inclusion_tag("printing/on_card.html", takes_context=True)
def card_print(context: Context, sheet: CardSheet) -> dict[str, object]:
    """The card's newest print, the way to another one, and to report it lost."""
    request = context["request"]
    viewer = viewer_of(request)
    found = cards_to_print(viewer.plant_ids, codes=[sheet.code])
    lost = sheet.word == CardStatus.LOST
    return _with_page(context) | {
        "code": sheet.code,
        "row": row_of(found[0]) if found else None,
        "may_print": sheet.plant_id in prints_at(viewer, request),
        "lost": lost,
        "may_lose": not lost
        and sheet.word not in _OUT,  # the word of its container: it takes part, or is held
        "replacement": lost_cards(viewer.plant_ids, [sheet.code]).get(sheet.code, "") if lost else "",
    }


@register.inclusion_tag("printing/on_loop.html", takes_context=True)
def loop_prints(context: Context, loop: Loop) -> dict[str, object]:
    """How many of its cards are to be printed, and the picture of its part."""
    request = context["request"]
    viewer = viewer_of(request)
    return _with_page(context) | {
        "loop": loop,
        "part": loop.part,
        "picture": _size(loop.part_id),
        "due": due_count(loop.pk, viewer.plant_ids),
        "may_print": loop.plant_id in prints_at(viewer, request),
        "next": request.path,
    }


def _size(part_id: int) -> tuple[int, int] | None:
    """(width, height) of the part's picture in pixels; None without one."""
    return PartPicture.objects.filter(part_id=part_id).values_list("width", "height").first()


def _with_page(context: Context) -> dict[str, object]:
    """A part of a page has forms: it needs the page's token."""
    return {name: context.get(name) for name in ("csrf_token", "user", "request")}
