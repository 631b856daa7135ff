"""Plots as SVG that stands inside the page: text stays text, and the page's own colours hold in light, dark and print.

What the library draws in a stand-in colour is shown in a variable of base.css. Same data, same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from markupsafe import Markup

from pairsmith.judge.rates import told
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

    from pairsmith.judge.rates import Rate

# Stand-ins, none of which the library uses for anything else.
INK, QUIET, LINE, CARD = "#0a0001", "#0a0002", "#0a0003", "#0a0004"
ACCENT, GOOD, BAD, WARN = "#0a0005", "#0a0006", "#0a0007", "#0a0008"
SERIES = ("#0b0001", "#0b0002", "#0b0003", "#0b0004", "#0b0005", "#0b0006")
DASHES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)))  # so that no line is told by its colour alone
HATCHES = ("", "////", "\\\\\\\\", "xxxx", "----", "||||")
_VARIABLES: Mapping[str, str] = {
    INK: "ink", QUIET: "quiet", LINE: "line", CARD: "card", ACCENT: "accent", GOOD: "good", BAD: "bad", WARN: "warn",
    **{colour: f"s{place}" for place, colour in enumerate(SERIES, start=1)},
}  # fmt: skip

T = TypeVar("T")

WIDTH_IN = 4.6
MOST_ROWS = 18  # bars or dots of one plot; tables hold all
LONGEST_LABEL = 26
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.image_inline": True,
    "text.parse_math": False,  # names may hold a $
    "axes.unicode_minus": False,
    "font.size": 8.5,
    "font.family": "sans-serif",
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.titlecolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": QUIET,
    "ytick.labelcolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
    "hatch.color": CARD,
    "patch.edgecolor": CARD,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.handlelength": 2.2,
    "lines.linewidth": 1.6,
}


@dataclass(frozen=True, slots=True)
class Table:
    """The numbers of a plot, as they are told."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A plot with what it says; without a plot there was nothing to draw, and `reading` says why."""

    ident: str
    title: str
    reading: str
    svg: Markup | None = None
    table: Table | None = None


def panel(
    ident: str,
    title: str,
    reading: str,
    draw: Callable[[Figure], None],
    table: Table | None = None,
    height_in: float = 2.9,
) -> Panel:
    """A panel with its plot."""
    return Panel(ident, title, reading, svg(ident, title, reading, draw, height_in), table)


def svg(ident: str, title: str, says: str, draw: Callable[[Figure], None], height_in: float) -> Markup:
    """What `draw` draws on an empty figure.

    Args:
        ident: names every part of it, as several plots stand in one page.
        title: for those who cannot see it,
        says: with what it shows.
        draw: draws.
        height_in: inches at the width of WIDTH_IN.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    file = io.StringIO()
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": ident}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of glyphs that its own font lacks: the reader's is taken
        figure = Figure(figsize=(WIDTH_IN, height_in), layout="constrained")
        draw(figure)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(file, metadata=nothing)  # type: ignore[no-untyped-call]
    return Markup(_inline(file.getvalue(), ident, title, says))  # the library escapes what stands in it


def _inline(drawn: str, ident: str, title: str, says: str) -> str:
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r'\b(id="|url\(#|xlink:href="#)', rf"\g<1>{ident}-", body)
    body = re.sub("#0[ab]00[0-9a-f]{2}", lambda found: f"var(--{_VARIABLES[found[0]]})", body)
    body = re.sub(r"\n\s*", "\n", body)
    head, _, rest = body.partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    names = f'role="img" aria-labelledby="{ident}-title {ident}-says"'
    told = f'<title id="{ident}-title">{escape(title)}</title><desc id="{ident}-says">{escape(says)}</desc>'
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f"<svg {box[0] if box else ''} {spaces} {names}>{told}{rest}"


# --- what several plots draw --------------------------------------------------------------------------


def label(text: str) -> str:
    """A name at an axis."""
    return name(text, LONGEST_LABEL)


def lined(place: int) -> dict[str, Any]:
    """How the so-manieth line is drawn."""
    return {"color": SERIES[place % len(SERIES)], "linestyle": DASHES[place % len(DASHES)]}


def filled(place: int) -> dict[str, Any]:
    """How the so-manieth area is filled."""
    return {"color": SERIES[place % len(SERIES)], "hatch": HATCHES[place % len(HATCHES)]}


def ends(rows: Sequence[T]) -> list[T]:
    """The first and the last ones, as many as a plot has room for."""
    half = MOST_ROWS // 2
    return list(rows) if len(rows) <= MOST_ROWS else [*rows[:half], *rows[half - MOST_ROWS :]]


def told_of_ends(count: int, what: str) -> str:
    """A sentence, with its space, where a plot shows the ends only; else ""."""
    return f" The plot shows {MOST_ROWS} of {count:,} {what}, the table all." if count > MOST_ROWS else ""


def rows_in(count: int) -> float:
    """Inches for so many bars one below the other."""
    return 0.75 + 0.2 * max(2, min(count, MOST_ROWS))


def bars(
    axes: Axes, labels: Sequence[str], values: Sequence[float], colours: Sequence[str], told: Sequence[str]
) -> None:
    """One bar a row, the first on top, with its figure behind it."""
    places = range(len(labels))
    axes.barh(places, values, color=colours, height=0.7)
    most = max(values, default=0) or 1
    for place, value, words in zip(places, values, told, strict=True):
        axes.text(value + most * 0.015, place, words, va="center", fontsize=8)
    axes.set_yticks(places, [label(text) for text in labels])
    axes.set_xlim(0, most * 1.28)
    axes.set_ylim(max(len(labels), 3) - 0.4, -0.6)
    across(axes)


def intervals(axes: Axes, rows: Sequence[tuple[str, Rate]], at: float | None = None) -> None:
    """A dot a row with its 95 % interval; `at`: a line to hold them against."""
    if at is not None:
        axes.axvline(at * 100, color=QUIET, linestyle=":", linewidth=1)
    for place, (_, rate) in enumerate(rows):
        if rate.rate is None or rate.low is None or rate.high is None:
            continue
        axes.plot([rate.low * 100, rate.high * 100], [place, place], color=ACCENT, linewidth=1.4)
        axes.plot([rate.rate * 100], [place], "o", color=ACCENT, markersize=4.5)
    axes.set_yticks(range(len(rows)), [label(text) for text, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-2, 102)
    axes.set_xlabel("%")
    across(axes)


def across(axes: Axes) -> None:
    """For rows: lines go down only, and nothing marks the names."""
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def logarithmic(axis: Axis, shape: str) -> None:
    """A logarithmic axis with plain numbers, a few of every decade."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: shape.format(value))


def legend(figure: Figure) -> None:
    """Below the plot, where it hides nothing."""
    figure.legend(loc="outside lower center", ncols=3)


def mark(axes: Axes, at: float, words: str, top: float = 0.98) -> None:
    """A line down through the plot, with its name."""
    axes.axvline(at, color=INK, linestyle="--", linewidth=1)
    place = axes.get_xaxis_transform()
    beside = (3, 0)  # points: a space before the words would be lost in the page
    axes.annotate(words, (at, top), beside, place, "offset points", va="top", fontsize=7.5)


def rates_table(rows: Sequence[tuple[str, Rate]], first: str = "") -> Table:
    """Rates as they are told; those that rest on nothing are left out."""
    return Table(
        (first, "rate (95 %)", "of"), [(name(text), told(rate), f"{rate.n:,}") for text, rate in rows if rate.n]
    )
