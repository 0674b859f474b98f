"""Where in the learner's own code something happened, as sentences."""

import linecache
import sys
import sysconfig
import traceback
from pathlib import Path

COURSE = str(Path(__file__).parents[1])
PYTHON = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
SHOWN = 3  # lines of a traceback, at most


def where(error):
    """The learner's lines in the traceback of `error`, from the outermost to the innermost.

    Each line of the text is one call: file or cell, number, function, and what stands there.
    """
    lines, last = [], None
    for f in traceback.extract_tb(error.__traceback__):
        is_comprehension = f.name.startswith("<") and (f.filename, f.lineno) == last
        if _learners(f.filename) and not is_comprehension:
            text = f"  {_place(f.filename, f.lineno)}, in {f.name}: {f.line}"
            lines.append(text.removesuffix(": "))
            last = f.filename, f.lineno
    if len(lines) > SHOWN:  # a recursion
        lines[1 : 1 - SHOWN] = [f"  ... and {len(lines) - SHOWN:,} calls more ..."]
    return "\n".join(lines)


def warning_text(warning):
    """A warning, with the learner's line if it came from one: RuntimeWarning: overflow (...)."""
    text = f"{warning.category.__name__}: {warning.message}"
    if not _learners(warning.filename):
        return text
    line = linecache.getline(warning.filename, warning.lineno).strip()
    return f"{text} ({_place(warning.filename, warning.lineno)}: {line})"


def _learners(filename):
    """Whether code of this file is neither the course's nor Python's nor a library's."""
    return not filename.startswith((COURSE, *PYTHON, "<frozen", "<__array_function__"))


def _place(filename, number):
    """`Cell In[3], line 5`, as IPython has it in its own tracebacks, or `mine.py, line 5`."""
    cell = (found := shell()) and found.compile.format_code_name(filename)
    return f"{' '.join(cell) if cell else Path(filename).name}, line {number}"


def shell():
    """The notebook's IPython shell, None outside of one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
