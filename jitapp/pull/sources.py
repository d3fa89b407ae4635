"""From a bearer token to what its device may touch, remembered for a second.

Whoever ends or places a device says so (`forget`): this process knows it with the next request, others within the
second. A scan is refused at once in every process: under its lock the settings name the tokens that are good
(`Configs.ended`).
"""

from __future__ import annotations

import time

from jitapp.accounts.models import Device, token_hash
from jitapp.kanban.vocabulary import DeviceKind
from jitapp.plant.models import Placement
from jitapp.pull.scan_request import Source

REMEMBERED_SECONDS = 1.0
_sources: dict[str, tuple[float, Source | None]] = {}


def source_of_token(token: str) -> Source | None:
    """The device behind a token, or None for an unknown or revoked one. One query a second and token at most."""
    hashed = token_hash(token)
    kept = _sources.get(hashed)
    now = time.monotonic()
    if kept is not None and now - kept[0] < REMEMBERED_SECONDS:
        return kept[1]
    source = _look_up(hashed)
    if len(_sources) > 2_000:
        _sources.clear()
    _sources[hashed] = (now, source)
    return source


def forget(hashed: str) -> None:
    """The device with this hash of a token was revoked, or stands elsewhere now."""
    _sources.pop(hashed, None)


def _look_up(hashed: str) -> Source | None:
    # The token of a wall screen stands in an address that everybody in the hall may read: it opens boards only.
    device = Device.objects.filter(token_hash=hashed, active=True).exclude(kind=DeviceKind.WALL).first()
    if device is None:
        return None
    placement = Placement.objects.filter(device=device).first()
    return Source(
        device_id=device.pk,
        station_id=placement.station_id if placement else None,
        plant_ids=frozenset({placement.plant_id}) if placement else frozenset(),
        name=device.name,
        placeless=device.kind == DeviceKind.ERP,
        fixed=placement is not None and placement.station_id is not None,
        acts_for_nobody=device.kind == DeviceKind.READER,
        token=hashed,
    )
