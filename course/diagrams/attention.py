"""Lesson 04: the way of the tokens through the attention model."""

from course.diagrams.base import Diagram

MIDDLE, SHAPES = 290, 470  # where the boxes stand, and where their shapes begin
STEP = 62  # from one row to the next


def token_flow(
    height=28, width=28, patch=4, d_model=64, d_ff=128, outputs=10, residual=False, layer_norm=False
):
    """One image from its pixels to the logits: each array, what makes it, and its shape.

    residual, layer_norm: draw what `PatchAttention` has with these.
    """
    tokens, pixels = (height // patch) * (width // patch), patch * patch
    normed = [("normed", "layer norm", (tokens, d_model))] if layer_norm else []
    before = [
        ("image", "", (height, width)),
        ("patches", "cut, row by row", (tokens, pixels)),
        ("tokens", "dense, + positions, ReLU", (tokens, d_model)),
        *normed,
    ]
    attended = "attention @ value" + (", + tokens" if residual else "")
    pooled = "dense" + (", + mean of attended" if residual else "")
    after = [
        ("attended", attended, (tokens, d_model)),
        *normed,
        ("hidden", "dense, ReLU", (tokens, d_ff)),
        ("mean_hidden", "mean over the tokens", (1, d_ff)),
        ("pooled", pooled, (1, d_model)),
        ("logits", "dense", (1, outputs)),
    ]
    diagram = Diagram(
        600, STEP * (len(before) + 2 + len(after)), in_words(before, after, (tokens, d_model))
    )
    upper = column(diagram, before, 0)
    head, value = attention_head(diagram, upper[-1], len(before), tokens, d_model)
    lower = column(diagram, after, len(before) + 2)
    diagram.arrow(head, lower[0])
    diagram.arrow(value, (MIDDLE + 90, lower[0].top[1] - 4))
    if residual:
        skip(diagram, upper[2], lower[0])
        skip(diagram, lower[0], lower[-2])
    return diagram


def column(diagram, rows, first):
    """Draw arrays below each other, from row `first` on, joined by arrows; return their places."""
    places = []
    for row, (name, made_by, shape) in enumerate(rows, start=first):
        y = STEP * row + STEP / 2
        box = diagram.box(MIDDLE, y, name, made_by, width=220, height=42, role="forward")
        diagram.shape(SHAPES, y, shape, anchor="start")
        if places:
            diagram.arrow(places[-1], box)
        places.append(box)
    return places


def attention_head(diagram, source, row, tokens, d_model):
    """Draw query, key and value and who looks at whom; return the places of attention and value."""
    y = STEP * row + STEP / 2
    query, key, value = (
        diagram.box(MIDDLE + dx, y, name, "dense", width=84, height=42, role="forward")
        for dx, name in ((-95, "query"), (5, "key"), (120, "value"))
    )
    diagram.shape(SHAPES, y, (tokens, d_model), "each", anchor="start")
    formula = f"softmax(query keyᵀ / √{d_model})"
    attention = diagram.box(
        MIDDLE - 45, y + STEP, "attention", formula, width=190, height=42, role="focus"
    )
    diagram.shape(SHAPES, y + STEP, (tokens, tokens), anchor="start")
    for box in (query, key, value):
        diagram.arrow(source, box)
    diagram.arrow(query, attention)
    diagram.arrow(key, attention)
    return attention, value


def skip(diagram, start, end):
    """Draw a residual connection: a line around whatever lies between, to a plus sign."""
    aside = start.left[0] - 70
    begin = start.left[0], start.y + 10
    diagram.line([begin, (aside, begin[1]), (aside, end.y)], "weight")
    diagram.arrow((aside, end.y), end.left, "+", "weight")
    diagram.label(aside, (start.y + end.y) / 2, "residual", "weight")


def in_words(before, after, each):
    """Say of every array what makes it and its shape, in order."""
    head = [("query, key and value", "dense", each), ("attention", "softmax", (each[0], each[0]))]
    steps = [
        f"{name} {shape}" + (f" by {made_by}" if made_by else "")
        for name, made_by, shape in [*before, *head, *after]
    ]
    return f"The attention model, step by step: {'; '.join(steps)}."
