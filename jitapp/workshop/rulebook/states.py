"""docs/rules/states.md: the diagrams of what the code does, and the two tables behind them."""

from __future__ import annotations

from jitapp.kanban.kinds import KINDS
from jitapp.kanban.step import Step
from jitapp.kanban.steps.all import STEPS
from jitapp.kanban.vocabulary import LoopKind
from jitapp.workshop.rulebook.exploring import Edges, explore
from jitapp.workshop.rulebook.markdown import page, table


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
        start = "EMPTY" if KINDS[kind].ordered else ""
        parts += [f"### {kind}", KINDS[kind].says, _diagram(found.supply, start)]
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
        "## The steps that move a container",
        "Steps between `from` and `to` that nobody scanned are implied, in order, with the same instant.",
        table(
            ("intent", "means", "from", "to", "side", "undo", "late", "in ERROR"),
            [
                (step.intent, step.says, frm, to, step.side, *_traits(step))
                for step in STEPS.values()
                for frm, to in step.moves.items()
            ],
        ),
        "## The steps that decide about a card or a turn",
        "Leaders and ERP clients may take every one of them.",
        table(
            ("intent", "means", "who else", "undo", "late", "in ERROR"),
            [
                (str(step.intent), step.says, _who(step), *_traits(step))
                for step in STEPS.values()
                if not step.moves
            ],
        ),
    ]
    return page("States", *parts)


def _traits(step: Step) -> tuple[str, str, str]:
    """Whether it can be undone, made of a parked scan, and done in ERROR."""
    return (
        "yes" if step.undoable else "",
        "acceptable" if step.acceptable else "",
        "yes" if step.in_error else "",
    )


def _who(step: Step) -> str:
    if step.everybody:
        return "everybody"
    whom = sorted(str(role) for role in step.roles)
    if step.side is not None:
        whom.insert(0, f"whoever stands at the {step.side} source")
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
