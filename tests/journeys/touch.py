"""What a finger in a glove can hit: check 36 of the pages of people who stand."""

from __future__ import annotations

from playwright.sync_api import Page

SMALLEST = 48  # CSS px
MAIN = 96
GAP = 12

MEASURE = """([root, main, smallest, gap]) => {
  const seen = [...document.querySelectorAll(`${root} :is(a, button, input:not([type=hidden]), summary, select)`)]
    .filter((it) => it.checkVisibility({ checkVisibilityCSS: true }) && it.getBoundingClientRect().width)
    .map((it) => {
      const { left, top, right, bottom } = it.getBoundingClientRect();
      const isMain = it.matches("button.main, .button.main");
      return { what: it.textContent.trim() || it.name, isMain, left, top, right, bottom };
    });
  const wrong = [];
  for (const it of seen) {
    const least = it.isMain ? main : smallest;
    if (it.bottom - it.top < least - 0.5) wrong.push(`${it.what}: ${it.bottom - it.top} px high`);
    if (it.right - it.left < smallest - 0.5) wrong.push(`${it.what}: ${it.right - it.left} px wide`);
  }
  for (const [at, it] of seen.entries())
    for (const other of seen.slice(at + 1)) {
      const apart = Math.max(
        other.left - it.right, it.left - other.right, other.top - it.bottom, it.top - other.bottom);
      if (apart < gap - 0.5) wrong.push(`${it.what} and ${other.what}: ${apart} px apart`);
    }
  return wrong;
}"""


def too_small(page: Page, root: str) -> list[str]:
    """What cannot be hit within `root`: targets under 48 px, main ones under 96 px high, less than 12 px apart."""
    found: list[str] = page.evaluate(MEASURE, [root, MAIN, SMALLEST, GAP])
    return found
