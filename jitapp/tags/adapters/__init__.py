"""The makes of readers that are understood: one module and one line of ADAPTERS for each.

A module holds a function ADAPTER that reads a body; it is imported when it is first used. Members that it does not
know are ignored; a read that it cannot use is refused by name and costs no other read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module

from jitapp.tags.reads import Batch

Adapter = Callable[[bytes], Batch]

# The name of the module, and what people call it.
ADAPTERS = {
    "plain": 'plain: {"reader": "DOCK-1", "reads": [{"epc": "3034...", "antenna": 1, "at": "...", "rssi": -55}]}',
    "impinj": "Impinj R700, R720: IoT device interface (JSON)",
    "zebra": "Zebra FX, ATR and RFD: IoT Connector (JSON)",
    "llrp": "LLRP: RO_ACCESS_REPORT messages (binary)",
}
DEFAULT = "plain"


def choices() -> list[tuple[str, str]]:
    """For forms. Given to Django as a function, so that a new adapter needs no migration."""
    return list(ADAPTERS.items())


@cache
def adapter_of(name: str) -> Adapter:
    """The adapter of that name. It raises Unusable for a body of which nothing can be read. Raises LookupError for a
    name that is not in ADAPTERS."""
    if name not in ADAPTERS:
        raise LookupError(f"There is no adapter {name!r}. There are: {', '.join(ADAPTERS)}.")
    adapter: Adapter = import_module(f"{__name__}.{name}").ADAPTER
    return adapter
