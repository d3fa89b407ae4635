"""A synthetic shop for accidents: lines of stations that draw their components by software, small bins, many turns."""

from __future__ import annotations

LINES = 4
LEVELS = 4
CARDS = 4
PIECES = 4


def document() -> dict[str, object]:
    """A shop document: per line, shipping pulls on the last station, and so on up to a supplier.

    A turn of PIECES uses as many of the component, so that every start empties bins one level up; one station of each
    line has a limit of cards in process.
    """
    stations: list[dict[str, object]] = [
        {"code": "SHIP", "name": "Shipping", "area": "HALL", "kind": "SHIPPING", "position": 100}
    ]
    suppliers, parts, bills, loops = [], [], [], []
    for line in range(LINES):
        suppliers.append({"code": f"CO{line}", "name": f"Company {line}"})
        for level in range(LEVELS + 1):
            supplied = level == LEVELS
            stations.append(
                {
                    "code": f"L{line}S{level}",
                    "name": f"Line {line} station {level}",
                    "area": "HALL",
                    "kind": "SUPPLIER" if supplied else "PROCESS",
                    "position": LEVELS - level,
                    **({"supplier": f"CO{line}"} if supplied else {"consumption": "BACKFLUSH"}),
                    **({"wip_limit": 2} if level == 1 else {}),
                }
            )
            parts.append({"number": f"L{line}P{level}"})
            if not supplied:
                component = {"part": f"L{line}P{level + 1}", "quantity": "1"}
                bills.append({"part": f"L{line}P{level}", "components": [component]})
            loops.append(
                {
                    "code": f"L{line}-{level}",
                    "part": f"L{line}P{level}",
                    "demand": "SHIP" if level == 0 else f"L{line}S{level - 1}",
                    "supply": f"L{line}S{level}",
                    "kind": "SUPPLIER" if supplied else "TWO_BIN",
                    "quantity": str(PIECES),
                    "lead_time_minutes": 60,
                    "bounce_ms": 50,  # people here are faster than people
                    "cards": CARDS,
                    "first": "FULL",
                }
            )
    plant = {
        "code": "CHAOS",
        "name": "Chaos",
        "time_zone": "Europe/Berlin",
        "areas": [{"code": "HALL", "name": "Hall"}],
        "suppliers": suppliers,
        "stations": stations,
        "parts": parts,
        "bills": bills,
        "loops": loops,
    }
    return {"shop": 1, "plants": [plant]}
