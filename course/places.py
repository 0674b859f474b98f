"""Where the files are: those that come with the course, and those that the learner makes.

In a clone both lie beside the package, where they are seen. A package that was installed without
its clone carries the first inside it (`setup.py`), and the second lie in the user's home. In a
browser the home folder is gone with the page; what lasts is the drive that the notebooks are on.
"""

import os
from pathlib import Path

from course.environment import HERE

PACKAGE = Path(__file__).resolve().parent
CLONE = PACKAGE.parent
USERS_OWN = Path(os.path.expanduser("~/.local/share/course"))


def is_clone():
    """Whether the package lies in a clone of the course."""
    return (CLONE / "pyproject.toml").is_file()


def shipped(folder):
    """The folder, such as "data/sample", of what comes with the course."""
    return (CLONE if is_clone() else PACKAGE / "shipped") / folder


def own(folder, variable=None):
    """The learner's own folder of this name, or the one that the environment `variable` names.

    It lies in the clone, if that can be written; in a browser beside the notebook; otherwise in
    ~/.local/share/course.
    """
    if variable and (asked := os.environ.get(variable)):
        return Path(asked).expanduser().absolute()
    if HERE.browser:
        return Path(folder).absolute()
    return (CLONE if is_clone() and os.access(CLONE, os.W_OK) else USERS_OWN) / folder
