"""The camera of the scan page (static/js/camera): what its panel says, and the worker that reads pictures."""

from __future__ import annotations

import json

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from jitapp.web.visit import ANYBODY, declared

# The compiled reader runs in this worker alone; pages may compile nothing.
_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


@require_GET
@declared(ANYBODY)
def worker(request: HttpRequest) -> HttpResponseBase:
    """The worker's script. It stands under /s/, so that the service worker keeps it and what it loads for the time
    without a network."""
    named = {
        "READER": staticfiles_storage.url("vendor/zxing-reader.js"),
        "COMPILED": staticfiles_storage.url("vendor/zxing_reader.wasm"),
    }
    lines = [f"const {name} = {json.dumps(url)};" for name, url in named.items()]
    lines.append(f"importScripts({json.dumps(staticfiles_storage.url('js/camera/decoder.js'))});")
    return HttpResponse(
        "\n".join(lines) + "\n",
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY},
    )


def camera_words() -> dict[str, str]:
    """The panel's sentences in the reader's language; `{}` stands for a number."""
    return {
        "starting": gettext("The camera starts."),
        "looking": gettext("Hold a card before the camera, or photograph the whole shelf."),
        "no_camera": gettext("No camera can be used here. Allow it in the browser, or choose a picture."),
        "not_secure": gettext("Browsers allow the camera over HTTPS only. Choose a picture instead."),
        "photograph": gettext("Photograph"),
        "choose": gettext("Choose a picture"),
        "torch": gettext("Light"),
        "close": gettext("Close"),
        "reading": gettext("The picture is being read."),
        "unreadable": gettext("This picture could not be read. Take another one."),
        "cards_read": gettext("Cards read: {}"),
        "taken": gettext("Taken already: {}"),
        "unread": gettext("Codes not read: {} (go closer and photograph them again)"),
        "no_card": gettext("Codes that are no cards: {}"),
        "record": gettext("Record cards: {}"),
        "recorded": gettext("Scans made: {}"),
        "unknown": gettext("not in the list of this tablet"),
        "taken_ago": gettext("taken {} min ago; touch to take it again"),
        "left_out": gettext("left out; touch to take it"),
    }
