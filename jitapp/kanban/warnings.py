"""What is said behind an answer where something about the scan should be looked at."""

from __future__ import annotations

# What is said behind the sentence where the scan stands, but something about it should be looked at.
WARNINGS: dict[str, str] = {
    "components_missing": "{components} has run out: check that there is enough.",
    "full_only_shortly": "It was full only a short while: is it really empty?",
    "promise_late": "The promise is later than the due date: the buyer is told.",
    "another_open": "Card {open} is still in use: use it up first.",
    "empty_inferred": "Nobody scanned it empty; that was assumed. Check that the loop's cards stand as shown.",
    "wrong_card": "Did you mean card {meant}?",
    "stale_label": "Its label is out of date: a container holds {holds} now. Reprint the label.",
    "allowed": "{allowed_by} allowed it here.",
    # The person whom a scan names is not taken: the scan counts all the same.
    "by_unknown": "Nobody here is called {said_by}: the device alone is on record.",
    "by_reader": "A reader acts for nobody: the device alone is on record.",
    "by_unproved": "PIN and badge {said_by} do not fit, or there is no PIN yet: the device alone is on record.",
    "by_waits": "Too many wrong PINs: the device alone is on record. The next PIN counts from {pin_at}.",
    "by_busy": "The PIN could not be checked just now: the device alone is on record. Scan again with it.",
}
