"""What pyproject.toml cannot say: the package carries files that lie outside of it.

In a clone the digits and the logs are where a reader looks for them, in `data/` and `logs/`. In a
wheel they are in `course/shipped/`, where `course.places` finds them.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = [*Path("data/sample").glob("*.gz"), *Path("logs").glob("*.*")]


class BuildWithData(build_py):
    """Puts them into the package, and into the archive of the sources."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for path in SHIPPED:
                target = Path(self.build_lib, "course", "shipped", path)
                self.mkpath(str(target.parent))
                self.copy_file(str(path), str(target))

    def get_source_files(self):
        return super().get_source_files() + sorted(map(str, SHIPPED))


setup(cmdclass={"build_py": BuildWithData})
