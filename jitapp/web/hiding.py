"""Addresses that are secrets are not written into logs: those of wall screens, and the codes that make devices."""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(r"(/tv/|/device/enrol/)(?!rows\b)[^/\s?\"']+")


def without_secrets(text: str) -> str:
    """The text with an ellipsis in place of what opens something."""
    return _SECRET.sub(r"\1…", text)


class WithoutSecrets(logging.Filter):
    """Rewrites records; keeps all of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True, always."""
        said = record.getMessage()
        hidden = without_secrets(said)
        if hidden != said:
            record.msg, record.args = hidden, ()
        return True
