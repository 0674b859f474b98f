"""Files of the Rust programs: every bit read and written, and no damaged file taken for a model."""

import functools
import os
import struct
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course import models
from course.interchange import (
    InterchangeError,
    convert,
    read_attention,
    read_model,
    to_model,
    write_attention,
    write_model,
)
from course.interchange.binary import (
    KINDS,
    attention_fields,
    attention_sizes,
    cnn_fields,
    count,
    mlp_fields,
)
from course.nn.checkpoint import CheckpointError

FIELDS = {"mlp": mlp_fields(6, 5, 3), "cnn": cnn_fields(), "attention": attention_fields(4, 8)}


def random_arrays(fields, dtype=np.float32, seed=1):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in fields.items()}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, strict=True)


def write(path, content):
    path.write_bytes(content)
    return path


def numbers(values, code="f"):
    return struct.pack(f"<{len(values)}{code}", *values)


# ------------------------------------------------------------------------------ the formats


@pytest.mark.parametrize(("code", "dtype"), [("d", np.float64), ("f", np.float32)])
def test_an_mlp_as_the_rust_program_writes_it(tmp_path, code, dtype):
    sizes = struct.pack("<3i", 2, 3, 1)
    values = [1, 2, 3, 4, 5, 6, 0.5, 0.25, 0.125, -1, -2, -3, 9]
    kind, arrays = read_model(write(tmp_path / "m.bin", sizes + numbers(values, code)))
    assert kind == "mlp"
    expected = {
        "hidden.w": [[1, 2, 3], [4, 5, 6]],  # (inputs, hidden), row by row
        "hidden.b": [0.5, 0.25, 0.125],
        "output.w": [[-1], [-2], [-3]],
        "output.b": [9],
    }
    assert_same(arrays, {name: np.array(v, dtype) for name, v in expected.items()})


def test_a_cnn_as_the_rust_program_writes_it(tmp_path):
    values = np.arange(15_770, dtype="<f4")
    kind, arrays = read_model(write(tmp_path / "m.bin", values.tobytes()))
    assert kind == "cnn"
    assert arrays["conv.w"][1, 0, 0, 2] == 9 + 2
    assert arrays["conv.b"][0] == 72
    assert arrays["classifier.w"][3, 4] == 80 + 3 * 10 + 4
    assert arrays["classifier.b"][9] == 15_769


def test_an_attention_model_as_the_rust_program_writes_it(tmp_path):
    values = np.arange(33_930, dtype="<f4")
    kind, arrays = read_model(write(tmp_path / "m.bin", values.tobytes()))
    assert kind == "attention"
    starts = {name: array.flat[0] for name, array in arrays.items()}
    assert starts == {
        "patch_w": 0,
        "patch_b": 1024,
        "positions": 1088,
        "query_w": 4224,
        "query_b": 8320,
        "key_w": 8384,
        "key_b": 12480,
        "value_w": 12544,
        "value_b": 16640,
        "ff1_w": 16704,
        "ff1_b": 24896,
        "ff2_w": 25024,
        "ff2_b": 33216,
        "classifier_w": 33280,
        "classifier_b": 33920,
    }
    assert arrays["ff1_w"].shape == (64, 128)
    assert arrays["positions"].shape == (49, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_fields_are_the_parameters_of_the_courses_models(kind):
    model = models.build(kind)
    fields = {"mlp": mlp_fields, "cnn": cnn_fields, "attention": attention_fields}[kind]()
    found = {name: array.shape for name, array in model.parameters.items() if array.size}
    assert found == fields


# ------------------------------------------------------------------------------ round trips


@pytest.mark.parametrize(
    ("kind", "dtype"), [("mlp", "float64"), ("mlp", "float32"), ("cnn", None), ("attention", None)]
)
def test_what_is_written_is_read_back_to_the_bit(tmp_path, kind, dtype):
    arrays = random_arrays(FIELDS[kind], dtype or np.float32)
    write_model(tmp_path / "m.bin", kind, arrays, dtype)
    found_kind, found = read_model(tmp_path / "m.bin")
    assert found_kind == kind
    assert_same(found, arrays)
    assert all(array.flags.writeable for array in found.values())


sizes = st.integers(1, 12)


@given(sizes, sizes, sizes, st.sampled_from(["float32", "float64"]))
def test_an_mlp_of_any_size_survives(tmp_path_factory, inputs, hidden, outputs, dtype):
    path = tmp_path_factory.mktemp("models") / "m.bin"
    arrays = random_arrays(mlp_fields(inputs, hidden, outputs), dtype)
    write_model(path, "mlp", arrays, dtype)
    assert_same(read_model(path, "mlp")[1], arrays)


@given(st.integers(1, 40), st.integers(1, 90))
def test_an_attention_model_of_any_size_survives_where_its_sizes_are_given(
    tmp_path_factory, d_model, d_ff
):
    path = tmp_path_factory.mktemp("models") / "m.bin"
    arrays = random_arrays(attention_fields(d_model, d_ff))
    write_model(path, "attention", arrays)
    assert_same(read_model(path, "attention", d_model, d_ff)[1], arrays)
    assert_same(read_model(path, "attention", d_model=d_model)[1], arrays)


@given(st.integers(1, 40), st.integers(1, 90))
def test_attention_sizes_are_found_from_the_number_of_parameters(d_model, d_ff):
    total = count(attention_fields(d_model, d_ff))
    found = attention_sizes(total)
    assert (d_model, d_ff) in found
    assert all(count(attention_fields(*sizes)) == total for sizes in found)


def test_twice_d_model_is_d_ff_unless_it_is_said_otherwise(tmp_path):
    write_model(tmp_path / "16.bin", "attention", random_arrays(attention_fields(16, 32)))
    assert read_model(tmp_path / "16.bin")[1]["ff1_w"].shape == (16, 32)
    write_model(tmp_path / "odd.bin", "attention", random_arrays(attention_fields(16, 33)))
    with pytest.raises(InterchangeError, match="one of .*16/33.*: say which"):
        read_model(tmp_path / "odd.bin")


def test_writing_is_whole_or_not_at_all(tmp_path):
    path = write(tmp_path / "m.bin", b"what was there")
    arrays = random_arrays(FIELDS["mlp"])
    arrays["output.b"][1] = np.nan
    with pytest.raises(InterchangeError):
        write_model(path, "mlp", arrays)
    assert path.read_bytes() == b"what was there"
    assert os.listdir(tmp_path) == ["m.bin"]


# ------------------------------------------------------------------------------ damaged files


@functools.cache
def content_of(kind):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.bin")
        write_model(path, kind, random_arrays(FIELDS[kind]))
        return path.read_bytes()


def whole(kind, tmp_path):
    return write(tmp_path / "m.bin", content_of(kind)), content_of(kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [-1, -4, -100, 1, 4, 100])
def test_a_shorter_or_longer_file_is_refused(tmp_path, kind, change):
    path, content = whole(kind, tmp_path)
    content = content[:change] if change < 0 else content + bytes(change)
    write(path, content)
    for wanted in (None, kind):
        with pytest.raises(InterchangeError, match=rf"m\.bin: its {len(content):,} bytes"):
            read_model(path, wanted)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_place(tmp_path, kind, value):
    dtype = np.dtype("<f8" if kind == "mlp" else "<f4")
    path, content = whole(kind, tmp_path)
    write(path, content[: -dtype.itemsize] + np.array(value, dtype).tobytes())
    last = list(FIELDS[kind])[-1]
    index = FIELDS[kind][last][0] - 1
    with pytest.raises(
        InterchangeError, match=rf"{last} has 1 numbers that are not finite.*{value} at \({index},"
    ):
        read_model(path)


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ((-784, 512, 10), "inputs, hidden, outputs = -784, 512, 10 cannot be"),
        ((784, 0, 10), "inputs, hidden, outputs = 784, 0, 10 cannot be"),
        ((784, 512, 10), "inputs, hidden, outputs = 784, 512, 10 has 1,628,212 or 3,256,412"),
        ((2**31 - 1,) * 3, "inputs, hidden, outputs = 2147483647"),
    ],
)
def test_a_lying_header_costs_neither_memory_nor_time(tmp_path, header, problem):
    path = write(tmp_path / "m.bin", struct.pack("<3i", *header) + bytes(1000))
    tracemalloc.start()
    with pytest.raises(InterchangeError, match=problem):
        read_model(path, "mlp")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_huge_file_of_nothing_is_refused_without_being_read(tmp_path):
    path = tmp_path / "m.bin"
    with open(path, "wb") as file:
        file.truncate(2**40 + 4)  # sparse
    with pytest.raises(InterchangeError, match="1,099,511,627,780 bytes"):
        read_model(path)


@pytest.mark.parametrize("content", [b"", b"\0", b"\0" * 11, b"\0" * 12, b"hello, world of models"])
def test_what_is_no_model_is_refused(tmp_path, content):
    with pytest.raises(InterchangeError, match="fit no model: an mlp .*; a cnn .*; an attention"):
        read_model(write(tmp_path / "m.bin", content))


def test_a_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_model(tmp_path / "m.bin")


def test_another_kind_than_asked_for_is_refused(tmp_path):
    path, _ = whole("cnn", tmp_path)
    with pytest.raises(InterchangeError, match="an attention model"):
        read_model(path, "attention")
    with pytest.raises(InterchangeError, match="unknown kind of model 'gpt'"):
        read_model(path, "gpt")


@settings(max_examples=500)
@given(data=st.data(), kind=st.sampled_from(["mlp", "attention"]))
def test_no_mutated_file_does_harm(tmp_path_factory, data, kind):
    path = tmp_path_factory.mktemp("models") / "m.bin"
    content = bytearray(content_of(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1) | st.integers(0, 16))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    write(path, bytes(content))
    try:
        kind, arrays = read_model(path)
    except InterchangeError as error:
        assert str(path) in str(error)
        return
    # Then it is a model, and every byte of it is accounted for.
    header = 12 if kind == "mlp" else 0
    assert len(content) == header + sum(array.nbytes for array in arrays.values())
    assert all(np.isfinite(array).all() for array in arrays.values())


# ------------------------------------------------------------------------------ writing


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda a: a.pop("conv.b"), "does not fit cnn: only one side has conv.b"),
        (lambda a: a.update(extra=a["conv.b"]), "does not fit cnn: only one side has extra"),
        (lambda a: a.update({"conv.w": np.zeros((8, 1, 5, 5))}), r"conv.w is \(8, 1, 5, 5\), exp"),
        (lambda a: a["classifier.w"].fill(np.inf), "classifier.w has 15,680 numbers that are not"),
        (lambda a: a.update({"conv.b": np.full(8, 1e300)}), "conv.b has 8 numbers that are not"),
    ],
)
def test_what_does_not_fit_is_not_written(tmp_path, change, problem):
    arrays = random_arrays(cnn_fields())
    change(arrays)
    with pytest.raises(InterchangeError, match=problem):
        write_model(tmp_path / "m.bin", "cnn", arrays)
    assert not os.listdir(tmp_path)


def test_mlp_parameters_that_do_not_go_together_are_not_written(tmp_path):
    arrays = random_arrays(mlp_fields(6, 5, 3)) | {"output.w": np.zeros((4, 3))}
    with pytest.raises(InterchangeError, match=r"output.w is \(4, 3\), expected \(5, 3\)"):
        write_model(tmp_path / "m.bin", "mlp", arrays)


@pytest.mark.parametrize(("kind", "dtype"), [("cnn", "float64"), ("mlp", "float16"), ("rnn", None)])
def test_what_a_file_cannot_hold_is_refused(tmp_path, kind, dtype):
    with pytest.raises(InterchangeError, match="cannot hold|unknown kind"):
        write_model(tmp_path / "m.bin", kind, {}, dtype)


# ------------------------------------------------------------------------------ conversion


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_goes_to_a_binary_and_back(tmp_path, kind):
    model = models.build(kind)
    models.save(tmp_path / "a.safetensors", model)
    said = convert(tmp_path / "a.safetensors", tmp_path / "b.bin")
    assert f"{kind}, {sum(a.size for a in model.parameters.values()):,} parameters" in said
    convert(tmp_path / "b.bin", tmp_path / "c.safetensors")
    assert_same(models.load(tmp_path / "c.safetensors").parameters, dict(model.parameters))


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_from_a_binary_computes_the_same(tmp_path, kind):
    model = models.build(kind)
    x = np.random.default_rng(1).random((3, 784), np.float32)
    write_model(tmp_path / "m.bin", kind, dict(model.parameters))
    np.testing.assert_array_equal(
        to_model(*read_model(tmp_path / "m.bin")).forward(x), model.forward(x)
    )


def test_sizes_other_than_the_courses_come_along(tmp_path):
    arrays = random_arrays(mlp_fields(20, 7, 4))
    write_model(tmp_path / "a.bin", "mlp", arrays)
    convert(tmp_path / "a.bin", tmp_path / "b.safetensors")
    assert_same(models.load(tmp_path / "b.safetensors").parameters, arrays)


def test_float64_is_rounded_into_a_checkpoint(tmp_path):
    arrays = random_arrays(mlp_fields(20, 7, 4), np.float64)
    write_model(tmp_path / "a.bin", "mlp", arrays)
    convert(tmp_path / "a.bin", tmp_path / "b.safetensors")
    expected = {name: array.astype(np.float32) for name, array in arrays.items()}
    assert_same(models.load(tmp_path / "b.safetensors").parameters, expected)


def test_a_binary_changes_its_precision(tmp_path):
    write_model(tmp_path / "a.bin", "mlp", random_arrays(mlp_fields()))
    convert(tmp_path / "a.bin", tmp_path / "b.bin", dtype="float32")
    assert (tmp_path / "a.bin").stat().st_size == 12 + 8 * 407_050
    assert (tmp_path / "b.bin").stat().st_size == 12 + 4 * 407_050


@pytest.mark.parametrize("extra", ["residual", "layer_norm"])
def test_what_the_format_cannot_say_is_refused(tmp_path, extra):
    models.save(tmp_path / "a.safetensors", models.build("attention", **{extra: True}))
    with pytest.raises(InterchangeError, match=f"a.safetensors: the format has no {extra}"):
        convert(tmp_path / "a.safetensors", tmp_path / "b.bin")


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("xor", {"hidden": 3}),
        ("attention", {"residual": True}),
        ("architecture", {"layers": [{"layer_type": "dense", "input_size": 4, "output_size": 2}]}),
    ],
)
def test_from_checkpoint_to_checkpoint_every_model_goes_and_its_configuration_with_it(
    tmp_path, kind, config
):
    model = models.build(kind, **config)
    models.save(tmp_path / "a.safetensors", model)
    convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    copy = models.load(tmp_path / "b.safetensors")
    assert copy.config == model.config
    assert_same(copy.parameters, dict(model.parameters))


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("xor", {}),
        ("architecture", {"layers": [{"layer_type": "dense", "input_size": 4, "output_size": 2}]}),
    ],
)
def test_a_model_that_the_rust_programs_have_not_becomes_no_binary(tmp_path, kind, config):
    models.save(tmp_path / "a.safetensors", models.build(kind, **config))
    with pytest.raises(InterchangeError, match=f"unknown kind of model '{kind}'"):
        convert(tmp_path / "a.safetensors", tmp_path / "b.bin")


def test_sizes_that_the_file_cannot_tell_are_taken_from_the_caller(tmp_path):
    write_model(tmp_path / "a.bin", "attention", random_arrays(attention_fields(16, 33)))
    with pytest.raises(InterchangeError, match="say which"):
        convert(tmp_path / "a.bin", tmp_path / "b.safetensors")
    convert(tmp_path / "a.bin", tmp_path / "b.safetensors", d_model=16)
    assert models.load(tmp_path / "b.safetensors").config["d_ff"] == 33


def test_damaged_files_are_not_converted(tmp_path):
    write(tmp_path / "a.bin", b"nothing")
    write(tmp_path / "a.safetensors", b"nothing")
    with pytest.raises(InterchangeError):
        convert(tmp_path / "a.bin", tmp_path / "b.safetensors")
    with pytest.raises(CheckpointError):
        convert(tmp_path / "a.safetensors", tmp_path / "b.bin")
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.safetensors"]


# ------------------------------------------------------------------------------ attention as text


def some_attention(seed=1, tokens=49):
    return np.random.default_rng(seed).dirichlet(np.ones(tokens), tokens).astype(np.float32)


def test_attention_survives_as_text_to_the_bit(tmp_path):
    samples = {0: some_attention(0), 7: some_attention(7)}
    write_attention(tmp_path / "a.txt", samples)
    assert_same(read_attention(tmp_path / "a.txt"), samples)
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines[0] == "# Sample: 0"
    assert len(lines[1].split(" ")) == 49
    assert lines[50:52] == ["", "# Sample: 7"]


def test_attention_with_commas_and_remarks_is_read(tmp_path):
    text = "# Attention weights\n# Format: a remark\n\n# Sample: 4\n1, 0\n\n0.25, 0.75\n"
    write(tmp_path / "a.txt", text.encode())
    found = read_attention(tmp_path / "a.txt", tokens=2)
    assert_same(found, {4: np.array([[1, 0], [0.25, 0.75]], np.float32)})


def test_a_file_without_samples_is_empty(tmp_path):
    assert read_attention(write(tmp_path / "a.txt", b"# nothing yet\n")) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 0\n", "line 1: numbers before the first '# Sample:'"),
        ("# Sample: x\n", "line 1: 'x' is no sample number"),
        ("# Sample: -1\n", "line 1: '-1' is no sample number"),
        ("# Sample: 1\n1 0\n", "at its end: the sample has 1 rows, expected 2"),
        ("# Sample: 1\n1 0\n# Sample: 2\n", "line 3: the sample has 1 rows, expected 2"),
        ("# Sample: 1\n1 0\n1 0\n1 0\n", "at its end: the sample has 3 rows, expected 2"),
        ("# Sample: 1\n1 0\n0 1\n# Sample: 1\n", "line 4: sample 1 is there twice"),
        ("# Sample: 1\n1 0 0\n", "line 2: 3 weights, expected 2"),
        ("# Sample: 1\n1 one\n", "line 2: could not convert string to float: 'one'"),
        ("# Sample: 1\n1 nan\n", "line 2: a weight that is not between 0 and 1"),
        ("# Sample: 1\n1 -0.5\n", "line 2: a weight that is not between 0 and 1"),
        ("# Sample: 1\n1 inf\n", "line 2: a weight that is not between 0 and 1"),
    ],
)
def test_damaged_attention_is_refused_with_its_line(tmp_path, text, problem):
    path = write(tmp_path / "a.txt", text.encode())
    with pytest.raises(InterchangeError) as caught:
        read_attention(path, tokens=2)
    assert str(caught.value).startswith(str(path))
    assert problem in str(caught.value)


@settings(max_examples=300)
@given(st.data())
def test_no_mutated_attention_does_harm(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("attention") / "a.txt"
    content = bytearray(b"# Sample: 1\n1 0\n0.25 0.75\n\n# Sample: 20\n0.5 0.5\n1e-7 1\n")
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    write(path, bytes(content))
    try:
        samples = read_attention(path, tokens=2)
    except InterchangeError:
        return
    for attention in samples.values():
        assert attention.shape == (2, 2)
        assert ((attention >= 0) & (attention <= 1)).all()
