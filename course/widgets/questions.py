"""What a learner can be asked to predict: how an answer is read, said, and compared.

Each kind has the same members. `read` makes what is kept, plain JSON, of what the page sends;
`kept` makes it of the result, and `recalled` checks what was kept, as the question may be another
one now. `words` says one of the two, `comment` how they compare. `asks` is what the page has to
know, `hint` what a reader without the page is told.
"""

import math
import re
from dataclasses import dataclass

import numpy as np

from course.nn.errors import CourseError

SEPARATED = re.compile(r"[+-]?\d{1,3}([,_' ]\d{3})+(?![\d,_' ])")  # such as 1,000,000
CLOSE = 1.05  # a factor that is not worth a word
MOST_POINTS = 500  # of a sketch


class AnswerError(CourseError, ValueError):
    """An answer that cannot be read, or a result that is none; the message says what would be."""


@dataclass(frozen=True)
class Number:
    """A number, in a unit if there is one; with "%" it is 94 that is meant by 94 %."""

    unit: str = ""

    @property
    def asks(self):
        return {"kind": "number", "unit": self.unit}

    @property
    def hint(self):
        return f" (in {self.unit})" if self.unit else ""

    def read(self, text):
        """The number that somebody typed: 1e6, 1,000, 5%, 600 ms. Raises AnswerError."""
        text = str(text).strip().replace("\N{MINUS SIGN}", "-")
        number = text.removesuffix(self.unit).strip()
        if SEPARATED.match(number):
            number = re.sub(r"[,_' ]", "", number)
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            how = "with a point: 0.5" if "," in number else "such as 60000, 1,000, 0.5 or 1e6"
            raise AnswerError(f"Write a number {how}.")
        return value

    def kept(self, result):
        """A number of Python's own. Raises AnswerError."""
        is_array = isinstance(result, np.generic | np.ndarray)
        value = result.item() if is_array and result.size == 1 else result
        if not is_number(value):
            raise AnswerError(f"It was to be a number, not {result!r:.80}.")
        return value

    recalled = kept

    def words(self, value):
        return f"{in_digits(value)} {self.unit}".strip()

    def comment(self, answer, result):
        """How far off the answer is, for a pair of brackets; "" where there is no saying."""
        if answer == result:
            return "exactly"
        if self.unit == "%":
            points = abs(answer - result)
            direction = "high" if answer > result else "low"
            return f"{points:.2g} points too {direction}" if points >= 0.5 else "close"
        factor = off_by(answer, result)
        if factor is None:
            return ""
        if 1 / CLOSE < factor < CLOSE:
            return "close"
        if factor > 1:
            return f"your guess is {rounded(factor)} times as much"
        return f"{rounded(1 / factor)} times as much"

    def is_near(self, answer, result):
        """Whether the answer is within a factor of two."""
        return answer == result or 0.5 <= (off_by(answer, result) or 0) <= 2


@dataclass(frozen=True)
class Choice:
    """One of several texts."""

    choices: tuple[str, ...]

    @property
    def asks(self):
        return {"kind": "choice", "choices": self.choices}

    @property
    def hint(self):
        return f" ({' / '.join(self.choices)})"

    def read(self, index):
        """The text that was clicked at. Raises AnswerError."""
        if index not in range(len(self.choices)):
            raise AnswerError(f"Choose one of the {len(self.choices)}.")
        return self.choices[index]

    def kept(self, result):
        """The result, which is one of the choices. Raises AnswerError."""
        if result not in self.choices:
            raise AnswerError(f"It was to be one of {', '.join(self.choices)}, not {result!r:.80}.")
        return result

    recalled = kept

    def words(self, value):
        return value

    def comment(self, answer, result):
        return "right" if answer == result else "wrong"


@dataclass(frozen=True)
class Curve:
    """A curve over empty axes: the names of the axes and from where to where they go."""

    axes: tuple[str, str]
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def asks(self):
        return {"kind": "curve", "axes": self.axes, "x": self.x, "y": self.y}

    @property
    def hint(self):
        (x, y), (left, right) = self.axes, self.x
        return f" (sketch {y} over {x}, {left:g} to {right:g})"

    def read(self, points):
        """A sketch: a list of [x, y] from left to right, within the axes. Raises AnswerError."""
        try:
            points = np.array(points, float).reshape(-1, 2)
        except (TypeError, ValueError):
            points = np.zeros((0, 2))
        if not 2 <= len(points) <= MOST_POINTS or not np.isfinite(points).all():
            raise AnswerError("Draw a line from left to right.")
        points = np.clip(points, *zip(self.x, self.y, strict=True))
        return points[points[:, 0].argsort(kind="stable")].tolist()

    def kept(self, result):
        """Arrays x (n,) and y (n,) as a list of [x, y]. Raises AnswerError."""
        try:
            x, y = (np.asarray(values, float).ravel() for values in result)
            return np.stack([x, y], axis=1).tolist()
        except (TypeError, ValueError):
            raise AnswerError("It was to be two arrays of one length, x and y.") from None

    def recalled(self, points):
        """The same list of [x, y]. Raises AnswerError."""
        try:
            return self.kept(np.transpose(points))
        except ValueError:
            raise AnswerError("It was to be a list of points.") from None

    def words(self, value):
        """Where the line begins and ends."""
        (x, first), (end, last) = value[0], value[-1]
        name = self.axes[0]
        return f"from {first:.2g} at {name} {x:.2g} to {last:.2g} at {name} {end:.2g}"

    def comment(self, answer, result):
        return ""


def make(unit="", choices=None, curve=None, x=None, y=None):
    """The kind of question that these ask for. Raises AnswerError."""
    if choices is not None:
        return Choice(tuple(choices))
    if curve is None:
        return Number(unit)
    if x is None or y is None:
        raise AnswerError("A curve needs its axes: x=(0, 10), y=(0, 2.5).")
    return Curve(tuple(curve), tuple(x), tuple(y))


def off_by(answer, result):
    """By which factor the answer is too high (above 1) or too low; None where there is none."""
    if not math.isfinite(result) or answer * result <= 0:
        return None
    return answer / result


@dataclass(frozen=True)
class Tally:
    """How good predictions were: of so many numbers so many were near, of choices right."""

    numbers: int = 0
    near: int = 0
    choices: int = 0
    right: int = 0
    curves: int = 0


def tally(pairs):
    """The Tally of pairs (answer, result), in the form in which they are kept."""
    numbers = [pair for pair in pairs if all(map(is_number, pair))]
    choices = [pair for pair in pairs if all(isinstance(value, str) for value in pair)]
    return Tally(
        numbers=len(numbers),
        near=sum(Number().is_near(*pair) for pair in numbers),
        choices=len(choices),
        right=sum(answer == result for answer, result in choices),
        curves=sum(all(isinstance(value, list) for value in pair) for pair in pairs),
    )


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def in_digits(value):
    """A number for a sentence: whole ones in full, others with three significant digits."""
    if abs(value) < 1e15 and (abs(value) >= 1000 or value == round(value)):
        return f"{round(value):,}"
    return short(f"{value:.3g}")


def rounded(factor):
    """A factor, with two significant digits."""
    text = f"{factor:.2g}"
    return f"{float(text):,.0f}" if 10 <= factor < 1e9 else short(text)


def short(text):
    """A number without what nobody needs in its exponent: 1e-6 for 1e-06."""
    return re.sub(r"e([+-])0*", lambda match: f"e{match[1].strip('+')}", text)
