"""The words with which a live page says how old it is (static/js/truth.js and board/polled.js)."""

from __future__ import annotations

from django.utils.translation import gettext

from jitapp.web import stands
from jitapp.web.phrases import Words


def truth_words(words: Words) -> dict[str, str]:
    """By the names that the script has for them."""
    names = ("in", "any", "overdue", "min", "h", "d", "s", "ago")
    return {
        **{name: words[name] for name in names},
        "live": gettext("LIVE"),
        "polling": gettext("POLLING"),
        "connecting": gettext("CONNECTING"),
        "stale": gettext("STALE"),
        "dead": gettext("NO DATA SINCE {}"),
        **stands.board_words(),
    }
