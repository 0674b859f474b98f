"""What holds for every test, and for the kernels of the notebooks tested in the same run."""

import os
from pathlib import Path

import hypothesis
import matplotlib

# The first example may have to wait for a compiler; that is no reason to fail.
hypothesis.settings.register_profile("local", deadline=None)
if "CI" not in os.environ:  # there Hypothesis picks its own profile: no deadline, same examples
    hypothesis.settings.load_profile("local")

# No window opens. (Not by MPLBACKEND: a kernel would inherit it, and show no figure.)
matplotlib.use("agg")
os.environ.pop("MPLBACKEND", None)

# A full MNIST that lies in data/ must not change what the notebooks print.
os.environ.setdefault("COURSE_DATA_DIR", str(Path(__file__).parents[1] / "data" / "sample"))


def pytest_configure(config):
    """Keep the personal settings of whoever runs the tests out of them."""
    os.environ["MATPLOTLIBRC"] = str(Path(matplotlib.get_data_path(), "matplotlibrc"))
    os.environ["IPYTHONDIR"] = str(config.cache.mkdir("ipython"))
    os.environ["JUPYTER_CONFIG_DIR"] = str(config.cache.mkdir("jupyter"))
