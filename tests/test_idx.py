"""course.idx: round trips, every refusal, a fuzz test against an independent reader, memory."""

import gzip
import math
import os
import random
import struct
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course import idx

DTYPES = ["u1", "i1", "i2", "i4", "f4", "f8"]
CODES = dict(zip(DTYPES, [8, 9, 0x0B, 0x0C, 0x0D, 0x0E], strict=True))


def content(shape, dtype="u1", payload=None):
    """The bytes of an IDX file, made by hand; the payload counts up unless it is given."""
    if payload is None:
        payload = (np.arange(math.prod(shape)) % 100).astype(f">{dtype}").tobytes()
    return struct.pack(f">HBB{len(shape)}I", 0, CODES[dtype], len(shape), *shape) + payload


def same(a, b):
    """Equal in type, shape and every bit (so NaN equals NaN, and 0.0 is not -0.0)."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# The format


def test_reads_the_bytes_that_the_format_describes():
    raw = bytes.fromhex("00000b02 00000002 00000003 0001 0002 0003 ffff 8000 7fff")
    array = idx.read(raw)
    assert array.dtype == np.int16 and array.dtype.isnative
    assert array.tolist() == [[1, 2, 3], [-1, -32768, 32767]]


def test_writes_the_bytes_that_the_format_describes(tmp_path):
    idx.write(tmp_path / "x", np.array([[1, 2, 3], [-1, -32768, 32767]], dtype=np.int16))
    expected = "00000b02 00000002 00000003 0001 0002 0003 ffff 8000 7fff"
    assert (tmp_path / "x").read_bytes() == bytes.fromhex(expected)


arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: st.sampled_from("<>").flatmap(
        lambda order: hnp.arrays(
            np.dtype(order + dtype),
            hnp.array_shapes(min_dims=1, max_dims=6, min_side=0, max_side=5),
        )
    )
)


@given(array=arrays, name=st.sampled_from(["a", "a.gz"]), as_bytes=st.booleans())
def test_round_trip(tmp_path_factory, array, name, as_bytes):
    path = tmp_path_factory.mktemp("idx") / name
    idx.write(path, array)
    back = idx.read(path.read_bytes() if as_bytes else path)
    assert same(back, array.astype(array.dtype.newbyteorder("=")))
    assert back.flags.writeable and back.flags.c_contiguous
    assert [file.name for file in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("rank", [1, 2, 63, 64])
def test_round_trip_of_any_rank(tmp_path, rank):
    array = np.arange(6, dtype=np.int32).reshape((1,) * (rank - 1) + (6,))
    idx.write(tmp_path / "x", array)
    assert same(idx.read(tmp_path / "x"), array)


def test_strided_arrays_are_written_in_c_order(tmp_path):
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)[::-1, :, ::2]
    idx.write(tmp_path / "x.gz", array)
    assert same(idx.read(tmp_path / "x.gz"), np.ascontiguousarray(array))


def test_gzip_is_told_by_the_content_and_has_no_time_stamp(tmp_path):
    array = np.arange(10, dtype=np.uint8)
    idx.write(tmp_path / "x.gz", array)
    compressed = (tmp_path / "x.gz").read_bytes()
    assert compressed[4:8] == bytes(4)
    (tmp_path / "misnamed").write_bytes(compressed)
    assert same(idx.read(str(tmp_path / "misnamed")), array)


def test_gzip_of_several_members_is_read_whole():
    raw = content((100,))
    assert same(idx.read(gzip.compress(raw[:50]) + gzip.compress(raw[50:])), idx.read(raw))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_reads_any_kind_of_bytes(kind):
    assert idx.read(kind(content((3,)))).tolist() == [0, 1, 2]


# Every refusal names file, field, found and expected

BAD = {
    "empty": (b"", r"header: found 0 bytes, expected at least 4"),
    "short header": (b"\0\0\x08", r"header: found 3 bytes"),
    "magic": (b"<html> nothing", r"magic number: found 3c 68 74 6d, expected two zero bytes"),
    "type": (b"\0\0\x0a\1\0\0\0\0", r"element type: found 0x0a, expected one of 0x08, 0x09, 0x0b"),
    "rank 0": (b"\0\0\x08\0", r"rank: found 0, expected 1 to 64"),
    "rank 65": (b"\0\0\x08\x41" + bytes(260), r"rank: found 65, expected 1 to 64"),
    "short sizes": (b"\0\0\x08\2\0\0\0\1", r"sizes: found 4 bytes, expected 4 for each of 2"),
    "truncated": (content((2, 3))[:-1], r"\(2 x 3 uint8\): found 5 bytes, expected 6 bytes"),
    "over-long": (content((2, 3)) + b"!", r"\(2 x 3 .*found 7 bytes, expected 6 bytes"),
    "half an element": (content((2,), "i4")[:-2], r"\(2 int32\): found 6 bytes, expected 8"),
    "2^40 elements": (content((2**20, 2**20), payload=bytes(10)), r"expected 1,099,511,627,776 b"),
    "absurd sizes": (
        content((2**32 - 1,) * 64, "f8", b""),
        r" x \.\.\. float64.* more than 2\*\*63 bytes",
    ),
    "empty but huge": (
        content((0,) + (2**32 - 1,) * 3, payload=b""),
        r"found 0 bytes, .*max_bytes",
    ),
    "gzip, truncated": (gzip.compress(content((9,)))[:-9], r"gzip data: found damage .*end-of-s"),
    "gzip, content short": (
        gzip.compress(content((9,))[:-1]),
        r"\(9 uint8\): found only 8, expected 9 b",
    ),
    "gzip, content long": (
        gzip.compress(content((9,)) + b"!"),
        r"\(9 uint8\): found more than that, exp",
    ),
    "gzip, checksum": (gzip.compress(content((9,)))[:-8] + bytes(8), r"damage \(CRC check failed"),
    "gzip, no header": (gzip.compress(b"\0\0"), r"header: found 2 bytes"),
    "gzip, then rubbish": (gzip.compress(content((9,))) + b"!", r"gzip data: found damage"),
    "gzip, 2^40 elements": (
        gzip.compress(content((2**20, 2**20), payload=bytes(10))),
        r"found a file that holds at most \d\d,\d{3} bytes, expected 1,099,511,627,776 bytes",
    ),
    "gzip magic only": (b"\x1f\x8b", r"gzip data: found damage"),
}


@pytest.mark.parametrize(("raw", "message"), BAD.values(), ids=BAD)
def test_refuses(tmp_path, raw, message):
    path = tmp_path / "some-file"
    path.write_bytes(raw)
    with pytest.raises(idx.IdxError, match=message) as caught:
        idx.read(path)
    assert str(caught.value).startswith(f"{path}: ")
    with pytest.raises(idx.IdxError, match=f"^<bytes>: .*{message}"):
        idx.read(raw)


def test_missing_file_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        idx.read(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3, np.int64), "element type: found int64, expected one of uint8, int8, .*astype"),
        (np.zeros(3, bool), "element type: found bool"),
        (np.array(["a"]), "element type: found <U1"),
        (np.uint8(1), "rank: found 0, expected 1 to 64"),
        (np.broadcast_to(np.uint8(0), (2**32,)), r"sizes: found 4294967296, expected each below"),
    ],
    ids=["int64", "bool", "text", "rank 0", "too long"],
)
def test_refuses_to_write_what_idx_cannot_hold(tmp_path, array, message):
    (tmp_path / "x").write_text("here before")
    with pytest.raises(idx.IdxError, match=message):
        idx.write(tmp_path / "x", array)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["here before"]


# Images with labels


def write_pair(folder, images, labels):
    idx.write(folder / "images", images)
    idx.write(folder / "labels.gz", labels)
    return folder / "images", folder / "labels.gz"


def test_read_pair(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    labels = np.array([0, 9], dtype=np.uint8)
    x, y = idx.read_pair(*write_pair(tmp_path, images, labels))
    assert same(x, images) and same(y, labels)


BAD_PAIRS = {
    "lengths": (
        (2, 3, 3),
        [1, 2, 3],
        np.uint8,
        "labels.gz: number of labels: found 3, .*2, one for",
    ),
    "label": (
        (3, 3, 3),
        [1, 10, 99],
        np.uint8,
        r"label 1 \(2 are wrong\): found 10, expected 0 to 9",
    ),
    "label rank": ((1, 3, 3), [[1]], np.uint8, r"labels.gz: rank: found 2 \(1 x 1\), expected 1"),
    "image rank": ((1, 3), [1], np.uint8, r"images: rank: found 2 \(1 x 3\), expected 3"),
    "label type": (
        (1, 3, 3),
        [1],
        np.int32,
        "labels.gz: element type: found int32, expected uint8",
    ),
}


@pytest.mark.parametrize(("shape", "labels", "dtype", "message"), BAD_PAIRS.values(), ids=BAD_PAIRS)
def test_read_pair_refuses(tmp_path, shape, labels, dtype, message):
    paths = write_pair(tmp_path, np.zeros(shape, np.uint8), np.array(labels, dtype))
    with pytest.raises(idx.IdxError, match=message):
        idx.read_pair(*paths)


def test_read_pair_knows_other_numbers_of_classes(tmp_path):
    paths = write_pair(tmp_path, np.zeros((1, 2, 2), np.uint8), np.array([3], np.uint8))
    assert idx.read_pair(*paths, num_classes=4)[1] == [3]
    with pytest.raises(idx.IdxError, match="found 3, expected 0 to 2"):
        idx.read_pair(*paths, num_classes=3)


# Fuzz: whatever the bytes, the right array or an IdxError


LIMIT = 2**23  # bytes; only arrays with a size of 0 come near it here


def independent_read(raw):
    """Another reader, of bytes, as plain as can be: an array, or None for what is not IDX."""
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except Exception:
            return None
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in CODES.values() or not 1 <= raw[3] <= 64:
        return None
    rank, dtype = raw[3], {code: dtype for dtype, code in CODES.items()}[raw[2]]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    numbers = raw[4 + 4 * rank :]
    if len(raw) < 4 + 4 * rank or len(numbers) != math.prod(shape) * np.dtype(dtype).itemsize:
        return None
    if math.prod(size or 1 for size in shape) * np.dtype(dtype).itemsize > LIMIT:
        return None
    return np.array(np.frombuffer(numbers, f">{dtype}"), dtype).reshape(shape)


def seeds():
    shapes = [(0,), (5,), (2, 3), (3, 28, 28), (1, 2, 1, 3, 1, 2), (4, 0, 3), (1,) * 64]
    plain = [content(shape, dtype) for shape in shapes for dtype in DTYPES]
    return plain + [gzip.compress(raw) for raw in plain]


def mutate(rng, raw, others):
    """Damage `raw` in one of the ways that files are damaged or forged."""
    raw = bytearray(raw)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        place = rng.randrange(len(raw) + 1)
        match rng.randrange(7):
            case 0 if raw:  # a flipped bit, anywhere
                raw[place - 1] ^= 1 << rng.randrange(8)
            case 1 if raw:  # a byte in the header
                raw[rng.randrange(min(len(raw), 16))] = rng.choice([0, 1, 8, 13, 31, 128, 255])
            case 2:
                del raw[place:]
            case 3:
                raw[place:place] = rng.randbytes(rng.choice([1, 4, 100]))
            case 4:
                del raw[place : place + rng.choice([1, 4, 100])]
            case 5:  # the end of another file
                raw[place:] = rng.choice(others)[place:]
            case 6:  # a size or a length field
                raw[place : place + 4] = struct.pack(">I", rng.choice([0, 1, 5, 2**31, 2**32 - 1]))
    return bytes(raw)


def test_fuzz_12000_mutated_files(tmp_path):
    rng, originals = random.Random(1), seeds()
    path = tmp_path / "fuzzed"
    accepted = refused = 0
    for number in range(12_000):
        if number % 4 == 0:  # damage first, compress then: what is inside a good gzip file
            raw = gzip.compress(mutate(rng, rng.choice(originals), originals), 1)
        else:
            raw = mutate(rng, rng.choice(originals), originals)
        source = raw
        if number % 10 == 0:
            path.write_bytes(raw)
            source = path
        expected = independent_read(raw)
        try:
            array = idx.read(source, max_bytes=LIMIT)
        except idx.IdxError:
            refused += 1
            assert expected is None, raw.hex()
        else:
            accepted += 1
            assert expected is not None and same(array, expected), raw.hex()
    assert accepted > 500 and refused > 5000, (accepted, refused)  # both sides were tried


# Memory and time: hostile files cost next to nothing


def hostile_files():
    noise = random.Random(2).randbytes(10_000)
    zeros = gzip.compress(
        bytes(2**26), 1
    )  # 64 MB in 0.3 MB; members of a gzip can be strung together
    return {
        "10 KB, claims 2^40": content((2**20, 2**20), payload=noise),
        "10 KB, claims 2^40, gzip": gzip.compress(content((2**20, 2**20), payload=noise)),
        "10 KB, claims all that gzip could hold": gzip.compress(content((10**7,), payload=noise)),
        "1 GB of zeros in a gzip, claims 784": gzip.compress(content((28, 28), payload=b""))
        + zeros * 16,
        "2 GB of zeros in a gzip, claims them": gzip.compress(content((2**28,), "f8", b""))
        + zeros * 32,
    }


HOSTILE = hostile_files()


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_in_milliseconds_and_megabytes(tmp_path, raw):
    path = tmp_path / "hostile"
    path.write_bytes(raw)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        with pytest.raises(idx.IdxError):
            idx.read(path)
        seconds.append(time.perf_counter() - began)
    tracemalloc.start()  # NumPy reports to it, too
    try:
        with pytest.raises(idx.IdxError):
            idx.read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"{min(seconds) * 1e3:.2f} ms, {peak / 1e6:.2f} MB")
    assert min(seconds) < 0.1
    assert peak < 4e6


def test_max_bytes_can_be_raised_and_lowered():
    raw = content((1000,))
    with pytest.raises(
        idx.IdxError, match=r"found 1,000 bytes, expected at most 999 \(max_bytes\)"
    ):
        idx.read(raw, max_bytes=999)
    assert len(idx.read(raw, max_bytes=1000)) == 1000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe or a device, not a file"):
        idx.read(tmp_path / "pipe")


@pytest.mark.skipif(not os.path.exists("/dev/stdin"), reason="needs /dev/stdin")
def test_stdin_is_read_where_it_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(content((5,)))
    code = "from course import idx; print(idx.read('/dev/stdin').sum())"
    with open(tmp_path / "file") as file:
        done = subprocess.run([sys.executable, "-c", code], stdin=file, capture_output=True)
    assert done.stdout.split() == [b"10"]
