"""Patch attention: every gradient, the plain versions, and what a caller may do wrong."""

import numpy as np
import pytest

from course.attention import PatchAttention, Weights, image, reference
from course.attention import model as attention_model
from course.nn.gradcheck import check_gradients, relative_error
from course.nn.losses import SoftmaxCrossEntropy
from course.nn.optimizers import SGD, Adam
from course.nn.rng import SimpleRng, xavier_uniform
from course.nn.training import Trainer

SMALL = {"height": 8, "width": 12, "d_model": 6, "d_ff": 10, "outputs": 4}  # 6 tokens of 16 pixels
VARIANTS = [
    {"residual": residual, "layer_norm": layer_norm}
    for residual in (False, True)
    for layer_norm in (False, True)
]
POSITIONS = ["sinusoidal", "random_small", "random_large", "xavier", "zero"]


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def digits(batch, pixels=96, seed=1):
    """Images in [0, 1] (batch, pixels) and labels (batch,) below 4."""
    random = np.random.default_rng(seed)
    return random.random((batch, pixels)), random.integers(0, 4, batch)


def small(dtype=np.float64, **options):
    """A small model in which no weight is at its first value, where biases would all be zero."""
    model = PatchAttention(**SMALL | options, dtype=dtype)
    for seed, parameter in enumerate(model.parameters.values()):
        parameter += 0.1 * numbers(*parameter.shape, seed=seed).astype(dtype)
    return model


def gradients(model, x, y):
    """The mean loss and copies of all gradients, by the model's fused step."""
    loss, _ = model.loss_and_gradients(x, y)
    return loss, {name: gradient.copy() for name, gradient in model.gradients.items()}


# The gradients


@pytest.mark.parametrize("options", VARIANTS)
def test_every_gradient_against_finite_differences(options):
    x, y = digits(5)
    errors = check_gradients(small(**options), x, y, SoftmaxCrossEntropy())
    assert errors.keys() == small(**options).parameters.keys() | {"x"}
    assert max(errors.values()) <= 1e-6


@pytest.mark.parametrize("positions", POSITIONS)
def test_gradients_at_the_first_weights(positions):
    x, y = digits(3)
    model = PatchAttention(**SMALL, positions=positions, dtype=np.float64)
    assert max(check_gradients(model, x, y, SoftmaxCrossEntropy()).values()) <= 1e-6


def test_gradients_with_other_sizes_of_image_and_patch():
    x, y = digits(4, pixels=9 * 6)
    model = small(height=9, width=6, patch=3, d_model=5, d_ff=3)
    assert max(check_gradients(model, x, y, SoftmaxCrossEntropy()).values()) <= 1e-6


def test_the_key_bias_changes_nothing():
    # It adds query_i . b to every score of row i alike, and softmax ignores what a row has in
    # common: its gradient is zero but for rounding.
    x, y = digits(5)
    model = small()
    _, g = gradients(model, x, y)
    assert np.abs(g["key_b"]).max() < 1e-15 < 1e-4 < np.abs(g["query_b"]).max()
    before = model.forward(x)
    model.parameters["key_b"] += numbers(6)
    assert np.allclose(model.forward(x), before, rtol=1e-12)


@pytest.mark.parametrize("options", VARIANTS)
def test_the_fused_step_gives_what_forward_loss_and_backward_give(options):
    x, y = digits(7)
    model = small(**options)
    loss, fused = gradients(model, x, y)
    logits = model.forward(x)
    expected_loss, dlogits = SoftmaxCrossEntropy()(logits, y)
    model.backward(dlogits)
    assert abs(loss - expected_loss) < 1e-14
    for name, gradient in model.gradients.items():
        assert np.allclose(fused[name], gradient, rtol=1e-12, atol=1e-15), name
    _, correct = model.loss_and_gradients(x, y)
    assert correct == (logits.argmax(axis=1) == y).sum()


def test_gradients_are_written_over_and_in_place():
    x, y = digits(5)
    model = small()
    arrays = dict(model.gradients)
    _, first = gradients(model, x, y)
    _, again = gradients(model, x, y)
    assert all(model.gradients[name] is array for name, array in arrays.items())
    assert all(np.array_equal(first[name], again[name]) for name in first)


@pytest.mark.parametrize("batch", [1, 2, 3, 8])
def test_a_batch_has_the_mean_of_its_images_gradients(batch):
    x, y = digits(batch)
    model = small()
    loss, together = gradients(model, x, y)
    alone = [gradients(model, x[n : n + 1], y[n : n + 1]) for n in range(batch)]
    assert np.isclose(loss, np.mean([one_loss for one_loss, _ in alone]), rtol=1e-14)
    for name, gradient in together.items():
        mean = np.mean([g[name] for _, g in alone], axis=0)
        assert np.allclose(gradient, mean, rtol=1e-11, atol=1e-15), name


# The plain versions


def test_the_model_is_the_one_written_in_numpy():
    x, y = digits(5)
    model = small()
    logits, tensors = reference.forward(x.reshape(-1, 8, 12), model.weights)
    assert np.allclose(model.forward(x), logits, rtol=1e-12)
    assert np.allclose(model.attention_weights(x), tensors[5], rtol=1e-12)
    loss, dlogits = SoftmaxCrossEntropy()(logits, y)
    expected = reference.backward(dlogits, model.weights, tensors)
    found_loss, found = gradients(model, x, y)
    assert np.isclose(found_loss, loss, rtol=1e-14)
    for name, gradient in found.items():
        assert np.allclose(gradient, getattr(expected, name), rtol=1e-11, atol=1e-15), name


def test_every_rung_of_the_ladder_computes_the_same_head():
    # A number of `attended` has gone through sums of d_model, d_model and `tokens` products, each
    # rounded once or twice; terms are of size 1, and 1e-5 is some 80 units in the last place.
    tokens, d_model = 9, 8
    w = small(np.float32, height=12, width=12, d_model=d_model).weights
    x = numbers(tokens, d_model).astype(np.float32)
    expected = reference.head_numpy(*in_float64(x, w))
    rungs = {
        "python": reference.head_textbook.py_func,
        "numpy": reference.head_numpy,
        "textbook": reference.head_textbook,
        "ordered": reference.head_ordered,
        "blas": lambda x, w: image.attention_head(x, w)[0],
    }
    for name, head in rungs.items():
        assert np.abs(head(x, w) - expected).max() < 1e-5, name
    ordered_in_python = reference.head_ordered.py_func(x, w)
    assert np.abs(ordered_in_python - expected).max() < 1e-5


def in_float64(x, w):
    return x.astype(np.float64), Weights(*(array.astype(np.float64) for array in w))


class Doubled(SoftmaxCrossEntropy):
    """A loss of somebody's own."""

    def __call__(self, logits, labels):
        loss, dlogits = super().__call__(logits, labels)
        return 2 * loss, 2 * dlogits


def test_the_fused_way_is_taken_only_for_the_loss_that_it_was_written_for():
    x, y = digits(6)
    losses, moved = {}, {}
    for loss_fn in (SoftmaxCrossEntropy(), Doubled()):
        model = small()
        before = model.parameters["patch_w"].copy()
        trainer = Trainer(model, SGD(model), lambda epoch: 0.1, loss_fn=loss_fn)
        losses[type(loss_fn)] = trainer.train_batch(x, y, 0.1)
        moved[type(loss_fn)] = model.parameters["patch_w"] - before
    assert losses[Doubled] == pytest.approx(2 * losses[SoftmaxCrossEntropy], rel=1e-12)
    assert np.allclose(moved[Doubled], 2 * moved[SoftmaxCrossEntropy], rtol=1e-6, atol=1e-15)


@pytest.fixture
def uncompiled(monkeypatch):
    """Replace every compiled function of the model by the Python function it was made from."""
    for module in (image, attention_model):
        for name, value in vars(module).items():
            if hasattr(value, "py_func"):
                monkeypatch.setattr(module, name, value.py_func)


@pytest.fixture
def compiled_results():
    return {str(options): results(options) for options in VARIANTS}


def results(options):
    x, y = digits(3)
    model = small(**options)
    loss, g = gradients(model, x, y)
    logits = model.forward(x)
    dx = model.backward(numbers(3, 4))
    return [loss, logits, dx, model.attention_weights(x), *g.values(), *model.gradients.values()]


def test_what_trains_is_what_can_be_read(compiled_results, uncompiled):
    assert not hasattr(image.forward_image, "py_func")  # nothing below is compiled
    for options in VARIANTS:
        for compiled, plain in zip(compiled_results[str(options)], results(options), strict=True):
            assert np.allclose(compiled, plain, rtol=1e-10, atol=1e-14)


def test_patches_are_cut_row_by_row_and_can_be_put_back():
    pixels = np.arange(24.0).reshape(4, 6)
    patches = image.cut_patches(pixels, 2)
    assert patches.shape == (6, 4)
    assert patches[1].tolist() == [2, 3, 8, 9]
    assert patches[3].tolist() == [12, 13, 18, 19]
    back = np.zeros_like(pixels)
    image.paste_patches(patches, back, 2)
    assert np.array_equal(back, pixels)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_of_scores_that_would_overflow(dtype):
    scores = np.array([[1e4, 1e4, -1e4], [-1e4, 0, 1e4]], dtype)
    image.softmax_rows(scores, dtype(1))
    assert np.allclose(scores, [[0.5, 0.5, 0], [0, 0, 1]])


def test_layer_norm_of_large_and_small_rows():
    """The 1e-5 keeps a row that hardly varies from being blown up, and one that does not finite."""
    x = np.outer([1e3, 1, 1e-3, 0], [1.0, 2, 4, 9]) + 5
    deviation = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    unit, rate = image.normalize(x)
    assert np.allclose(unit, (x - x.mean(axis=1, keepdims=True)) / deviation, rtol=1e-9)
    assert np.allclose(rate, 1 / deviation[:, 0], rtol=1e-9)
    gain, bias = numbers(4, seed=1), numbers(4, seed=2)
    assert np.allclose(image.layer_norm(x, gain, bias), gain * unit + bias, rtol=1e-12)


@pytest.mark.parametrize("largest", range(4))
def test_the_loss_of_one_image_is_its_share_of_the_batchs_and_the_guess_is_the_largest(largest):
    logits = numbers(1, 4)
    logits[0, largest] = 3
    for label in range(4):
        loss, dlogits, guess = image.cross_entropy(logits, label, 5)
        expected_loss, expected = SoftmaxCrossEntropy()(logits, np.array([label]))
        assert guess == largest and loss == pytest.approx(expected_loss, rel=1e-12)
        assert np.allclose(dlogits, expected / 5, rtol=1e-12, atol=1e-15)


# The weights


def test_parameters_stand_in_the_order_of_the_rust_programs_file():
    model = PatchAttention()
    assert {name: w.shape for name, w in model.parameters.items()} == {
        "patch_w": (16, 64),
        "patch_b": (64,),
        "positions": (49, 64),
        "query_w": (64, 64),
        "query_b": (64,),
        "key_w": (64, 64),
        "key_b": (64,),
        "value_w": (64, 64),
        "value_b": (64,),
        "ff1_w": (64, 128),
        "ff1_b": (128,),
        "ff2_w": (128, 64),
        "ff2_b": (64,),
        "classifier_w": (64, 10),
        "classifier_b": (10,),
    }
    order = list(model.parameters)
    assert order == [name for name in Weights._fields if not name.startswith("norm")]
    assert {name: g.shape for name, g in model.gradients.items()} == {
        name: w.shape for name, w in model.parameters.items()
    }
    normed = PatchAttention(layer_norm=True).parameters
    assert normed.keys() - model.parameters.keys() == {
        "norm1_gain",
        "norm1_bias",
        "norm2_gain",
        "norm2_bias",
    }


def test_weights_are_drawn_in_layer_order():
    model, rng = PatchAttention(seed=5, positions="random_small", layer_norm=True), SimpleRng(5)
    for name, w in model.parameters.items():
        if name == "positions":
            expected = rng.uniform(-0.1, 0.1, (49, 64))
        elif name.endswith("_w"):
            expected = xavier_uniform(rng, *w.shape, w.shape)
        else:
            expected = np.full(w.shape, name.endswith("gain"), np.float32)
        assert np.array_equal(w, expected), name


def test_positions_start_as_their_option_says():
    start = {p: PatchAttention(positions=p).parameters["positions"] for p in POSITIONS}
    assert not start["zero"].any()
    xavier_limit = np.sqrt(6 / (49 + 64))
    for name, limit in [("random_small", 0.1), ("random_large", 0.5), ("xavier", xavier_limit)]:
        assert 0.99 * limit < np.abs(start[name]).max() <= 1.000001 * limit
        assert np.abs(start[name].mean()) < 0.03 * limit  # 3136 draws: 3 standard errors
    for token in (0, 1, 48):
        for i in range(32):
            angle = token / 10_000 ** (2 * i / 64)
            expected = [np.sin(angle), np.cos(angle)]
            assert np.allclose(start["sinusoidal"][token, 2 * i : 2 * i + 2], expected, atol=1e-6)


def test_without_positions_the_order_of_the_patches_does_not_matter():
    x, _ = digits(2)
    shuffled = x.copy().reshape(2, 2, 4, 3, 4)[:, ::-1].reshape(2, 96)  # the two rows of patches
    blind = PatchAttention(**SMALL, positions="zero", dtype=np.float64)
    assert np.allclose(blind.forward(x), blind.forward(shuffled), rtol=1e-12)
    sighted = PatchAttention(**SMALL, positions="sinusoidal", dtype=np.float64)
    assert not np.allclose(sighted.forward(x), sighted.forward(shuffled), rtol=1e-3)


# Precision, reproducibility, training


def test_float32_is_as_close_to_float64_as_rounding_allows():
    # In the full model a logit has gone through sums of 16, 64, 64, 49, 64, 49, 128 and 64 terms
    # one after the other: some 500 roundings by up to 6e-8, and as many on the way back. They have
    # either sign, so that n of them add up to about sqrt(n) (Higham & Mary, "A New Approach to
    # Probabilistic Rounding Error Analysis", 2019). Allowed is twice that.
    forward, there_and_back = 2 * 500**0.5 * 6e-8, 2 * 1000**0.5 * 6e-8
    single, double = PatchAttention(seed=2), PatchAttention(seed=2, dtype=np.float64)
    random = np.random.default_rng(3)
    x, y = random.random((16, 784)), random.integers(0, 10, 16)
    assert relative_error(single.forward(x), double.forward(x)) < forward
    loss, found = gradients(single, x, y)
    expected_loss, expected = gradients(double, x, y)
    assert abs(loss - expected_loss) < forward * expected_loss
    for name in found.keys() - {"key_b"}:  # which is nothing but rounding
        assert found[name].dtype == np.float32
        assert relative_error(found[name], expected[name]) < there_and_back, name


def train(steps, seed=1):
    """Train the full model on 64 images that show bars; return losses and weights."""
    random = np.random.default_rng(4)
    y = np.arange(64) % 4
    x = 0.2 * random.random((64, 28, 28), np.float32)
    for digit, label in zip(x, y, strict=True):
        digit[7 * label : 7 * label + 4] += 0.8
    model = PatchAttention(seed=seed)
    optimizer = Adam(model)
    losses = []
    for step in range(steps):
        part = slice(32 * (step % 2), 32 * (step % 2) + 32)
        losses.append(model.loss_and_gradients(x[part].reshape(32, 784), y[part])[0])
        optimizer.step(0.003)
    return losses, model.parameters


def test_same_seed_same_bits():
    losses, weights = train(6)
    again, same = train(6)
    assert losses == again
    assert all(np.array_equal(weights[name], same[name]) for name in weights)
    other, _ = train(6, seed=2)
    assert losses != other


def test_it_learns():
    losses, _ = train(60)
    assert losses[0] > 1.5
    assert max(losses[-4:]) < 0.1


# What a caller may do


def test_both_shapes_of_a_batch_and_any_kind_of_array():
    model = PatchAttention()
    x = np.random.default_rng(0).random((3, 784)).astype(np.float32)
    expected = model.forward(x)
    assert expected.shape == (3, 10) and expected.dtype == np.float32
    assert np.array_equal(model.forward(x.reshape(3, 1, 28, 28)), expected)
    assert model.backward(expected).shape == (3, 1, 28, 28)
    read_only = x.copy()
    read_only.flags.writeable = False
    for same in (x.astype(np.float64), read_only, np.asfortranarray(x)):
        assert np.array_equal(model.forward(same), expected)
        assert model.backward(expected).shape == (3, 784)


def test_attention_is_shared_out_completely():
    model = PatchAttention()
    x = np.random.default_rng(0).random((5, 784))
    shares = model.attention_weights(x)
    assert shares.shape == (5, 49, 49)
    assert (shares > 0).all()
    assert np.abs(shares.sum(axis=2) - 1).max() < 49 * 6e-8  # 49 roundings


def test_the_fused_step_notices_a_loss_that_is_not_finite():
    model = small()
    model.parameters["classifier_b"][0] = np.nan
    x, y = digits(3)
    assert np.isnan(model.loss_and_gradients(x, y)[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch": 5}, "28x28 pixels cannot be cut into 5x5 patches"),
        ({"positions": "learned"}, "unknown positions 'learned': use one of sinusoidal, random_"),
        ({"d_model": 0}, "at least 1"),
        ({"patch": 0}, "at least 1"),
    ],
)
def test_models_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        PatchAttention(**options)


@pytest.mark.parametrize("shape", [(0, 96), (3, 95), (96,), (3, 8, 12), (3, 1, 12, 8)])
def test_batches_that_cannot_be(shape):
    with pytest.raises(ValueError, match=r"expected images \(batch, 96\) or \(batch, 1, 8, 12\)"):
        small().forward(np.zeros(shape))


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 3], [0, 1, 4], [0, 1, -1]])
def test_labels_that_cannot_be(labels):
    with pytest.raises(ValueError, match="expected 3 labels, each from 0 to 3"):
        small().loss_and_gradients(digits(3)[0], np.array(labels))
