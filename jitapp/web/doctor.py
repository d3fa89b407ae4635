"""The scanner doctor: six test codes to scan, and what a scanner's keys say about its settings.

The page judges (static/js/doctor-verdict.js) and keeps the capture profile in the browser; a tablet's verdict is kept
on its device too, where leaders see it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
import segno
import zxingcpp
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_http_methods

from jitapp.accounts.models import Device, Person
from jitapp.symbology.cardcode import PREFIX, check_symbol
from jitapp.web.device import PEOPLE_OR_TABLET, device_source
from jitapp.web.visit import declared

LONGEST_BODY = 4_096
_BODY = "ZYAQWM01"  # of a card code that no card has: the symbols that wrong layouts exchange
# What each test code holds. None of them is a card or a command.
CODES: dict[str, str | list[str]] = {
    "letters": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "digits": "KT0123456789",
    "address": "https://Kanban.test/k/KT-1.2",
    "controls": "[)>\x1e06\x1dPKT1\x1dQ1\x1e\x04",
    "pair": ["KTPAIR1", "KTPAIR2"],
    "card": f"{PREFIX}{_BODY}{check_symbol(_BODY)}",
}
TITLES = {
    "letters": mark("Letters"),
    "digits": mark("Digits"),
    "address": mark("Address"),
    "controls": mark("Separators of a supplier's label"),
    "pair": mark("Two codes side by side"),
    "card": mark("A card code"),
}
# What to change, by problem; the worst first. Each names the setting as most makers call it.
PROBLEMS = {
    "nothing": mark(
        "Nothing arrived. Set the scanner to work as a keyboard (setting: “HID keyboard” or "
        "“keystroke output”)."
    ),
    "lost": mark(
        "Letters get lost. Set a pause of 5 to 10 ms between the keys (setting: “inter-character delay”)."
    ),
    "numlock": mark(
        "The digits are lost. Switch on Num Lock, or let the scanner press the upper row of "
        "digits (setting: “keypad emulation” off)."
    ),
    "layout_unknown": mark(
        "The characters are changed beyond repair. Set the scanner to the keyboard of this "
        "computer (setting: “keyboard layout” or “country”)."
    ),
    "suffix_none": mark(
        "No Enter comes after a code. Let the scanner end each code with Enter (setting: “suffix”, CR)."
    ),
    "suffix_mixed": mark(
        "Only some codes end with Enter. Give every kind of code the same ending (setting: “suffix”, CR)."
    ),
    "layout": mark(
        "The scanner thinks of another keyboard than this computer has. Cards are read all the "
        "same; labels are not. Set the scanner to the keyboard of this computer (setting: "
        "“keyboard layout” or “country”)."
    ),
    "signs": mark(
        "Signs such as : and / are changed. Cards are read all the same. Set the scanner to the "
        "keyboard of this computer (setting: “keyboard layout” or “country”)."
    ),
    "controls": mark(
        "The separators of supplier labels are lost, so only cards are read. Let the scanner send"
        " control characters (setting: “send control characters” or “function code mapping”, as "
        "Ctrl and a key)."
    ),
    "caps": mark("Capital and small letters are exchanged. Switch off Caps Lock at this computer."),
}
_SIZE = re.compile(r'<svg width="(\d+)" height="(\d+)"')
Stamp = Literal["passed", "usable", "failed"]


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page found out: the members of `verdict` in static/js/doctor-verdict.js; `gap` in milliseconds."""

    stamp: Stamp
    problems: Annotated[list[Annotated[str, msgspec.Meta(max_length=20)]], msgspec.Meta(max_length=10)]
    suffix: Literal["Enter", "Tab", ""]
    layout: Annotated[str, msgspec.Meta(pattern=r"^([a-z]{2}>([a-z]{2})?)?$")]
    numpad: bool
    letters: Literal["kept", "upper", "lower", "swapped", "changed"]
    controls: Literal["kept", "lost", "replaced"]
    several: Literal["apart", "together", "one"]
    gap: Annotated[int, msgspec.Meta(ge=0, le=600_000)]
    unidentified: bool


@require_http_methods(["GET", "HEAD", "POST"])
@declared(PEOPLE_OR_TABLET)
def doctor(request: HttpRequest) -> HttpResponseBase:
    """GET the page and its sheet; POST a verdict as JSON: {"stored": whether it is kept on a device}."""
    tablet = device_source(request)
    if tablet is None and not isinstance(request.user, Person):
        return redirect_to_login(request.get_full_path())
    if request.method != "POST":
        return render(request, "doctor.html", _context())
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY:
        return _refused(413, "too_large", gettext("The verdict is too long. Load the page again."))
    try:
        found = msgspec.json.decode(request.body, type=Verdict)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        return _refused(400, "malformed", f"{gettext('This is no verdict. Load the page again.')} ({error})")
    if set(found.problems) - PROBLEMS.keys():
        return _refused(400, "malformed", gettext("This is no verdict. Load the page again."))
    device_id = tablet.device_id if tablet else None
    stored = device_id is not None and _keep(device_id, found)
    return JsonResponse({"stored": stored})


def _keep(device_id: int, found: Verdict) -> bool:
    kept = Device.objects.filter(pk=device_id)
    return bool(kept.update(doctor=msgspec.to_builtins(found), doctor_at=timezone.now()))


def _refused(status: int, code: str, sentence: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": sentence}, status=status)


def _context() -> dict[str, Any]:
    sheet = []
    for number, (name, held) in enumerate(CODES.items(), start=1):
        texts = [held] if isinstance(held, str) else held
        pictures = [{"qr": qr_picture(text), "linear": linear_picture(text)} for text in texts]
        sheet.append({"name": name, "number": number, "title": gettext(TITLES[name]), "pictures": pictures})
    return {"sheet": sheet, "told": {"tests": list(CODES), "codes": CODES, "words": _words()}}


def qr_picture(text: str) -> SafeString:
    """A QR code as SVG, without a size of its own. Control characters are kept."""
    return SafeString(segno.make_qr(text, error="m").svg_inline(border=4, omitsize=True))


def linear_picture(text: str) -> SafeString:
    """A Code 128 as SVG, without a size of its own."""
    drawn = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_svg()
    # The library numbers its groups alike in every picture; a page needs no numbers.
    body = re.sub(r' id="\w+"', "", drawn[drawn.index("<g") :])
    size = _SIZE.search(drawn)
    assert size is not None, "the library writes width and height first"
    return SafeString(f'<svg viewBox="0 0 {size[1]} {size[2]}" preserveAspectRatio="none">{body}')


def _words() -> dict[str, Any]:
    return {
        "step": gettext("Scan code {} of {}."),
        "done": gettext("All codes are scanned."),
        "stored": gettext("The result is kept on this tablet and shown in the list of devices."),
        "kept": gettext("The result is kept in this browser."),
        "not_kept": gettext("This browser keeps nothing, so the result holds for this page only."),
        "nothing_to_change": gettext("Nothing needs to be changed."),
        "fits": gettext("fits this computer"),
        "layout": gettext("scanner: {}; computer: {}"),
        "layouts": {
            "us": gettext("US"),
            "de": gettext("German"),
            "fr": gettext("French"),
            "cz": gettext("Czech"),
        },
        "stamps": {
            "passed": gettext("PASSED"),
            "usable": gettext("USABLE"),
            "failed": gettext("FAILED"),
        },
        "problems": {name: gettext(sentence) for name, sentence in PROBLEMS.items()},
        "suffixes": {"Enter": gettext("Enter"), "Tab": gettext("Tab"), "": gettext("no suffix")},
        "yes_no": [gettext("no"), gettext("yes")],
        "letters": {
            "kept": gettext("kept"),
            "upper": gettext("all capital"),
            "lower": gettext("all small"),
            "swapped": gettext("exchanged"),
            "changed": gettext("changed"),
        },
        "controls": {
            "kept": gettext("kept"),
            "lost": gettext("lost"),
            "replaced": gettext("replaced by something else"),
        },
        "several": {
            "apart": gettext("one after the other"),
            "together": gettext("in one read"),
            "one": gettext("only one of them"),
        },
    }
