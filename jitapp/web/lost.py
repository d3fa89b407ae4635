"""A card that nobody finds: reported on its page, and its replacement printed at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from jitapp.accounts.models import new_uuid
from jitapp.kanban.vocabulary import CardStatus, Intent
from jitapp.pull import actions
from jitapp.pull.reading.labels import lost_cards
from jitapp.pull.reading.lists import card_id
from jitapp.pull.reading.sheets import card_sheet
from jitapp.pull.scan_request import Conflict, ScanRequest
from jitapp.symbology.cardcode import find_card_code
from jitapp.web.calls import source_of
from jitapp.web.printing import printers, prints_at
from jitapp.web.visit import Viewer, viewer_of


@require_POST
@printers
def report_lost(request: HttpRequest, code: str) -> HttpResponseBase:
    """Reports the card lost by the rules' own step and leads to the print of the card that takes its place; a card
    that was lost before gets one if it has none yet."""
    viewer, found = viewer_of(request), find_card_code(code)
    sheet = card_sheet(found) if found else None
    if sheet is None or sheet.plant_id not in viewer.plant_ids:
        raise Http404(gettext("There is no such card, or it belongs to a plant you are not a member of."))
    if sheet.plant_id not in prints_at(viewer, request):
        messages.error(
            request,
            gettext(
                "Leaders and planners report a card lost here. Tell yours, or scan it with the step “Card is lost”."
            ),
        )
        return redirect("card", sheet.code)
    if sheet.word != CardStatus.LOST and not _reported(request, viewer, sheet.code):
        return redirect("card", sheet.code)
    replacement = _replacement(request, viewer, sheet.code)
    return redirect(f"/print?card={replacement}") if replacement else redirect("card", sheet.code)


def _reported(request: HttpRequest, viewer: Viewer, code: str) -> bool:
    """Whether the rules took it; what they said is told either way."""
    asked = ScanRequest(
        id=new_uuid(),
        code=code,
        intent=Intent.LOST,
        reason=request.POST.get("reason", "").replace("\0", "")[:200] or None,
    )
    answer = actions.scan(asked, source=source_of(viewer), now=timezone.now())
    if isinstance(answer, Conflict):
        messages.error(request, answer.message)
        return False
    messages.info(request, f"{answer.body['message']} {answer.body['next']}")
    return bool(answer.body["outcome"] == "applied")


def _replacement(request: HttpRequest, viewer: Viewer, code: str) -> str:
    """The card that takes the place of a lost one, made now if there is none; empty where the rules make none."""
    known = lost_cards(viewer.plant_ids, [code]).get(code, "")
    if known:
        return known
    pk = card_id(code, plant_ids=viewer.plant_ids)
    if pk is None or "replace" not in request.POST:
        return ""
    try:
        return actions.replace_card(card_id=pk, now=timezone.now(), source=source_of(viewer))
    except (actions.Refused, ValueError) as refused:
        messages.error(request, str(refused))
        return ""
