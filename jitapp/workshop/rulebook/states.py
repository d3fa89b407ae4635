"""docs/rules/states.md: the diagrams of what the code does, and the two tables behind them."""

from __future__ import annotations

from jitapp.kanban.acts import ACTS, Act
from jitapp.kanban.transitions import TRANSITIONS
from jitapp.kanban.vocabulary import LoopKind
from jitapp.workshop.rulebook.exploring import Edges, explore
from jitapp.workshop.rulebook.markdown import page, table

HEADINGS = {
    LoopKind.TWO_BIN: "Two bins; with an independent supply source an empty one waits until it is released.",
    LoopKind.PRODUCTION: "A card that authorises making; gathered to a batch, or released by its sibling.",
    LoopKind.WITHDRAWAL: "A card that fetches from a supermarket; the swap takes it in one move.",
    LoopKind.SUPPLIER: "A card that a supplier fills; with or without a document of the ERP.",
    LoopKind.TRANSFER: "A card that another plant fills.",
    LoopKind.EVENT: "A card made for one order; its last turn ends its life.",
}


def states() -> str:
    """The page."""
    maps = {kind: explore(kind) for kind in LoopKind}
    parts = [
        "A card has a life (`card_status`) and its container a place (`supply_status`); each turn of the card is a"
        " signal (`signal_state`). The diagrams are drawn by trying every move from every state it leads to"
        " (jitapp/workshop/rulebook/exploring.py). Two moves are left out of them: `correct` sets any status with a"
        " reason, and `undo` takes the last scan back within its window.",
        "## Where a container stands, by kind of loop",
    ]
    for kind, found in maps.items():
        start = "EMPTY" if kind is LoopKind.EVENT else ""
        parts += [f"### {kind}", HEADINGS[kind], _diagram(found.supply, start)]
    life: Edges = {}
    signals: Edges = {}
    for found in maps.values():
        for edges, into in ((found.card, life), (found.signal, signals)):
            for ends, names in edges.items():
                into.setdefault(ends, set()).update(names)
    parts += [
        "## The life of a card, all kinds",
        _diagram(life, "NEW"),
        "## The signal of a turn, all kinds",
        _diagram(signals, ""),
        "## The table of moves",
        "Steps between `from` and `to` that nobody scanned are implied, in order, with the same instant.",
        table(
            ("intent", "from", "to", "side", "answer"),
            [(row.intent, row.frm, row.to, row.side, f"`{row.answer}`") for row in TRANSITIONS],
        ),
        "## The table of acts",
        "Leaders and ERP clients may do every act.",
        table(("intent", "who else"), [(str(intent), _who(act)) for intent, act in ACTS.items()]),
    ]
    return page("States", *parts)


def _who(act: Act) -> str:
    if act.everybody:
        return "everybody"
    whom = sorted(str(role) for role in act.roles)
    if act.side is not None:
        whom.insert(0, f"whoever stands at the {act.side} source")
    return ", ".join(whom) or "nobody"


def _diagram(edges: Edges, start: str) -> str:
    lines = ["```mermaid", "stateDiagram-v2"]
    if start:
        lines.append(f"    [*] --> {start}")
    for (frm, to), names in sorted(edges.items()):
        lines.append(f"    {frm or '[*]'} --> {to} : {', '.join(sorted(names))}")
    ends = sorted({to for _, to in edges} - {frm for frm, _ in edges})
    lines += [f"    {end} --> [*]" for end in ends]
    return "\n".join([*lines, "```"])
