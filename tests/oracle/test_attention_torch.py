"""Patch attention against PyTorch's own layers and autograd, in float64, on random weights."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.attention import PatchAttention

torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
F = torch.nn.functional


def torch_logits(x, p, patch, rows, columns, residual, layer_norm):
    """The model as its users would write it in PyTorch: feed-forward per token, then the mean."""

    def dense(x, name):
        return F.linear(x, p[f"{name}_w"].T, p[f"{name}_b"])

    def norm(x, name):
        if not layer_norm:
            return x
        return F.layer_norm(x, x.shape[-1:], p[f"{name}_gain"], p[f"{name}_bias"])

    patches = F.unfold(x.reshape(-1, 1, rows * patch, columns * patch), patch, stride=patch)
    tokens = torch.relu(dense(patches.transpose(1, 2), "patch") + p["positions"])
    head = norm(tokens, "norm1")
    attended = F.scaled_dot_product_attention(
        dense(head, "query"), dense(head, "key"), dense(head, "value")
    )
    if residual:
        attended = attended + tokens
    features = dense(torch.relu(dense(norm(attended, "norm2"), "ff1")), "ff2")
    if residual:
        features = features + attended
    return dense(features.mean(dim=1), "classifier")


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    batch=st.integers(1, 6),
    patch=st.integers(1, 4),
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    d_model=st.integers(2, 12),
    d_ff=st.integers(1, 12),
    residual=st.booleans(),
    layer_norm=st.booleans(),
)
def test_logits_loss_and_every_gradient(
    seed, batch, patch, rows, columns, d_model, d_ff, residual, layer_norm
):
    model = PatchAttention(
        seed,
        rows * patch,
        columns * patch,
        patch,
        d_model,
        d_ff,
        outputs=5,
        residual=residual,
        layer_norm=layer_norm,
        dtype=np.float64,
    )
    random = np.random.default_rng(seed)
    for parameter in model.parameters.values():
        parameter += 0.3 * random.standard_normal(parameter.shape)
    x, y = random.random((batch, rows * columns * patch**2)), random.integers(0, 5, batch)

    tensors = {
        name: torch.tensor(w, requires_grad=True)
        for name, w in (model.parameters | {"x": x}).items()
    }
    logits = torch_logits(tensors["x"], tensors, patch, rows, columns, residual, layer_norm)
    expected_loss = F.cross_entropy(logits, torch.from_numpy(y))
    # retain_graph: the same graph goes back a second time, from other dlogits, below
    expected_loss.backward(retain_graph=True)

    loss, _ = model.loss_and_gradients(x, y)
    assert np.isclose(loss, expected_loss.item(), rtol=1e-12)
    for name, gradient in model.gradients.items():
        assert close(gradient, tensors[name].grad), name

    dlogits = random.standard_normal(logits.shape)
    for tensor in tensors.values():
        tensor.grad = None
    logits.backward(torch.from_numpy(dlogits))
    assert close(model.forward(x), logits)
    assert close(model.backward(dlogits), tensors["x"].grad)
    for name, gradient in model.gradients.items():
        assert close(gradient, tensors[name].grad), name


def close(ours, theirs):
    return np.allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-12)
