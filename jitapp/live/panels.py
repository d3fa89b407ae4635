"""What a station's screen is told by the streams: the answer to a scan that no hand made there.

A channel for each station; `#` stands in no code, so that none is the channel of a board. The message is the answer of
the public contract with where it came from. A hint like every change: a screen that misses one shows the last scans.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jitapp.live import push
from jitapp.live.ticket import STATIONS
from jitapp.tags.firing import Shown

_encode = msgspec.json.Encoder(decimal_format="string").encode


def station_channel(code: str) -> str:
    """The channel of a station."""
    return f"{STATIONS}{code}"


def tell_stations(shown: Iterable[Shown]) -> None:
    """Sends each to the screens of its station; loses them silently while Redis is away."""
    push.messages_sent((station_channel(each.station), _encode(each)) for each in shown if each.station)
