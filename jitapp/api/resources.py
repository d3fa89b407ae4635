"""The resources of the API. A new one is a module that declares ADDRESSES, and its name here."""

from __future__ import annotations

from jitapp.api import (
    acts,
    attempts,
    calls,
    documents,
    events,
    labels,
    master_data,
    parked,
    scans,
    stations,
    tag_reads,
    tags,
    turns,
    upserts,
    waits,
)
from jitapp.api.operations import Address

# In the order of the documentation.
RESOURCES: tuple[tuple[Address, ...], ...] = (
    scans.ADDRESSES,
    parked.ADDRESSES,
    master_data.ADDRESSES,
    upserts.ADDRESSES,
    turns.ADDRESSES,
    labels.ADDRESSES,
    waits.ADDRESSES,
    attempts.ADDRESSES,
    acts.ADDRESSES,
    documents.ADDRESSES,
    calls.ADDRESSES,
    stations.ADDRESSES,
    tag_reads.ADDRESSES,
    tags.ADDRESSES,
    events.ADDRESSES,
)
ADDRESSES: tuple[Address, ...] = tuple(address for resource in RESOURCES for address in resource)
