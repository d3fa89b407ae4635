"""Charts are functions of their data: well formed, escaped, small, and as true as a drawing can be."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from jitapp.web import charts

BEGIN = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
END = BEGIN + timedelta(hours=24)
WORDS = charts.Words("c", "Stock of <A&B>", 'of "now"')


def line(points: list[tuple[datetime, float]], **more: object) -> str:
    return charts.step_line(points, BEGIN, END, top=10, words=WORDS, height=100, **more)  # type: ignore[arg-type]


def parsed(svg: str) -> Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (our own markup)


def path_of(svg: str) -> str:
    found = re.search(r'class="line(?: dense)?" d="([^"]+)"', svg)
    assert found is not None
    return found[1]


def test_a_line_stays_at_each_value_until_the_next() -> None:
    svg = line(
        [(BEGIN - timedelta(hours=5), 10), (BEGIN + timedelta(hours=6), 5), (BEGIN + timedelta(hours=12), 0)]
    )
    assert path_of(svg) == "M0 0H250V50H500V100H1000"


def test_before_the_first_value_nothing_is_drawn() -> None:
    assert path_of(line([(BEGIN + timedelta(hours=12), 4)])).startswith("M500 60")
    assert 'class="line"' not in line([])


def test_values_outside_of_the_picture_stay_at_its_edge() -> None:
    svg = line([(BEGIN, 99), (BEGIN + timedelta(hours=6), -3), (END + timedelta(hours=1), 5)])
    assert path_of(svg) == "M0 0H250V100H1000"


@pytest.mark.parametrize("many", [0, 1, 40, 5_000])
def test_a_chart_is_well_formed_named_and_small_whatever_it_shows(many: int) -> None:
    points = [(BEGIN + timedelta(seconds=17 * n), float(n * 7 % 11)) for n in range(many)]
    svg = line(
        points,
        bands=[charts.Band(0, 3, "act", "<late>"), charts.Band(3, 6, "soon", "slow")],
        stretches=[charts.Stretch(BEGIN, BEGIN + timedelta(hours=2), "closed")],
        signs=[charts.Sign(BEGIN + timedelta(hours=3), "runout", "sh-out", 'at "3" & more')],
        ticks=[(BEGIN + timedelta(hours=6), "12:00")],
        levels=[(0, "0"), (10, "10 pcs")],
    )
    tree = parsed(svg)
    assert tree.attrib["role"] == "img"
    assert [child.text for child in tree][:2] == ["Stock of <A&B>", 'of "now"']
    assert tree.attrib["aria-labelledby"] == "c-title c-desc"
    assert "style=" not in svg
    assert len(svg) < 30_000


def test_a_thinned_line_keeps_how_far_it_went() -> None:
    """Thousands of changes: the lowest and the highest value of every column are still there, and so is the end."""
    points = [(BEGIN + timedelta(seconds=4 * n), 5.0) for n in range(20_000)]
    points[7_777] = (points[7_777][0], 0.0)
    points[15_001] = (points[15_001][0], 10.0)
    points.append((points[-1][0], 2.0))
    drawn = path_of(line(points))
    heights = {float(y) for y in re.findall(r"V([\d.]+)", drawn)}
    assert {100.0, 0.0} <= heights
    assert drawn.rsplit("V", 1)[1].startswith("80")
    assert len(drawn) < 20_000


@pytest.mark.parametrize("many", [0, 40, 9_000])
def test_a_sparkline_is_about_a_kilobyte_whatever_it_shows(many: int) -> None:
    points = [(BEGIN + timedelta(seconds=86_400 * n / (many + 1)), float(n * 7 % 11)) for n in range(many)]
    bands = [charts.Band(0, 3, "act", ""), charts.Band(3, 5, "soon", "")]
    svg = charts.sparkline(points, BEGIN, END, top=10, label='24 h of "A&B"', bands=bands)
    assert parsed(svg).attrib["aria-label"] == '24 h of "A&B"'
    assert len(svg) < 1_600


def test_a_band_above_the_picture_is_cut_at_its_edge() -> None:
    svg = line([(BEGIN, 1)], bands=[charts.Band(0, 4, "act", ""), charts.Band(4, 40, "soon", "")])
    assert 'class="band z-soon" x="0" y="0" width="1000" height="60"' in svg
    assert "z-act" not in line([(BEGIN, 1)], bands=[charts.Band(20, 40, "act", "")])


def test_bins_have_a_width_that_people_can_read() -> None:
    found = charts.binned([3, 12, 14, 47, 240])
    assert found[0] == (0.0, 20.0, 3)
    assert sum(count for _, _, count in found) == 5
    assert found[-1][1] > 240
    assert charts.binned([]) == []
    assert charts.binned([0.0]) == [(0.0, 1.0, 1)]
    assert len(charts.binned([100_000.0])) <= 13


def test_a_histogram_names_its_marks_within_its_edges() -> None:
    bins = charts.binned([float(n) for n in range(100)])
    svg = charts.histogram(
        bins,
        words=WORDS,
        marks=[charts.Mark(50, "p50", "half <50>"), charts.Mark(300, "planned", "planned 5 h")],
    )
    parsed(svg)
    assert "half &lt;50&gt;" in svg
    assert 'x="100%" dx="-4"' in svg  # the last one is written towards the middle
    assert charts.histogram([], words=WORDS) == ""


def test_quantiles_are_by_the_nearest_rank() -> None:
    values = [float(n) for n in range(1, 11)]
    assert [charts.quantile(values, share) for share in (0.0, 0.5, 0.8, 0.95, 1.0)] == [1, 6, 8, 10, 10]
    assert charts.quantile([7.0], 0.95) == 7.0


def test_a_bar_ends_at_its_edge() -> None:
    parsed(charts.bar(5, 10, marks=[(2, "p50"), (30, "p95")]))
    assert 'width="1000"' in charts.bar(50, 10)
    assert 'width="0"' in charts.bar(0, 0)


def test_signs_that_would_lie_on_each_other_are_drawn_once() -> None:
    signs = [
        charts.Sign(BEGIN + timedelta(minutes=minutes), "refill", "s", str(minutes))
        for minutes in (0, 5, 10, 60)
    ]
    call = charts.Sign(BEGIN + timedelta(minutes=5), "call", "s", "call")
    assert re.findall(r"<title>(\w+)</title>", line([(BEGIN, 1)], signs=[*signs, call])) == [
        "0",
        "60",
        "call",
    ]
