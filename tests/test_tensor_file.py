"""course.nn.tensor_file: read and written by hand, a file is the library's, and refused like it."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from course.models import pretrained
from course.nn import checkpoint, tensor_file, tensor_file_by_hand
from course.nn.checkpoint import CheckpointError

WAYS = (tensor_file, tensor_file_by_hand)
SHIPPED = sorted(pretrained.HERE.glob("*.safetensors"))
ARRAYS = st.sampled_from(list(tensor_file_by_hand.DTYPES.values())).flatmap(
    lambda dtype: arrays_of.arrays(
        dtype, arrays_of.array_shapes(min_dims=0, min_side=0, max_dims=3)
    )
)


def read(module, path):
    with module.opened(path) as (metadata, arrays):
        return metadata, arrays()


def same(first, second):
    """Whether two dicts of arrays are the same to the bit."""
    described = [
        {name: (a.dtype, a.shape, a.tobytes()) for name, a in arrays.items()}
        for arrays in (first, second)
    ]
    return described[0] == described[1]


def test_the_library_is_used_where_it_is():
    assert tensor_file.opened is not tensor_file_by_hand.opened
    assert tensor_file.serialize is not tensor_file_by_hand.serialize


def test_where_the_library_is_missing_files_are_read_by_hand(tmp_path):
    (tmp_path / "safetensors.py").write_text("raise ImportError")
    code = """
import sys
from course import models
from course.nn import tensor_file, tensor_file_by_hand as by_hand
assert (tensor_file.opened, tensor_file.serialize) == (by_hand.opened, by_hand.serialize)
print(models.load(sys.argv[1]).config)
"""
    paths = (str(tmp_path), os.environ.get("PYTHONPATH"))
    done = subprocess.run(
        [sys.executable, "-c", code, SHIPPED[0]],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stdout.startswith("{"), done.stderr


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_weights_are_read_and_written_alike(path):
    (metadata, arrays), by_hand = (read(module, path) for module in WAYS)
    assert by_hand[0] == metadata and same(by_hand[1], arrays)
    for module in WAYS:
        assert module.serialize(arrays, metadata) == path.read_bytes()


@given(st.dictionaries(st.text(), ARRAYS), st.none() | st.dictionaries(st.text(), st.text()))
def test_any_arrays_are_written_and_read_alike(tmp_path_factory, arrays, metadata):
    arrays.pop("__metadata__", None)
    content = tensor_file.serialize(arrays, metadata)
    assert tensor_file_by_hand.serialize(arrays, metadata) == content
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    for module in WAYS:
        found = read(module, path)
        assert found[0] == (metadata or {}) and same(found[1], arrays)
        assert all(array.flags.writeable for array in found[1].values())


def test_arrays_of_the_other_byte_order_and_of_other_strides_are_written_as_they_count():
    array = np.arange(6, dtype=">f4").reshape(2, 3)
    content = tensor_file_by_hand.serialize({"a": array})
    assert content == tensor_file.serialize({"a": array})
    assert tensor_file_by_hand.serialize({"a": np.asfortranarray(array)}) == content


def file_of(header, content=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def entry(**changes):
    return {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]} | changes


OURS = {"format": checkpoint.FORMAT, "info": "{}", "run": "null", "crc32": "00000000"}
FIELDS = '"dtype":"U8","shape":[2],"data_offsets":[0,2]'
DAMAGED = {
    "no bytes": b"",
    "seven bytes": bytes(7),
    "a length alone": struct.pack("<Q", 2),
    "a header longer than the file": file_of({}, length=3),
    "a header of 2^63 bytes": file_of({}, length=2**63),
    "a header that is no JSON": file_of(b"{" * 50),
    "a header with something behind it": file_of(b"{}\0"),
    "a header that is a list": file_of([]),
    "a header that is a number": file_of(7),
    "a header in UTF-16": file_of("{}".encode("utf-16")),
    "a header that is no UTF-8": file_of(b'{"\xff":1}'),
    "half a surrogate": file_of(b'{"\\ud800":{' + FIELDS.encode() + b"}}", b"ab"),
    "a deep header": file_of(b'{"a":' * 5000),
    "metadata that is a list": file_of({"__metadata__": []}),
    "metadata that is false": file_of({"__metadata__": False}),
    "metadata with a number": file_of({"__metadata__": {"a": 1}}),
    "metadata twice": file_of(b'{"__metadata__":{},"__metadata__":{}}'),
    "a field twice": file_of(b'{"a":{"shape":[2],' + FIELDS.encode() + b"}}", b"ab"),
    "a field missing": file_of({"a": {"dtype": "U8", "shape": [2]}}, b"ab"),
    "an array that is a number": file_of({"a": 1}),
    "numbers of no known type": file_of({"a": entry(dtype="U9")}, b"ab"),
    "a type that is a list": file_of({"a": entry(dtype=["U8"])}, b"ab"),
    "a shape that is a number": file_of({"a": entry(shape=2)}, b"ab"),
    "a shape that is a text": file_of({"a": entry(shape="", data_offsets=[0, 1])}, b"a"),
    "a shape of fractions": file_of({"a": entry(shape=[2.0])}, b"ab"),
    "a shape that is true": file_of({"a": entry(shape=[True], data_offsets=[0, 1])}, b"a"),
    "a negative shape": file_of({"a": entry(shape=[-1, -2])}, b"ab"),
    "a shape that overflows": file_of({"a": entry(shape=[2**40, 2**40])}, b"ab"),
    "more axes than an array has": file_of(
        {"__metadata__": OURS, "a": entry(shape=[1] * 70, data_offsets=[0, 1])}, b"a"
    ),
    "an axis longer than an array has": file_of(
        {"__metadata__": OURS, "a": entry(shape=[0, 2**63 - 1], data_offsets=[0, 0])}
    ),
    "a shape of other size": file_of({"a": entry(shape=[3])}, b"ab"),
    "three offsets": file_of({"a": entry(data_offsets=[0, 2, 3])}, b"ab"),
    "one offset": file_of({"a": entry(data_offsets=[0])}, b"ab"),
    "offsets the wrong way round": file_of({"a": entry(data_offsets=[2, 0])}, b"ab"),
    "negative offsets": file_of({"a": entry(data_offsets=[-2, 0])}, b"ab"),
    "offsets that are fractions": file_of({"a": entry(data_offsets=[0.0, 2.0])}, b"ab"),
    "offsets past the end": file_of({"a": entry(data_offsets=[0, 2])}, b"a"),
    "a hole at the beginning": file_of({"a": entry(data_offsets=[1, 3])}, b"abc"),
    "a hole": file_of({"a": entry(), "b": entry(data_offsets=[3, 5])}, b"abcde"),
    "something at the end": file_of({"a": entry()}, b"abc"),
    "an overlap": file_of({"a": entry(), "b": entry(data_offsets=[1, 3])}, b"abc"),
    "the same bytes twice": file_of({"a": entry(), "b": entry()}, b"ab"),
    "nothing within something": file_of(
        {"a": entry(), "b": entry(shape=[0], data_offsets=[1, 1])}, b"ab"
    ),
    "bfloat16": file_of({"__metadata__": OURS, "a": entry(dtype="BF16", shape=[1])}, b"ab"),
    "bfloat16, somebody's": file_of({"a": entry(dtype="BF16", shape=[1])}, b"ab"),
    "eight bits": file_of({"__metadata__": OURS, "a": entry(dtype="F8_E4M3")}, b"ab"),
    "six bits": file_of(
        {"__metadata__": OURS, "a": entry(dtype="F6_E2M3", shape=[4], data_offsets=[0, 3])}, b"abc"
    ),
    "another checksum": file_of({"__metadata__": OURS, "a": entry()}, b"ab"),
    "somebody's": file_of({"a": entry()}, b"ab"),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_what_the_library_refuses_is_refused_in_the_same_words(tmp_path, monkeypatch, content):
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as by_library:
        checkpoint.read(path)
    monkeypatch.setattr(tensor_file, "opened", tensor_file_by_hand.opened)
    with pytest.raises(CheckpointError) as by_hand:
        checkpoint.read(path)
    assert str(by_hand.value) == str(by_library.value)


@pytest.mark.parametrize(
    "header", [b'{"a":{%s},"a":{%s}}', b'{"__metadata__":{"a":"b","a":"b"},"a":{%s}}']
)
def test_a_name_that_occurs_twice_is_refused(tmp_path, header):
    """The library takes the last; a file of its own never has one."""
    path = tmp_path / "file.safetensors"
    path.write_bytes(file_of(header.replace(b"%s", FIELDS.encode()), b"ab"))
    with pytest.raises(tensor_file.TensorFileError):
        read(tensor_file_by_hand, path)


@given(st.data())
def test_whatever_is_changed_both_read_the_same_or_refuse(tmp_path_factory, data):
    """A single byte of the header, or of its length, is another."""
    content = bytearray(file_of({"a": entry(), "b": entry(data_offsets=[2, 4])}, b"abcd"))
    position = data.draw(st.integers(0, len(content) - 5))
    content[position] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "file"
    path.write_bytes(content)
    try:
        expected = read(tensor_file, path)
    except tensor_file.TensorFileError:
        with pytest.raises(tensor_file.TensorFileError):
            read(tensor_file_by_hand, path)
        return
    try:
        found = read(tensor_file_by_hand, path)
    except tensor_file.TensorFileError:
        assert content.count(b'"a"') != 1 or content.count(b'"b"') != 1  # stricter: a name twice
    else:
        assert found[0] == expected[0] and same(found[1], expected[1])
