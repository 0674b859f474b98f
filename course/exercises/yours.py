"""The exercises of lesson 09: the bytes of the digits, and a network there and back."""

import numpy as np

from course.exercises import Exercise
from course.exercises import mlp as lesson_02

LESSON = "09-yours"


def read_idx(content):
    rank = content[3]
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def dense(x, w, b):
    return x @ w + b


def relu(z):
    return np.maximum(z, 0), (z > 0).astype(z.dtype)


def softmax_cross_entropy(logits, labels):
    batch = np.arange(len(labels))
    shifted = logits - logits.max(axis=1, keepdims=True)  # (batch, classes), all <= 0
    exponentials = np.exp(shifted)  # (batch, classes)
    sums = exponentials.sum(axis=1, keepdims=True)  # (batch, 1)
    loss = (np.log(sums[:, 0]) - shifted[batch, labels]).mean()
    dlogits = exponentials / sums  # (batch, classes), the probabilities
    dlogits[batch, labels] -= 1
    return loss, dlogits / len(labels)


# ---- Inputs to try them on -----------------------------------------------------------------------


def idx_bytes(array):
    """The IDX file of unsigned bytes that holds `array`."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 0x08, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def _files(random):
    """Of one, two and three dimensions; one size takes more than a byte."""
    small, large = random.integers(2, 9, 4), random.integers(256, 400)
    shapes = [(small[0],), (large, small[1]), tuple(small[1:])]
    drawn = [random.integers(0, 256, shape) for shape in shapes]
    by_hand = [np.array([7, 200, 3]), np.array([[1, 2, 3], [4, 5, 250]])]
    return [(idx_bytes(array),) for array in by_hand + drawn]


def _dense_cases(random):
    by_hand = (np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    sizes = random.integers(2, 12, (3, 3))  # three times batch, inputs, outputs
    drawn = [tuple(map(random.standard_normal, ((n, i), (i, o), o))) for n, i, o in sizes]
    return [by_hand, *drawn]


def _relu_cases(random):
    drawn = (random.standard_normal(random.integers(2, 9, 2)) for _ in range(3))
    return [(np.array([[1.5, -2.0, 0.0]]),), *((z,) for z in drawn)]


def _logit_cases(random):
    by_hand = [
        (np.array([[0.0, 0.0]]), np.array([1])),
        (np.array([[2.0, -1.0, 0.0], [0.5, 3.0, 1.0]]), np.array([0, 2])),
    ]
    drawn = [_logits(random, *random.integers(3, 12, 2)) for _ in range(3)]
    return by_hand + drawn


def _logits(random, batch, classes, scale=2.0):
    logits = scale * random.standard_normal((batch, classes))
    return logits, random.integers(0, classes, batch)


def _large_logits(random):
    by_hand = (np.array([[1000.0, 0.0], [-1000.0, 0.0]]), np.array([0, 1]))
    return [by_hand, _logits(random, *random.integers(3, 9, 2), scale=1000.0)]


# ---- Wrong answers that have a name --------------------------------------------------------------


def _idx_with(start=None, sizes=lambda sizes: sizes, order="C", dtype=np.uint8):
    """`read_idx` with something else in its place."""

    def read(content):
        rank = content[3]
        fields = [content[4 + 4 * i : 8 + 4 * i] for i in range(rank)]
        shape = sizes([int.from_bytes(field, "big") for field in fields])
        offset = 4 + 4 * rank if start is None else start
        return np.frombuffer(content, dtype, np.prod(shape), offset).reshape(shape, order=order)

    return read


def _softmax(logits, axis=1):
    exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _changed_loss(loss=lambda loss: loss, dlogits=lambda dlogits, labels: dlogits):
    """`softmax_cross_entropy` with something more done to its results."""

    def compute(logits, labels):
        right = softmax_cross_entropy(logits, labels)
        return loss(right[0]), dlogits(right[1], labels)

    return compute


def _sum_over_the_batch(logits, labels):
    loss, dlogits = softmax_cross_entropy(logits, labels)
    return loss * len(labels), dlogits


def _only_probabilities(logits, labels):
    return softmax_cross_entropy(logits, labels)[0], _softmax(logits) / len(labels)


def _over_the_batch(logits, labels):
    p, rows = _softmax(logits, axis=0), np.arange(len(labels))
    dlogits = p.copy()
    dlogits[rows, labels] -= 1
    return -np.log(p[rows, labels]).mean(), dlogits / len(labels)


# ---- The exercises -------------------------------------------------------------------------------

READ_IDX = Exercise(
    read_idx,
    _files,
    "Byte 3 says how many sizes there are, four bytes each, from byte 4 on. What follows are the "
    "elements.",
    "int.from_bytes(content[4 + 4 * i : 8 + 4 * i], 'big') is size number i. All that follows is "
    "np.frombuffer(content, np.uint8, offset=...), as one row.",
    "shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i], 'big') for i in range(content[3])], "
    "and np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape).",
    lesson=LESSON,
    mistakes={
        "the elements are one long row; give them the shape that the sizes say": (
            lambda content: read_idx(content).ravel()
        ),
        "the elements are taken from the start of the file; they follow the header": (
            _idx_with(start=0)
        ),
        "the elements are filled in column by column; the last index runs fastest": (
            _idx_with(order="F")
        ),
        "the sizes are taken in reverse order": _idx_with(sizes=lambda sizes: sizes[::-1]),
        "only the last byte of each size is used; it has four": (
            _idx_with(sizes=lambda sizes: [size % 256 for size in sizes])
        ),
        "the bytes are read as signed numbers; 200 becomes -56": _idx_with(dtype=np.int8),
        "the elements are divided by 255 already; here they stay bytes": (
            lambda content: read_idx(content) / 255
        ),
    },
)
DENSE = Exercise(
    dense,
    _dense_cases,
    "Each output is a weighted sum of all inputs, plus its own bias. Which product of x and w has "
    "the shape (batch, outputs)?",
    "x @ w is all the weighted sums. The bias (outputs,) is added to every row by itself.",
    "return x @ w + b.",
    lesson=LESSON,
    mistakes={
        "the bias is left out": lambda x, w, b: x @ w,
        "the bias is subtracted": lambda x, w, b: x @ w - b,
        "all biases are added to every output; each has its own": lambda x, w, b: x @ w + b.sum(),
        "the products are averaged over the inputs; it is their sum": (
            lambda x, w, b: x @ w / len(w) + b
        ),
        "the ReLU is in it already": lambda x, w, b: np.maximum(x @ w + b, 0),
        "the result is transposed": lambda x, w, b: (x @ w + b).T,
    },
)
DENSE_BACKWARD = Exercise(
    lesson_02.dense_backward,
    lesson_02.DENSE_BACKWARD.cases,
    *lesson_02.DENSE_BACKWARD.hints,
    lesson=LESSON,
    mistakes=lesson_02.DENSE_BACKWARD.mistakes,
    numerical=lesson_02.DENSE_BACKWARD.numerical,
)
RELU = Exercise(
    relu,
    _relu_cases,
    "Where z is above zero it passes, with the slope 1; elsewhere there is 0, and the slope is 0.",
    "np.maximum compares with a number, element by element. The slope is a comparison, too.",
    "return np.maximum(z, 0), z > 0.",
    lesson=LESSON,
    mistakes={
        "negative numbers change their sign; they should become 0": lambda z: (
            np.abs(z),
            1.0 * (z > 0),
        ),
        "z comes back as it was; what is negative should become 0": lambda z: (z, 1.0 * (z > 0)),
        "at exactly 0 the slope is 1; the course takes 0": lambda z: (
            np.maximum(z, 0),
            1.0 * (z >= 0),
        ),
        "the slope is 1 where it should be 0, and 0 where it should be 1": (
            lambda z: (np.maximum(z, 0), 1.0 * (z <= 0))
        ),
        "in place of the slope the value comes twice": (
            lambda z: (np.maximum(z, 0), np.maximum(z, 0))
        ),
        "the slope is -1 where z is negative; there the value does not change": (
            lambda z: (np.maximum(z, 0), np.sign(z))
        ),
        "the slope is 1 everywhere": lambda z: (np.maximum(z, 0), np.ones_like(z)),
    },
)
SOFTMAX_CROSS_ENTROPY = Exercise(
    softmax_cross_entropy,
    _logit_cases,
    "Probabilities first: exp of the logits, divided by the sum of its row. The loss is the mean "
    "of -log of the right ones, and its gradient is probability minus truth, over the batch.",
    "Subtract the maximum of each row before exp (axis=1, keepdims=True). The right ones are "
    "[np.arange(len(labels)), labels]. log(sum) - shifted logit is the loss without log(0).",
    "loss = (np.log(sums[:, 0]) - shifted[rows, labels]).mean(); dlogits = exponentials / sums, "
    "then dlogits[rows, labels] -= 1, and return loss, dlogits / len(labels).",
    lesson=LESSON,
    large=_large_logits,
    mistakes={
        "the gradient is not divided by the batch size": _changed_loss(
            dlogits=lambda dlogits, labels: dlogits * len(labels)
        ),
        "the gradient is divided by the batch size twice": _changed_loss(
            dlogits=lambda dlogits, labels: dlogits / len(labels)
        ),
        "the loss is the sum over the batch; it is the mean": _sum_over_the_batch,
        "the loss is negative: the minus before the logarithm is missing": _changed_loss(
            loss=lambda loss: -loss
        ),
        "the gradient has the wrong sign: probability minus truth": _changed_loss(
            dlogits=lambda dlogits, labels: -dlogits
        ),
        "the gradient is that of the probabilities; the truth is not subtracted": (
            _only_probabilities
        ),
        "the softmax runs down the batch, axis 0; each row is one of its own": _over_the_batch,
        "the logarithm is that to base 2; it is the natural one": _changed_loss(
            loss=lambda loss: loss / np.log(2)
        ),
    },
)
