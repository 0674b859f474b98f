"""A small vocabulary for diagrams: boxes, units, arrows, cells, braces and labels, as SVG.

    diagram = Diagram(300, 100, alt="A pixel goes into a unit.")
    pixel = diagram.box(60, 50, "pixel")
    unit = diagram.unit(240, 50, "z_{1}")
    diagram.arrow(pixel, unit, "w_{1}", role="weight")

As the last value of a cell it shows itself, with the alternative text. Numbers are pixels, x to the
right and y down; what has a place is placed by its center. `ROLES` has the colors, each with a line
style or a word of its own beside it, so that no meaning is left to color alone.
"""

import html
import math
import re
from base64 import b64encode
from typing import NamedTuple

from course.nn.errors import CourseError

ROLES = {  # name: (on white, on black)
    "ink": ("#222222", "#EEEEEE"),  # text, outlines
    "quiet": ("#6B6B6B", "#A8A8A8"),  # shapes, remarks
    "forward": ("#0072B2", "#56B4E9"),  # values, on their way to the loss
    "backward": ("#B84E00", "#FF9248"),  # gradients, on their way back; dashed
    "weight": ("#00795A", "#2FC79A"),  # what training changes
    "focus": ("#8F6000", "#F0B429"),  # what the text speaks of; drawn thick
}
PAPER = ("#FFFFFF", "#141414")
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
TEXT, SMALL = 15, 12  # sizes of letters
LINE, HEAD = 1.6, 9  # width of lines, length of arrowheads
GAP = 4  # between an arrow and what it points at
# JupyterLab's dark theme does not tell pictures of itself, but this variable of it is 0 in the
# light themes and 32 in the dark ones: there the white picture is turned into a black one.
IN_PAGE = (
    "max-width:100%;height:auto;color-scheme:light;filter:"
    "invert(calc(var(--jp-shadow-base-lightness,0)/34))"
    "hue-rotate(calc(var(--jp-shadow-base-lightness,0)*5.625deg))"
)
# A lowered or raised part, or anything up to the next one.
SCRIPT = re.compile(r"([_^])\{([^}]*)\}|((?:(?![_^]\{).)+)")


class DiagramError(CourseError, ValueError):
    """A diagram that cannot be drawn as it was asked for."""


class Place(NamedTuple):
    """Where a thing was drawn: its center, half its width and height, whether it is round."""

    x: float
    y: float
    half_width: float = 0.0
    half_height: float = 0.0
    is_round: bool = False

    left = property(lambda self: (self.x - self.half_width, self.y))
    right = property(lambda self: (self.x + self.half_width, self.y))
    top = property(lambda self: (self.x, self.y - self.half_height))
    bottom = property(lambda self: (self.x, self.y + self.half_height))

    def edge(self, towards):
        """The point (x, y) where a line from the center to the point `towards` leaves the thing."""
        dx, dy = towards[0] - self.x, towards[1] - self.y
        if self.is_round:
            share = self.half_width / max(math.hypot(dx, dy), 1e-9)
        else:
            reaches = [(self.half_width, dx), (self.half_height, dy)]
            share = min(half / abs(d) for half, d in reaches if d) if dx or dy else 0.0
        return self.x + share * dx, self.y + share * dy


class Diagram:
    """A drawing of `width` by `height` pixels that says in `alt`, a sentence or two, what it shows.

    Every method that draws a thing returns its `Place`, which `arrow` takes. `svg` is the drawing.
    Raises DiagramError without an alternative text, for a role that is not in `ROLES`, and for
    numbers that are not finite.
    """

    def __init__(self, width, height, alt):
        if not alt.strip():
            raise DiagramError("a diagram needs an alternative text: say in alt what it shows")
        self.width, self.height, self.alt = width, height, alt
        self._elements, self._labels = [], []

    # ------------------------------------------------------------------ things

    def text(self, x, y, text, role="ink", size=TEXT, anchor="middle", bold=False, code=False):
        """Write one line around the height y; `_{...}` and `^{...}` lower and raise a part.

        anchor: which end of the text is at x: start, middle or end. code: in the letters of code.
        """
        looks = {"b": bold, "c": code}
        role = " ".join([role, *(look for look, on in looks.items() if on)])
        look = {"x": x, "y": y + 0.35 * size, "font-size": size, "text-anchor": anchor}
        self._add("text", role, marked(text, size), **look)
        return Place(x, y)

    def label(self, x, y, text, role="ink", anchor="middle"):
        """Write a small text over whatever is drawn there, at any time: lines stop around it."""
        below, self._elements = self._elements, self._labels
        place = self.text(x, y, text, f"{role} h", SMALL + 1, anchor)
        self._elements = below
        return place

    def shape(self, x, y, shape, name="", anchor="middle"):
        """Write the shape of an array, such as (64, 784), after its name."""
        numbers = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        return self.text(x, y, f"{name} ({numbers})".strip(), "quiet", SMALL, anchor)

    def box(self, x, y, text="", note="", width=92, height=40, role="ink"):
        """Draw a box with a text, and a smaller note below it."""
        place = Place(x, y, width / 2, height / 2)
        corner = {"x": x - width / 2, "y": y - height / 2}
        self._add("rect", role, area=True, **corner, width=width, height=height, rx=5)
        self._write_inside(place, text, note)
        return place

    def unit(self, x, y, text="", note="", radius=22, role="ink"):
        """Draw a unit of a network, a circle, with a text in it and a smaller note below it."""
        place = Place(x, y, radius, radius, is_round=True)
        self._add("circle", role, area=True, cx=x, cy=y, r=radius)
        self._write_inside(place, text, note)
        return place

    def grid(self, x, y, values, cell=16, numbers=False, role="ink", window=None):
        """Draw the cells of an array (rows, columns), the darker the further a value is from 0.

        numbers: write the values into the cells, too. values may hold texts; they are written and
        not shaded. window: ((row, column), (rows, columns)), framed with a thick line.
        """
        rows, columns = len(values), len(values[0])
        place = Place(x, y, columns * cell / 2, rows * cell / 2)
        left, top = x - place.half_width, y - place.half_height
        numeric = [abs(v) for row in values for v in row if not isinstance(v, str)]
        most = max([*numeric, 1e-12])
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                corner = {"x": left + column * cell, "y": top + row * cell}
                if not isinstance(value, str) and value:
                    dark = {"style": f"fill-opacity:{0.1 + 0.5 * abs(value) / most:.2f}"}
                    self._add("rect", f"{role} bare", **corner, width=cell, height=cell, **dark)
                if numbers or isinstance(value, str):
                    text = value if isinstance(value, str) else f"{value:g}"
                    middle = corner["x"] + cell / 2, corner["y"] + cell / 2
                    self.text(*middle, text, size=min(SMALL + 1, 0.55 * cell))
        across = [f"M{left:g} {top + r * cell:g}h{columns * cell:g}" for r in range(rows + 1)]
        down = [f"M{left + c * cell:g} {top:g}v{rows * cell:g}" for c in range(columns + 1)]
        self._add("path", f"{role} line thin", d="".join(across + down))
        if window:
            (row, column), (high, wide) = window
            corner = {"x": left + column * cell, "y": top + row * cell}
            self._add("rect", "focus line", **corner, width=wide * cell, height=high * cell)
        return place

    # ------------------------------------------------------------------ what joins things

    def arrow(self, start, end, text="", role="ink", bend=0, at=0.5, shift=(0, -10), head=True):
        """Draw an arrow between two places or points, with a text beside its middle.

        bend: how far its middle is moved to the left of its way. at: the share of the way after
        which the text stands, `shift` pixels aside. Without `head` it is a line.
        """
        start, end = (p if isinstance(p, Place) else Place(*p) for p in (start, end))
        dx, dy = end.x - start.x, end.y - start.y
        length = math.hypot(dx, dy) or 1.0
        aside = bend * dy / length, -bend * dx / length
        bow = (start.x + end.x) / 2 + 2 * aside[0], (start.y + end.y) / 2 + 2 * aside[1]
        x1, y1 = beyond(start.edge(bow), start, bow)
        x2, y2 = beyond(end.edge(bow), end, bow)
        angle = math.atan2(y2 - bow[1], x2 - bow[0])
        tip = x2, y2
        if head:
            x2, y2 = x2 - 0.8 * HEAD * math.cos(angle), y2 - 0.8 * HEAD * math.sin(angle)
        way = f"Q{bow[0]:.1f} {bow[1]:.1f} {x2:.1f} {y2:.1f}" if bend else f"L{x2:.1f} {y2:.1f}"
        self._add("path", f"{role} line", d=f"M{x1:.1f} {y1:.1f}{way}")
        if head:
            self._add("path", f"{role} bare", d=arrowhead(tip, angle))
        if text:
            x, y = (1 - at) * x1 + at * tip[0] + aside[0], (1 - at) * y1 + at * tip[1] + aside[1]
            self.label(x + shift[0], y + shift[1], text, role)

    def line(self, points, role="ink"):
        """Draw a line through the points (x, y)."""
        self._add("path", f"{role} line", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points))

    def brace(self, start, end, text="", role="quiet", depth=9):
        """Draw a brace from one point to another, bulging to the left of that way, with a text."""
        (x1, y1), (x2, y2) = start, end
        length = math.hypot(x2 - x1, y2 - y1)
        along = (x2 - x1) / length, (y2 - y1) / length
        aside = along[1], -along[0]

        def at(share, out):
            x = x1 + share * length * along[0] + out * depth * aside[0]
            return f"{x:.1f} {y1 + share * length * along[1] + out * depth * aside[1]:.1f}"

        curve = (
            f"M{at(0, 0)}C{at(0, 1)} {at(0.5, 0)} {at(0.5, 1)}C{at(0.5, 0)} {at(1, 1)} {at(1, 0)}"
        )
        self._add("path", f"{role} line thin", d=curve)
        if text:
            out = depth + SMALL
            x, y = (x1 + x2) / 2 + out * aside[0], (y1 + y2) / 2 + out * aside[1]
            anchor = "middle" if abs(aside[1]) > abs(aside[0]) else "start"
            if anchor == "start" and aside[0] < 0:
                anchor = "end"
            self.text(x, y, text, role, SMALL + 1, anchor)

    # ------------------------------------------------------------------ the drawing

    @property
    def svg(self):
        """The drawing as an SVG document of its own."""
        size = f'width="{self.width}" height="{self.height}"'
        label = html.escape(self.alt)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cd" {size} '
            f'viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{label}">'
            f"<title>{label}</title><style>{STYLE}</style>"
            f'<rect class="paper" width="{self.width}" height="{self.height}" rx="6"/>'
            f"{''.join(self._elements + self._labels)}</svg>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The drawing for a notebook.

        Pages that know HTML take it first. There it is an <img>: a page that does not trust the
        notebook yet, as JupyterLab a fresh clone, takes an <svg> apart and leaves its letters, but
        shows an <img>, and only an <img> of HTML has an alternative text there. What makes other
        documents of notebooks takes the SVG; where there are no pictures, there is the text.
        """
        source = b64encode(self.svg.encode()).decode()
        image = (
            f'<img src="data:image/svg+xml;base64,{source}" alt="{html.escape(self.alt)}" '
            f'width="{self.width}" height="{self.height}" style="{IN_PAGE}">'
        )
        return {"text/html": image, "image/svg+xml": self.svg, "text/plain": self.alt}

    def __repr__(self):
        return self.alt

    def _write_inside(self, place, text, note):
        self.text(place.x, place.y - (8 if note else 0), text)
        if note:
            self.text(place.x, place.y + 10, note, "quiet", SMALL)

    def _add(self, tag, role, content="", area=False, **attributes):
        name = role.split()[0]
        if name not in ROLES:
            raise DiagramError(f"unknown role {name!r}: use one of {', '.join(ROLES)}")
        look = {"class": role + (" area" if area else ""), **attributes}
        written = "".join(f' {key}="{number(value)}"' for key, value in look.items())
        self._elements.append(
            f"<{tag}{written}>{content}</{tag}>" if content else f"<{tag}{written}/>"
        )


def number(value):
    """A number with as many digits as a drawing needs; anything else as it is."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        raise DiagramError(f"a diagram cannot show {value}: every place needs a finite number")
    return f"{round(float(value), 1):g}"


def marked(text, size):
    """A text as SVG has it, with `_{...}` and `^{...}` as lowered and raised parts."""
    pieces, height = [], 0.0
    for sign, inside, plain in SCRIPT.findall(text):
        wanted = {"_": -0.25 * size, "^": 0.4 * size, "": 0.0}[sign]
        look = f' font-size="{0.75 * size:.1f}"' if sign else ""
        if wanted != height:
            look += f' dy="{height - wanted:.1f}"'
        content = html.escape(inside if sign else plain, quote=False)
        pieces.append(f"<tspan{look}>{content}</tspan>" if look else content)
        height = wanted
    return "".join(pieces)


def beyond(point, place, towards):
    """The point moved by `GAP` away from the thing at `place`, if it has an extent."""
    dx, dy = towards[0] - point[0], towards[1] - point[1]
    share = GAP / (math.hypot(dx, dy) or 1.0) if place.half_width else 0.0
    return point[0] + share * dx, point[1] + share * dy


def arrowhead(tip, angle):
    """The path of an arrowhead with its tip at `tip`, pointing along `angle`."""
    corners = [tip]
    for side in (-1, 1):
        back = angle + math.pi + side * 0.42
        corners.append((tip[0] + HEAD * math.cos(back), tip[1] + HEAD * math.sin(back)))
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z"


def stylesheet():
    """The style of all diagrams: colors by role, light, and dark where the page says so."""

    def colors(dark):
        lines = [f".cd .paper{{fill:{PAPER[dark]};stroke:none}}"]
        lines += [f".cd .{r}{{stroke:{c[dark]};fill:{c[dark]}}}" for r, c in ROLES.items()]
        lines.append(".cd text[class]{stroke:none}")
        lines.append(f".cd text.h{{stroke:{PAPER[dark]}}}")
        return "".join(lines)

    return (
        f".cd text{{font-family:{FONT}}}"
        ".cd .h{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}"
        f".cd .c{{font-family:monospace}}.cd .b{{font-weight:bold}}"
        f".cd path,.cd rect,.cd circle{{stroke-width:{LINE}px}}"
        f"{colors(0)}@media (prefers-color-scheme:dark){{{colors(1)}}}"
        ".cd .line{fill:none}.cd .area{fill-opacity:.1}.cd .bare{stroke:none}"
        ".cd .thin{stroke-width:1px}.cd .focus.line{stroke-width:3px}"
        ".cd .backward.line{stroke-dasharray:6 4}"
    )


STYLE = stylesheet()
