"""The exercises of lessons 03 and 03b."""

import numpy as np

from course.exercises import Exercise
from course.exercises.numerical import finite_differences

LESSON, APPENDIX = "03-cnn", "03b-cnn-speed"


def convolve_image(image, kernel):
    size = len(kernel)
    answer = np.zeros((image.shape[0] - size + 1, image.shape[1] - size + 1))
    for r in range(answer.shape[0]):
        for s in range(answer.shape[1]):
            answer[r, s] = (kernel * image[r : r + size, s : s + size]).sum()
    return answer


def convolution_backward(image, kernel, dy):
    rows, columns = dy.shape
    dw, dx = np.zeros(kernel.shape), np.zeros(image.shape)
    for i in range(len(kernel)):
        for j in range(len(kernel)):
            dw[i, j] = (dy * image[i : i + rows, j : j + columns]).sum()
            dx[i : i + rows, j : j + columns] += dy * kernel[i, j]
    return dw, dx


def im2col(image, size):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    corners = [(r, s) for r in range(rows) for s in range(columns)]
    return np.array([image[r : r + size, s : s + size].ravel() for r, s in corners])


def output_size(size, kernel, padding, stride):
    return (size + 2 * padding - kernel) // stride + 1


def convolution_cost(in_channels, out_channels, kernel, size):
    weights = out_channels * in_channels * kernel * kernel
    return weights + out_channels, weights * size * size


def average_pool_backward(dy):
    return dy.repeat(2, axis=2).repeat(2, axis=3) / 4


def _by_differences(forward, image, kernel, dy):
    """`convolution_backward` by finite differences of a forward pass."""
    return finite_differences(forward, image, kernel, dy=dy)[::-1]


def _pool_by_differences(forward, dy):
    """`average_pool_backward` by finite differences of a forward pass."""
    x = np.zeros((*dy.shape[:2], 2 * dy.shape[2], 2 * dy.shape[3]))
    return finite_differences(forward, x, dy=dy)[0]


IMAGE = np.array([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 2.0], [2.0, 0.0, 1.0, 4.0]])
KERNEL = np.array([[1.0, -1.0], [2.0, 0.0]])


def _images(random):
    """Pairs of an image and the size of a kernel: one by hand, some drawn, one with one place."""
    cases = [(IMAGE, 2), (random.standard_normal((3, 3)), 3)]
    for size in random.integers(2, 5, 3):
        rows, columns = random.integers(1, 6, 2)
        cases.append((random.standard_normal((size + rows, size + columns)), int(size)))
    return cases


def _windows(random):
    return [
        (image, KERNEL if image is IMAGE else random.standard_normal((size, size)))
        for image, size in _images(random)
    ]


def _windows_and_gradients(random):
    cases = []
    for image, kernel in _windows(random):
        places = np.subtract(image.shape, kernel.shape) + 1
        cases.append((image, kernel, random.integers(-3, 4, places).astype(float)))
    return cases


def _geometries(random):
    cases = [(28, 3, 0, 1), (28, 3, 1, 1), (28, 5, 2, 2), (32, 7, 3, 4), (9, 9, 0, 3)]
    for _ in range(4):
        kernel, more, padding, stride = map(int, random.integers((1, 0, 0, 1), (8, 30, 4, 5)))
        cases.append((kernel + more, kernel, padding, stride))
    return cases


def _sizes(random):
    cases = [(1, 8, 3, 28), (8, 24, 5, 14), (3, 2, 1, 10)]
    return cases + [tuple(map(int, random.integers(2, 20, 4))) for _ in range(3)]


def _pooled_gradients(random):
    cases = [(np.array([[[[4.0]]]]),), (np.array([[[[4.0, 8.0, -12.0], [1.0, 2.0, 0.0]]]]),)]
    shapes = [random.integers(2, 5, 4) for _ in range(3)]
    return cases + [(random.standard_normal(shape),) for shape in shapes]


def _last_place(image, kernel, dy):
    """`convolution_backward` with = in place of +=, and the loops over the places outside."""
    size = len(kernel)
    dw, dx = convolution_backward(image, kernel, dy)
    for (r, s), gradient in np.ndenumerate(dy):
        dx[r : r + size, s : s + size] = gradient * kernel
    return dw, dx


def _last_weight(image, kernel, dy):
    """The same with the loops over the kernel outside."""
    rows, columns = dy.shape
    dw, dx = convolution_backward(image, kernel, dy)
    for (i, j), weight in np.ndenumerate(kernel):
        dx[i : i + rows, j : j + columns] = dy * weight
    return dw, dx


def _flipped(image, kernel, dy):
    dw, dx = convolution_backward(image, kernel[::-1, ::-1], dy)
    return dw[::-1, ::-1], dx


def _mean(image, kernel, dy):
    dw, dx = convolution_backward(image, kernel, dy)
    return dw / dy.size, dx


def _only_dw(image, kernel, dy):
    return convolution_backward(image, kernel, dy)[0], np.zeros(image.shape)


CONVOLVE = Exercise(
    convolve_image,
    _windows,
    "Two loops over the places, r and s; at each the sum that you have just seen. How many places "
    "are there?",
    "The answer has image.shape[0] - len(kernel) + 1 rows, and columns likewise. Begin with "
    "np.zeros of that shape, and fill it.",
    "answer[r, s] = (kernel * image[r : r + size, s : s + size]).sum(), with size = len(kernel).",
    lesson=LESSON,
    mistakes={
        "the kernel is flipped; lay it on as it is": (
            lambda image, kernel: convolve_image(image, kernel[::-1, ::-1])
        ),
        "rows and columns of the kernel are exchanged": (
            lambda image, kernel: convolve_image(image, kernel.T)
        ),
        "the last row and the last column of places are left out": (
            lambda image, kernel: convolve_image(image, kernel)[:-1, :-1]
        ),
        "you take the mean of the products; it is their sum": (
            lambda image, kernel: convolve_image(image, kernel) / kernel.size
        ),
    },
)
BACKWARD = Exercise(
    convolution_backward,
    _windows_and_gradients,
    "The forward loops once more: r and s over the places of dy, i and j over the kernel. What is "
    "the other factor of w[i, j], and what that of the pixel?",
    "w[i, j] has met image[r + i, s + j], so dw[i, j] grows by dy[r, s] * image[r + i, s + j]. "
    "The pixel has met w[i, j]. Many steps end in the same place, so they add up: +=.",
    "In the innermost loop: dw[i, j] += dy[r, s] * image[r + i, s + j], and "
    "dx[r + i, s + j] += dy[r, s] * kernel[i, j].",
    lesson=LESSON,
    numerical=_by_differences,
    mistakes={
        "dw is right, and dx is still missing": _only_dw,
        "dw is a mean over the places; each place counts in full": _mean,
        "what arrives at a pixel overwrites what was there; it adds up: +=": _last_place,
        "a pixel keeps what the last weight has brought; it adds up: +=": _last_weight,
        "the kernel is flipped; [r + i, s + j] was met by [i, j]": _flipped,
        "dw is right, and for dx the kernel is flipped": lambda image, kernel, dy: (
            convolution_backward(image, kernel, dy)[0],
            convolution_backward(image, kernel[::-1, ::-1], dy)[1],
        ),
        "the other factor is left out; dw needs the pixels, dx the weights": (
            lambda image, kernel, dy: (
                convolution_backward(np.ones_like(image), kernel, dy)[0],
                convolution_backward(image, np.ones_like(kernel), dy)[1],
            )
        ),
    },
)
IM2COL = Exercise(
    im2col,
    _images,
    "Cut out each window as you would for the sum. How does a square of numbers become a row?",
    "image[r : r + size, s : s + size].ravel() is a row. Collect them for all places, r outside "
    "and s inside, and make an array of the list.",
    lesson=APPENDIX,
    mistakes={
        "the places are gone through column by column; reading order is row by row": (
            lambda image, size: (
                im2col(image.T, size)
                .reshape(-1, size, size)
                .transpose(0, 2, 1)
                .reshape(-1, size * size)
            )
        ),
        "each window is laid out column by column; reading order is row by row": (
            lambda image, size: (
                im2col(image, size)
                .reshape(-1, size, size)
                .transpose(0, 2, 1)
                .reshape(-1, size * size)
            )
        ),
        "windows stand in columns; each is to be a row": lambda image, size: im2col(image, size).T,
        "windows are squares still; ravel makes a row of each": (
            lambda image, size: im2col(image, size).reshape(-1, size, size)
        ),
        "the last row and the last column of places are left out": (
            lambda image, size: im2col(image[:-1, :-1], size)
        ),
    },
)
OUTPUT_SIZE = Exercise(
    output_size,
    _geometries,
    "How far can the kernel's first pixel travel within the padded image?",
    "The padded image has size + 2 * padding pixels, the way is that minus kernel. There is one "
    "place more than strides that fit into it, and half strides do not count.",
    "(...) // stride + 1, with that way in the parentheses.",
    lesson=APPENDIX,
    mistakes={
        "the place where the kernel starts is not counted": lambda n, k, p, s: (n + 2 * p - k) // s,
        "there is padding on one side only": lambda n, k, p, s: (n + p - k) // s + 1,
        "the stride is left out": lambda n, k, p, s: n + 2 * p - k + 1,
        "the 1 is added before the division; it is one place, not one pixel": (
            lambda n, k, p, s: (n + 2 * p - k + 1) // s
        ),
        "half strides are counted; // leaves them out": lambda n, k, p, s: (n + 2 * p - k) / s + 1,
    },
)
COST = Exercise(
    convolution_cost,
    _sizes,
    "Count the weights first. Then: how often is each of them used?",
    "Each output channel has a kernel for every input channel, and one bias. Each weight is used "
    "once at every pixel of the output, which is as large as the input.",
    "weights = out_channels * in_channels * kernel**2; return weights + out_channels and weights "
    "times the number of pixels.",
    lesson=APPENDIX,
    mistakes={
        "the biases are left out": lambda i, o, k, n: (i * o * k * k, i * o * k * k * n * n),
        "there is one kernel per output channel; there is one for every input channel, too": (
            lambda i, o, k, n: (o * k * k + o, o * k * k * n * n)
        ),
        "each kernel has a bias; there is one per output channel": (
            lambda i, o, k, n: (i * o * (k * k + 1), i * o * k * k * n * n)
        ),
        "every pixel has weights of its own; a convolution uses the same everywhere": (
            lambda i, o, k, n: (i * o * k * k * n * n + o, i * o * k * k * n * n)
        ),
        "the products are those of a single pixel": (
            lambda i, o, k, n: (i * o * k * k + o, i * o * k * k)
        ),
    },
)
AVERAGE_POOL = Exercise(
    average_pool_backward,
    _pooled_gradients,
    "Change one of four pixels by 1: by how much does their mean change?",
    "Each of the four pixels had a quarter of a say in the mean, so each gets a quarter of dy. "
    "np.repeat turns one pixel into two.",
    "dy.repeat(2, axis=2), then the same along axis 3, and the quarter.",
    lesson=LESSON,
    numerical=_pool_by_differences,
    mistakes={
        "all four pixels get the whole gradient, not a quarter of it": (
            lambda dy: 4 * average_pool_backward(dy)
        ),
        "each pixel gets half of the gradient, not a quarter": (
            lambda dy: 2 * average_pool_backward(dy)
        ),
        "the picture is tiled; its pixels should be repeated": (
            lambda dy: np.tile(dy, (1, 1, 2, 2)) / 4
        ),
        "each pixel is repeated in the batch; rows and columns are axes 2 and 3": (
            lambda dy: dy.repeat(2, axis=0).repeat(2, axis=1) / 4
        ),
    },
)
