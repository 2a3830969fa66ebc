"""Plots as SVG: small, readable in light and in dark, and the same bytes from the same figures."""
import dataclasses
import html
import math

WIDTH, HEIGHT = 380, 250  # of one plot
LEFT, RIGHT, TOP, BOTTOM = 72, 30, 34, 62  # around what is drawn
MARKED = 30  # a line of more points has no marks
LIGHT = {"ground": "#ffffff", "grid": "#d8dde3", "axis": "#59636e", "word": "#1f2328", "faint": "#59636e"}
DARK = {"ground": "#0d1117", "grid": "#2a313a", "axis": "#9198a1", "word": "#f0f6fc", "faint": "#9198a1"}
LIGHT_INKS = ("#0a5cc2", "#c2410c", "#1a7f37")
DARK_INKS = ("#6cb6ff", "#ff9a5c", "#57d364")


def rules(colours, inks):
    of = {name: ("stroke" if name in ("grid", "axis") else "fill") for name in colours}
    lines = [f".{name} {{ {of[name]}: {colour} }}" for name, colour in colours.items()]
    return lines + [f".s{i} .line {{ stroke: {ink} }} .s{i} .dot {{ fill: {ink} }}" for i, ink in enumerate(inks)]


def style():
    words = "text { font: 11px system-ui, sans-serif } .title { font-weight: 600; font-size: 13px } .line { fill: none; stroke-width: 1.8 }"
    dark = "\n".join(["@media (prefers-color-scheme: dark) {", *rules(DARK, DARK_INKS), "}"])
    return "\n".join([*rules(LIGHT, LIGHT_INKS), words, dark])


@dataclasses.dataclass(frozen=True)
class Series:
    name: str
    points: list  # of (x, y)
    joined: bool = True


@dataclasses.dataclass(frozen=True)
class Axis:
    """What is told along one side, with its unit."""

    label: str
    is_log: bool = False

    def ticks(self, values):
        """Round numbers around all values."""
        return decades(values) if self.is_log else steps(values)

    def part(self, value, ticks):
        """Where a value lies, from 0 to 1."""
        low, high, at = ticks[0], ticks[-1], value
        if self.is_log:
            low, high, at = math.log10(low), math.log10(high), math.log10(max(value, ticks[0]))
        return (at - low) / (high - low)


def decades(values):
    first = math.floor(math.log10(min(value for value in values if value > 0)) + 1e-9)
    last = math.ceil(math.log10(max(values)) - 1e-9)
    return [10.0 ** n for n in range(first, max(last, first + 1) + 1)]


def steps(values):
    """From 0, at most six steps of 1, 2 or 5."""
    highest = max(values) or 1
    power = 10.0 ** math.floor(math.log10(highest / 5))
    step = next(factor * power for factor in (1, 2, 5, 10) if highest / (factor * power) <= 5.0001)
    return [n * step for n in range(math.ceil(highest / step - 1e-9) + 1)]


def said(number):
    """A number as people write it: 10,000, 1 M, 0.5."""
    if number >= 1e6:
        return f"{number / 1e6:g} M"
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:g}"


@dataclasses.dataclass(frozen=True)
class Plot:
    title: str
    x: Axis
    y: Axis
    series: list

    def draw(self, left, top):
        ticks = [axis.ticks([point[i] for one in self.series for point in one.points]) for i, axis in enumerate((self.x, self.y))]
        lines = [f'<g transform="translate({left} {top})">', word("word title", LEFT, 20, self.title)]
        lines += self.across(ticks[1]) + self.along(ticks[0])
        for number, one in enumerate(self.series):
            lines += self.drawn(number, one, *ticks)
        return [*lines, *self.legend(), "</g>"]

    def at(self, point, x_ticks, y_ticks):
        across, up = self.x.part(point[0], x_ticks), self.y.part(point[1], y_ticks)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    def across(self, ticks):
        """Lines for the numbers of the left side."""
        lines = []
        for tick in ticks:
            y = HEIGHT - BOTTOM - self.y.part(tick, ticks) * (HEIGHT - TOP - BOTTOM)
            lines.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            lines.append(word("faint", LEFT - 6, y + 4, said(tick), "end"))
        middle = (HEIGHT - BOTTOM + TOP) / 2
        label = word("word", 0, 0, self.y.label, "middle")
        return [*lines, f'<g transform="translate(14 {middle:.1f}) rotate(-90)">{label}</g>']

    def along(self, ticks):
        """The lower side with its numbers."""
        bottom = HEIGHT - BOTTOM
        lines = [f'<path class="axis" d="M{LEFT} {bottom}H{WIDTH - RIGHT}"/>']
        for tick in ticks:
            x = LEFT + self.x.part(tick, ticks) * (WIDTH - LEFT - RIGHT)
            lines.append(f'<path class="axis" d="M{x:.1f} {bottom}v4"/>')
            lines.append(word("faint", x, bottom + 16, said(tick), "middle"))
        return [*lines, word("word", (LEFT + WIDTH - RIGHT) / 2, bottom + 32, self.x.label, "middle")]

    def drawn(self, number, one, x_ticks, y_ticks):
        places = [self.at(point, x_ticks, y_ticks) for point in one.points]
        lines = [f'<g class="s{number}">']
        if one.joined:
            lines.append(f'<path class="line" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in places)}"/>')
        marked = [] if one.joined and len(places) > MARKED else places
        return [*lines, *(mark(number, x, y) for x, y in marked), "</g>"]

    def legend(self):
        """The names of the series, where there are several."""
        if len(self.series) < 2:
            return []
        lines, x = [], LEFT
        for number, one in enumerate(self.series):
            lines.append(f'<g class="s{number}">{mark(number, x + 4, HEIGHT - 14)}</g>')
            lines.append(word("word", x + 13, HEIGHT - 10, one.name))
            x += 26 + 6.2 * len(one.name)
        return lines


def mark(number, x, y):
    """Each series has a shape of its own, for those who do not tell its colour."""
    if number % 3 == 1:
        return f'<path class="dot" d="M{x - 3:.1f} {y - 3:.1f}h6v6h-6z"/>'
    if number % 3 == 2:
        return f'<path class="dot" d="M{x:.1f} {y - 4:.1f}l4 7h-8z"/>'
    return f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def word(kind, x, y, text, anchor="start"):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def picture(title, plots):
    """Plots beside and below each other, two in a row."""
    columns, rows = min(len(plots), 2), (len(plots) + 1) // 2
    width, height = columns * WIDTH, rows * HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{html.escape(title)}</title>", f"<style>{style()}</style>", f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    for number, plot in enumerate(plots):
        lines += plot.draw(number % 2 * WIDTH, number // 2 * HEIGHT)
    return "\n".join([*lines, "</svg>", ""])
