"""A board row as HTML: made once per language, by this code alone, for the page and for the streams.

Plain Python instead of a template: a board of 300 loops has 2,000 tiles, and every change is drawn here. Nothing here
knows who looks.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape

from django.conf import settings

from jitapp.live.ticket import channel_of
from jitapp.plant.wordings import known_wordings
from jitapp.pull.reading.board_row import CALM, STATES, BoardRow, Tile
from jitapp.pull.reading.tasks import Task
from jitapp.web.phrases import Words, clock, plain, promise, words_of

FEW_BINS = 3  # up to this number of bins there is room for a word under each
WIDEST_MINUTES = 480  # a margin of a shift fills its side of the bar
UNDER_WAY = {"IN_PROCESS", "COMPLETED", "IN_TRANSIT"}


def render_rows(rows: Sequence[BoardRow], now: datetime) -> list[tuple[str, int, int, bytes]]:
    """These rows for every board that shows them: (channel, loop id, version, HTML) per language."""
    return [
        (channel_of(row.area, language), row.loop_id, row.version, render_row(row, now, language))
        for language, _name in settings.LANGUAGES
        for row in rows
        if row.area
    ]


def render_counts(counted: Mapping[str, Mapping[str, int]], now: datetime) -> list[tuple[str, bytes]]:
    """How many loops of wide areas are in each state, for boards that do not have all their rows: (channel, JSON)."""
    at = int(now.timestamp() * 1000)
    return [
        (channel_of(area, language), json.dumps({"counts": numbers, "at": at}).encode())
        for area, numbers in counted.items()
        for language, _name in settings.LANGUAGES
    ]


def counts(rows: Sequence[BoardRow]) -> dict[str, int]:
    """How many rows are in each state, and how many refills are late."""
    states = Counter(row.state for row in rows)
    return {**{state: states[state] for state in STATES}, "late": sum(row.late for row in rows)}


def expected_next(rows: Sequence[BoardRow]) -> tuple[str, datetime, str] | None:
    """What comes next where nothing needs anybody: ("back", when, part) of the first refill, else ("dry", when, part)
    of the first end."""
    for name, instant in (("back", "refill_at"), ("dry", "runs_out_at")):
        found = [(at, row.part) for row in rows if (at := getattr(row, instant)) is not None]
        if found:
            return (name, *min(found))
    return None


def render_row(row: BoardRow, now: datetime, language: str) -> bytes:
    """One `<tr>`: `data-era`, `data-v` and `data-at` tell the newer of two drawings, `data-u` where the row stands,
    `data-dry` and `data-back` (seconds) what is expected of it next. It speaks with the words of its area."""
    words = words_of(language, known_wordings().of_area(row.area))
    urgency = " ".join(f"{part:.12g}" for part in row.urgency)
    quiet = "" if row.state not in CALM else " calm"
    expected = _expected("dry", row.runs_out_at) + _expected("back", row.refill_at)
    return (
        f'<tr id="loop-{row.loop_id}" class="row s-{row.state}{quiet}" data-loop="{row.loop_id}"'
        f' data-era="{row.era}" data-v="{row.version}" data-at="{int(now.timestamp() * 1000)}" data-u="{urgency}"'
        f' data-state="{row.state}" data-late="{row.late}"{expected}>'
        f'<td class="c-state">{chip(row.state, words)}</td>'
        f'<td class="c-dry">{runs_dry(row, words, now)}</td>'
        f"{_part(row, words)}"
        f'<td class="c-bins">{_bins(row, words, now)}</td>'
        f'<td class="c-margin">{_refill(row, words, now)}</td>'
        f'<td class="c-who">{who(row, words, now)}</td></tr>'
    ).encode()


def _expected(name: str, at: datetime | None) -> str:
    return f' data-{name}="{int(at.timestamp())}"' if at is not None else ""


def chip(state: str, words: Words) -> str:
    """Shape and word of a state; the colour only repeats them."""
    return (
        f'<span class="chip s-{state}"><svg class="shape" aria-hidden="true"><use href="#sh-{state}"/></svg>'
        f"{escape(words.states[state])}</span>"
    )


def _part(row: BoardRow, words: Words) -> str:
    return (
        f'<th scope="row" class="c-part"><a href="/l/{row.loop_id}"><b>{escape(row.part)}</b>'
        f'<span class="desc">{escape(row.description or row.loop)}</span></a>'
        f'<span class="way"><span>{escape(row.supply_name)}</span>'
        f'<svg class="arrow" aria-hidden="true"><use href="#arrow"/></svg>'
        f"<span>{escape(row.demand_name)}</span></span></th>"
    )


def _bins(row: BoardRow, words: Words, now: datetime) -> str:
    if not row.tiles:
        return f'<span class="none">{escape(words["no_cards"])}</span>'
    size = "few" if len(row.tiles) <= FEW_BINS else "some" if len(row.tiles) <= 10 else "many"
    return f'<ul class="bins {size}">{"".join(_bin(tile, words, now) for tile in row.tiles)}</ul>'


def _bin(tile: Tile, words: Words, now: datetime) -> str:
    word = escape(words.tiles.get(tile.word, tile.word.lower()))
    level = ""
    if tile.word == "IN_USE" and tile.quantity > 0:
        level = f" l{max(0, min(10, round(10 * float(tile.contents / tile.quantity))))}"
    late = " late" if tile.late else ""
    flag = f'<i class="flag">{escape(words["late"])}</i>' if tile.late else ""
    left = f" {plain(tile.contents)}/{plain(tile.quantity)}" if tile.word == "IN_USE" else ""
    age = f" {words.span((now - tile.since).total_seconds())}" if tile.since else ""
    reason = f": {tile.reason}" if tile.reason else ""
    title = escape(f"{tile.code}{left}{age}{reason}")
    return (
        f'<li class="bin b-{tile.word.lower()}{level}{late}" title="{title}">'
        f'<span class="n">{tile.number}</span><span class="w">{word}</span>{flag}</li>'
    )


def tick(mode: str, at: datetime, now: datetime, words: Words) -> str:
    """A length of time that goes on in the browser: `since` counts up, `in` and `out` count down."""
    seconds = (now - at).total_seconds()
    if mode == "in":
        text = words["any"] if -60 < -seconds <= 0 else ""
        text = text or (words["in"] if seconds < 0 else words["overdue"]).format(words.span(abs(seconds)))
    elif mode == "out":
        text = f"< 1 {words['min']}" if seconds > -60 else words.span(-seconds)
    else:
        text = words.span(seconds)
    return (
        f'<time class="tick" data-tick="{mode}" data-t="{int(at.timestamp())}"'
        f' datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{escape(text)}</time>'
    )


def runs_dry(row: BoardRow, words: Words, now: datetime) -> str:
    """The largest thing in a row: how long the stock lasts, or how long there has been none."""
    if row.runout_since is not None:
        since = words["since"].format(clock(row.runout_since, row.time_zone, now, words.language))
        return (
            f'<b class="big">{tick("since", row.runout_since, now, words)}</b>'
            f'<span class="sub">{escape(since)}</span>'
        )
    if row.runs_out_at is None:
        return f'<span class="none">{escape(no_rate(row, words, now))}</span>'
    return (
        f'<b class="big">{tick("out", row.runs_out_at, now, words)}</b>'
        f'<span class="sub">{clock(row.runs_out_at, row.time_zone, now, words.language)}</span>'
    )


def no_rate(row: BoardRow, words: Words, now: datetime) -> str:
    """Why it is not told when the stock ends."""
    if row.by_order:
        return words["by_order"]
    if row.idle_since is not None:
        return words["idle"].format(clock(row.idle_since, row.time_zone, now, words.language))
    return words["no_rate"]


def _refill(row: BoardRow, words: Words, now: datetime) -> str:
    """One bar around a centre line: to the left as far as the loop is dry before its refill, to the right as far as the
    refill comes before."""
    if row.refill_at is None:
        return _promise(row, words, now) or _nothing(words["not_asked"])
    dry_at = row.runout_since or row.runs_out_at
    # A refill that should be there and is not comes now at the earliest.
    margin = None if dry_at is None else (dry_at - max(row.refill_at, now)).total_seconds()
    said = ""
    if margin is not None and abs(margin) >= 60 and row.refill_at >= now:
        kind = "short" if margin < 0 else "ahead"
        said = f'<b class="{kind}">{escape(words[kind].format(words.span(abs(margin))))}</b>'
    at = clock(row.refill_at, row.time_zone, now, words.language)
    over = " over" if row.refill_at < now else ""
    back = f'<span class="sub{over}">{tick("in", row.refill_at, now, words)} · {at}</span>'
    return f"{margin_bar(margin)}{said}{back}{_promise(row, words, now)}"


def margin_bar(margin: float | None) -> str:
    """A signed bar for a margin in seconds. Its length grows with the logarithm of the minutes, so that two minutes and
    two hours are both told apart from nothing; WIDEST_MINUTES fill a side. Without a margin only the centre line."""
    bar = ""
    if margin is not None:
        length = 100 * min(1.0, math.log1p(abs(margin) / 60) / math.log1p(WIDEST_MINUTES))
        side, x = ("short", -length) if margin < 0 else ("ahead", 0.0)
        bar = f'<rect class="{side}" x="{x:.1f}" y="2" width="{length:.1f}" height="8"/>'
    return (
        '<svg class="margin" viewBox="-100 0 200 12" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="ground" x="-100" y="5.500" width="200" height="1"/>{bar}'
        '<rect class="centre" x="-.6" y="0" width="1.200" height="12"/></svg>'
    )


def _promise(row: BoardRow, words: Words, now: datetime) -> str:
    """When the supplier means to deliver; marked when that is after the due time."""
    if row.promised_at is None:
        return ""
    said = promise(row.promised_at, row.promise_late, row.time_zone, now, words)
    return f'<span class="{"short" if row.promise_late else "sub"} promise">{escape(said)}</span>'


def _nothing(text: str) -> str:
    """A dash for the normal state, with a word for screen readers."""
    return f'<span class="none"><span aria-hidden="true">–</span><span class="unseen">{escape(text)}</span></span>'


def who_acts(row: BoardRow, words: Words) -> tuple[str, str]:
    """The party that must act next by name, and what it must do."""
    return row.owner_name or words.parties.get(row.owner_party, row.owner_party), words.does.get(
        row.why_code, ""
    )


def who(row: BoardRow, words: Words, now: datetime) -> str:
    """Who must act next, why, since when, and what else is to be decided."""
    return _next_actor(row, words, now) + "".join(
        f'<span class="task">{escape(line)}</span>' for line in task_lines(row.tasks, words)
    )


def task_lines(tasks: Sequence[Task], words: Words) -> Iterator[str]:
    """A line per cancelled demand, with who must decide, and one for all suppliers' missing answers."""
    for task in tasks:
        if task.gone is not None:
            name = task.owner_name or words.parties.get(task.owner_party, task.owner_party)
            yield f"{name}: {words.demand_cancelled(task.card_number, task.turn_number, task.gone)}"
    silent = [str(task.card_number) for task in tasks if task.kind == "answer_late"]
    if silent:
        yield words["answer_late"].format(cards=", ".join(silent))


def _next_actor(row: BoardRow, words: Words, now: datetime) -> str:
    if not row.owner_party:
        return _nothing(words["quiet"])
    name, does = who_acts(row, words)
    why = row.hold_reason if row.why_code == "on_hold" and row.hold_reason else words.whys.get(row.why_code)
    why = why or row.why_code.replace("_", " ")
    if row.why_code == "error" and row.problem:
        why = row.problem
    if row.why_code == "upstream":
        why = why.format(row.upstream)
    since = row.owner_since or row.why_since
    age = f' <span class="age">{tick("since", since, now, words)}</span>' if since else ""
    return (
        f'<b class="who">{escape(name)} <span class="do">{escape(does)}</span></b>'
        f'<span class="why">{escape(why)}{age}</span>'
    )
