"""course.mnist: where load() looks, what it refuses, what it says; the sample and its README."""

import gzip
import hashlib
import os
import re
import runpy
import socket
import sys

import numpy as np
import pytest

from course import idx, mnist

CLONE = mnist.CLONE_DATA.parent
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Nothing in data/ and nothing downloaded by whoever runs the tests; the sample is real."""
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    monkeypatch.setattr(mnist, "USER_DATA", tmp_path / "user")
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "sample").symlink_to(CLONE / "data/sample")
    monkeypatch.setattr(mnist, "CLONE_DATA", clone)


def write_set(folder, num_train=30, num_test=20, suffix=".gz", dotted=False):
    """Four files of random images; returns their sha256 by official name."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, hashes = np.random.default_rng(num_train), {}
    for split, count in (("train", num_train), ("t10k", num_test)):
        arrays = {
            f"{split}-images-idx3-ubyte": rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
            f"{split}-labels-idx1-ubyte": rng.integers(0, 10, count, dtype=np.uint8),
        }
        for name, array in arrays.items():
            path = folder / ((name.replace("-idx", ".idx") if dotted else name) + suffix)
            idx.write(path, array)
            raw = path.read_bytes()
            raw = gzip.decompress(raw) if suffix else raw
            hashes[name] = hashlib.sha256(raw).hexdigest()
    return hashes


# The sample


def test_the_sample_is_there_and_is_what_it_should_be():
    digits = mnist.load()
    assert repr(digits) == "the sample: 4,000 training and 1,000 test digits"
    assert not digits.is_full
    assert digits.train_images.shape == (4000, 28, 28) and digits.test_images.shape == (
        1000,
        28,
        28,
    )
    for images in (digits.train_images, digits.test_images):
        assert images.dtype == np.uint8 and images.min() == 0 and images.max() == 255
    for labels in (digits.train_labels, digits.test_labels):
        assert labels.tolist() == list(range(10)) * (len(labels) // 10)
    assert [row.dataset for row in mnist.status()] == ["the sample"] * 4


def test_no_digit_of_the_sample_occurs_twice():
    digits = mnist.load()
    images = [*digits.train_images, *digits.test_images]
    assert len({image.tobytes() for image in images}) == 5000


def test_readme_gives_the_hashes_and_sizes_of_the_code():
    readme = (CLONE / "data/README.md").read_text()
    full, sample = readme.split("| the sample |")
    for text, hashes in ((full, mnist.FULL), (sample, mnist.SAMPLE)):
        assert dict(re.findall(r"\| (\S+-ubyte) \| [\d,]+ \| (\w{64}) \|", text)) == hashes
    for name in mnist.SAMPLE:
        content = gzip.decompress((CLONE / f"data/sample/{name}.gz").read_bytes())
        assert f"| {name} | {len(content):,} | {mnist.SAMPLE[name]} |" in sample


@pytest.mark.slow
def test_script_makes_the_very_same_sample_again(tmp_path, monkeypatch, capsys):
    digits = mnist.load()
    images = np.concatenate([digits.train_images, digits.test_images]).reshape(5000, 784)
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    table = np.column_stack([images, labels])[np.argsort(labels, kind="stable")]
    np.savetxt(tmp_path / "mnist_5k.csv", table, fmt="%d", delimiter=",")
    script = str(CLONE / "data/make_sample.py")
    arguments = [script, str(tmp_path / "mnist_5k.csv"), "--out", str(tmp_path / "again")]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(script, run_name="__main__")
    assert capsys.readouterr().out.count("as before") == 4
    assert [row.dataset for row in mnist.status(tmp_path / "again")] == ["the sample"] * 4


# Where load() looks


def test_order_of_places(tmp_path, monkeypatch):
    clone, user = mnist.CLONE_DATA, mnist.USER_DATA
    env, explicit = tmp_path / "env", tmp_path / "explicit"
    assert mnist.find_directory() == clone / "sample"
    write_set(user)
    assert mnist.find_directory() == user
    write_set(clone)
    assert mnist.find_directory() == clone
    write_set(env)
    monkeypatch.setenv("COURSE_DATA_DIR", str(env))
    assert mnist.find_directory() == env
    write_set(explicit)
    assert mnist.find_directory(explicit) == explicit
    assert mnist.load(str(explicit)).directory == explicit


def test_three_files_of_four_are_not_the_full_set():
    write_set(mnist.CLONE_DATA)
    (mnist.CLONE_DATA / f"{LABELS}.gz").unlink()
    assert mnist.load().source == "the sample"


def test_sample_of_an_installed_package_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "INSTALLED_SAMPLE", mnist.CLONE_DATA / "sample")
    monkeypatch.setattr(mnist, "CLONE_DATA", tmp_path / "site-packages/data")
    assert mnist.load().source == "the sample"


def test_load_never_touches_the_network(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("load() opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(mnist.load().train_images) == 4000


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dotted", [False, True])
def test_all_four_spellings(tmp_path, suffix, dotted):
    write_set(tmp_path / "x", 5, 3, suffix, dotted)
    digits = mnist.load(tmp_path / "x")
    assert repr(digits) == "other digits: 5 training and 3 test digits"


def test_full_is_told_by_the_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "FULL", write_set(tmp_path / "x"))
    assert mnist.load(tmp_path / "x").is_full
    write_set(tmp_path / "x", 31)
    assert not mnist.load(tmp_path / "x").is_full


# What it says when something is wrong


def test_explicit_folder_without_files_is_not_passed_over(tmp_path):
    write_set(tmp_path / "x")
    (tmp_path / "x" / f"{LABELS}.gz").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        mnist.load(tmp_path / "x")
    assert str(caught.value) == (
        f"{tmp_path}/x has no {LABELS} (with or without .gz). Put the files there, name another "
        f"folder, or name none to use the course's own digits."
    )


def test_folder_of_the_environment_is_named_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "nothing"))
    with pytest.raises(
        FileNotFoundError, match=r"nothing \(\$COURSE_DATA_DIR\) has no .* unset it"
    ):
        mnist.load()


def test_no_digits_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "CLONE_DATA", tmp_path / "site-packages/data")
    message = r"not even the sample.*python -m course data --download.*COURSE_DATA_DIR.*Looked in:"
    with pytest.raises(FileNotFoundError, match=message):
        mnist.load()


def damage(folder, how):
    match how:
        case "truncated":
            path = folder / f"{IMAGES}.gz"
            path.write_bytes(path.read_bytes()[:-1000])
        case "not 28x28":
            idx.write(folder / f"{IMAGES}.gz", np.zeros((30, 27, 28), np.uint8))
        case "no digit":
            idx.write(folder / f"{IMAGES}.gz", np.zeros((0, 28, 28), np.uint8))
            idx.write(folder / f"{LABELS}.gz", np.zeros(0, np.uint8))
        case "labels of another set":
            idx.write(folder / f"{LABELS}.gz", np.zeros(29, np.uint8))


@pytest.mark.parametrize(
    ("how", "message"),
    {
        "truncated": "images-idx3-ubyte.gz: gzip data: found damage",
        "not 28x28": r"sizes: found \(30, 27, 28\), expected 28x28 images",
        "no digit": r"sizes: found \(0, 28, 28\)",
        "labels of another set": "number of labels: found 29, expected 30",
    }.items(),
)
def test_damaged_files_are_named_with_what_to_do(how, message):
    """Even in data/, where the sample could take over: silence would hide the damage."""
    write_set(mnist.CLONE_DATA)
    damage(mnist.CLONE_DATA, how)
    with pytest.raises(idx.IdxError, match=message + ".*Replace the damaged file: .*--download"):
        mnist.load()


# Checking


def test_status_verifies_each_file(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "FULL", write_set(tmp_path))
    assert [row.dataset for row in mnist.status(tmp_path)] == ["full MNIST"] * 4
    damage(tmp_path, "truncated")
    (tmp_path / f"{LABELS}.gz").unlink()
    idx.write(tmp_path / "t10k-labels-idx1-ubyte.gz", np.zeros(20, np.uint8))
    images, labels, test_images, test_labels = mnist.status(tmp_path)
    assert not images.verified and "damage" in images.problem
    assert not labels.verified and labels.path is None and labels.problem == "not there"
    assert test_images.verified and test_images.path == tmp_path / "t10k-images-idx3-ubyte.gz"
    assert not test_labels.verified and "not of MNIST" in test_labels.problem


def test_hash_is_of_the_content_and_reads_no_more_than_a_file_of_mnist_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(mnist, "LARGEST", 1000)
    (tmp_path / "plain").write_bytes(bytes(1000))
    (tmp_path / "gz").write_bytes(gzip.compress(bytes(1000)))
    (tmp_path / "bomb").write_bytes(gzip.compress(bytes(10**7)))
    expected = hashlib.sha256(bytes(1000)).hexdigest()
    assert mnist.content_sha256(tmp_path / "plain") == expected
    assert mnist.content_sha256(tmp_path / "gz") == expected
    assert mnist.content_sha256(tmp_path / "bomb") == hashlib.sha256(bytes(1001)).hexdigest()


def test_describe(tmp_path, monkeypatch):
    text = mnist.describe()
    assert text.count("the sample, sha256 verified") == 4
    assert f"goes to {mnist.CLONE_DATA}: python -m course data --download" in text
    monkeypatch.setattr(mnist, "FULL", write_set(mnist.CLONE_DATA))
    text = mnist.describe()
    assert text.startswith(f"Digits in use: {mnist.CLONE_DATA}\n")
    assert text.count("full MNIST, sha256 verified") == 4 and "--download" not in text


def test_where_a_download_goes(tmp_path, monkeypatch):
    assert mnist.download_directory() == mnist.CLONE_DATA
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a read-only clone
    assert mnist.download_directory() == mnist.USER_DATA
    monkeypatch.undo()
    monkeypatch.setattr(mnist, "CLONE_DATA", tmp_path / "site-packages/data")  # no clone
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    assert mnist.download_directory() == mnist.USER_DATA
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "env"))
    assert mnist.download_directory() == tmp_path / "env"


def test_in_a_browser_the_learner_s_data_lie_beside_the_notebook(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.chdir(tmp_path)
    assert mnist.download_directory() == tmp_path / "data"
    assert mnist.load().source == "the sample"
    write_set(tmp_path / "data")
    assert mnist.load().directory == tmp_path / "data"


# Pixels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_to_float(dtype):
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    pixels = mnist.to_float(images, dtype)
    assert pixels.dtype == dtype and pixels.shape == (4, 8, 8)
    np.testing.assert_array_equal(pixels.ravel(), [dtype(value / 255) for value in range(256)])
    assert mnist.to_float(images).dtype == np.float32
