"""The exercises of lesson 10."""

import numpy as np

from course.autograd import Tensor
from course.autograd.tensor import unbroadcast
from course.exercises import Exercise

LESSON = "10-frameworks"


def multiply_backward(dy, a, b):
    return dy * b, dy * a


def topological_order(last, parents):
    order = []

    def visit(name):
        if name not in order:
            for parent in parents.get(name, []):
                visit(parent)
            order.append(name)

    visit(last)
    return order


def rms_norm(x, gain):
    return gain * x / ((x * x).mean(axis=-1, keepdims=True) + 1e-5) ** 0.5


class OrderExercise(Exercise):
    """Several orders are right: what counts is which names there are, and who comes too early."""

    def result(self, function, arguments):
        order = function(*arguments)
        if order is None or order is Ellipsis:
            return order
        order, (_, parents) = list(order), arguments
        early = [n for i, n in enumerate(order) if not set(parents.get(n, [])) <= set(order[:i])]
        return {
            "the names": sorted(order),
            "names before one of their parents": ", ".join(early) or "none",
        }


class LayerExercise(Exercise):
    """The layer to write gets tensors; what counts is its output and where gradients lead."""

    def result(self, function, arguments):
        x, gain = map(Tensor, arguments)
        y = function(x, gain)
        if y is None or y is Ellipsis:
            return y
        if not isinstance(y, Tensor):
            raise TypeError(f"the layer gave a {type(y).__name__}: compute with x and gain alone")
        weights = np.cos(np.arange(y.data.size)).reshape(y.shape)  # else most gradients cancel
        (y * weights).sum().backward()
        found = {"the output": y.data}
        for name, one in (("x", x), ("gain", gain)):
            found[f"the gradient of {name}"] = one.data * 0 if one.grad is None else one.grad
        return found


def _product_cases(random):
    by_hand = (np.array([1.0, 10.0]), np.array([2.0, 3.0]), np.array([5.0, -4.0]))
    shapes = [tuple(random.integers(2, 6, axes)) for axes in (1, 2, 3)]
    return [(1.0, 2.0, 3.0), by_hand, *(tuple(random.standard_normal((3, *s))) for s in shapes)]


def _copies(random):
    """Gradients of arrays that were broadcast, each with the shape from before."""
    batch, rows, columns = random.integers(2, 6, 3)
    shapes = [
        ((batch, columns), (columns,)),
        ((batch, columns), (batch, 1)),
        ((batch, columns), ()),
        ((batch, columns), (batch, columns)),
        ((batch, rows, columns), (1, columns)),
        ((batch, rows, columns), (rows, 1)),
    ]
    by_hand = [
        (np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]), (2,)),
        (np.array([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]), (3, 1)),
    ]
    return by_hand + [
        (random.standard_normal(after), tuple(map(int, before))) for after, before in shapes
    ]


def _graphs(random):
    by_hand = [
        ("y", {"y": ["a", "b"]}),
        ("loss", {"p": ["a", "b"], "loss": ["p", "a"]}),
        ("loss", {"loss": ["a", "q"], "q": ["p", "p"], "p": ["a"], "other": ["a"]}),
    ]
    return by_hand + [_drawn_graph(random, count) for count in random.integers(4, 9, 3)]


def _drawn_graph(random, count):
    """Each result comes from two that were there before it; the names tell nothing of the order."""
    names = [str(name) for name in random.permutation(list("abcdefghijklmnop"))[: count + 2]]
    parents = {
        names[i]: [names[i - 1], str(random.choice(names[: i - 1]))] for i in range(2, count + 2)
    }
    return names[-1], dict(sorted(parents.items()))


def _layer_cases(random):
    by_hand = [
        (np.array([[3.0, 4.0]]), np.array([1.0, 2.0])),
        (np.array([[0.003, 0.004], [1.0, -2.0]]), np.array([1.0, 1.0])),
    ]
    sizes = random.integers(3, 7, (3, 2))
    drawn = [(random.standard_normal((n, k)), random.standard_normal(k)) for n, k in sizes]
    return by_hand + drawn


def _only_new_axes(gradient, shape):
    return gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))


def _only_ones(gradient, shape):
    """Forget the axes that broadcasting put in front."""
    lost = gradient.ndim - len(shape)
    ones = tuple(lost + i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=ones, keepdims=True)


def _one_copy(gradient, shape):
    lost = gradient.ndim - len(shape)
    return gradient[(0,) * lost][tuple(slice(0, n) for n in shape)]


def _mean_of_copies(gradient, shape):
    copies = gradient.size / max(int(np.prod(shape)), 1)
    return unbroadcast(gradient, shape) / copies


def _without_ones(gradient, shape):
    """Add up the right axes, and lose them."""
    lost = gradient.ndim - len(shape)
    ones = tuple(lost + i for i, n in enumerate(shape) if n == 1)
    return gradient.sum(axis=(*range(lost), *ones))


def _ends_first(last, parents):
    return topological_order(last, parents)[::-1]


def _itself_first(last, parents):
    order = []

    def visit(name):
        if name not in order:
            order.append(name)
            for parent in parents.get(name, []):
                visit(parent)

    visit(last)
    return order


def _once_for_each_use(last, parents):
    return [
        name for parent in parents.get(last, []) for name in _once_for_each_use(parent, parents)
    ] + [last]


def _generations(last, parents):
    """Generation by generation from the end: a name stands where it was met first."""
    order = [last]
    for name in order:
        order += [p for p in dict.fromkeys(parents.get(name, [])) if p not in order]
    return order[::-1]


def _everything(last, parents):
    names = dict.fromkeys(sum(parents.values(), list(parents)))
    order = []
    for name in names:
        order += [n for n in topological_order(name, parents) if n not in order]
    return order


def _mean(squares):
    return squares.mean(axis=-1, keepdims=True)


def _norm(mean=_mean, power=0.5, small=1e-5, root_of=lambda x: x, gained=True):
    """An RMS norm with one thing otherwise."""

    def attempt(x, gain):
        shown = root_of(x)
        y = x / (mean(shown * shown) + small) ** power
        return gain * y if gained else y

    return attempt


MULTIPLY_BACKWARD = Exercise(
    multiply_backward,
    _product_cases,
    "y = a * b. If a grows by a little, by how many times that does y grow?",
    "The slope along a is b, and along b it is a. What comes back, dy, is multiplied by it.",
    "return dy * b, dy * a.",
    lesson=LESSON,
    mistakes={
        "the two are swapped: along a the slope is b": lambda dy, a, b: (dy * a, dy * b),
        "dy is left out: these are the slopes of y, not yet those of the loss": (
            lambda dy, a, b: (0 * dy + b, 0 * dy + a)
        ),
        "this is the way back through a + b": lambda dy, a, b: (dy + 0 * a, dy + 0 * b),
        "dy is multiplied by the result, and not by the other factor": (
            lambda dy, a, b: (dy * a * b, dy * a * b)
        ),
        "dy is added to the slopes; slopes multiply": lambda dy, a, b: (dy + b, dy + a),
    },
)

ORDER = OrderExercise(
    topological_order,
    _graphs,
    "A name may be noted when all of its parents are. Whose parents have no parents?",
    "Write a function visit(name) inside: it visits each parent, and then notes the name itself, "
    "unless it is noted already.",
    "for parent in parents.get(name, []): visit(parent), and after the loop order.append(name). "
    "It begins with visit(last).",
    lesson=LESSON,
    mistakes={
        "it is the order of the way back: parents come first here": _ends_first,
        "a name is noted before its parents are visited": _itself_first,
        "a name that is used twice is noted twice": _once_for_each_use,
        "a name stands where it was met first from the end; something that was met later may "
        "still need it": _generations,
        "names are in it that the last one does not come from": _everything,
    },
)

UNBROADCAST = Exercise(
    unbroadcast,
    _copies,
    "Each number was copied, and each copy had its part in the loss. What are the parts together?",
    "First the axes that broadcasting put in front: there are gradient.ndim - len(shape) of them. "
    "Then those where shape has a 1.",
    "gradient.sum(axis=tuple(range(gradient.ndim - len(shape)))), and then once more over the axes "
    "where shape is 1, with keepdims=True.",
    lesson=LESSON,
    mistakes={
        "axes of size 1 are forgotten: they were copied as well": _only_new_axes,
        "axes in front are forgotten: broadcasting put them there": _only_ones,
        "one copy is picked; all of them count": _one_copy,
        "it is the mean over the copies; gradients add up": _mean_of_copies,
        "axes of size 1 are lost: keepdims=True keeps them": _without_ones,
    },
)

RMS_NORM = LayerExercise(
    rms_norm,
    _layer_cases,
    "Square, take the mean of each row, add 1e-5, take the root: ** 0.5. What does broadcasting "
    "need to divide a row by it?",
    "(x * x).mean(axis=-1, keepdims=True) has the shape (batch, 1). Operators and methods of "
    "tensors note what they do; NumPy's functions, and x.data, do not.",
    "return gain * x / ((x * x).mean(axis=-1, keepdims=True) + 1e-5) ** 0.5.",
    lesson=LESSON,
    mistakes={
        "the root is missing: ** 0.5": _norm(power=1),
        "the mean goes over the batch; each row has a size of its own": (
            _norm(lambda squares: squares.mean(axis=0, keepdims=True))
        ),
        "the mean goes over everything; each row has a size of its own": _norm(lambda s: s.mean()),
        "keepdims=True is missing: a mean of shape (batch,) meets the columns, not the rows": (
            _norm(lambda squares: squares.mean(axis=-1))
        ),
        "it is the sum of the squares and not their mean": (
            _norm(lambda squares: squares.sum(axis=-1, keepdims=True))
        ),
        "the mean is subtracted first: that is layer norm": _norm(root_of=lambda x: x - _mean(x)),
        "the root is computed from x.data, so that no gradient gets through it": (
            _norm(root_of=lambda x: x.data)
        ),
        "gain is left out": _norm(gained=False),
        "the 1e-5 is left out": _norm(small=0.0),
    },
)
