"""The exercise of lesson 10b."""

import numpy as np

from course.exercises import Exercise


def state_dict(parameters):
    kinds = {"w": "weight", "b": "bias"}
    state = {}
    for name, array in parameters.items():
        layer, kind = name.split(".")
        state[f"{layer}.{kinds[kind]}"] = array.T.copy()  # of one axis, .T is the same
    return state


def _networks(random):
    by_hand = {"output.w": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), "output.b": np.ones(3)}
    cases = [(by_hand,)]
    for _ in range(3):
        inputs, hidden, outputs = random.integers(2, 7, 3)
        sizes = {"hidden": (inputs, hidden), "output": (hidden, outputs)}
        drawn = {}
        for layer, shape in sizes.items():
            drawn[f"{layer}.w"] = random.standard_normal(shape)
            drawn[f"{layer}.b"] = random.standard_normal(shape[1])
        cases.append((drawn,))
    return cases


def _renamed(turn=lambda array: array.T.copy(), rename=str):
    """A `state_dict` that turns and renames in another way."""

    def attempt(parameters):
        right = zip(state_dict(parameters), parameters.values(), strict=True)
        return {rename(name): turn(array) for name, array in right}

    return attempt


STATE_DICT = Exercise(
    state_dict,
    _networks,
    'Two things: "hidden.w" becomes "hidden.weight", and (inputs, outputs) becomes (outputs, '
    "inputs).",
    "name.split('.') parts the layer from the kind. A transposed array is array.T, which leaves a "
    "bias as it is.",
    "return {name.replace('.w', '.weight').replace('.b', '.bias'): array.T.copy() for name, array "
    "in parameters.items()}.",
    lesson="10b-pytorch",
    mistakes={
        "the weights are not transposed": _renamed(turn=np.copy),
        "the weights are reshaped and not transposed: each number lands elsewhere": _renamed(
            turn=lambda array: array.reshape(array.shape[::-1])
        ),
        "the names are still the course's": _renamed(
            rename=lambda name: name.replace("weight", "w").replace("bias", "b")
        ),
        "the name of the layer is lost": _renamed(rename=lambda name: name.split(".")[1]),
        "the biases have become rows; they keep their one axis": _renamed(
            turn=lambda array: np.atleast_2d(array.T).copy()
        ),
    },
)
