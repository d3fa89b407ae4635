"""The signs of a value stream map, and its lines and texts, as pieces of SVG. Numbers are pixels of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jitapp.web.layered import Place, Point

SIGN = 9.8  # width of a sign of bold type of 17, as wide as digits and capitals are in the mean
SMALL = 7.9  # of type of 15
ROOF = 26.0  # height of the teeth of a factory
PAD = 10.0


def say(names: str, x: float, y: float, text: str, anchor: str = "") -> str:
    """A line of text, escaped; `anchor` is middle or end."""
    at = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{names}" x="{x:.1f}" y="{y:.1f}"{at}>{escape(text)}</text>'


def rect(names: str, x: float, y: float, width: float, height: float, round_: float = 0) -> str:
    """A box."""
    corner = f' rx="{round_:.0f}"' if round_ else ""
    return (
        f'<rect class="{names}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{corner}/>'
    )


def shortened(text: str, width: float, sign: float = SIGN) -> str:
    """The text as far as it fits into a width with signs so wide; the whole of it stands in the title."""
    most = max(int((width - PAD) / sign), 4)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def box_of(place: Place) -> str:
    return f'x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}"'


def curve(points: Sequence[Point]) -> str:
    """Level where it leaves and where it arrives, straight where both ends are on one height."""
    (x, y), *rest = points
    drawn = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        straight = abs(to_y - y) < 0.5
        drawn.append(
            f"H{to_x:.1f}"
            if straight
            else f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        )
        x, y = to_x, to_y
    return "".join(drawn)


def arrow(points: Sequence[Point], names: str) -> str:
    """The head of an arrow at the end of a line."""
    (x, y), before = points[-1], points[-2]
    back = -9 if x > before[0] else 9
    return f'<path class="{names} m-tip" d="M{x:.1f} {y:.1f}l{back} -5v10z"/>'


def factory(place: Place) -> str:
    """A house with a roof of saw teeth."""
    tooth = place.width / 3
    teeth = "".join(f"l{tooth:.1f} -{ROOF:.0f}v{ROOF:.0f}" for _ in range(3))
    return (
        f'<path class="m-box" d="M{place.x:.1f} {place.y + ROOF:.1f}{teeth}v{place.height - ROOF:.1f}'
        f'h-{place.width:.1f}z"/>'
    )


def supermarket(place: Place) -> str:
    """Shelves that are open to the side from which they are filled."""
    x, y, width, height = place.x, place.y, place.width, place.height
    return (
        f'<rect class="m-inside" {box_of(place)}/>'
        f'<path class="m-open" d="M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}'
        f"M{x + width * 0.8:.1f} {y + height / 3:.1f}h{width * 0.2:.1f}"
        f'M{x + width * 0.8:.1f} {y + height * 2 / 3:.1f}h{width * 0.2:.1f}"/>'
    )


def shelf(x: float, y: float) -> str:
    """A small supermarket: what stands here is refilled because it was taken."""
    shelves = f"M{x + 8:.1f} {y + 9.3:.1f}h18M{x + 8:.1f} {y + 18.6:.1f}h18"
    return f'<path class="m-sign m-open" d="M{x:.1f} {y:.1f}h26v28h-26{shelves}"/>'


def triangle(x: float, y: float) -> str:
    """A stock: a triangle with an I."""
    return (
        f'<path class="m-sign m-triangle" d="M{x + 15:.1f} {y:.1f}l15 28h-30z"/>'
        f'<text class="m-i" x="{x + 15:.1f}" y="{y + 24:.1f}" text-anchor="middle">I</text>'
    )


def post(x: float, y: float) -> str:
    """Where cards gather to a batch."""
    stand = f"M{x + 11:.1f} {y + 14:.1f}v14M{x + 4:.1f} {y + 28:.1f}h14"
    return f'<path class="m-sign m-open" d="M{x:.1f} {y + 2:.1f}v12h22v-12{stand}"/>'


def card(x: float, y: float, *, is_signal: bool, is_made: bool) -> str:
    """A card that asks to make (a cut corner), to bring (hatched), or a signal for a whole lot (a triangle)."""
    if is_signal:
        return f'<path class="m-sign m-ask" d="M{x - 13:.1f} {y - 10:.1f}h26l-13 20z"/>'
    shape = f"M{x - 11:.1f} {y - 8:.1f}h16l6 6v10h-22z"
    if is_made:
        return f'<path class="m-sign m-ask" d="{shape}"/>'
    lines = "".join(
        f"M{x - 11 + at:.1f} {y + 8:.1f}l{min(16, 22 - at)} -{min(16, 22 - at)}" for at in (0, 7, 14)
    )
    return f'<path class="m-sign m-ask" d="{shape}"/><path class="m-hatch" d="{lines}"/>'


def truck(x: float, y: float) -> str:
    """Deliveries from outside."""
    return (
        f'<g class="m-truck"><path class="m-sign m-ask" d="M{x - 20:.1f} {y - 1:.1f}h24v16h-24zM{x + 4:.1f} {y + 4:.1f}'
        f'h8l6 5v6h-14z"/><circle class="m-sign m-wheel" cx="{x - 12:.1f}" cy="{y + 16:.1f}" r="3.5"/>'
        f'<circle class="m-sign m-wheel" cx="{x + 11:.1f}" cy="{y + 16:.1f}" r="3.5"/></g>'
    )
