"""The attention explorer: its JavaScript computes what the package does."""

import json
import shutil

import numpy as np
import pytest
from test_javascript import node

from course import mnist
from course.attention import PatchAttention
from course.nn.losses import softmax
from course.widgets.attention_explorer import HERE, PARTS, AttentionExplorer

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
DIGITS = mnist.to_float(mnist.load().test_images[:3]).reshape(-1, 784)
# What the page gets, numbers for bytes, and `look(digit, positions)`.
PAGE = """
const [weights, options, digits] = %s;
const bytes = ({ shape, data }) => ({ shape, data: new DataView(new Float32Array(data).buffer) });
const w = Object.fromEntries(Object.entries(weights).map(([k, v]) => [k, unpack(bytes(v))]));
const all = unpack(bytes(digits));
const look = (n, positions) => {
  const image = { rows: options.height, columns: options.width, data: rowOf(all, n) };
  return lookAround(image, w, options, positions);
};
const list = ({ rows, columns, data }) => [rows, columns, Array.from(data)];
"""


def model(seed=1, **options):
    """A model whose weights are all far from where they start: normed gains are not 1."""
    made = PatchAttention(seed, **options)
    random = np.random.default_rng(seed)
    for w in made.parameters.values():
        w += random.normal(0, 0.2, w.shape)
    return made


def exact(made, digits, positions):
    """The attention of the same weights, computed in float64 by the package."""
    twin = PatchAttention(**made.config, dtype=np.float64)
    for name, w in twin.parameters.items():
        w[...] = made.parameters[name] * (positions or name != "positions")
    return twin.attention_weights(digits.astype(np.float64))


def numbers(array):
    values = np.frombuffer(array["data"], "<f4").tolist()
    return {"shape": array["shape"], "data": values}


def evaluate(widget, expression):
    """The value of a JavaScript expression in the widget's module, with `look` and `list`."""
    weights = {name: numbers(array) for name, array in widget.weights.items()}
    page = PAGE % json.dumps([weights, widget.options, numbers(widget.digits)])
    done = node(f"{AttentionExplorer._esm}\n{page}\nconsole.log(JSON.stringify({expression}))")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_array(matrix):
    rows, columns, values = matrix
    return np.reshape(values, (rows, columns))


@needs_node
@pytest.mark.parametrize("positions", [True, False])
@pytest.mark.parametrize(
    "options",
    [{}, {"residual": True, "layer_norm": True}, {"patch": 7, "d_model": 12}, {"patch": 2}],
    ids=str,
)
def test_the_page_computes_the_attention_of_the_package(options, positions):
    made = model(**options)
    wanted = exact(made, DIGITS[:2], positions)
    widget = AttentionExplorer(made, DIGITS)
    expression = f"[0, 1].map((n) => list(attentionOf(look(n, {json.dumps(positions)}).scores, 1)))"
    found = np.array([as_array(matrix) for matrix in evaluate(widget, expression)])
    assert np.abs(found - wanted).max() < 1e-6


@needs_node
def test_products_add_up_to_the_score_and_the_temperature_divides_it():
    widget = AttentionExplorer(model(), DIGITS)
    parts, scores, cool, share = evaluate(
        widget,
        "(({ query, key, scores }) => [Array.from(products(query, key, 3, 40)), list(scores), "
        "list(attentionOf(scores, 0.25)), lookedAt(rowOf(attentionOf(scores, 0.25), 3))])"
        "(look(1, true))",
    )
    scores, cool = as_array(scores), as_array(cool)
    assert len(parts) == 64
    assert np.isclose(sum(parts) / 8, scores[3, 40])
    assert np.abs(cool - softmax(scores / 0.25)).max() < 1e-6
    entropy = -(cool[3] * np.log(cool[3] + 1e-300)).sum()
    assert np.isclose(share, np.exp(entropy))


@needs_node
@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("neighbor(24, 'ArrowUp', 7, 7)", 17),
        ("neighbor(24, 'ArrowRight', 7, 7)", 25),
        ("neighbor(6, 'ArrowRight', 7, 7)", 6),  # not on the next row
        ("neighbor(45, 'ArrowDown', 7, 7)", 45),
        ("neighbor(24, 'Home', 7, 7)", 0),
        ("neighbor(24, 'End', 7, 7)", 48),
        ("neighbor(24, 'Enter', 7, 7)", None),
        ("inkiest({ rows: 4, columns: 6, data: Array(24).fill(0).with(15, 1) }, 2)", 4),
        ("lookedAt([0, 0.5, 0.5, 0])", 2),
    ],
)
def test_patches_are_found(expression, value):
    assert evaluate(AttentionExplorer(model(), DIGITS), expression) == pytest.approx(value)


@needs_node
@pytest.mark.parametrize("broken", [None, *PARTS])
def test_the_module_parses_and_an_error_in_any_part_is_found(broken):
    texts = [(HERE / name).read_text("utf-8") + ";)" * (name == broken) for name in PARTS]
    done = node("\n".join(texts), "--check")
    assert ("SyntaxError" in done.stderr) == bool(done.returncode) == bool(broken), done.stderr


def test_has_a_picture_for_pages_without_javascript_and_no_address_in_its_text():
    data, metadata = AttentionExplorer(model(), DIGITS)._repr_mimebundle_()
    assert data["image/png"].startswith("iVBOR")
    assert "looks most at" in metadata["image/png"]["alt"]
    assert data["text/plain"] == "AttentionExplorer(3 digits)"
    assert "application/vnd.jupyter.widget-view+json" in data


def test_refuses_what_the_model_would_not_read():
    with pytest.raises(ValueError, match="expected images"):
        AttentionExplorer(model(), DIGITS[:, :700])
