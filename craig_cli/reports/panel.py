"""A picture before it is drawn: axes with round ticks, and what stands between them.

Text, SVG and PNG are drawn from the same panels (`panel_text`, `panel_svg`, `panel_png`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

INK = "currentColor"
"""The colour of the text around: black on paper, light in the dark."""
GREY = "#999999"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
"""Of Okabe and Ito, told apart by the colour-blind; without its yellow, which white swallows."""
MARGIN = 0.04
"""Of an axis, at each end beyond the values."""
MOST_TICKS = 6
ROUND = (1, 2, 5, 10)


@dataclass(frozen=True)
class Axis:
    """One direction of a panel.

    Parameters
    ----------
    label : str
        What is counted, and in what unit.
    low, high : float
    ticks : tuple of (float, str)
        Places, and what stands there.
    is_log : bool
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value lies, 0 being the low end and 1 the high one."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour.

    Parameters
    ----------
    points : tuple of (float, float)
    colour : str
    name : str or None
        In the legend.
    kind : {'line', 'dots', 'circles'}
    width : float
        Of a line, or across a dot.
    is_dashed : bool
    areas : tuple of float
        Of circles, 1 being the largest.
    """

    points: tuple[tuple[float, float], ...]
    colour: str = INK
    name: str | None = None
    kind: str = "line"
    width: float = 1.5
    is_dashed: bool = False
    areas: tuple[float, ...] = ()


@dataclass(frozen=True)
class Panel:
    """A picture.

    Parameters
    ----------
    title : str
    x, y : Axis
    series : tuple of Series
        What comes later lies above.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


def number(value: float) -> str:
    """Return a round number as an axis shows it."""
    if 1000 <= abs(value) < 1e6:
        return f"{value:,.0f}"
    if value == 0 or 1e-3 <= abs(value) < 1:
        return f"{value:g}"
    text = f"{value:g}" if abs(value) >= 1 else f"{value:.5e}"
    return re.sub(r"\.?0*e([+-])0*", lambda found: "e" + found[1].strip("+"), text)


def percent(share: float) -> str:
    """Return a share as an axis shows it."""
    return f"{number(100 * share)}%"


def make_axis(
    label: str,
    values: Iterable[float],
    *,
    is_log: bool = False,
    is_whole: bool = False,
    text: Callable[[float], str] = number,
) -> Axis:
    """Return an axis that holds all values, with ticks at 1, 2 and 5 times powers of ten.

    Parameters
    ----------
    label : str
    values : iterable of float
        Finite, and above 0 for a logarithmic axis.
    is_log : bool
    is_whole : bool
        What is counted: no ticks between whole numbers.
    text : callable
        What to write at a tick.
    """
    found = list(values)
    low, high = min(found), max(found)
    if is_log:
        factor = (high / low) ** MARGIN if high > low else 2.0
        low, high = low / factor, high * factor
        places = log_ticks(low, high)
    else:
        room = MARGIN * (high - low) or max(abs(high), 1.0) / 2
        low, high = low - room, high + room
        places = linear_ticks(low, high)
    ticks = tuple((p, text(p)) for p in places if not is_whole or p == round(p))
    return Axis(label, low, high, ticks, is_log)


def linear_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten between two numbers, at most so many."""
    power = math.floor(math.log10((high - low) / most))
    for digit in ROUND:
        first, last = (
            math.ceil(low / digit / 10.0**power - 1e-9),
            math.floor(high / digit / 10.0**power + 1e-9),
        )
        if last - first < most:
            break
    return [scaled(place * digit, power) for place in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = MOST_TICKS) -> list[float]:
    """Return round numbers between two numbers above 0, for a logarithmic axis: 1, 2 and 5 times
    powers of ten, powers alone where these would be too many, linear ticks where too few.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    spread = math.log10(high / low)
    digits = ROUND[:3] if 3 * spread <= most else (1,)
    step = max(1, math.ceil(spread / most))
    powers = [power for power in range(first, last + 1) if power % step == 0]
    found = [scaled(digit, power) for power in powers for digit in digits]
    inside = [tick for tick in found if low <= tick <= high]
    return inside if len(inside) > 2 or len(digits) == 1 else linear_ticks(low, high, most)


def scaled(digit: int, power: int) -> float:
    """Return a digit times a power of ten, as one would type it."""
    return float(f"{digit}e{power}")
