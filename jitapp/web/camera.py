"""What the camera's panel says (static/js/camera): for the words that a page gives to its script."""

from __future__ import annotations

from django.utils.translation import gettext


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
        "cards_read": gettext("{} cards read"),
        "taken": gettext("{} taken already"),
        "unread": gettext("{} codes not read: go closer and photograph them again"),
        "no_card": gettext("{} codes that are no cards"),
        "record": gettext("Record {} cards"),
        "recorded": gettext("{} scans made"),
        "unknown": gettext("not in the list of this tablet"),
        "taken_ago": gettext("taken {} min ago; touch to take it again"),
        "left_out": gettext("left out; touch to take it"),
    }
