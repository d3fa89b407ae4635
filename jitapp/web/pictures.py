"""Pictures of parts: shown to whoever may read the plant, given by those who print its cards."""

from __future__ import annotations

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_POST

from jitapp.plant.models import Part
from jitapp.printing import pictures
from jitapp.printing.models import PartPicture
from jitapp.web.printing import printers, prints_at
from jitapp.web.visit import readers, viewer_of

REFUSAL_TEXT = {
    "too_large": mark("The picture has more than 4 MB. Choose a smaller one."),
    "too_many_pixels": mark(
        "The picture has too many pixels: at most 50 megapixels in a JPEG, 16 in PNG or WebP. Choose a smaller one."
    ),
    "unreadable": mark("This is no picture that can be read. Take a JPEG, PNG or WebP file."),
    "missing": mark("No picture was chosen. Choose a file first."),
    "not_yours": mark("Leaders, planners and administrators give parts their pictures. Ask yours."),
}


@require_GET
@readers
def picture(request: HttpRequest, part: int) -> HttpResponseBase:
    """The JPEG; its address stays the same, so the browser asks whether it is still that one."""
    found = PartPicture.objects.filter(part_id=part, part__plant_id__in=viewer_of(request).plant_ids).first()
    if found is None:
        raise Http404
    etag = f'"{found.sha256[:32]}"'
    response = HttpResponse(status=304)
    if request.headers.get("If-None-Match") != etag:
        response = HttpResponse(bytes(found.data), content_type="image/jpeg")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@printers
def keep_picture(request: HttpRequest, part: int) -> HttpResponseBase:
    """A new picture for the part, or none any more."""
    viewer = viewer_of(request)
    found = Part.objects.filter(pk=part, plant_id__in=viewer.plant_ids).first()
    if found is None:
        raise Http404(gettext("There is no such part, or it belongs to a plant you are not a member of."))
    problem = ""
    if found.plant_id not in prints_at(viewer, request):
        problem = "not_yours"
    elif "remove" in request.POST:
        pictures.remove(found.pk)
        messages.info(request, gettext("{} has no picture any more.").format(found.number))
    else:
        problem = _kept(request, found, viewer.person_id)
    if problem:
        messages.error(request, gettext(REFUSAL_TEXT[problem]))
    return redirect(_back(request))


def _kept(request: HttpRequest, part: Part, person_id: int | None) -> str:
    """Why the file is not taken; empty if it is."""
    file = request.FILES.get("picture")
    if not isinstance(file, UploadedFile):
        return "missing"
    if (file.size or 0) > pictures.MOST_BYTES:
        return "too_large"
    try:
        pictures.keep(part.pk, file.read(), now=timezone.now(), person_id=person_id)
    except pictures.NoPicture as refused:
        return refused.code
    messages.info(
        request,
        gettext("The picture of {} is kept. It stands on every card printed from now on.").format(
            part.number
        ),
    )
    return ""


def _back(request: HttpRequest) -> str:
    """The page from which it was sent, if that is one of ours."""
    to = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(to, allowed_hosts=None)
    return to if ours and to.startswith("/") else "/print"
