"""What the first visit to a lesson costs, and the second."""

from collections import Counter

LESSON = "00-start-here"
PARTS = {  # what is loaded, by a part of its path; the first that fits
    "/pyodide/scipy-": "scipy",
    "/pyodide/openblas-": "openblas (for scipy)",
    "/pyodide/matplotlib-": "matplotlib",
    "/pyodide/fonttools-": "fonttools (for matplotlib)",
    "/pyodide/numpy-": "numpy",
    "/pyodide/pillow-": "pillow",
    "/pyodide/pyodide.asm": "Pyodide itself",
    "/pyodide/python_stdlib": "Python's library",
    "/networks_by_hand-": "the course, with its digits and networks",
    "/pyodide/": "other packages of Pyodide",
    "/run/wheels/": "other packages of the site",
    "/run/extensions/": "JupyterLite: widgets and kernel",
    "/run/build/": "JupyterLite: the page",
}


def parts(server):
    """Part -> megabytes on the wire, the largest first."""
    sizes = Counter()
    for path, size in server.sent.items():
        part = next((name for sign, name in PARTS.items() if sign in path), "the rest")
        sizes[part] += size / 1e6
    return sizes.most_common()


def test_first_visit_and_second(visitor, server, report):
    first = visitor.lesson(LESSON)
    early = {path for path in server.sent if "/pyodide/" in path or "/wheels/" in path}
    first.run_first()
    assert first.errors() == []
    megabytes = sum(server.sent.values()) / 1e6
    report(f"first visit to {LESSON}: {megabytes:.1f} MB on the wire (bodies; gzip where it helps)")
    for part, size in parts(server):
        report(f"  {size:6.2f} MB  {part}")
    for what, seconds in first.took.items():
        report(f"  {seconds:6.1f} s   until {what}")
    assert megabytes < 65
    assert not any("ssl" in path for path in early), "nobody connects to anything from a page"
    first.wait_until_kept()
    more = sum(server.sent.values()) / 1e6 - megabytes
    report(f"  {more:6.2f} MB  kept afterwards, for a visit without a network")
    first.close()

    server.sent.clear()
    second = visitor.lesson(LESSON)
    second.run_first()
    assert second.errors() == []
    megabytes = sum(server.sent.values()) / 1e6
    report(f"second visit: {megabytes:.1f} MB, most of it {server.sent.most_common(4)}")
    for what, seconds in second.took.items():
        report(f"  {seconds:6.1f} s   until {what}")
    assert megabytes < 1


def test_a_lesson_opens_without_a_network(visitor, server):
    """The second time, with the server stopped."""
    lesson = visitor.lesson(LESSON)
    lesson.run_first()
    lesson.wait_until_kept()
    lesson.close()
    server.stop()
    lesson = visitor.lesson(LESSON)
    lesson.run_first()
    assert lesson.errors() == []


def test_a_cell_loads_what_it_imports_and_no_more(visitor, server):
    lesson = visitor.lesson(LESSON)
    lesson.run_python("import sys\nassert 'numpy' not in sys.modules, 'too early'")
    lesson.run_python("import numpy\nassert numpy.__version__ == '2.0.2'")
    lesson.run_python("import importlib.util as u\nassert not u.find_spec('scipy'), 'too early'")
    lesson.run_python("from course.nn import blas\nimport scipy\nassert scipy.__version__")
    lesson.run_python("import course\nassert 'site-packages' in course.__file__")
