"""Charts as SVG: small, without a script, in the colours of the page."""

import math

import numpy as np

from ..system._escape import escape

WIDTH, HEIGHT = 360, 240  # readable on a phone; wider pages show it larger
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 12, 46
SHAPES = ("dot", "triangle", "square", "diamond", "plus", "bar")
STROKED = {"dot", "plus", "bar", "cross"}
_PATHS = {  # from the middle, with arms of length 1
    "dot": "h0",
    "triangle": "m0-1.2l1.1 2h-2.2z",
    "square": "m-.9-.9h1.8v1.8h-1.8z",
    "diamond": "m0-1.3l1.2 1.3l-1.2 1.3l-1.2-1.3z",
    "plus": "m-1.1 0h2.2m-1.1-1.1v2.2",
    "bar": "m-1.2 0h2.4",
    "cross": "m-.9-.9l1.8 1.8m0-1.8l-1.8 1.8",
}


def draw(groups, *, x, y, log_x=False, ticks=True, lines=False, size=3.0, numbers=(), ends=((), ())):
    """Draw groups of points as the inside of an svg element.

    Parameters
    ----------
    groups : list of (Mark, x, y)
    x, y : str
        What the axes are.
    log_x : bool
        Whether the x axis is logarithmic; its values are above 0 then.
    ticks : bool
        Whether the numbers on the axes mean something.
    lines : bool
        Whether to join the points of a group.
    size : float
        Half the width of a shape.
    numbers : list of (text, x, y)
        Names of points.
    ends : (x, y)
        Values that the axes hold beside the points: for several charts of one scale.
    """
    across = _Axis(np.concatenate([*(group[1] for group in groups), ends[0]]), LEFT, WIDTH - RIGHT, log_x)
    up = _Axis(np.concatenate([*(group[2] for group in groups), ends[1]]), HEIGHT - BOTTOM, TOP, False)
    parts = _frame(across, up, x, y, ticks)
    for mark, xs, ys in groups:
        places = list(zip(across(xs), up(ys), strict=True))
        if lines and len(places) > 1:
            path = "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
            parts.append(f'<path class="et-line et-c{mark.colour}" d="M{path}"/>')
        parts.append(shapes(mark.shape, mark.colour, places, size))
    parts += _labels([(text, float(across(a)), float(up(b))) for text, a, b in numbers])
    return "".join(parts)


def shapes(shape, colour, places, size):
    """One path with a shape at each place."""
    if shape == "dot":
        path = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in places)
        return f'<path class="et-dot et-c{colour}" stroke-width="{2 * size:g}" d="{path}"/>'
    steps = _scaled(_PATHS[shape], size)
    path = "".join(f"M{a:.1f} {b:.1f}{steps}" for a, b in places)
    kind = "et-stroked" if shape in STROKED else "et-filled"
    return f'<path class="{kind} et-c{colour}" d="{path}"/>'


def _scaled(path, size):
    result, number = [], ""
    for char in path + " ":
        if number and (char not in ".0123456789" or (char == "." and "." in number)):
            value = f"{float(number) * size:.1f}".removesuffix(".0")
            result.append(f" {value}" if result and result[-1][-1].isdigit() and value[0] != "-" else value)
            number = ""
        if char in "-.0123456789":
            number += char
        elif char != " ":
            result.append(char)
    return "".join(result)


class _Axis:
    """Values -> places between two ends, with some room at both."""

    def __init__(self, values, start, end, log):
        self.log = log
        values = np.log10(values) if log else np.asarray(values, float)
        low, high = float(values.min()), float(values.max())
        room = 0.06 * (high - low) or 0.05 * (abs(high) or 1)
        self.low, self.high, self.start, self.end = low - room, high + room, start, end

    def __call__(self, values):
        values = np.log10(values) if self.log else np.asarray(values, float)
        return self.start + (values - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self):
        if not self.log:
            return nice_numbers(self.low, self.high)
        low, high = 10**self.low, 10**self.high
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        for factors in ((1,), (1, 3), (1, 2, 5)):
            ticks = [f * 10.0**power for power in powers for f in factors if low <= f * 10.0**power <= high]
            if len(ticks) >= 3:
                break
        while len(ticks) > 6:
            ticks = ticks[::2]
        return ticks or nice_numbers(low, high)


def nice_numbers(low, high, about=5):
    """Round numbers from low to high."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def short_number(value):
    """1500000 -> 1.5M; 0.25 -> 0.25."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _frame(across, up, x, y, ticks):
    left, right, bottom = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [f'<path class="et-axis" d="M{left} {TOP}V{bottom}H{right}"/>']
    if ticks:
        for value in up.ticks():
            place = float(up(value))
            parts.append(f'<path class="et-grid" d="M{left} {place:.1f}H{right}"/>')
            parts.append(f'<text x="{left - 5}" y="{place + 4:.1f}" text-anchor="end">{value:g}</text>')
        for value in across.ticks():
            place = float(across(value))
            parts.append(f'<path class="et-grid" d="M{place:.1f} {TOP}V{bottom}"/>')
            parts.append(
                f'<text x="{place:.1f}" y="{bottom + 16}" text-anchor="middle">{short_number(value)}</text>'
            )
    middle = (TOP + bottom) / 2
    parts.append(
        f'<text x="{(left + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x)}</text>'
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">'
        f"{escape(y)}</text>"
    )
    return parts


def _labels(places):
    """Each text beside its point, where the first free place is."""
    taken, parts = [], []
    for text, a, b in places:
        spots = [(a + dx, b + dy) for dy in (-7, 16, 4, -19, 28) for dx in (9, -9)]
        free = (s for s in spots if all(abs(s[0] - t[0]) > 15 or abs(s[1] - t[1]) > 12 for t in taken))
        spot = next(free, spots[0])
        taken.append(spot)
        parts.append(
            f'<text class="et-name" x="{spot[0]:.1f}" y="{spot[1]:.1f}" text-anchor="middle">'
            f"{escape(text)}</text>"
        )
    return parts
