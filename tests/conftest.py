"""What holds for every test, and for the kernels of the notebooks tested in the same run."""

import itertools
import os
import signal
import tempfile
from pathlib import Path

import hypothesis
import matplotlib
import pytest

from course import idx, mnist
from course.commands.cli import main
from course.nn.compiled import CompileNotice

# The first example may have to wait for a compiler; that is no reason to fail.
hypothesis.settings.register_profile("local", deadline=None)
if "CI" not in os.environ:  # there Hypothesis picks its own profile: no deadline, same examples
    hypothesis.settings.load_profile("local")

# No window opens. (Not by MPLBACKEND: a kernel would inherit it, and show no figure.)
matplotlib.use("agg")
os.environ.pop("MPLBACKEND", None)

# A full MNIST that lies in data/ must not change what the notebooks print.
os.environ.setdefault("COURSE_DATA_DIR", str(Path(__file__).parents[1] / "data" / "sample"))

TESTS = itertools.count()

# What was started in the background of a shell ignores Ctrl-C, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """Keep the personal settings of whoever runs the tests out of them."""
    os.environ["MATPLOTLIBRC"] = str(Path(matplotlib.get_data_path(), "matplotlibrc"))
    os.environ["IPYTHONDIR"] = str(config.cache.mkdir("ipython"))
    os.environ["JUPYTER_CONFIG_DIR"] = str(config.cache.mkdir("jupyter"))
    os.environ.pop("JPY_SESSION_NAME", None)  # these kernels' own notebooks have no page
    nothing_done = tempfile.TemporaryDirectory(prefix="progress-", ignore_cleanup_errors=True)
    os.environ["COURSE_PROGRESS_DIR"] = nothing_done.name  # of notebooks, too: nothing is answered
    os.environ["COURSE_MODELS_DIR"] = os.path.join(nothing_done.name, "models")  # nor saved
    config.add_cleanup(nothing_done.cleanup)


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch):
    """No test sees what another has kept, nor do the notebooks that are tested in the same run."""
    folder = os.path.join(os.environ["COURSE_PROGRESS_DIR"], f"test-{next(TESTS)}")
    monkeypatch.setenv("COURSE_PROGRESS_DIR", folder)


@pytest.fixture(scope="session")
def some_digits(tmp_path_factory):
    """A folder of 240 and 60 digits, so that an epoch takes no time."""
    folder, sample = tmp_path_factory.mktemp("digits"), mnist.load(mnist.CLONE_DATA / "sample")
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        split, kind = name.split("_")
        count = 240 if split == "train" else 60
        file = f"{'train' if split == 'train' else 't10k'}-{kind}-idx{3 if kind == 'images' else 1}"
        every = len(getattr(sample, name)) // count  # of all classes
        idx.write(folder / f"{file}-ubyte", getattr(sample, name)[::every][:count])
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, some_digits):
    """Run in an empty folder, on few digits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA_DIR", str(some_digits))
    monkeypatch.setenv("COURSE_LOGS_DIR", str(tmp_path / "logs"))


@pytest.fixture
def course(capsys):
    """Call the command line; returns its exit code, lines of stdout, and stderr."""

    def call(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit:  # argparse
            code = exit.code
        out, err = capsys.readouterr()
        return code, out.splitlines(), without_notice(err)

    return call


def without_notice(err):
    """What stderr got, but for the notice that a fresh clone has to compile."""
    notice = CompileNotice.MESSAGE  # none where nothing is compiled
    return err.replace(f"{notice}\n", "") if notice else err
