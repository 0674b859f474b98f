"""`python -m course recognize`: picture files of all kinds, and how refusals are told."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from course import models, xor
from course.cnn import CNN
from course.commands.cli import main
from course.mlp import MLP
from course.models import pretrained
from course.recognizer.preprocess import normalize
from course.recognizer.strokes import draw_digit, render

EXIF_ORIENTATION = 0x0112


@pytest.fixture(autouse=True)
def pictures(tmp_path, monkeypatch):
    """Run in a folder with 7.png, a seven in black on white."""
    monkeypatch.chdir(tmp_path)
    paper(7).save("7.png")


@pytest.fixture
def recognize(capsys):
    """Call the command; returns its exit code, lines of stdout and lines of stderr."""

    def call(*arguments):
        code = main(["recognize", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return call


def ink(label):
    return render(draw_digit(label, np.random.default_rng(label), 0, size=180, brush=20, slant=0))


def paper(label):
    return Image.fromarray(255 - ink(label))


def answers(line):
    """The answer of each model, from a line "7.png: mlp 7 (99.9%), cnn 1 (50.0%)"."""
    readings = [reading.split() for reading in line.partition(": ")[2].split(", ")]
    return {name: int(digit) for name, digit, _ in readings}


# What goes well


def test_all_models_read_every_picture_a_line_each(recognize):
    paper(3).save("3.png")
    code, lines, err = recognize("7.png", "3.png")
    assert (code, err) == (0, [])
    assert [line.partition(": ")[0] for line in lines] == ["7.png", "3.png"]
    assert answers(lines[0]) == dict.fromkeys(pretrained.NAMES, 7)
    assert answers(lines[1]) == dict.fromkeys(pretrained.NAMES, 3)


@pytest.mark.parametrize("name", pretrained.NAMES)
def test_one_model_can_be_asked_for(recognize, name):
    code, lines, _ = recognize("7.png", "--model", name)
    assert code == 0 and len(lines) == 1 and answers(lines[0]) == {name: 7}


def test_they_can_be_asked_as_a_committee(recognize):
    code, lines, _ = recognize("7.png", "--json")
    each = [r["probabilities"] for r in json.loads(lines[-1])["pictures"][0]["models"].values()]
    code, lines, _ = recognize("7.png", "--model", "committee", "--json")
    (reading,) = json.loads(lines[-1])["pictures"][0]["models"].items()
    assert code == 0 and reading[0] == "committee"
    np.testing.assert_allclose(reading[1]["probabilities"], np.mean(each, axis=0), atol=1e-6)


def test_a_learners_own_model_can_be_asked(recognize):
    model = CNN(5)
    models.save("own", model)
    code, lines, _ = recognize("7.png", "--model", "own", "--json")
    expected = model.forward(normalize(ink(7)).x).argmax()
    assert code == 0 and answers(lines[0]) == {"cnn": expected}


def test_json_has_what_the_lines_say_and_the_refusals(recognize):
    code, lines, err = recognize("7.png", "gone.png", "--json")
    assert code == 1 and len(lines) == 2
    seen, refused = json.loads(lines[-1])["pictures"]
    assert seen["picture"] == "7.png" and seen["models"].keys() == set(pretrained.NAMES)
    for reading in seen["models"].values():
        assert reading["digit"] == np.argmax(reading["probabilities"]) == 7
        assert sum(reading["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert refused["picture"] == "gone.png" and refused["error"] in err[0]


def lying(label):
    """A digit on its side, and the EXIF tag of a camera that was held so."""
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # turn by 90 degrees clockwise to see it upright
    return paper(label).transpose(Image.Transpose.ROTATE_90), exif


def save_lying(path):
    image, exif = lying(7)
    image.save(path, exif=exif)


def save_on_clear(path):
    clear = Image.new("RGBA", (280, 280))
    clear.putalpha(Image.fromarray(ink(7)))  # black ink, and nothing around it
    clear.save(path)


def save_deep(path):
    Image.fromarray(60_000 - ink(7).astype(np.uint16) * 200).save(path)


KINDS = {
    "white on black.png": lambda path: Image.fromarray(ink(7)).save(path),
    "large.jpg": lambda path: paper(7).resize((2800, 2800)).save(path),
    "small.gif": lambda path: paper(7).resize((28, 28), Image.Resampling.BOX).save(path),
    "wide.bmp": lambda path: Image.fromarray(255 - np.pad(ink(7), ((0, 0), (9, 600)))).save(path),
    "color.webp": lambda path: paper(7).convert("RGB").save(path),
    "one bit.tiff": lambda path: paper(7).convert("1").save(path),
    "palette.png": lambda path: paper(7).convert("P").save(path),
    "clear.png": save_on_clear,
    "16 bit.png": save_deep,
    "lying.jpg": save_lying,
}


@pytest.mark.parametrize("name", KINDS)
def test_any_size_and_mode(recognize, name):
    KINDS[name](name)
    code, lines, err = recognize(name)
    assert (code, err) == (0, [])
    assert answers(lines[0]) == dict.fromkeys(pretrained.NAMES, 7)


# What is refused


REFUSED = {
    "nothing there.png": lambda path: None,
    "text.png": lambda path: open(path, "w").write("seven"),
    "empty.png": lambda path: open(path, "w").close(),
    "blank.png": lambda path: Image.new("L", (200, 100), 230).save(path),
    "cut.png": lambda path: open(path, "wb").write(open("7.png", "rb").read()[:-200]),
    "hundred megapixels.png": lambda path: Image.new("1", (10_000, 10_000), 1).save(path),
    "bomb.png": lambda path: Image.new("1", (20_000, 20_000), 1).save(path),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_picture_that_cannot_be_read_is_told_in_a_line_and_the_others_are_read(recognize, name):
    REFUSED[name](name)
    code, lines, err = recognize(name, "7.png", "--model", "cnn")
    assert code == 1
    assert [answers(line) for line in lines] == [{"cnn": 7}]
    assert len(err) == 1 and err[0].startswith(f"python -m course recognize: {name} ")
    assert err[0].endswith(".") and "Traceback" not in err[0]


def test_a_folder_is_no_picture(recognize, tmp_path):
    code, lines, err = recognize(tmp_path)
    assert code == 1 and lines == [] and len(err) == 1 and "cannot be opened" in err[0]


def test_too_little_ink_is_told_too(recognize):
    sheet = np.zeros((560, 560), np.uint8)
    sheet[[0, 559], [0, 559]] = 255  # two specks, which scaled into 20x20 are nothing
    Image.fromarray(sheet).save("specks.png")
    code, lines, err = recognize("specks.png")
    assert (code, lines) == (1, [])
    assert err == ["python -m course recognize: specks.png shows too little ink to read."]


@pytest.mark.parametrize("model", ["gone", "text", "xor", "small"])
def test_a_model_that_cannot_read_is_refused_before_any_picture(recognize, model):
    open("text", "w").write("once upon a time")
    models.save("xor", xor.XOR())
    models.save("small", MLP(inputs=4, hidden=3, outputs=2))
    code, lines, err = recognize("7.png", "--model", model)
    assert code == 1 and lines == [] and len(err) == 1
    assert err[0].startswith("python -m course recognize: ") and model in err[0]


def test_weights_that_are_damaged_are_refused(recognize, monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained.load, "__defaults__", (tmp_path,))
    code, lines, err = recognize("7.png")
    assert code == 1 and lines == [] and len(err) == 1 and "pretrain" in err[0]


def test_no_picture_is_a_wrong_argument(recognize):
    with pytest.raises(SystemExit, match="2"):
        recognize()


def test_neither_jupyter_nor_a_widget_library_is_loaded():
    code = """
import sys
from course.commands.cli import main
main(["recognize", "7.png"])
heavy = {"IPython", "ipykernel", "jupyter_core", "ipywidgets", "anywidget", "matplotlib", "torch"}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == [""]
