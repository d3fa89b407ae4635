"""The pull goes upstream: what turns consume, which turns they pull, which waits and runouts follow.

Called by the drain of the outbox inside the transaction that marks the messages as done. Everything is keyed so that
a second run changes nothing: a draw is unique per turn and loop, a link per turn and container, and the waits of a turn
know which of its events they have followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from jitapp.accounts.models import new_uuid
from jitapp.kanban.draws import USES, Drawn, Link, book, counted, draw, free, rounded, take_booked
from jitapp.kanban.events import Event, apply
from jitapp.kanban.ledger import Ledger
from jitapp.kanban.signals import settle
from jitapp.kanban.state import ZERO, Loop, LoopConfig
from jitapp.kanban.vocabulary import ConsumeAt, Consumption, LoopKind, StationKind
from jitapp.kanban.waits import AFTER, ENDS, REFUSED, TurnWaits, Wait, closed, opened
from jitapp.plant.configs import Configs, configs
from jitapp.pull import store
from jitapp.pull.actions.markets import affected_markets, serve_affected_markets
from jitapp.pull.actions.orders import cancel_tree, explode


@dataclass(frozen=True, slots=True)
class Job:
    """One thing that follows from one event of a turn."""

    kind: str  # use, book, free
    config: LoopConfig
    turn: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class TurnRow:
    """What is needed of a turn that something follows from: for its draws, for its waits, and its loop's counters."""

    id: int
    uuid: UUID
    asked: Decimal
    made: Decimal | None
    loop_id: int
    card_id: int
    number: int
    seq: int
    suppressed: int
    surplus_due: int
    wait: UUID | None
    reason: str | None
    owner: str | None
    opened_at: datetime | None
    opened_seq: int | None
    seen: int | None

    def waits(self) -> TurnWaits:
        """Its waits as the table knows them."""
        if self.wait is None:
            return TurnWaits(seen=self.seen or 0)
        assert self.reason is not None
        assert self.owner is not None
        assert self.opened_at is not None
        wait = Wait(self.wait, self.reason, self.owner, self.opened_at, self.opened_seq or 0, is_new=False)
        return TurnWaits(wait, self.seen or 0)


def propagate(messages: Sequence[tuple[int, Mapping[str, Any]]], *, now: datetime) -> set[int]:
    """Handles messages (loop id, payload) in order, inside the caller's transaction; answers the loops that changed.

    The loops of all messages and the component loops are locked together, in id order.
    """
    settings = configs()
    jobs: list[Job] = []
    changed: set[int] = set()
    for loop_id, payload in messages:
        config = settings.loops.get(loop_id)
        if config is None:
            continue
        changed.add(loop_id)
        jobs += _jobs(config, payload["events"])
    changed |= _carry_on(messages, jobs, settings, now)
    _link_scanned(messages, settings)
    changed |= _follow_orders(messages, settings, now)
    changed |= serve_affected_markets(messages, settings, now)
    if any(event["type"] == "runout.opened" for _, payload in messages for event in payload["events"]):
        link_runouts()
    return changed


def _follow_orders(
    messages: Sequence[tuple[int, Mapping[str, Any]]], settings: Configs, now: datetime
) -> set[int]:
    """EVENT loops: a released order asks at every tier, a cancelled one is cancelled as a tree."""
    released: list[UUID] = []
    cancelled: list[UUID] = []
    for loop_id, payload in messages:
        config = settings.loops.get(loop_id)
        if config is None or config.kind is not LoopKind.EVENT:
            continue
        for event in payload["events"]:
            if event["type"] == "turn.released":
                released.append(UUID(event["turn"]))
            elif event["type"] == "turn.cancelled":
                cancelled.append(UUID(event["turn"]))
    changed = explode(released, now=now) if released else set()
    return changed | (cancel_tree(cancelled, now=now) if cancelled else set())


def _jobs(config: LoopConfig, events: Iterable[Mapping[str, Any]]) -> list[Job]:
    """A BACKFLUSH station uses its bill by software; a supermarket hands on its own part; suppliers use nothing."""
    if not counted(config):
        return []
    jobs: list[Job] = []
    for event in events:
        kind = ""
        if event["type"] == USES[config.consume_at]:
            kind = "use"
        elif config.consume_at is ConsumeAt.RELEASE:
            kind = {"turn.released": "book", "turn.cancelled": "free"}.get(event["type"], "")
        if kind:
            jobs.append(Job(kind, config, UUID(event["turn"]), datetime.fromisoformat(event["at"])))
    return jobs


def _carry_on(
    messages: Sequence[tuple[int, Mapping[str, Any]]], jobs: Sequence[Job], settings: Configs, now: datetime
) -> set[int]:
    """What turns use, and what they wait for: one lock, one look at the turns, one writing statement."""
    feeding = {loop for job in jobs for loops, _ in settings.components(job.config) for loop in loops}
    followed = _followed(messages, settings)
    named = {turn for _, turn, _ in followed} | ({job.turn for job in jobs} if feeding else set())
    if not named:
        return set()
    to_lock = feeding | {config.id for config, _, _ in followed} | _ordered_from(messages, settings)
    to_lock.update(*(market.loops for market in affected_markets(messages, settings)))
    rows = store.execute(
        "EXECUTE pull_lock_loops(%s); EXECUTE pull_follow(%s)", (sorted(to_lock), list(named))
    )
    turns = {row[1]: TurnRow(*row) for row in rows}
    # They are locked already: this reads them.
    world = store.load(feeding) if feeding else store.UnitOfWork(settings, {})
    ledgers = _run(jobs, turns, world) if feeding else {}
    for loop_id, ledger in ledgers.items():
        world.record(world.loops[loop_id], ledger.events, now=now, turns=ledger.closed)
    _follow_waits(followed, turns, world, now)
    world.write()
    return {loop_id for loop_id, ledger in ledgers.items() if ledger.events}


def _ordered_from(messages: Sequence[tuple[int, Mapping[str, Any]]], settings: Configs) -> set[int]:
    """The loops that an order asks at, or takes back what it asked: locked with the others, before they are touched."""
    found: set[int] = set()
    for loop_id, payload in messages:
        config = settings.loops.get(loop_id)
        if config is None or config.kind is not LoopKind.EVENT:
            continue
        if any(event["type"] in ("turn.released", "turn.cancelled") for event in payload["events"]):
            found |= {loop for loops, _ in settings.components(config) for loop in loops}
    return found


def _run(jobs: Sequence[Job], turns: Mapping[UUID, TurnRow], world: store.UnitOfWork) -> dict[int, Ledger]:
    ledgers: dict[int, Ledger] = {}
    for job in jobs:
        turn = turns.get(job.turn)
        if turn is not None:
            _RUN[job.kind](job, turn, world, ledgers)
            for loops, _ in world.configs.components(job.config):
                for loop_id in loops:
                    if loop_id in ledgers:
                        settle(
                            ledgers[loop_id], new_uuid
                        )  # at this job's instant, not at the last one's (rule C9)
    return ledgers


def _ledger(world: store.UnitOfWork, ledgers: dict[int, Ledger], loop_id: int, at: datetime) -> Ledger:
    ledger = ledgers.get(loop_id)
    if ledger is None:
        ledger = ledgers[loop_id] = Ledger(world.loops[loop_id], at=at)
    ledger.at = at
    return ledger


def _needs(job: Job, turn: TurnRow, world: store.UnitOfWork) -> Iterable[tuple[list[int], Decimal]]:
    """(feeding loops, pieces) per component: turn quantity times the quantity per piece, rounded after the product."""
    pieces = (
        turn.made if job.config.consume_at is ConsumeAt.COMPLETE and turn.made is not None else turn.asked
    )
    for loops, per_piece in world.configs.components(job.config):
        usable = [loop for loop in loops if loop in world.loops]
        if usable:
            yield usable, rounded(pieces * per_piece, world.loops[usable[0]].config.decimals)


def _existing(turn: TurnRow, *, used: bool = False) -> set[int]:
    """The component loops this turn has dealt with: booked or drawn, or (`used`) drawn."""
    return {row[0] for row in store.run("pull_draws", turn.id, used)}


def _links(turn: TurnRow, loop_id: int) -> list[Link]:
    return [Link(*row) for row in store.run("pull_links", turn.id, loop_id)]


def _use(job: Job, turn: TurnRow, world: store.UnitOfWork, ledgers: dict[int, Ledger]) -> None:
    """Takes what the turn needs, once: what was booked first, the rest from what is free."""
    used = _existing(turn, used=True)
    for loops, need in _needs(job, turn, world):
        if used.intersection(loops):
            continue  # a restart after an abort draws nothing
        rest = need
        for loop in loops:
            ledger = _ledger(world, ledgers, loop, job.at)
            taken, fulfilled = take_booked(
                ledger, links=_links(turn, loop), turn=turn.uuid, new_uuid=new_uuid
            )
            for link in fulfilled:
                _keep_link(turn, Link(link.card_id, link.number, ZERO, booked=-link.booked))
            if taken:
                rest -= taken
                _keep_draw(turn, loop, need, drawn=taken, booked=-taken, used=True)
        for loop, share in _shares(loops, rest, world):
            drawn = draw(_ledger(world, ledgers, loop, job.at), need=share, turn=turn.uuid, new_uuid=new_uuid)
            _keep(turn, loop, need, drawn, booked=False)


def _shares(loops: Sequence[int], need: Decimal, world: store.UnitOfWork) -> Iterable[tuple[int, Decimal]]:
    """Which feeding loop gives how much: what each has free, in order; the last one owes the rest."""
    rest = need
    for place, loop in enumerate(loops):
        if place == len(loops) - 1:
            share = rest
        else:
            available = sum((card.free for card in world.loops[loop].cards.values() if card.usable), ZERO)
            share = min(rest, available)
        if share > 0:
            yield loop, share
        rest -= share


def _book(job: Job, turn: TurnRow, world: store.UnitOfWork, ledgers: dict[int, Ledger]) -> None:
    """Promises what the released turn will need, so that the pull reaches every tier at once."""
    existing = _existing(turn)
    for loops, need in _needs(job, turn, world):
        if existing.intersection(loops):
            continue
        for loop, share in _shares(loops, need, world):
            drawn = book(_ledger(world, ledgers, loop, job.at), need=share, turn=turn.uuid, new_uuid=new_uuid)
            _keep(turn, loop, need, drawn, booked=True)


def _free(job: Job, turn: TurnRow, world: store.UnitOfWork, ledgers: dict[int, Ledger]) -> None:
    """A cancelled turn gives its promises back; what nobody upstream has begun is cancelled with it."""
    for loops, _need in _needs(job, turn, world):
        for loop in loops:
            links = _links(turn, loop)
            if not links:
                continue
            free(_ledger(world, ledgers, loop, job.at), links=links, turn=turn.uuid)
            for link in links:
                _keep_link(turn, Link(link.card_id, link.number, -link.quantity, booked=-link.booked))
            _keep_draw(turn, loop, ZERO, drawn=ZERO, booked=-sum((link.booked for link in links), ZERO))


_RUN = {"use": _use, "book": _book, "free": _free}


def _keep(turn: TurnRow, loop_id: int, need: Decimal, drawn: Drawn, *, booked: bool) -> None:
    for link in drawn.links:
        _keep_link(turn, link)
    _keep_draw(
        turn,
        loop_id,
        need,
        drawn=ZERO if booked else drawn.taken,
        booked=drawn.taken if booked else ZERO,
        short=drawn.short,
        used=not booked,
    )


def _keep_link(turn: TurnRow, link: Link, kind: str = "DRAW") -> None:
    store.run("pull_keep_link", turn.id, link.card_id, link.number, kind, link.quantity, link.booked)


def _keep_draw(
    turn: TurnRow,
    loop_id: int,
    need: Decimal,
    *,
    drawn: Decimal,
    booked: Decimal,
    short: Decimal = ZERO,
    used: bool = False,
) -> None:
    store.run("pull_keep_draw", turn.id, loop_id, need, drawn, booked, short, used)


# -- waits ---------------------------------------------------------------------------------------------
def _followed(
    messages: Sequence[tuple[int, Mapping[str, Any]]], settings: Configs
) -> list[tuple[LoopConfig, UUID, list[Mapping[str, Any]]]]:
    """Per message and turn, in order: the events by which the turn stops or moves."""
    found: list[tuple[LoopConfig, UUID, list[Mapping[str, Any]]]] = []
    for loop_id, payload in messages:
        config = settings.loops.get(loop_id)
        if config is None:
            continue
        by_turn: dict[str, list[Mapping[str, Any]]] = {}
        for event in payload["events"]:
            if event["type"] in TURNS_ON or event["type"] in ENDS:
                by_turn.setdefault(event["turn"], []).append(event)
        found += [(config, UUID(turn), events) for turn, events in by_turn.items()]
    return found


TURNS_ON = AFTER.keys() | {REFUSED}


def _follow_waits(
    followed: Iterable[tuple[LoopConfig, UUID, list[Mapping[str, Any]]]],
    turns: Mapping[UUID, TurnRow],
    world: store.UnitOfWork,
    now: datetime,
) -> None:
    """Opens and closes waits as the turns' events say: events of the turns' loops, and rows of the table."""
    known: dict[UUID, tuple[LoopConfig, TurnWaits]] = {}
    for config, uuid, events in followed:
        row = turns.get(uuid)
        if row is not None:
            _, waits = known.setdefault(uuid, (config, row.waits()))
            waits.take(config.supply_kind is StationKind.SUPPLIER, events, new_uuid)
    steps: dict[int, list[tuple[int, UUID, Wait, bool]]] = {}
    for uuid, (config, waits) in known.items():
        for wait in waits.changed:
            of_loop = steps.setdefault(config.id, [])
            if wait.is_new:
                of_loop.append((wait.opened_seq, uuid, wait, False))
            if wait.closed_at is not None:
                of_loop.append((wait.closed_seq or 0, uuid, wait, True))
            _keep_wait(world, turns[uuid], wait)
    for loop_id, of_loop in steps.items():
        loop = world.loops.get(loop_id)
        if loop is None:  # locked, but nobody draws from it: waits need its counters alone
            row = turns[of_loop[0][1]]
            loop = Loop(world.configs.loops[loop_id], row.seq, row.suppressed, row.surplus_due)
            world.loops[loop_id] = loop
        written: list[Event] = []
        for _, uuid, wait, ends in sorted(of_loop, key=lambda step: step[0]):
            row = turns[uuid]
            where: dict[str, Any] = {"card_id": row.card_id, "number": row.number, "turn": uuid}
            event = (
                closed(wait, loop.config.calendar, seq=loop.seq + 1, **where)
                if ends
                else opened(wait, seq=loop.seq + 1, **where)
            )
            apply(loop, event)
            written.append(event)
        world.record(loop, written, now=now)


def _keep_wait(world: store.UnitOfWork, row: TurnRow, wait: Wait) -> None:
    ended = {"closed_at": wait.closed_at, "closed_seq": wait.closed_seq}
    if not wait.is_new:
        world.waits.setdefault("closed", []).append({"uuid": wait.id, **ended})
        return
    world.waits.setdefault("opened", []).append(
        {
            "uuid": wait.id,
            "turn_id": row.id,
            "loop_id": row.loop_id,
            "reason": wait.reason,
            "owner": wait.owner,
            "opened_at": wait.opened_at,
            "opened_seq": wait.opened_seq,
            **ended,
        }
    )


# -- links and runouts ---------------------------------------------------------------------------------
def _link_scanned(messages: Sequence[tuple[int, Mapping[str, Any]]], settings: Configs) -> None:
    """Under SCAN an emptied container is tied to the turns its station had in process since it was opened."""
    for loop_id, payload in messages:
        config = settings.loops.get(loop_id)
        if config is None or config.demand_consumption is not Consumption.SCAN:
            continue
        emptied = [
            event for event in payload["events"] if event["type"] == "card.emptied" and event["number"]
        ]
        if not emptied:
            continue
        with store.cursor() as to_database:
            for event in emptied:
                to_database.execute(
                    LINK_SCANNED, {"card": event["card"], "number": event["number"], "at": event["at"]}
                )


LINK_SCANNED = """
    INSERT INTO pull_turnlink (downstream_id, upstream_card_id, upstream_number, kind, quantity, booked)
    WITH container AS MATERIALIZED (
        SELECT c.id, c.quantity, l.demand_id, l.part_id, coalesce(
            (SELECT max(e.occurred_at) FROM pull_event e WHERE e.card_id = c.id
                AND e.to_status IN ('IN_USE', 'FULL') AND e.occurred_at <= %(at)s::timestamptz),
            %(at)s::timestamptz) AS since
        FROM pull_card c JOIN plant_loop l ON l.id = c.loop_id
        WHERE c.id = %(card)s
    ), parents AS MATERIALIZED (
        SELECT parent.id FROM container c
        JOIN plant_loop parent ON parent.supply_id = c.demand_id
        JOIN plant_billofmaterials b ON b.parent_id = parent.part_id AND b.component_id = c.part_id
    )
    SELECT t.id, c.id, %(number)s, 'SCAN', c.quantity, 0
    FROM container c
    -- By the index on (loop, released_at): a turn asked for a month before the container came is not its consumer.
    JOIN pull_turn t ON t.loop_id IN (SELECT id FROM parents) AND t.released_at >= c.since - interval '30 days'
    WHERE t.started_at <= %(at)s::timestamptz AND (t.completed_at IS NULL OR t.completed_at >= c.since)
        AND t.signal_state <> 'CANCELLED'
    ON CONFLICT DO NOTHING
"""


def link_runouts() -> int:
    """Ties each open runout to the open runout of a component that its supply source lacks; answers how many."""
    with store.cursor() as to_database:
        to_database.execute(
            """
            UPDATE pull_runout down SET upstream_id = found.id
            FROM (
                SELECT DISTINCT ON (d.id) d.id AS down_id, u.id
                FROM pull_runout d
                JOIN plant_loop dl ON dl.id = d.loop_id
                JOIN plant_loop ul ON ul.demand_id = dl.supply_id AND ul.id <> dl.id
                    AND (ul.part_id = dl.part_id OR EXISTS (SELECT 1 FROM plant_billofmaterials b
                        WHERE b.parent_id = dl.part_id AND b.component_id = ul.part_id))
                JOIN pull_runout u ON u.loop_id = ul.id AND u.closed_at IS NULL
                WHERE d.closed_at IS NULL AND d.upstream_id IS NULL
                ORDER BY d.id, u.opened_at
            ) found
            WHERE down.id = found.down_id
            """
        )
        return int(to_database.rowcount)
