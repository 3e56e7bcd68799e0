"""Drawings made by hand: a sheet that is legible on light and on dark, with nothing loaded from anywhere."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

WIDTH = 760
_STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; --paper: #ffffff; --ink: #1f2328;
    --soft: #636c76; --grid: #e4e8ec; --parley: #1f6feb; --pgbench: #bf6a02; --limit: #8b949e; --baseline: #a8439a; }
  @media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --soft: #9198a1; --grid: #262c34;
    --parley: #58a6ff; --pgbench: #e3993b; --limit: #7d8590; --baseline: #db7fce; } }
  .paper { fill: var(--paper); }
  text { fill: var(--ink); font-variant-numeric: tabular-nums; }
  .title { font-size: 17px; font-weight: 600; }
  .head { font-weight: 600; }
  .soft { fill: var(--soft); }
  .small { font-size: 11.5px; }
  .strong { font-weight: 600; }
  .grid { stroke: var(--grid); stroke-width: 1; }
  .line { fill: none; stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
  .dashed { stroke-dasharray: 2 5; }
  .faint { opacity: .28; }
"""
for _name in ("parley", "pgbench", "limit", "baseline"):
    _STYLE += f"  .{_name} {{ fill: var(--{_name}); stroke: var(--{_name}); }}\n"
    _STYLE += f"  text.{_name} {{ stroke: none; }} .line.{_name} {{ fill: none; }}\n"


class Sheet:
    """A drawing of a certain height, with a title and a line that says how to read it."""

    def __init__(self, height: float, title: str, subtitle: str) -> None:
        self._height = height
        self._title = title
        self._parts: list[str] = []
        self.text(24, 34, title, "title")
        self.text(24, 55, subtitle, "soft")

    def text(self, x: float, y: float, words: str, style: str = "", anchor: str = "start") -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str = "grid") -> None:
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def path(self, points: Sequence[tuple[float, float]], style: str) -> None:
        way = " L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path d="M{way}" class="line {style}"/>')

    def bar(self, x: float, y: float, width: float, height: float, style: str) -> None:
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" height="{height:.1f}" rx="3" class="{style}"/>'
        )

    def dot(self, x: float, y: float, style: str, radius: float = 3.5) -> None:
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" class="{style}"/>')

    def __str__(self) -> str:
        body = "\n".join(self._parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self._height:.0f}" role="img" '
            f'aria-label="{escape(self._title)}">\n<style>{_STYLE}</style>\n'
            f'<rect class="paper" width="{WIDTH}" height="{self._height:.0f}" rx="10"/>\n{body}\n</svg>\n'
        )


def nice_steps(highest: float, most: int = 5) -> list[float]:
    """Round numbers from zero to above the highest value."""
    size = 10.0 ** (len(str(int(highest))) - 1) if highest >= 1 else 0.1
    step = next(step for scale in (0.1, 0.2, 0.5, 1, 2, 5, 10) if highest / (step := scale * size) <= most)
    count = int(highest / step + 0.999)
    return [step * n for n in range(count + 1)]


def short(number: float) -> str:
    """A number as an axis shows it."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def spread(places: Sequence[float], apart: float) -> list[float]:
    """Move labels that would overlap apart, keeping their order."""
    order = sorted(range(len(places)), key=lambda n: places[n])
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + apart)
    return moved
