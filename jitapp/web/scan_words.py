"""The sentences that the scan page says by itself, without the server: one table, so that a tablet keeps them whole."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark

from jitapp.plant.spoken import current_wording, spoken
from jitapp.plant.wording.kept import Wording
from jitapp.web.phrases import words_of

SENTENCES = {
    "ready": mark("Ready. Scan a card."),
    "who": mark("Who is here"),
    "last": mark("Last: {} ({})"),
    "sending": mark("sending"),
    "saved": mark("SAVED"),
    "saved_as": mark("{} saved"),
    "saved_waiting": mark("On this tablet, {} waiting."),
    "checked_later": mark("It will be checked when the connection is back."),
    "waits": mark("waits here"),
    "live": mark("LIVE"),
    "slow": mark("SLOW"),
    "sending_n": mark("SENDING {}"),
    "offline": mark("OFFLINE – {} waiting"),
    "offline_oldest": mark("OFFLINE – {} waiting, oldest {}"),
    "device": mark("NOT ENROLLED – {} waiting"),
    "device_next": mark(
        "This tablet is not known any more. Its scans are safe here; have your leader enrol it again."
    ),
    "storage_live": mark("STORAGE PROBLEM – connected"),
    "storage_off": mark("STORAGE PROBLEM – stop scanning"),
    "storage_next": mark(
        "This browser can keep no scans: they are recorded only while it is connected. Tell your leader: close the"
        " other tabs of this page, leave private mode, or free some space."
    ),
    "clock": mark(
        "The clock of this tablet is {} off. Times are being corrected; set the clock when you can."
    ),
    "not_saved": mark("NOT SAVED"),
    "not_saved_next": mark(
        "The server does not answer and this tablet can keep nothing. Scan it again later."
    ),
    "bad_head": mark("Bad read"),
    "bad_next": mark("Scan again."),
    "foreign_head": mark("Not a kanban code"),
    "foreign_next": mark("Scan the kanban code, not the maker's label."),
    "undo": mark("Undo"),
    "undo_of": mark("Undo {}"),
    "undo_nothing": mark("Nothing to undo"),
    "undo_nothing_next": mark(
        "The last scan cannot be taken back any more. Ask your leader for a correction."
    ),
    "nothing": mark("Not recorded"),
    "look": mark("Set aside on this device: {} Show it to your leader."),
    "aside": mark("{} NOT TAKEN"),
    "sound_off": mark("Sound is off: press to switch it on"),
    "sound_on": mark("Sound is on"),
    "no_suffix": mark("Your scanner does not send Enter after a code. Set its suffix to Enter."),
    "held": mark("HELD"),
    "help_calling": mark("Calling for help"),
    "help_waits": mark("Help is not called yet"),
    "help_waits_what": mark("There is no connection; the call goes out when it is back."),
    "help_waits_next": mark("Go and fetch somebody."),
    "withdrawn": mark("Taken back"),
    "withdrawn_what": mark("It had not been sent. The card stays as it was."),
    "broken": mark("The server fails at this scan."),
    "update_waits": mark("The update comes when the {} waiting scans are sent."),
    "station_offline": mark("No connection"),
    "station_offline_next": mark("The station can be changed when it is back. Scans go on here."),
    "next_quantity": mark("Next scan: {} pieces"),
    "next_hold": mark("Next scan: put on hold"),
    "next_override": mark("Next scan: taken here, though it belongs elsewhere"),
    "allow_who": mark("It belongs elsewhere. A leader may allow it here: scan the leader's badge."),
    "allow_pin": mark("Leader: type your PIN. It allows this one scan."),
    "allow_offline": mark(
        "No connection: who allows it cannot be checked, so it is not taken here. The scan is on record; try again."
    ),
    "override_offline": mark(
        "Without a connection nobody can allow it here. The scan is kept and looked at when the connection is back."
    ),
    "pin_of": mark("PIN of {}"),
    "pin_short": mark("A PIN has at least 4 digits."),
    "held_by_card": mark("put on hold at the station"),
    "signed_in": mark("You are signed in here."),
    "signed_out": mark("You are signed out."),
    "safe_here": mark("{} scans are safe on this tablet."),
}


def scan_words(language: str, wording: Wording | None = None) -> dict[str, object]:
    """Every sentence in one language, with the words of a site; `status` are the words of a container's states."""
    return _scan_words(language, current_wording() if wording is None else wording)


@lru_cache(maxsize=128)
def _scan_words(language: str, wording: Wording) -> dict[str, object]:
    words = words_of(language, wording)
    with spoken(language, wording):
        said: dict[str, object] = {name: gettext(text) for name, text in SENTENCES.items()}
    return {
        **said,
        **{name: words[name] for name in ("ago", "min", "h", "d", "s")},
        "status": words.tiles,
    }
