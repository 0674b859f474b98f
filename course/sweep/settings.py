"""Which runs a sweep consists of: every combination of values, or random draws from ranges.

Settings are a dict of plain values: `model`, its name, and every field of a `Recipe` but the seed.
A run is such a dict and a seed.

Bergstra & Bengio, "Random Search for Hyper-Parameter Optimization" (JMLR 13, 2012), say why draws
are often the better choice: where only one of two settings matters, a grid of 9 runs tries three
values of it, and 9 draws try nine.
"""

import dataclasses
import itertools
import math

from course import models
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng
from course.sweep import SweepError

FIELDS = {field.name: field.type for field in dataclasses.fields(Recipe) if field.name != "seed"}
WHOLE = {name for name, kind in FIELDS.items() if kind in (int, int | None)}
NUMBERS = WHOLE | {name for name, kind in FIELDS.items() if kind is float}
NEAR_ONE = {"beta2", "average"}  # what counts is how far from 1 they are


def complete(model, given):
    """The settings of the model's own recipe, with those in the dict `given` instead.

    Raises SweepError where they make no sense, or leave nothing to choose by.
    """
    if given.get("schedule", "").endswith(".json"):
        raise SweepError("a schedule of a sweep needs a name; what is in a file may change")
    try:
        recipe = dataclasses.replace(models.recipe(model), **given)
    except ValueError as error:
        raise SweepError(str(error)) from None
    if not recipe.validation_split:
        raise SweepError(
            "settings are chosen by held-out digits: the validation split must not be 0"
        )
    return {"model": model} | {name: getattr(recipe, name) for name in FIELDS}


def recipe_of(settings, seed):
    """Return the Recipe of a run."""
    return Recipe(**{name: settings[name] for name in FIELDS}, seed=seed)


def grid(model, values):
    """All combinations: a list of settings. `values` is a dict from a field to a list."""
    chosen = [list(dict.fromkeys(some)) for some in values.values()]
    return [
        complete(model, dict(zip(values, one, strict=True))) for one in itertools.product(*chosen)
    ]


def draws(model, values, count, seed=1):
    """Draw `count` settings at random: a list, the same for the same arguments.

    Two numbers are the ends of a range, in which each factor is as likely as any other (for beta2
    and average: each factor of the distance to 1); of anything else, one is as likely as another.
    """
    rng = SimpleRng(seed)
    for _ in range(16):  # xorshift's first numbers from small seeds are alike
        rng.u32()
    return [
        complete(model, {name: draw(name, some, rng) for name, some in values.items()})
        for _ in range(count)
    ]


def draw(name, some, rng):
    """Draw one value of the field `name` from a list."""
    if len(some) != 2 or name not in NUMBERS:
        return some[rng.index(len(some))]
    low, high = (1 - end if name in NEAR_ONE else end for end in some)
    if not (low > 0 and high > 0):
        raise SweepError(f"a range of {name} must lie on one side of 0; got {some[0]} to {some[1]}")
    value = math.exp(math.log(low) + (math.log(high) - math.log(low)) * rng.u32() / 2**32)
    if name in WHOLE:
        return round(value)
    value = float(f"{value:.4g}")  # more digits would be a pretence
    return 1 - value if name in NEAR_ONE else value
