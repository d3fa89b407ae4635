"""Facts inside sentences that are written from right to left."""

from __future__ import annotations

from unicodedata import bidirectional


def isolated(fact: str) -> str:
    """A number, a code or a name inside a sentence that is written from right to left. Its signs keep their order:
    `2026-12-18` would be shown as 18-12-2026 (first strong isolate, Unicode Standard Annex 9)."""
    return f"\u2068{fact}\u2069"


def from_the_right(text: str) -> bool:
    """Whether the text has letters that are written from right to left."""
    return any(bidirectional(sign) in ("R", "AL") for sign in text)
