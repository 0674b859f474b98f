"""The MLP on full MNIST: how well it reads, how much memory it needs, the same bits twice."""

import json
import subprocess
import sys

import pytest

from course import mnist
from course.nn import checkpoint

if not mnist.load().is_full:
    pytest.skip("load() does not find the full MNIST", allow_module_level=True)

# Runs a command and prints the most memory that it had, in MB: a parent is told that of its
# children. Darwin counts in bytes, others in kilobytes.
PEAK_MEMORY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak / (2**20 if sys.platform == "darwin" else 2**10))
"""


def train(folder, *options):
    files = ["--out", str(folder / "model"), "--log", str(folder / "log.txt")]
    return [sys.executable, "-m", "course", "train", "mlp", *files, "--json", *options]


@pytest.mark.parametrize(
    ("options", "at_least"),
    [
        # Seeds 1 to 5: 94.39, 94.23, 94.22, 94.09, 94.12; the stand-alone program reports 94.17 %.
        (["--optimizer=sgd", "--learning-rate=0.01", "--schedule=constant"], 0.9417),
        # Seeds 1 to 5: 98.49, 98.51, 98.48, 98.51, 98.50 %
        ([], 0.983),
    ],
)
def test_accuracy_after_ten_epochs_on_all_60_000(tmp_path, capsys, options, at_least):
    command = train(tmp_path, "--validation-split=0", *options)
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{' '.join(options) or 'the recipe'}: {result['test_accuracy']:.2%}")
    assert (result["digits"], result["epochs"]) == ("full MNIST", 10)
    assert result["test_accuracy"] >= at_least


def test_memory_and_the_same_bits_twice(tmp_path, capsys):
    peaks, weights = [], []
    for folder in (tmp_path / "first", tmp_path / "second"):
        command = [sys.executable, "-c", PEAK_MEMORY, *train(folder, "--epochs=2")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        peaks.append(float(done.stdout))
        arrays = checkpoint.read(folder / "model").arrays
        weights.append({name: array.tobytes() for name, array in arrays.items()})
    with capsys.disabled():
        print(f"\npeak memory {max(peaks):.0f} MB")
    assert 100 < max(peaks) < 500
    assert weights[0] == weights[1]
