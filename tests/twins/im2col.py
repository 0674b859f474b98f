"""Convolution as a matrix product, of whole numbers as in `twins.cnn`: the very same sums."""

from twins.case import Case
from twins.cnn import convolutions

from course import im2col

CASES = [
    Case(im2col.convolve, convolutions().map(lambda a: a[:3])),
    Case(im2col.convolve_backward_weights, convolutions().map(lambda a: (a[0], a[1], a[3]))),
    Case(im2col.convolve_backward_input, convolutions().map(lambda a: (a[0], a[1], a[3]))),
]
WITHOUT_TWIN = {im2col.im2col: "a part of the products", im2col.col2im: "a part of the way back"}
