"""Lesson 05: backpropagation through a small network, one number at a time, and its training.

Everything that the page computes it computes by itself (the four .js files), so that the stepper
lives on in pages that have no kernel.
"""

from pathlib import Path

import anywidget
from traitlets import Bool, Float, Int, List

from course.diagrams.xor import xor_network
from course.widgets.without_kernel import WithoutKernel
from course.xor import INPUTS

HERE = Path(__file__).parent
PARTS = (
    "common.js",
    "backprop_network.js",
    "backprop_graph.js",
    "backprop_training.js",
    "backprop_stepper.js",
)


class BackpropStepper(WithoutKernel, anywidget.AnyWidget):
    """Step through one step of training, forward and back; then let the network train.

    Args:
        model: a `course.xor.XOR`, whose weights the page begins with; it does not change them.
        learning_rate: of the update, and of training.
        case: which line of `course.xor.INPUTS` to begin with, 0 to 3.
        asks: whether to ask what a gradient will be before it is shown.
        seed: what the field for new starts shows at first.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "backprop_stepper.css"

    network = List(Float()).tag(sync=True)  # all parameters, one after the other
    learning_rate = Float().tag(sync=True)
    case = Int().tag(sync=True)
    asks = Bool().tag(sync=True)
    seed = Int().tag(sync=True)

    def __init__(self, model, learning_rate=0.5, case=1, asks=True, seed=1):
        network = [float(n) for array in model.parameters.values() for n in array.flat]
        super().__init__(
            network=network, learning_rate=learning_rate, case=case, asks=asks, seed=seed
        )

        self._still = xor_network(model.parameters, inputs=INPUTS[case])

    def __repr__(self):
        return f"BackpropStepper({len(self.network)} numbers)"

    def _repr_mimebundle_(self, **kwargs):
        """The live widget, with a picture of the network for where nothing runs (GitHub, paper)."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return self._still._repr_mimebundle_() | data | {"text/plain": repr(self)}, metadata
