"""The recognizer without a browser: traits and messages are set as the page would set them."""

import asyncio
import io
import math
import threading
from base64 import b64decode
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from traitlets import TraitError

from course import idx, mnist, models
from course.cnn import CNN
from course.mlp import MLP
from course.models import pretrained
from course.nn.layers import Dense, Sequential
from course.nn.losses import softmax
from course.nn.recipe import Recipe
from course.nn.rng import SimpleRng
from course.recognizer import fallback, insight, tuning
from course.recognizer import widget as widget_module
from course.recognizer.collection import HALVES, Collection
from course.recognizer.pictures import PictureError
from course.recognizer.preprocess import EmptyDrawingError
from course.recognizer.reading import packed
from course.recognizer.strokes import draw_digit, paste_digit
from course.recognizer.tuning import accuracy
from course.recognizer.widget import Recognizer


class Linear(Sequential):
    """The least that the recognizer takes for a model."""

    def __init__(self):
        super().__init__(output=Dense(784, 10, SimpleRng(1)))


@pytest.fixture(scope="module")
def digits():
    return mnist.load(mnist.CLONE_DATA / "sample")


@pytest.fixture(scope="module")
def weights(digits):
    """A linear model's weights, trained on the sample: about nine of ten digits are read right."""
    model = Linear()
    recipe = Recipe(epochs=5, optimizer="momentum", learning_rate=0.05, validation_split=0.0)
    x = mnist.to_float(digits.train_images).reshape(-1, 784)
    recipe.trainer(model).fit(x, digits.train_labels)
    return model.parameters


@pytest.fixture
def linear(weights):
    model = Linear()
    for name, array in weights.items():
        model.parameters[name][...] = array
    return model


@pytest.fixture
def recognizer(linear, tmp_path):
    return Recognizer({"linear": linear}, folder=tmp_path)


def strokes(label=3, seed=1):
    return draw_digit(label, np.random.default_rng(seed), size=200, brush=20)


def page_draws(recognizer, drawing, request):
    """What the page does at pen-up: one message for all that changed."""
    recognizer.set_state({"request": request, "strokes": drawing})


def page_asks(recognizer, action, request, buffers=(), **details):
    content = {"action": action, "request": request, **details}
    recognizer._handle_custom_msg(content, list(buffers))


def png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


# Reading


def test_a_drawing_is_read_and_answered(recognizer):
    page_draws(recognizer, strokes(3), request=7)
    assert recognizer.answered == 7 and recognizer.error == ""
    reading = recognizer.result["models"]["linear"]
    assert reading["digit"] == 3
    assert sum(reading["probabilities"]) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(recognizer.predictions["linear"], reading["probabilities"])
    assert [step["shape"] for step in recognizer.result["steps"]][2] == (28, 28)
    for step in recognizer.result["steps"]:
        assert len(step["pixels"]) == np.prod(step["shape"])


def test_digits_pasted_anywhere_are_read_like_the_digits_themselves(recognizer, linear, digits):
    rng = np.random.default_rng(0)
    same = 0
    for image in digits.test_images[::10]:
        recognizer.picture = paste_digit(image, rng).tobytes()
        expected = linear.forward(mnist.to_float(image).reshape(1, 784)).argmax()
        same += recognizer.result["models"]["linear"]["digit"] == expected
    assert same >= 90, "of 100"


def test_one_message_is_read_once(recognizer, monkeypatch):
    reads = []
    monkeypatch.setattr(recognizer, "_read", lambda: reads.append(recognizer.request))
    page_draws(recognizer, strokes(), request=1)
    page_draws(recognizer, strokes(label=4), request=2)
    recognizer.set_state({"request": 3})  # nothing has changed, but an answer is due
    assert reads == [1, 2, 3] and recognizer.answered == 3


def test_strokes_set_in_python_are_read_too(recognizer):
    recognizer.strokes = strokes(7)
    assert recognizer.result["models"]["linear"]["digit"] == 7
    recognizer.strokes = []
    assert recognizer.result["models"] == {} and recognizer.steps is None


def test_an_empty_canvas_is_no_error(recognizer):
    page_draws(recognizer, strokes(), request=1)
    page_draws(recognizer, [], request=2)
    assert (recognizer.answered, recognizer.error, recognizer.result["steps"]) == (2, "", [])
    assert recognizer.predictions == {}


def test_ink_that_was_erased_again_is_an_empty_canvas(recognizer):
    line = {"points": [[50, 50], [200, 50]], "width": 10}
    page_draws(recognizer, [line, line | {"width": 40, "erase": True}], request=1)
    assert recognizer.error == "" and recognizer.result["steps"] == []


def test_binary_traits_take_what_the_page_sends(recognizer, digits):
    canvas = paste_digit(digits.test_images[0], np.random.default_rng(0))
    recognizer.set_state({"request": 1, "picture": memoryview(canvas.tobytes())})
    assert recognizer.error == ""
    np.testing.assert_array_equal(recognizer.drawing, canvas)


# Failures are seen


def test_models_that_are_missing_say_so_before_anything_is_drawn(linear, tmp_path):
    why = FileNotFoundError("cnn.safetensors is not there")
    recognizer = Recognizer({"linear": linear, "mlp": None, "cnn": why}, folder=tmp_path)
    missing = {name: reading["error"] for name, reading in recognizer.result["models"].items()}
    assert missing == {"mlp": "This model is not there yet: train it first.", "cnn": str(why)}
    page_draws(recognizer, strokes(3), request=1)
    assert recognizer.result["models"]["linear"]["digit"] == 3
    assert recognizer.result["models"]["cnn"]["error"] == str(why)
    assert recognizer.error == ""


def test_without_models_it_is_those_of_the_course(monkeypatch, linear, tmp_path):
    monkeypatch.setattr(pretrained, "load_all", lambda: {"mlp": linear})
    recognizer = Recognizer(folder=tmp_path)
    assert recognizer.names == ["mlp"] and recognizer.models["mlp"] is linear


def test_a_learners_checkpoint_can_be_chosen_by_its_path(linear, tmp_path):
    models.save(tmp_path / "run.safetensors", CNN(3))
    (tmp_path / "text").write_text("once upon a time")
    paths = {"cnn": tmp_path / "run.safetensors", "b": tmp_path / "text", "c": str(tmp_path / "no")}
    recognizer = Recognizer({"linear": linear} | paths, strokes(3), folder=tmp_path / "mine")
    readings = recognizer.result["models"]
    np.testing.assert_array_equal(
        recognizer.predictions["cnn"], softmax(CNN(3).forward(recognizer.steps.x))[0]
    )
    assert readings["cnn"]["look"]["shape"] == (8, 28, 28)
    assert "no readable checkpoint" in readings["b"]["error"]
    assert "there is no such file" in readings["c"]["error"]


def test_a_model_that_fails_does_not_stop_the_others(recognizer, linear):
    class Broken:
        def forward(self, x):
            raise ZeroDivisionError("made to fail")

    recognizer.models["broken"] = Broken()
    page_draws(recognizer, strokes(3), request=1)
    assert recognizer.result["models"]["broken"] == {"error": "ZeroDivisionError: made to fail"}
    assert recognizer.result["models"]["linear"]["digit"] == 3
    assert "ZeroDivisionError" in recognizer.traceback


def test_a_look_that_fails_does_not_hide_the_reading(linear, tmp_path):
    def look(model, x, digit):
        raise RuntimeError("nothing to see")

    recognizer = Recognizer({"linear": linear}, strokes(3), {"linear": look}, tmp_path)
    reading = recognizer.result["models"]["linear"]
    assert reading["digit"] == 3 and reading["error"] == "RuntimeError: nothing to see"


def test_an_exception_anywhere_reaches_the_page(recognizer, monkeypatch):
    def fail(drawing):
        raise RuntimeError("made to fail")

    monkeypatch.setattr(widget_module, "normalize", fail)
    page_draws(recognizer, strokes(), request=4)
    assert recognizer.error == "RuntimeError: made to fail"
    assert recognizer.answered == 4 and "in fail" in recognizer.traceback
    monkeypatch.undo()
    page_draws(recognizer, strokes(label=5), request=5)
    assert recognizer.error == ""


@pytest.mark.parametrize("nonsense", [[{}], [{"points": "abc", "width": 3}], [7]])
def test_nonsense_from_the_page_is_answered_with_an_error(recognizer, nonsense):
    page_draws(recognizer, nonsense, request=9)
    assert recognizer.answered == 9 and recognizer.error


def stroke(**different):
    return {"points": [[10, 10], [20, 20]], "width": 8} | different


def page_says(recognizer, data, buffers=()):
    """A message as it comes from the page, through all of the library."""
    recognizer._handle_msg({"content": {"data": data}, "buffers": list(buffers)})


STATES = {
    "null": {"strokes": None},
    "text": {"strokes": "strokes"},
    "no dict": {"strokes": [[1, 2]]},
    "no points": {"strokes": [{"width": 8}]},
    "no width": {"strokes": [{"points": [[1, 2]]}]},
    "texts for numbers": {"strokes": [stroke(points=[["1", "2"]])]},
    "three numbers": {"strokes": [stroke(points=[[1, 2, 3]])]},
    "nested": {"strokes": [stroke(points=[[[1], [2]]])]},
    "not a number": {"strokes": [stroke(points=[[1, math.nan]])]},
    "far away": {"strokes": [stroke(points=[[1, 1e300]])]},
    "wide": {"strokes": [stroke(width=1e6)]},
    "width text": {"strokes": [stroke(width="20")]},
    "width nan": {"strokes": [stroke(width=math.nan)]},
    "width zero": {"strokes": [stroke(width=0)]},
    "many points": {"strokes": [stroke(points=[[1, 2]] * 200_000)]},
    "many strokes": {"strokes": [stroke(points=[])] * 200_000},
    "picture text": {"picture": "x" * 10**6},
    "picture null": {"picture": None},
    "picture number": {"picture": 10**15},
    "large picture": {"picture": memoryview(bytes(10**7))},
    "answered": {"answered": "\ud800" * 1000},
    "no state": [],
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_state_that_cannot_be_is_answered_and_changes_nothing(recognizer, caplog, state):
    page_draws(recognizer, strokes(3), request=1)
    known = isinstance(state, dict)
    page_says(recognizer, {"method": "update", "state": {"request": 2} | state if known else state})
    assert recognizer.answered == (2 if known else 1)
    assert 0 < len(recognizer.error) <= 500 and recognizer.error.isprintable()
    assert recognizer.strokes == strokes(3) and recognizer.picture == b"" and not caplog.records
    page_draws(recognizer, strokes(7), request=3)
    assert recognizer.error == "" and recognizer.answered == 3
    assert recognizer.result["models"]["linear"]["digit"] == 7


@pytest.mark.parametrize("request_", [None, "2", math.nan, [2], {}])
def test_a_number_of_a_message_that_is_none_is_told(recognizer, caplog, request_):
    page_says(recognizer, {"method": "update", "state": {"request": request_, "strokes": []}})
    assert "request" in recognizer.error and recognizer.answered == 0
    page_says(recognizer, {"method": "custom", "content": {"action": "x", "request": request_}})
    assert "'x'" in recognizer.error and recognizer.answered == 0 and not caplog.records


ACTIONS = {
    "nothing": {},
    "unknown": {"action": "explode"},
    "list": {"action": ["save"]},
    "long": {"action": "\ud800" * 10**6},
    "no label": {"action": "save"},
    "label text": {"action": "save", "label": "3"},
    "label nan": {"action": "save", "label": math.nan},
    "label list": {"action": "save", "label": [3]},
    "no picture": {"action": "picture"},
    "no model": {"action": "fine-tune"},
    "unknown model": {"action": "fine-tune", "model": "\ud800" * 10**6},
    "list of models": {"action": "fine-tune", "model": ["linear"]},
    "restore none": {"action": "restore"},
    "restore unknown": {"action": "restore", "model": "resnet"},
    "restore untouched": {"action": "restore", "model": "linear"},
}


@pytest.mark.parametrize("content", ACTIONS.values(), ids=ACTIONS)
def test_a_button_that_cannot_be_is_answered(recognizer, caplog, tmp_path, content):
    page_draws(recognizer, strokes(3), request=1)
    page_says(recognizer, {"method": "custom", "content": content | {"request": 2}})
    assert recognizer.answered == 2 and recognizer.busy == "" and not caplog.records
    assert 0 < len(recognizer.error) <= 500 and recognizer.error.isprintable()
    assert "Index" not in recognizer.error and "Key" not in recognizer.error
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("content", [None, [], "save", 7])
def test_a_message_that_is_no_set_of_fields_is_answered(recognizer, caplog, content):
    page_says(recognizer, {"method": "custom", "content": content})
    assert "unknown here" in recognizer.error and not caplog.records


def test_python_is_told_at_once_of_a_drawing_that_cannot_be(recognizer):
    for name, value in (("strokes", [stroke(width=1e6)]), ("picture", bytes(100))):
        with pytest.raises(TraitError, match="width|280 x 280"):
            setattr(recognizer, name, value)
    assert recognizer.strokes == [] and recognizer.picture == b""


def test_messages_from_another_thread_wait_until_no_cell_is_running(linear, tmp_path):
    async def notebook():
        recognizer = Recognizer({"linear": linear}, folder=tmp_path)
        page = threading.Thread(target=page_draws, args=(recognizer, strokes(3), 1))
        page.start()
        page.join()
        during_the_cell = recognizer.answered
        await asyncio.sleep(0)
        return during_the_cell, recognizer.answered, recognizer.result["models"]

    during, after, models = asyncio.run(notebook())
    assert (during, after) == (0, 1) and models["linear"]["digit"] == 3


# Pictures


def test_a_dropped_picture_takes_the_place_of_the_drawing(recognizer, digits):
    recognizer.strokes = strokes()
    image = digits.test_images[4]
    page_asks(recognizer, "picture", 1, [memoryview(png(255 - image))])
    assert recognizer.error == "" and recognizer.answered == 1 and recognizer.strokes == []
    difference = recognizer.steps.centered.astype(int) - image
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize(
    "data, message",
    [
        (b"no picture at all", "is not a picture"),
        (png(np.full((50, 50), 200, np.uint8)), "no ink"),
        (png(np.zeros((10_000, 10_000), bool)), "pixels"),
    ],
)
def test_a_picture_that_cannot_be_read_leaves_the_drawing_alone(recognizer, data, message):
    recognizer.strokes = strokes()
    page_asks(recognizer, "picture", 1, [data])
    assert message in recognizer.error and recognizer.answered == 1
    assert recognizer.strokes == strokes() and recognizer.picture == b""
    with pytest.raises(PictureError, match=message):
        recognizer.show_picture(data)


# The learner's own digits


def test_saved_drawings_become_an_idx_test_set(recognizer, tmp_path):
    for request, label in enumerate([3, 7, 3], start=1):
        recognizer.strokes = strokes(label, seed=request)
        drawn = recognizer.steps.centered
        page_asks(recognizer, "save", request, label=label)
    assert recognizer.own["counts"] == [0, 0, 0, 2, 0, 0, 0, 1, 0, 0]
    images, labels = idx.read_pair(
        tmp_path / "my-images-idx3-ubyte", tmp_path / "my-labels-idx1-ubyte"
    )
    np.testing.assert_array_equal(labels, [3, 7, 3])
    np.testing.assert_array_equal(images[-1], drawn)
    right = accuracy(recognizer.models["linear"], images, labels)
    assert recognizer.own["accuracy"]["linear"] == [pytest.approx(right), None]

    page_asks(recognizer, "remove", 4)
    assert sum(recognizer.own["counts"]) == 2
    again = Recognizer(recognizer.models, folder=tmp_path)
    assert again.own == recognizer.own


def test_after_saving_the_canvas_is_empty_and_the_next_digit_is_asked_for(recognizer):
    recognizer.picture = paste_digit(
        mnist.load().test_images[0], np.random.default_rng(0)
    ).tobytes()
    recognizer.strokes = strokes()
    wanted = recognizer.own["wanted"]
    page_asks(recognizer, "save", 1, label=wanted)
    assert (recognizer.answered, recognizer.error) == (1, "")
    assert recognizer.strokes == [] and recognizer.picture == b"" and recognizer.steps is None
    assert recognizer.result["steps"] == [] and not recognizer.drawing.any()
    assert recognizer.own["wanted"] != wanted


def test_the_page_hears_of_both_halves(recognizer, linear):
    for seed in range(5):  # what looks like a 1 is a 7 here, but for the fifth, which is a 1
        recognizer.strokes = strokes(label=1, seed=seed)
        recognizer.save_as(1 if seed == 4 else 7)
    assert recognizer.own["kept"] == 1
    assert recognizer.own["accuracy"]["linear"] == [0, 1]


def test_an_empty_canvas_cannot_be_saved(recognizer, tmp_path):
    page_asks(recognizer, "save", 1, label=5)
    assert "nothing to save" in recognizer.error and not any(tmp_path.iterdir())
    with pytest.raises(EmptyDrawingError):
        recognizer.save_as(5)


def test_what_cannot_be_written_is_not_shown_as_saved(recognizer, monkeypatch):
    def full(path, array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(idx, "write", full)
    recognizer.strokes = strokes()
    page_asks(recognizer, "save", 1, label=3)
    assert "No space left" in recognizer.error
    assert sum(recognizer.own["counts"]) == 0
    assert recognizer.strokes == strokes(), "the drawing is gone"


@pytest.mark.parametrize("label", [-1, 10, None, "3"])
def test_labels_are_digits(tmp_path, label):
    with pytest.raises(ValueError, match="0 to 9"):
        Collection(tmp_path).add(np.zeros((28, 28), np.uint8), label)


def test_fine_tuning_learns_the_hand_and_can_be_taken_back(recognizer, linear):
    before = {name: array.copy() for name, array in linear.parameters.items()}
    for seed in range(12):  # a hand that writes its sevens where others write a one
        recognizer.strokes = strokes(label=1, seed=seed)
        recognizer.save_as(7)
    page_asks(recognizer, "fine-tune", 20, model="linear")
    assert recognizer.error == "" and recognizer.busy == "" and recognizer.answered == 20
    change = recognizer.tuned["linear"]
    assert change["digits"] == 10 and change["mnist_digits"] == 1000
    assert change["own"][0] < 0.5 < change["own"][1]
    assert change["new"]["before"] < 0.5 < change["new"]["after"]
    after = [change["own"][1], change["new"]["after"]]
    assert after == recognizer.own["accuracy"]["linear"]
    assert abs(change["mnist"][1] - change["mnist"][0]) < 0.2
    assert not change["mnist_is_test"], "the sample is of MNIST's training set"

    page_asks(recognizer, "restore", 21, model="linear")
    for name, array in before.items():
        np.testing.assert_array_equal(linear.parameters[name], array)
    assert recognizer.tuned == {} and max(recognizer.own["accuracy"]["linear"]) < 0.5


def test_digits_that_are_kept_for_the_test_are_never_trained_on(recognizer, monkeypatch):
    for seed in range(11):
        recognizer.strokes = strokes(label=seed % 10, seed=seed)
        recognizer.save_as(seed % 10)
    trained = []

    def spy(model, images, labels):
        trained.extend(image.tobytes() for image in images)
        return tuning.FineTuned(len(labels), (0, 0), (0, 0), 0, False)

    monkeypatch.setattr(widget_module, "fine_tune", spy)
    page_asks(recognizer, "fine-tune", 20, model="linear")
    own = recognizer.collection
    kept = [image.tobytes() for image in own.test[0]]
    assert len(kept) == 2 and len(trained) == 9 and not set(kept) & set(trained)
    assert idx.read(own.folder / HALVES).tolist() == [0, 0, 0, 0, 1] * 2 + [0]


def test_fine_tuning_rehearses_known_digits_with_small_steps(linear, digits, monkeypatch):
    runs = []

    class Spy(Recipe):
        def trainer(self, model):
            return SimpleNamespace(fit=lambda x, y: runs.append((self, x, y)))

    original = Spy(learning_rate=0.05, optimizer="momentum", schedule="one_cycle")
    monkeypatch.setattr(models, "recipe", lambda name: original)
    own, labels = digits.test_images[:12], (digits.test_labels[:12] + 1) % 10
    tuned = tuning.fine_tune(linear, own, labels)
    ((recipe, x, y),) = runs
    assert recipe.learning_rate == pytest.approx(0.005) and recipe.optimizer == "momentum"
    assert recipe.schedule == "constant" and recipe.validation_split == 0.0
    assert tuned.digits == 12 and tuned.own[0] == tuned.own[1]  # nobody was trained here

    def pairs(images, labels):
        return [(image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True)]

    known = set(pairs(mnist.to_float(digits.train_images), digits.train_labels))
    trained = pairs(x, y)
    rehearsed = [pair for pair in trained if pair in known]
    assert len(rehearsed) == len(set(rehearsed)) == tuning.REHEARSED
    assert len(trained) - len(rehearsed) == 504  # the learner's own, as often as it takes


def test_fine_tuning_without_digits_says_what_to_do(recognizer):
    page_asks(recognizer, "fine-tune", 1, model="linear")
    assert "draw some and save them first" in recognizer.error


# Looks inside


def test_evidence_is_how_much_the_logit_falls_without_the_pixel(digits):
    model = MLP(1, hidden=32, dtype=np.float64)
    x = mnist.to_float(digits.test_images[0], np.float64).reshape(1, 784)
    shares = insight.evidence(model, x, 3)
    assert shares.shape == (28, 28) and not shares[digits.test_images[0] == 0].any()
    logit = model.forward(x)[0, 3]
    nudge = 1e-6  # so small that no unit switches
    for pixel in np.flatnonzero(x)[::10]:
        less = x.copy()
        less[0, pixel] *= 1 - nudge
        fall = (logit - model.forward(less)[0, 3]) / nudge
        assert fall == pytest.approx(shares.flat[pixel], abs=1e-6)


def test_looking_leaves_the_model_as_it_was():
    model = MLP(1, hidden=8)
    before = {name: array.copy() for name, array in model.parameters.items()}
    insight.evidence(model, np.ones((1, 784), np.float32), 0)
    assert model.layers["hidden"].needs_input_gradient is False
    for name, array in before.items():
        np.testing.assert_array_equal(model.parameters[name], array)


def test_feature_maps_are_those_of_the_first_convolution():
    model = CNN()
    x = np.random.default_rng(0).random((1, 784), np.float32)
    model.forward(x)
    maps = insight.feature_maps(model, x, 0)
    assert maps.shape == (8, 28, 28) and maps.min() == 0
    np.testing.assert_array_equal(maps, model.layers["relu"].y.reshape(8, 28, 28))


@pytest.mark.parametrize("patch, tokens", [(4, 49), (7, 16), (2, 196)])
def test_attention_shows_what_every_token_looks_at(patch, tokens):
    from course.attention import PatchAttention

    model, x = PatchAttention(patch=patch), np.ones((1, 784), np.float32)
    look = insight.attention(model, x, 0)
    assert look.shape == (tokens, tokens)
    shares = look / look.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, model.attention_weights(x)[0], rtol=1e-5)


def test_a_token_that_looks_at_everything_is_shown_beside_one_that_does_not():
    class Model:
        def attention_weights(self, x):
            weights = np.eye(400, dtype=np.float32)
            weights[7] = np.linspace(0.8, 1.2, 400) / 400
            return weights[np.newaxis]

    sent = packed(insight.attention(Model(), None, 0))
    row = np.frombuffer(sent["pixels"], np.int8).reshape(sent["shape"])[7]
    assert row.argmax() >= 390 and row.min() > 0


@pytest.mark.parametrize(
    "values, pixels",
    [
        (np.array([[0.0, 0.5], [1.0, 0.25]]), [0, 64, 127, 32]),
        (np.array([[-2.0, 1.0]]), [129, 64]),  # -127 and 64 as unsigned bytes
        (np.zeros((2, 2)), [0, 0, 0, 0]),
        (np.array([[200, 7]], np.uint8), [200, 7]),
    ],
)
def test_looks_are_packed_into_bytes(values, pixels):
    assert list(packed(values)["pixels"]) == pixels


# Showing itself


def test_the_repr_has_no_address(recognizer):
    assert repr(recognizer) == "Recognizer(linear)"


def test_a_still_picture_goes_along_with_the_widget(recognizer):
    for drawing in ([], strokes()):
        recognizer.strokes = drawing
        data, metadata = recognizer._repr_mimebundle_()
        assert data["text/plain"] == "Recognizer(linear)"
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"]
        still = Image.open(io.BytesIO(b64decode(data["image/png"])))
        assert still.size[1] > 200
        assert metadata["image/png"]["alt"].startswith("Your drawing.")


def test_a_still_picture_says_that_it_is_one(recognizer):
    recognizer.strokes = strokes()
    figure = fallback.still_picture(
        recognizer.drawing, recognizer.steps, recognizer.predictions, recognizer.outputs
    )
    assert "run the cell to draw" in figure.get_supxlabel()
