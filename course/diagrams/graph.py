"""Lesson 10: the graph that tensors leave behind as they compute, drawn from the graph itself."""

from course.diagrams.base import Diagram, DiagramError

WIDTH, STEP = 132, 84  # from one tensor to the next: across, and down
BOX, HEIGHT = 108, 44
LEFT = 40  # room for the longest gradient beside the first column
MOST = 60  # tensors that a reader can still follow
INFIX = ("+", "-", "*", "/", "@")


def computation_graph(tensor):
    """Every tensor that `tensor` was computed from, and itself, the last one, at the bottom.

    tensor: a `course.autograd.Tensor`. What training changes is at the top in the color of weights,
    constants are quiet. Single numbers show their value and, after `backward`, their gradient d;
    arrays show their shape. Raises DiagramError for more than MOST tensors.
    """
    order = tensor.graph()
    if len(order) > MOST:
        raise DiagramError(
            f"a graph of {len(order)} tensors is too large to read: draw one of at most {MOST}"
        )
    names = names_of(order)
    places = arrange(order)
    columns = max(column for column, _ in places.values()) + 1
    rows = max(row for _, row in places.values()) + 1
    diagram = Diagram(LEFT + WIDTH * columns, STEP * rows + 10, in_words(order, names))
    boxes = {}
    for one in order:  # parents first
        column, row = places[one]
        x, y = LEFT + WIDTH * (column + 0.5), 34 + STEP * row
        box = diagram.box(x, y, title(one, names), content(one), BOX, HEIGHT, role(one))
        boxes[one] = box
        for parent, _ in one.parents:
            far = row - places[parent][1] > 1  # passes by other boxes, in the space between columns
            color = "forward" if parent.needs_gradient else "quiet"
            diagram.arrow(boxes[parent], box, role=color, bend=far and WIDTH / 2)
        if is_shown(one.grad):
            side, anchor = (1, "start") if column else (-1, "end")  # away from the arrows
            place = x + 8 * side, y + HEIGHT / 2 + 14
            diagram.label(*place, f"d = {one.grad.item():.3g}", "backward", anchor)
    return diagram


def names_of(order):
    """A name for every tensor: its own, or c1, c2, ... for constants and t1, t2, ... for results.

    Of tensors that share a name, all after the first get their number behind it.
    """
    names, taken = {}, set()
    for one in order:
        stem = one.name or ("t" if one.parents else "c")
        number, name = 1, one.name or f"{stem}1"
        while name in taken:
            number += 1
            name = f"{stem}{number}"
        names[one] = name
        taken.add(name)
    return names


def arrange(order):
    """A (column, row) for every tensor: rows as near to the end as its uses allow, no two alike.

    Columns follow those of a tensor's children, so that arrows seldom cross.
    """
    below = dict.fromkeys(order, 0)  # operations from here to the end
    children = {one: [] for one in order}
    for one in reversed(order):
        for parent, _ in one.parents:
            below[parent] = max(below[parent], below[one] + 1)
            children[parent].append(one)
    deepest = max(below.values())
    columns, taken = {}, set()
    # Children come before parents, and results before what is only read: they go straight down.
    for one in sorted(order, key=lambda one: (below[one], not one.parents)):
        row = deepest - below[one]
        column = min((columns[child] for child in children[one]), default=0)
        while (column, row) in taken:
            column += 1
        columns[one] = column
        taken.add((column, row))
    return {one: (columns[one], deepest - below[one]) for one in order}


def role(one):
    """The role of a tensor: a constant, something to be trained, or a result."""
    if not one.needs_gradient:
        return "quiet"
    return "forward" if one.parents else "weight"


def title(one, names):
    """What stands in a box: the name, and behind it the operation that computed it."""
    return f"{names[one]}: {one.operation}" if one.parents else names[one]


def content(one):
    """What stands below the name: the value of a single number, or the shape of an array."""
    if is_shown(one.data):
        return f"= {one.data.item():.3g}"
    return f"({', '.join(map(str, one.shape))}{',' * (len(one.shape) == 1)})"


def is_shown(array):
    """Tell whether an array is a single number, which is written out."""
    return array is not None and array.size == 1


def in_words(order, names):
    """Say line by line what was computed from what, as a program would."""
    said = []
    for one in order:
        text = names[one]
        parents = [names[parent] for parent, _ in one.parents]
        if one.operation in INFIX:
            text += " = " + f" {one.operation} ".join(parents)
        elif one.operation.startswith("**"):
            text += f" = {parents[0]} {one.operation}"
        elif parents:
            text += f" = {one.operation}({', '.join(parents)})"
        gradient = f" with d = {one.grad.item():.3g}" if is_shown(one.grad) else ""
        said.append(f"{text} {content(one)}{gradient}")
    return f"A computation graph, the last line its end: {'; '.join(said)}."
