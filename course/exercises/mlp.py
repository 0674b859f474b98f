"""The exercises of lesson 02 and its appendix."""

import numpy as np

from course.exercises import Exercise
from course.exercises.numerical import finite_differences


def step(w, gradient, learning_rate):
    return w - learning_rate * gradient


def softmax_gradient(probabilities, labels):
    dlogits = probabilities.copy()
    dlogits[np.arange(len(labels)), labels] -= 1
    return dlogits / len(labels)


def dense_backward(x, w, dy):
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


def train_epoch(weights, x, labels, order, gradients, batch_size, learning_rate):
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        gradient = gradients(weights, x[batch], labels[batch])
        weights = {name: step(w, gradient[name], learning_rate) for name, w in weights.items()}
    return weights


def count_parameters(inputs, hidden, outputs):
    return inputs * hidden + hidden + hidden * outputs + outputs


def accuracy(logits, labels):
    return np.mean(logits.argmax(axis=1) == labels)


def leaky_relu_backward(dy, x, slope):
    return dy * np.where(x > 0, 1.0, slope)


def _step_cases(random):
    by_hand = [
        (2.3, 2.6, 0.3),
        (-1.0, -0.5, 0.1),
        (np.array([1.0, -2.0]), np.array([4.0, 0.5]), 0.2),
    ]
    shapes = [tuple(random.integers(2, 6, rank)) for rank in (1, 2)]
    drawn = [(*random.standard_normal((2, *s)), random.uniform(0.05, 0.5)) for s in shapes]
    return by_hand + drawn


def _probability_cases(random):
    by_hand = (np.full((1, 10), 0.1), np.array([3]))
    sizes = [2, *random.integers((3, 11), (9, 60))]
    drawn = [(random.dirichlet(np.ones(10), n), random.integers(0, 10, n)) for n in sizes]
    return [by_hand, *drawn]


def _dense_cases(random):
    """By hand one sample, and three squares, which no product refuses; drawn rectangles."""
    by_hand = [
        (np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([[0.5]])),
        tuple(np.array([[[1.0, 2], [3, 4]], [[1, 0], [2, -1]], [[0.5, 1], [0, -2]]])),
    ]
    sizes = [(4, 3, 2), *random.integers((2, 2, 2), (9, 21, 11), (2, 3))]  # batch, inputs, outputs
    drawn = [
        tuple(random.standard_normal(shape) for shape in ((n, i), (i, o), (n, o)))
        for n, i, o in sizes
    ]
    return by_hand + drawn


def _softmax_numerical(forward, probabilities, labels):
    """`forward(logits, labels)` is the mean cross-entropy; these logits have the probabilities."""
    return finite_differences(lambda z: forward(z, labels), np.log(probabilities))[0]


def _dense_numerical(forward, x, w, dy):
    """`forward(x, w, b)` is x W + b."""
    return finite_differences(forward, x, w, np.zeros(w.shape[1]), dy=dy)


def _leaky_numerical(forward, dy, x, slope):
    """`forward(x, slope)` has a kink at 0; the slope there is that of the left side."""
    left = np.where(x == 0, -1.0, x)
    return finite_differences(lambda z: forward(z, slope), left, dy=dy)[0]


def line_gradients(weights, x, labels):
    """The gradients of the mean of (w x + b - label)^2 / 2, to try a training loop on."""
    difference = weights["w"] * x + weights["b"] - labels
    return {"w": np.mean(difference * x), "b": np.mean(difference)}


def _epoch_cases(random):
    """Of two whole batches, of one and a half, and of some and a rest."""
    cases, (size, whole) = [], random.integers((3, 2), (9, 7))
    for count, batch_size in ((4, 2), (6, 4), (whole * size + random.integers(1, size), size)):
        x, labels = random.standard_normal((2, count))
        weights = {"w": np.array(0.5), "b": np.array(-1.0)}
        order = random.permutation(count)
        cases.append((weights, x, labels, order, line_gradients, int(batch_size), 0.1))
    return cases


def _logit_cases(random):
    by_hand = (np.array([[2.0, -1.0], [0.5, 3.0], [1.0, 0.0]]), np.array([0, 1, 1]))  # 2 of 3
    counts = [1, *random.integers((5, 50), (10, 200))]
    drawn = [(random.standard_normal((n, 10)), random.integers(0, 10, n)) for n in counts]
    return [by_hand, *drawn]


def _layer_cases(random):
    return [(2, 4, 1), (784, 512, 10), *random.integers(2, 100, (3, 3)).tolist()]


def _leaky_cases(random):
    by_hand = (np.array([1.0, -2.0, 3.0]), np.array([-4.0, 0.0, 5.0]), 0.1)
    shapes = [tuple(random.integers(2, 6, rank)) for rank in (1, 2, 3)]
    drawn = [(*random.standard_normal((2, *s)), random.uniform(0.01, 0.3)) for s in shapes]
    return [by_hand, *drawn]


def _minus_rows(probabilities, labels):
    dlogits = probabilities.copy()
    dlogits[labels] -= 1
    return dlogits / len(labels)


def _one_batch_only(weights, x, labels, order, gradients, batch_size, rate):
    return train_epoch(weights, x, labels, order[:batch_size], gradients, batch_size, rate)


def _only_whole_batches(weights, x, labels, order, gradients, batch_size, rate):
    whole = len(order) // batch_size * batch_size
    return train_epoch(weights, x, labels, order[:whole], gradients, batch_size, rate)


def _always_from_the_start(weights, x, labels, order, gradients, batch_size, rate):
    first = weights
    return train_epoch(
        weights, x, labels, order, lambda _, *batch: gradients(first, *batch), batch_size, rate
    )


STEP = Exercise(
    step,
    _step_cases,
    "Where the slope is positive, the valley lies to the left. Which sign has the step?",
    "The step is learning_rate * gradient long, against the gradient. Return where it ends.",
    "return w - learning_rate * gradient.",
    lesson="02-mlp",
    mistakes={
        "it climbs: the step goes against the gradient": lambda w, g, rate: w + rate * g,
        "this is the step alone; return the weight after it": lambda w, g, rate: -rate * g,
        "the learning rate is left out": lambda w, g, rate: w - g,
        "only the sign of the gradient counts here; its size should, too": (
            lambda w, g, rate: w - rate * np.sign(g)
        ),
        "the weight itself is scaled by the learning rate, too": (
            lambda w, g, rate: rate * (w - g)
        ),
    },
)
SOFTMAX_GRADIENT = Exercise(
    softmax_gradient,
    _probability_cases,
    "In each row only one number is not as in `probabilities`. Which?",
    "Take a copy, subtract 1 at the right class of each row, and divide by the number of rows.",
    "With dlogits = probabilities.copy(): dlogits[np.arange(len(labels)), labels] -= 1.",
    lesson="02-mlp",
    mistakes={
        "the division by the batch size is left out; the loss is a mean over the batch": (
            lambda p, y: softmax_gradient(p, y) * len(y)
        ),
        "it is divided by the batch size twice": lambda p, y: softmax_gradient(p, y) / len(y),
        "it is divided by the number of classes, not by the batch size": (
            lambda p, y: softmax_gradient(p, y) * len(y) / p.shape[1]
        ),
        "the sign is exchanged: probability minus truth": lambda p, y: -softmax_gradient(p, y),
        "1 is subtracted everywhere, not only at the right class": lambda p, y: (p - 1) / len(y),
        "the truth is not yet subtracted": lambda p, y: p / len(y),
        "labels pick whole rows here; np.arange(len(labels)) with them picks one number in each": (
            _minus_rows
        ),
        "1 is subtracted in all rows at all labels; np.arange(len(labels)) pairs row and label": (
            lambda p, y: (p - np.isin(np.arange(p.shape[1]), y)) / len(y)
        ),
        "the labels themselves are subtracted; the truth is 1 at the right class and 0 elsewhere": (
            lambda p, y: (p - y[:, None]) / len(y)
        ),
    },
    numerical=_softmax_numerical,
)
DENSE_BACKWARD = Exercise(
    dense_backward,
    _dense_cases,
    "Write down the three shapes first: dx is like x, dw like w, db like a row of dy. Only one "
    "product of two of the arrays has each shape.",
    "dw is x.T @ dy. dx walks the same weights backwards, so it has a transposed w. Every row of "
    "the batch had the same bias.",
    "return dy @ w.T, x.T @ dy, dy.sum(axis=0).",
    lesson="02-mlp",
    mistakes={
        "dw is divided by the batch size; the loss has done that already": (
            lambda x, w, dy: (dy @ w.T, x.T @ dy / len(x), dy.sum(axis=0))
        ),
        "db is a mean over the batch; it is the sum": (
            lambda x, w, dy: (dy @ w.T, x.T @ dy, dy.mean(axis=0))
        ),
        "db is summed within each row; along axis 0 it sums over the batch": (
            lambda x, w, dy: (dy @ w.T, x.T @ dy, dy.sum(axis=1))
        ),
        "db is summed over everything; along axis 0 each output keeps its own": (
            lambda x, w, dy: (dy @ w.T, x.T @ dy, dy.sum())
        ),
        "db is not yet summed over the batch": lambda x, w, dy: (dy @ w.T, x.T @ dy, dy),
        "dw is transposed": lambda x, w, dy: (dy @ w.T, dy.T @ x, dy.sum(axis=0)),
        "dx is transposed": lambda x, w, dy: (w @ dy.T, x.T @ dy, dy.sum(axis=0)),
        "w is not transposed on the way back to dx": (
            lambda x, w, dy: (dy @ w, x.T @ dy, dy.sum(axis=0))
        ),
        "x is not transposed on the way to dw": (
            lambda x, w, dy: (dy @ w.T, x @ dy, dy.sum(axis=0))
        ),
        "dx and dw are exchanged: dx comes first": (
            lambda x, w, dy: (x.T @ dy, dy @ w.T, dy.sum(axis=0))
        ),
    },
    numerical=_dense_numerical,
)
TRAIN_EPOCH = Exercise(
    train_epoch,
    _epoch_cases,
    "A loop over the batches: which numbers of `order` belong to the first, which to the second?",
    "batch = order[start : start + batch_size], with start from range(0, len(order), batch_size). "
    "Then x[batch] and labels[batch] are the mini-batch.",
    "In the loop: gradient = gradients(weights, x[batch], labels[batch]), then weights = {name: "
    "step(w, gradient[name], learning_rate) for name, w in weights.items()}. Return the weights "
    "after the loop.",
    lesson="02-mlp",
    mistakes={
        "it ends after the first batch; `return` belongs after the loop": _one_batch_only,
        "the last batch is left out where it is smaller than the others": _only_whole_batches,
        "each gradient is taken at the weights from before the epoch, not at those of now": (
            _always_from_the_start
        ),
        "the batches are taken in the order of the file, not in `order`": (
            lambda w, x, y, order, *more: train_epoch(w, x, y, np.arange(len(order)), *more)
        ),
        "all digits are one batch": (
            lambda w, x, y, order, g, size, rate: train_epoch(w, x, y, order, g, len(order), rate)
        ),
        "each digit is a batch of its own": (
            lambda w, x, y, order, g, size, rate: train_epoch(w, x, y, order, g, 1, rate)
        ),
        "it climbs: the step goes against the gradient": (
            lambda w, x, y, order, g, size, rate: train_epoch(w, x, y, order, g, size, -rate)
        ),
        "the learning rate is left out": (
            lambda w, x, y, order, g, size, rate: train_epoch(w, x, y, order, g, size, 1.0)
        ),
    },
)
PARAMETERS = Exercise(
    count_parameters,
    _layer_cases,
    "Two dense layers have weights and biases. Has the ReLU any?",
    "A dense layer has one weight per pair of input and output, and one bias per output.",
    "inputs * hidden + hidden for the first layer; the second looks just the same.",
    lesson="02b-inside-the-mlp",
    mistakes={
        "the biases are left out": lambda i, h, o: i * h + h * o,
        "the inputs have biases, too; only what a layer computes has": (
            lambda i, h, o: i * h + h * o + i + h + o
        ),
        "the output has no biases": lambda i, h, o: i * h + h + h * o,
        "the inputs lead straight to the outputs": lambda i, h, o: i * o + o,
    },
)
ACCURACY = Exercise(
    accuracy,
    _logit_cases,
    "What does the network answer to one image, given its ten logits?",
    "The answer is the class with the largest logit: argmax along axis 1. Compare with the labels, "
    "and take the mean.",
    "np.mean(... == labels), where ... is logits.argmax(axis=1).",
    lesson="02b-inside-the-mlp",
    mistakes={
        "argmax looks at the whole batch at once; along axis 1 it finds one class per sample": (
            lambda logits, labels: np.mean(logits.argmax() == labels)
        ),
        "each sample is judged, but the mean over all of them is missing": (
            lambda logits, labels: logits.argmax(axis=1) == labels
        ),
        "the right answers are counted; the share is that count divided by the batch size": (
            lambda logits, labels: np.sum(logits.argmax(axis=1) == labels)
        ),
        "this is the share of wrong answers": (
            lambda logits, labels: np.mean(logits.argmax(axis=1) != labels)
        ),
        "it is in percent": lambda logits, labels: 100 * accuracy(logits, labels),
    },
)
LEAKY_RELU = Exercise(
    leaky_relu_backward,
    _leaky_cases,
    "The chain rule: dx is dy times the slope of y at x. How large is that slope on either side?",
    "dy/dx is 1 where x is positive and `slope` elsewhere; np.where picks one or the other.",
    "dy * np.where(x > 0, ..., ...).",
    lesson="02b-inside-the-mlp",
    mistakes={
        "this is the forward pass, and nothing comes from dy": (
            lambda dy, x, slope: np.where(x > 0, x, slope * x)
        ),
        "it does not leak: where x is negative, dy passes times `slope`": (
            lambda dy, x, slope: dy * (x > 0)
        ),
        "the sign of dy decides; that of x should": (
            lambda dy, x, slope: dy * np.where(dy > 0, 1.0, slope)
        ),
        "both sides of zero are exchanged": lambda dy, x, slope: dy * np.where(x > 0, slope, 1.0),
        "the slope is there, but not yet multiplied with dy": (
            lambda dy, x, slope: np.where(x > 0, 1.0, slope)
        ),
        "zero counts as positive; the slope there is `slope`": (
            lambda dy, x, slope: dy * np.where(x >= 0, 1.0, slope)
        ),
    },
    numerical=_leaky_numerical,
)
