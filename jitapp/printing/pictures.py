"""Pictures of parts: whatever is uploaded is read with suspicion and drawn again by us, so that nothing of the file
itself is kept: no second image, no place where it was taken, no script."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Collection
from datetime import datetime
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from jitapp.printing.layouts.parts import Shown
from jitapp.printing.models import PartPicture

MOST_BYTES = 4_000_000
MOST_PIXELS = 50_000_000  # of a JPEG, which is decoded small
MOST_DECODED = 16_000_000  # pixels that are ever in memory: 48 MB
LARGEST_SIDE = 800  # pixels: 300 dpi on the largest card
FORMATS = ("JPEG", "PNG", "WEBP")


class NoPicture(ValueError):
    """What was uploaded is not taken; `code` says why: too_large, too_many_pixels, unreadable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def redrawn(data: bytes) -> Shown:
    """The picture as a JPEG of our own, at most LARGEST_SIDE pixels wide and high. Raises NoPicture."""
    if len(data) > MOST_BYTES:
        raise NoPicture("too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we have a bound of our own
            image = Image.open(BytesIO(data), formats=FORMATS)
        if image.width * image.height > MOST_PIXELS:
            raise NoPicture("too_many_pixels")
        image.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))  # from here on a JPEG has its smaller size
        if image.width * image.height > MOST_DECODED:
            raise NoPicture("too_many_pixels")
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except NoPicture:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise NoPicture("unreadable") from None
    paper = Image.new("RGB", upright.size, "white")
    paper.paste(upright, mask=upright.getchannel("A"))
    made = BytesIO()
    paper.save(made, "JPEG", quality=88, optimize=True)
    return Shown(made.getvalue(), paper.width, paper.height)


def keep(part_id: int, data: bytes, *, now: datetime, person_id: int | None) -> None:
    """The picture is the part's from now on. Raises NoPicture."""
    shown = redrawn(data)
    PartPicture.objects.update_or_create(
        part_id=part_id,
        defaults={
            "data": shown.data,
            "width": shown.width,
            "height": shown.height,
            "sha256": hashlib.sha256(shown.data).hexdigest(),
            "added_at": now,
            "added_by_id": person_id,
        },
    )


def remove(part_id: int) -> None:
    """The part has no picture any more."""
    PartPicture.objects.filter(part_id=part_id).delete()


def pictures_of(part_ids: Collection[int]) -> dict[int, Shown]:
    """The pictures that there are, by part."""
    found = PartPicture.objects.filter(part_id__in=part_ids)
    return {one.part_id: Shown(bytes(one.data), one.width, one.height) for one in found}
