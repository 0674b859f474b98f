"""A kernel over a digit of one's own: point at a number and see where it comes from.

All arithmetic is done in the page (`kernel_hover_arithmetic.js`), from what the traits hold: there
the widget works without a kernel, too.
"""

from base64 import b64encode
from pathlib import Path

import anywidget
import numpy as np
from traitlets import Dict, Unicode

from course import plots
from course.cnn import CNN, convolve_numpy, pad
from course.nn.errors import CourseError
from course.widgets.without_kernel import WithoutKernel

HERE = Path(__file__).parent
PARTS = (
    "common.js",
    "kernel_hover_arithmetic.js",
    "kernel_hover_pictures.js",
    "kernel_hover.js",
)
KEYS = ("names", "kernels", "biases", "w", "b")


class KernelHoverError(CourseError, ValueError):
    """What was given cannot be shown; the message says what can."""


class KernelHover(WithoutKernel, anywidget.AnyWidget):
    """Shows what kernels answer at each place of a digit, and all layers of a small CNN.

    Args:
        network: a `course.cnn.CNN`, or a dict of name and kernel (3, 3), shown without what
            follows the convolution in a network.
        digits: (count, 28, 28) or (count, 1, 28, 28) in [0, 1], at least one, to choose from.

    Raises KernelHoverError.
    """

    _esm = "\n".join((HERE / name).read_text("utf-8") for name in PARTS)
    _css = HERE / "kernel_hover.css"

    # names, and base64 of float32: kernels (channels, 3, 3), biases (channels,), w (features,
    # outputs), b (outputs,); the last two are empty where there are kernels alone
    network = Dict().tag(sync=True)
    digits = Unicode().tag(sync=True)  # base64 of uint8, (count, 28, 28)

    def __init__(self, network, digits):
        digits = np.asarray(digits, np.float32)
        if not digits.size or digits.size % 784 or digits.min() < 0 or digits.max() > 1:
            raise KernelHoverError("`digits` must be pictures of 28 x 28 pixels from 0 to 1.")
        self.pictures = digits.reshape(-1, 28, 28)
        self.names, arrays = parts_of(network)
        self.kernels = arrays[0]
        packed_arrays = [packed(array, "<f4") for array in arrays]
        super().__init__(
            network=dict(zip(KEYS, (self.names, *packed_arrays), strict=True)),
            digits=packed(np.rint(255 * self.pictures), "u1"),
        )

    def __repr__(self):
        return f"KernelHover({len(self.names)} kernels, {len(self.pictures)} digits)"

    def _repr_mimebundle_(self, **options):
        """The live widget, with a still picture for where it cannot be shown."""
        data, metadata = super()._repr_mimebundle_(**options)
        image = pad(self.pictures[:1, None], 1)
        answer = convolve_numpy(image, self.kernels[:1, None], np.zeros(1, np.float32))
        strongest = np.unravel_index(np.abs(answer[0, 0]).argmax(), answer.shape[2:])
        figure = plots.convolution(image[0, 0], self.kernels[0], answer[0, 0], at=strongest)
        picture, described = figure._repr_mimebundle_()
        return data | picture | {"text/plain": repr(self)}, metadata | described


def parts_of(network):
    """Return names and (kernels (channels, 3, 3), biases, w, b) of a CNN, or of kernels by name."""
    if isinstance(network, CNN):
        kernels, *others = network.parameters.values()
        return [f"kernel {k + 1}" for k in range(len(kernels))], (kernels[:, 0], *others)
    kernels = [np.asarray(kernel, np.float32) for kernel in dict(network).values()]
    if not kernels or {kernel.shape for kernel in kernels} != {(3, 3)}:
        raise KernelHoverError("`network` must be a CNN, or kernels of 3 x 3 numbers by name.")
    return [*network], (np.array(kernels), np.zeros(len(kernels)), np.zeros(0), np.zeros(0))


def packed(array, dtype):
    """The bytes of an array in base64, for JavaScript's `unpack`."""
    return b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
