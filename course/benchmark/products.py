"""The arithmetic of one training step of each model, as matrix products.

Each product is (m, k, n, trans_a, trans_b): op(a) is m x k, op(b) is k x n. The backward pass of
y = x w has two, dx = dy w^T and dw = x^T dy; the first layer of a network needs no dx.
"""


def dense(rows, inputs, outputs, first=False):
    """List the products of a dense layer for `rows` rows: forward, dw and, unless first, dx."""
    forward = (rows, inputs, outputs, False, False)
    dw = (inputs, rows, outputs, True, False)
    dx = (rows, outputs, inputs, False, True)
    return [forward, dw] if first else [forward, dw, dx]


def mlp(batch):
    """784 -> 512 -> 10."""
    return dense(batch, 784, 512, first=True) + dense(batch, 512, 10)


def cnn(batch):
    """The convolution as a product of all 3x3 windows (one a row) with the kernels (columns)."""
    return dense(batch * 28 * 28, 9, 8, first=True) + dense(batch, 8 * 14 * 14, 10)


def attention(batch, tokens=49, d_model=64, d_ff=128):
    """All dense layers over all tokens at once, the two products of the head image by image."""
    rows = batch * tokens
    scores = [(tokens, d_model, tokens, False, True)] + 2 * [
        (tokens, tokens, d_model, False, False)  # dquery, dkey
    ]
    mixture = [
        (tokens, tokens, d_model, False, False),
        (tokens, tokens, d_model, True, False),  # dvalue
        (tokens, d_model, tokens, False, True),  # dattention
    ]
    layers = dense(rows, 16, d_model, first=True) + 3 * dense(rows, d_model, d_model)
    layers += dense(rows, d_model, d_ff) + dense(rows, d_ff, d_model) + dense(batch, d_model, 10)
    return layers + batch * (scores + mixture)


def xor(batch):
    """2 -> 4 -> 1."""
    return dense(batch, 2, 4, first=True) + dense(batch, 4, 1)


PRODUCTS = {"mlp": mlp, "cnn": cnn, "attention": attention, "xor": xor}
