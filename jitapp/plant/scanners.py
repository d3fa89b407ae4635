"""What the scanners of this installation may send besides what means the same everywhere."""

from __future__ import annotations

from django.conf import settings

from jitapp.symbology.decode import Site


def site() -> Site:
    """The data identifiers that stand alone in a barcode here (JITAPP_DATA_IDENTIFIERS)."""
    return Site(identifiers=settings.DATA_IDENTIFIERS)
