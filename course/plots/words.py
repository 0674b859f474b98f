"""The words in which figures say what they show."""

import numpy as np

MOST = 12  # things that are named one by one


def course_of(values, form="{:.3g}"):
    """How measured values went: "from 0.52 to 0.01"; empty if nothing was measured."""
    values = np.asarray(values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return "".join(form.format(value) for value in values)
    return f"from {form.format(values[0])} to {form.format(values[-1])}"


def extent_of(values, form="{:.3g}"):
    """The least and the greatest value: "from -1 to 2"."""
    return course_of([np.min(values), np.max(values)], form)


def listed(things):
    """Things in a row, "1, 2, 3": the first `MOST`, and how many more there are."""
    things = [str(thing) for thing in things]
    more = len(things) - MOST
    return ", ".join(things[:MOST]) + (f", and {more} more" if more > 0 else "")


def size(picture):
    """Say how large a picture is: its height times its width."""
    return " × ".join(map(str, picture.shape))


def sentence(heading, parts=()):
    """A heading and what belongs to it as one sentence; nothing to say is said as such."""
    parts = [part for part in parts if part]
    text = f"{heading}: {'; '.join(parts)}" if parts else heading
    return text.rstrip(".") + "."
